"""User studies: studies, participants, ratings."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

__all__ = ["down_revision", "revision", "upgrade"]

revision = "0002"
down_revision: str | None = "0001"


def upgrade() -> None:
    """Make the tables of user studies."""
    op.create_table(
        "studies",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("a", sa.Text, nullable=False),
        sa.Column("b", sa.Text, nullable=False),
        sa.Column("n", sa.BigInteger, nullable=False),
        sa.Column("places", sa.BigInteger, nullable=False),
        sa.Column("seed", sa.BigInteger, nullable=False),
        sa.Column("joined", sa.BigInteger, nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("closed", sa.BigInteger),
    )
    op.create_table(
        "participants",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("study", sa.Text, sa.ForeignKey("studies.name"), nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("first", sa.Text, nullable=False),
        sa.Column("terms", sa.Text, nullable=False),
        sa.Column("agreed", sa.BigInteger, nullable=False),
        sa.Column("bundle", sa.Text),
        sa.Column("slates", sa.Text),
        sa.Column("prefers", sa.Text),
    )
    op.create_index("participants_number", "participants", ["study", "number"], unique=True)
    op.create_table(
        "ratings",
        sa.Column("participant", sa.Text, sa.ForeignKey("participants.id"), primary_key=True),
        sa.Column("slate", sa.Text, primary_key=True),
        sa.Column("construct", sa.Text, primary_key=True),
        sa.Column("value", sa.BigInteger, nullable=False),
    )
