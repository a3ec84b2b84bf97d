"""Events that replace or take back others, and imports that go on where they were stopped."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

__all__ = ["down_revision", "revision", "upgrade"]

revision = "0003"
down_revision: str | None = "0002"

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Let events name others, and make the tables superseded and imports."""
    op.add_column("events", sa.Column("replaces", _TEXT))
    naming = sa.text("replaces IS NOT NULL")
    for name, column in (("events_replaces", "replaces"), ("events_replacing", "id")):
        op.create_index(name, "events", [column], sqlite_where=naming, postgresql_where=naming)
    op.create_table(
        "superseded",
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    )
    op.create_table(
        "imports",
        sa.Column("source", _TEXT, primary_key=True),
        sa.Column("done", sa.BigInteger, nullable=False),
        sa.Column("accepted", sa.BigInteger, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
