"""The model registry: promotions and leases."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

__all__ = ["down_revision", "revision", "upgrade"]

revision = "0004"
down_revision: str | None = "0003"

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Make the tables; a bundle that is in service already was promoted by somebody unknown."""
    op.create_table(
        "promotions",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
        sa.Column("digest", _TEXT, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("by", _TEXT, nullable=False),
        sa.Column("why", _TEXT, nullable=False),
        sa.Column("undone", sa.BigInteger),
    )
    op.create_table(
        "leases",
        sa.Column("name", _TEXT, primary_key=True),
        sa.Column("holder", _TEXT, nullable=False),
        sa.Column("until", sa.BigInteger, nullable=False),
        sa.Column("done", sa.BigInteger),
    )
    op.execute(
        'INSERT INTO promotions (digest, at, "by", why) '
        "SELECT digest, promoted, 'unknown', '' FROM artifacts WHERE promoted IS NOT NULL"
    )
