"""The tables of the newest schema. The migrations make them; every query is written against them."""

from __future__ import annotations

import sqlalchemy as sa

__all__ = [
    "METADATA",
    "TEXT",
    "api_keys",
    "artifacts",
    "consent",
    "counters",
    "event_ids",
    "events",
    "imports",
    "items",
    "leases",
    "participants",
    "promotions",
    "ratings",
    "secrets",
    "slate_items",
    "slates",
    "studies",
    "superseded",
]

METADATA = sa.MetaData()
"Every table of a store."

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
"Text that both databases put in the same order: that of its bytes."

_SEQUENCE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")  # only INTEGER PRIMARY KEY counts by itself in SQLite

events = sa.Table(
    "events",
    METADATA,
    sa.Column("seq", _SEQUENCE, primary_key=True, doc="Order of arrival."),
    sa.Column("id", TEXT, nullable=False, doc="Given by the sender, or derived from the content."),
    sa.Column("user", TEXT, nullable=False),
    sa.Column("item", TEXT, nullable=False),
    sa.Column("kind", TEXT, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False, doc="Microseconds since 1970-01-01 UTC."),
    sa.Column("value", sa.Double, nullable=False),
    sa.Column("session", TEXT),
    sa.Column("channel", TEXT, nullable=False),
    sa.Column("context", TEXT, doc="A JSON object of text; NULL when empty."),
    sa.Column("recorded", sa.BigInteger, nullable=False, doc="When it was admitted, in microseconds."),
    sa.Column("replaces", TEXT, doc="The id of the event in whose place it stands."),
    sa.Column("slate", TEXT, doc="The answer it was done with."),
    sa.Column("price", sa.Double, doc="Of one unit; NULL for the catalogue's."),
    sa.Index("events_id", "id", unique=True, info={"only": "sqlite"}),
    # A person's past is read from this index alone: one run of pages, not one page an event.
    sa.Index("events_past", "user", "at", "seq", "item", "kind", "value", info={"only": "sqlite"}),
)
"What people did; rows are only ever added. In PostgreSQL it is parted by time (see :mod:`penchant.store.partitions`)."

_naming = events.c.replaces.is_not(None)
sa.Index("events_replaces", events.c.replaces, sqlite_where=_naming, postgresql_where=_naming)
sa.Index("events_replacing", events.c.id, sqlite_where=_naming, postgresql_where=_naming)

_shown = events.c.slate.is_not(None)
_of_slate = (events.c.slate, events.c["item"], events.c.kind, events.c.at)
sa.Index("events_slate", *_of_slate, sqlite_where=_shown, postgresql_where=_shown)

superseded = sa.Table(
    "superseded",
    METADATA,
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False, doc="An event that no longer counts."),
)
"Events that were taken back or replaced, and those that only take back; worked out from the log."

event_ids = sa.Table(
    "event_ids",
    METADATA,
    sa.Column("id", TEXT, primary_key=True),
    sa.Column("at", sa.BigInteger, doc="That of the event; NULL while it is only named by another."),
    sa.Column("seq", sa.BigInteger, doc="That of the event; NULL while it is only named by another."),
    sa.Column("named", sa.Boolean, nullable=False, doc="Whether another event named it before it was there."),
    info={"only": "postgresql"},
)
"Every id of the log, once: a parted log cannot keep its ids apart by itself."

imports = sa.Table(
    "imports",
    METADATA,
    sa.Column("source", TEXT, primary_key=True, doc="Digest of the ids of its rows, in order."),
    sa.Column("done", sa.BigInteger, nullable=False, doc="Rows of it that were dealt with."),
    sa.Column("accepted", sa.BigInteger, nullable=False, doc="How many of these were new."),
    sa.Column("at", sa.BigInteger, nullable=False, doc="When, in microseconds."),
)
"How far an import is that has not reached its end."

items = sa.Table(
    "items",
    METADATA,
    sa.Column("id", TEXT, primary_key=True),
    sa.Column("title", TEXT, nullable=False),
    sa.Column("text", TEXT, nullable=False),
    sa.Column("categories", TEXT, nullable=False, doc="A JSON list of text."),
    sa.Column("price", sa.Double),
    sa.Column("currency", TEXT),
    sa.Column("available", sa.Boolean, nullable=False),
    sa.Column("published", sa.BigInteger, doc="Microseconds since 1970-01-01 UTC."),
    sa.Column("attributes", TEXT, nullable=False, doc="A JSON object."),
    sa.Column("version", sa.BigInteger, nullable=False, doc="The catalogue's version when this row was last put."),
    sa.Index("items_version", "version"),
)
"The catalogue."

counters = sa.Table(
    "counters",
    METADATA,
    sa.Column("name", TEXT, primary_key=True),
    sa.Column("value", sa.BigInteger, nullable=False),
)
"Numbers that only grow; `items` is the version of the catalogue."

consent = sa.Table(
    "consent",
    METADATA,
    sa.Column("user", TEXT, primary_key=True),
    sa.Column("purpose", TEXT, primary_key=True),
    sa.Column("granted", sa.Boolean, nullable=False),
    sa.Column("basis", TEXT, nullable=False, doc="Where the answer comes from."),
    sa.Column("at", sa.BigInteger, nullable=False, doc="When it was given, in microseconds."),
)
"The last answer of each person for each purpose."

api_keys = sa.Table(
    "api_keys",
    METADATA,
    sa.Column("id", TEXT, primary_key=True),
    sa.Column("name", TEXT, nullable=False),
    sa.Column("hash", TEXT, nullable=False, doc="SHA-256 of the token, as hex."),
    sa.Column("scopes", TEXT, nullable=False, doc="A JSON list of text."),
    sa.Column("created", sa.BigInteger, nullable=False),
    sa.Column("revoked", sa.BigInteger),
    sa.Column("expires", sa.BigInteger, doc="When it stops working; NULL for never."),
    sa.Column("rate", TEXT, doc="Requests allowed, such as 600/m; NULL for any number."),
    sa.Column("networks", TEXT, doc="A JSON list of networks it may be used from; NULL for everywhere."),
    sa.Column("public", sa.Boolean, nullable=False, server_default=sa.false(), doc="Whether it stands in web pages."),
    sa.Column("family", TEXT, doc="Of a rotated key: the id of the first of its line; NULL for its own."),
    sa.Column("successor", TEXT, doc="The id of the key that replaces it."),
)
"Who may call; no token can be read back."

secrets = sa.Table(
    "secrets",
    METADATA,
    sa.Column("name", TEXT, primary_key=True, doc="What it is for."),
    sa.Column("value", TEXT, nullable=False, doc="Random bits, as hex."),
)
"What every server of this store must know and nobody else: it signs, it opens nothing that is not in the store."

artifacts = sa.Table(
    "artifacts",
    METADATA,
    sa.Column("digest", TEXT, primary_key=True),
    sa.Column("path", TEXT, nullable=False),
    sa.Column("created", sa.BigInteger, nullable=False),
    sa.Column("models", TEXT, nullable=False, doc="JSON."),
    sa.Column("metrics", TEXT, nullable=False, doc="JSON."),
    sa.Column("promoted", sa.BigInteger, doc="When it was put in service; NULL for all but one."),
)
"Trained bundles."

promotions = sa.Table(
    "promotions",
    METADATA,
    sa.Column("seq", _SEQUENCE, primary_key=True, doc="Order of promotion."),
    sa.Column("digest", TEXT, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False, doc="When, in microseconds."),
    sa.Column("by", TEXT, nullable=False, doc="Who or what promoted it."),
    sa.Column("why", TEXT, nullable=False, doc="In words."),
    sa.Column("undone", sa.BigInteger, doc="When it was rolled back; NULL when it was not."),
)
"Which bundle was put in service when; the one in service is the last that was not rolled back."

leases = sa.Table(
    "leases",
    METADATA,
    sa.Column("name", TEXT, primary_key=True, doc="What only one may do at a time."),
    sa.Column("holder", TEXT, nullable=False, doc="Who does it; empty when nobody."),
    sa.Column("until", sa.BigInteger, nullable=False, doc="When another may take it over, in microseconds."),
    sa.Column("done", sa.BigInteger, doc="When it was last done to the end, in microseconds."),
)
"Work that one process of all does at a time."

studies = sa.Table(
    "studies",
    METADATA,
    sa.Column("name", TEXT, primary_key=True),
    sa.Column("a", TEXT, nullable=False, doc="The model that makes the one slate."),
    sa.Column("b", TEXT, nullable=False, doc="The model that makes the other."),
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
    sa.Column("id", TEXT, primary_key=True, doc="SHA-256 of the participant's token, as hex."),
    sa.Column("study", TEXT, sa.ForeignKey("studies.name"), nullable=False),
    sa.Column("number", sa.BigInteger, nullable=False, doc="The how manieth who agreed; never given twice."),
    sa.Column("first", TEXT, nullable=False, doc="Which slate stands first: a or b."),
    sa.Column("terms", TEXT, nullable=False, doc="SHA-256 of the text that was agreed to, as hex."),
    sa.Column("agreed", sa.BigInteger, nullable=False, doc="When, in microseconds."),
    sa.Column("bundle", TEXT, doc="Digest of the models that made the slates; NULL before they are shown."),
    sa.Column("slates", TEXT, doc="JSON: the item ids shown, by slate."),
    sa.Column("prefers", TEXT, doc="a, b, or neither; NULL before the answers."),
    sa.Index("participants_number", "study", "number", unique=True),
)
"Who takes part in a study: no row without a yes, and a row is gone with it."

ratings = sa.Table(
    "ratings",
    METADATA,
    sa.Column("participant", TEXT, sa.ForeignKey("participants.id"), primary_key=True),
    sa.Column("slate", TEXT, primary_key=True, doc="a or b."),
    sa.Column("construct", TEXT, primary_key=True),
    sa.Column("value", sa.BigInteger, nullable=False, doc="1 (disagree strongly) to 5 (agree strongly)."),
)
"The answers of participants; there can be none without a participant, who agreed."

visits = sa.Table(
    "visits",
    METADATA,
    sa.Column("visitor", TEXT, primary_key=True, doc="What events of an anonymous session have for a user."),
    sa.Column("user", TEXT, nullable=False, doc="Who it turned out to be."),
    sa.Column("at", sa.BigInteger, nullable=False, doc="When that was told, in microseconds."),
    sa.Index("visits_user", "user"),
)
"Whose an anonymous session was; the events themselves stay as they came."

slates = sa.Table(
    "slates",
    METADATA,
    sa.Column("id", TEXT, primary_key=True),
    sa.Column("at", sa.BigInteger, nullable=False, doc="When it was answered, in microseconds."),
    sa.Column("placement", TEXT, nullable=False),
    sa.Column("policy", TEXT, nullable=False),
    sa.Column("basis", TEXT, nullable=False, doc="The step of the chain that answered."),
    sa.Column("model", TEXT, nullable=False),
    sa.Column("digest", TEXT, nullable=False),
    sa.Column("experiment", TEXT, doc="What the caller said; NULL when nothing."),
    sa.Column("user", TEXT, doc="A person or a visitor who agreed to personalizing; NULL for all others."),
    sa.Index("slates_user", "user", "at"),
    sa.Index("slates_at", "at"),
)
"The slates that were answered, so far as they are logged."

slate_items = sa.Table(
    "slate_items",
    METADATA,
    sa.Column("slate", TEXT, primary_key=True),
    sa.Column("item", TEXT, primary_key=True),
    sa.Column("position", sa.BigInteger, nullable=False, doc="From 1."),
    sa.Column("score", sa.Double, nullable=False),
    sa.Column("propensity", sa.Double, nullable=False, doc="The chance it had of standing there, in (0, 1]."),
)
"What stood in them."

windows = sa.Table(
    "windows",
    METADATA,
    sa.Column("kind", TEXT, primary_key=True),
    sa.Column("role", TEXT, nullable=False, doc="click or purchase."),
    sa.Column("span", sa.BigInteger, nullable=False, doc="Microseconds."),
)
"Which kinds are the work of slates, as the settings say; the views read it."

placements = sa.Table(
    "placements",
    METADATA,
    sa.Column("name", TEXT, primary_key=True),
    sa.Column("reported", sa.Boolean, nullable=False, doc="Whether its page reports what it shows."),
)
"What the settings say of placements, so far as the views need it."
