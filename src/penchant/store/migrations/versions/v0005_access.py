"""Keys that end, are limited, or are public; secrets that every server of a store shares."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

__all__ = ["down_revision", "revision", "upgrade"]

revision = "0005"
down_revision: str | None = "0004"

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Add what a key may be limited to, and the table of secrets; keys that are there stay as they were."""
    op.add_column("api_keys", sa.Column("expires", sa.BigInteger))
    op.add_column("api_keys", sa.Column("rate", _TEXT))
    op.add_column("api_keys", sa.Column("networks", _TEXT))
    op.add_column("api_keys", sa.Column("public", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("api_keys", sa.Column("family", _TEXT))
    op.add_column("api_keys", sa.Column("successor", _TEXT))
    op.create_table(
        "secrets",
        sa.Column("name", _TEXT, primary_key=True),
        sa.Column("value", _TEXT, nullable=False),
    )
