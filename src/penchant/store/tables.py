"""The tables of the newest schema. The migrations make them; every query is written against them."""

from __future__ import annotations

import sqlalchemy as sa

__all__ = [
    "METADATA",
    "api_keys",
    "artifacts",
    "consent",
    "counters",
    "events",
    "items",
    "participants",
    "placements",
    "ratings",
    "slate_items",
    "slates",
    "studies",
    "visits",
    "windows",
]

METADATA = sa.MetaData()
"Every table of a store."

_SEQUENCE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")  # only INTEGER PRIMARY KEY counts by itself in SQLite

events = sa.Table(
    "events",
    METADATA,
    sa.Column("seq", _SEQUENCE, primary_key=True, doc="Order of arrival."),
    sa.Column("id", sa.Text, nullable=False, doc="Given by the sender, or derived from the content."),
    sa.Column("user", sa.Text, nullable=False),
    sa.Column("item", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False, doc="Microseconds since 1970-01-01 UTC."),
    sa.Column("value", sa.Double, nullable=False),
    sa.Column("session", sa.Text),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("context", sa.Text, doc="A JSON object of text; NULL when empty."),
    sa.Column("recorded", sa.BigInteger, nullable=False, doc="When it was admitted, in microseconds."),
    sa.Column("slate", sa.Text, doc="The answer it was done with."),
    sa.Column("price", sa.Double, doc="Of one unit; NULL for the catalogue's."),
    sa.Index("events_id", "id", unique=True),
    # A person's past is read from this index alone: one run of pages, not one page an event.
    sa.Index("events_past", "user", "at", "seq", "item", "kind", "value"),
    sa.Index(
        "events_slate",
        "slate",
        "item",
        "kind",
        "at",
        sqlite_where=sa.text("slate IS NOT NULL"),
        postgresql_where=sa.text("slate IS NOT NULL"),
    ),
)
"What people did; rows are only ever added."

items = sa.Table(
    "items",
    METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("categories", sa.Text, nullable=False, doc="A JSON list of text."),
    sa.Column("price", sa.Double),
    sa.Column("currency", sa.Text),
    sa.Column("available", sa.Boolean, nullable=False),
    sa.Column("published", sa.BigInteger, doc="Microseconds since 1970-01-01 UTC."),
    sa.Column("attributes", sa.Text, nullable=False, doc="A JSON object."),
    sa.Column("version", sa.BigInteger, nullable=False, doc="The catalogue's version when this row was last put."),
    sa.Index("items_version", "version"),
)
"The catalogue."

counters = sa.Table(
    "counters",
    METADATA,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", sa.BigInteger, nullable=False),
)
"Numbers that only grow; `items` is the version of the catalogue."

consent = sa.Table(
    "consent",
    METADATA,
    sa.Column("user", sa.Text, primary_key=True),
    sa.Column("purpose", sa.Text, primary_key=True),
    sa.Column("granted", sa.Boolean, nullable=False),
    sa.Column("basis", sa.Text, nullable=False, doc="Where the answer comes from."),
    sa.Column("at", sa.BigInteger, nullable=False, doc="When it was given, in microseconds."),
)
"The last answer of each person for each purpose."

api_keys = sa.Table(
    "api_keys",
    METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("hash", sa.Text, nullable=False, doc="SHA-256 of the token, as hex."),
    sa.Column("scopes", sa.Text, nullable=False, doc="A JSON list of text."),
    sa.Column("created", sa.BigInteger, nullable=False),
    sa.Column("revoked", sa.BigInteger),
)
"Who may call; no token can be read back."

artifacts = sa.Table(
    "artifacts",
    METADATA,
    sa.Column("digest", sa.Text, primary_key=True),
    sa.Column("path", sa.Text, nullable=False),
    sa.Column("created", sa.BigInteger, nullable=False),
    sa.Column("models", sa.Text, nullable=False, doc="JSON."),
    sa.Column("metrics", sa.Text, nullable=False, doc="JSON."),
    sa.Column("promoted", sa.BigInteger, doc="When it was put in service; NULL for all but one."),
)
"Trained bundles."

studies = sa.Table(
    "studies",
    METADATA,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("a", sa.Text, nullable=False, doc="The model that makes the one slate."),
    sa.Column("b", sa.Text, nullable=False, doc="The model that makes the other."),
    sa.Column("n", sa.BigInteger, nullable=False, doc="Items in a slate."),
    sa.Column("places", sa.BigInteger, nullable=False, doc="How many people may take part."),
    sa.Column("seed", sa.BigInteger, nullable=False, doc="Of the order in which the slates are shown."),
    sa.Column("joined", sa.BigInteger, nullable=False, doc="How many ever agreed; it only grows."),
    sa.Column("created", sa.BigInteger, nullable=False, doc="Microseconds since 1970-01-01 UTC."),
    sa.Column("closed", sa.BigInteger, doc="When it stopped taking people; NULL while it does."),
)
"User studies: two models, shown side by side."

participants = sa.Table(
    "participants",
    METADATA,
    sa.Column("id", sa.Text, primary_key=True, doc="SHA-256 of the participant's token, as hex."),
    sa.Column("study", sa.Text, sa.ForeignKey("studies.name"), nullable=False),
    sa.Column("number", sa.BigInteger, nullable=False, doc="The how manieth who agreed; never given twice."),
    sa.Column("first", sa.Text, nullable=False, doc="Which slate stands first: a or b."),
    sa.Column("terms", sa.Text, nullable=False, doc="SHA-256 of the text that was agreed to, as hex."),
    sa.Column("agreed", sa.BigInteger, nullable=False, doc="When, in microseconds."),
    sa.Column("bundle", sa.Text, doc="Digest of the models that made the slates; NULL before they are shown."),
    sa.Column("slates", sa.Text, doc="JSON: the item ids shown, by slate."),
    sa.Column("prefers", sa.Text, doc="a, b, or neither; NULL before the answers."),
    sa.Index("participants_number", "study", "number", unique=True),
)
"Who takes part in a study: no row without a yes, and a row is gone with it."

ratings = sa.Table(
    "ratings",
    METADATA,
    sa.Column("participant", sa.Text, sa.ForeignKey("participants.id"), primary_key=True),
    sa.Column("slate", sa.Text, primary_key=True, doc="a or b."),
    sa.Column("construct", sa.Text, primary_key=True),
    sa.Column("value", sa.BigInteger, nullable=False, doc="1 (disagree strongly) to 5 (agree strongly)."),
)
"The answers of participants; there can be none without a participant, who agreed."

visits = sa.Table(
    "visits",
    METADATA,
    sa.Column("visitor", sa.Text, primary_key=True, doc="What events of an anonymous session have for a user."),
    sa.Column("user", sa.Text, nullable=False, doc="Who it turned out to be."),
    sa.Column("at", sa.BigInteger, nullable=False, doc="When that was told, in microseconds."),
    sa.Index("visits_user", "user"),
)
"Whose an anonymous session was; the events themselves stay as they came."

slates = sa.Table(
    "slates",
    METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("at", sa.BigInteger, nullable=False, doc="When it was answered, in microseconds."),
    sa.Column("placement", sa.Text, nullable=False),
    sa.Column("policy", sa.Text, nullable=False),
    sa.Column("basis", sa.Text, nullable=False, doc="The step of the chain that answered."),
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("experiment", sa.Text, doc="What the caller said; NULL when nothing."),
    sa.Column("user", sa.Text, doc="A person or a visitor who agreed to personalizing; NULL for all others."),
    sa.Index("slates_user", "user", "at"),
    sa.Index("slates_at", "at"),
)
"The slates that were answered, so far as they are logged."

slate_items = sa.Table(
    "slate_items",
    METADATA,
    sa.Column("slate", sa.Text, primary_key=True),
    sa.Column("item", sa.Text, primary_key=True),
    sa.Column("position", sa.BigInteger, nullable=False, doc="From 1."),
    sa.Column("score", sa.Double, nullable=False),
    sa.Column("propensity", sa.Double, nullable=False, doc="The chance it had of standing there, in (0, 1]."),
)
"What stood in them."

windows = sa.Table(
    "windows",
    METADATA,
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("role", sa.Text, nullable=False, doc="click or purchase."),
    sa.Column("span", sa.BigInteger, nullable=False, doc="Microseconds."),
)
"Which kinds are the work of slates, as the settings say; the views read it."

placements = sa.Table(
    "placements",
    METADATA,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("reported", sa.Boolean, nullable=False, doc="Whether its page reports what it shows."),
)
"What the settings say of placements, so far as the views need it."
