"""User studies: studies, participants, ratings."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

__all__ = ["down_revision", "revision", "upgrade"]

revision = "0002"
down_revision: str | None = "0001"

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Make the tables of user studies."""
    op.create_table(
        "studies",
        sa.Column("name", _TEXT, primary_key=True),
        sa.Column("a", _TEXT, nullable=False),
        sa.Column("b", _TEXT, nullable=False),
        sa.Column("n", sa.BigInteger, nullable=False),
        sa.Column("places", sa.BigInteger, nullable=False),
        sa.Column("seed", sa.BigInteger, nullable=False),
        sa.Column("joined", sa.BigInteger, nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("closed", sa.BigInteger),
    )
    op.create_table(
        "participants",
        sa.Column("id", _TEXT, primary_key=True),
        sa.Column("study", _TEXT, sa.ForeignKey("studies.name"), nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("first", _TEXT, nullable=False),
        sa.Column("terms", _TEXT, nullable=False),
        sa.Column("agreed", sa.BigInteger, nullable=False),
        sa.Column("bundle", _TEXT),
        sa.Column("slates", _TEXT),
        sa.Column("prefers", _TEXT),
    )
    op.create_index("participants_number", "participants", ["study", "number"], unique=True)
    op.create_table(
        "ratings",
        sa.Column("participant", _TEXT, sa.ForeignKey("participants.id"), primary_key=True),
        sa.Column("slate", _TEXT, primary_key=True),
        sa.Column("construct", _TEXT, primary_key=True),
        sa.Column("value", sa.BigInteger, nullable=False),
    )
