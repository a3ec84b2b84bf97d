"""The first schema: events, items, consent, keys, artifacts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

__all__ = ["down_revision", "revision", "upgrade"]

revision = "0001"
down_revision: str | None = None

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Make every table of the first schema."""
    _events()
    _items()
    op.create_table(
        "consent",
        sa.Column("user", _TEXT, primary_key=True),
        sa.Column("purpose", _TEXT, primary_key=True),
        sa.Column("granted", sa.Boolean, nullable=False),
        sa.Column("basis", _TEXT, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "api_keys",
        sa.Column("id", _TEXT, primary_key=True),
        sa.Column("name", _TEXT, nullable=False),
        sa.Column("hash", _TEXT, nullable=False),
        sa.Column("scopes", _TEXT, nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("revoked", sa.BigInteger),
    )
    op.create_table(
        "artifacts",
        sa.Column("digest", _TEXT, primary_key=True),
        sa.Column("path", _TEXT, nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("models", _TEXT, nullable=False),
        sa.Column("metrics", _TEXT, nullable=False),
        sa.Column("promoted", sa.BigInteger),
    )


def _events() -> None:
    """Make the log; in PostgreSQL it is parted by time, and a table beside it keeps its ids apart."""
    parted = op.get_bind().dialect.name == "postgresql"
    if parted:
        op.execute("CREATE SEQUENCE events_seq")
    key = [sa.PrimaryKeyConstraint("user", "at", "seq")] if parted else [sa.PrimaryKeyConstraint("seq")]
    op.create_table(
        "events",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=not parted),
        sa.Column("id", _TEXT, nullable=False),
        sa.Column("user", _TEXT, nullable=False),
        sa.Column("item", _TEXT, nullable=False),
        sa.Column("kind", _TEXT, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("value", sa.Double, nullable=False),
        sa.Column("session", _TEXT),
        sa.Column("channel", _TEXT, nullable=False),
        sa.Column("context", _TEXT),
        sa.Column("recorded", sa.BigInteger, nullable=False),
        *key,
        postgresql_partition_by="RANGE (at)",
    )
    if not parted:
        op.create_index("events_id", "events", ["id"], unique=True)
        op.create_index("events_past", "events", ["user", "at", "seq", "item", "kind", "value"])
        return
    op.create_table(
        "event_ids",
        sa.Column("id", _TEXT, primary_key=True),
        sa.Column("at", sa.BigInteger),
        sa.Column("seq", sa.BigInteger),
        sa.Column("named", sa.Boolean, nullable=False),
    )


def _items() -> None:
    op.create_table(
        "items",
        sa.Column("id", _TEXT, primary_key=True),
        sa.Column("title", _TEXT, nullable=False),
        sa.Column("text", _TEXT, nullable=False),
        sa.Column("categories", _TEXT, nullable=False),
        sa.Column("price", sa.Double),
        sa.Column("currency", _TEXT),
        sa.Column("available", sa.Boolean, nullable=False),
        sa.Column("published", sa.BigInteger),
        sa.Column("attributes", _TEXT, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
    )
    op.create_index("items_version", "items", ["version"])
    counters = op.create_table(
        "counters",
        sa.Column("name", _TEXT, primary_key=True),
        sa.Column("value", sa.BigInteger, nullable=False),
    )
    op.bulk_insert(counters, [{"name": "items", "value": 0}])
