"""The model registry: promotions and leases."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

__all__ = ["down_revision", "revision", "upgrade"]

revision = "0004"
down_revision: str | None = "0002"


def upgrade() -> None:
    """Make the tables; a bundle that is in service already was promoted by somebody unknown."""
    op.create_table(
        "promotions",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("undone", sa.BigInteger),
    )
    op.create_table(
        "leases",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("holder", sa.Text, nullable=False),
        sa.Column("until", sa.BigInteger, nullable=False),
        sa.Column("done", sa.BigInteger),
    )
    op.execute(
        'INSERT INTO promotions (digest, at, "by", why) '
        "SELECT digest, promoted, 'unknown', '' FROM artifacts WHERE promoted IS NOT NULL"
    )
