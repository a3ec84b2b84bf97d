"""The log of what people did: rows are added, read and counted, never changed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

import polars as pl
import sqlalchemy as sa
from msgspec import Struct

from penchant.core.executor import blocks
from penchant.core.measuring import IMPRESSION
from penchant.core.progress import SILENT, Progress
from penchant.store import stage
from penchant.store.consent import may_use
from penchant.store.database import Database
from penchant.store.sql import insert
from penchant.store.tables import events
from penchant.store.visits import MARK, everyone, kept, names, owned

__all__ = ["Appended", "Events", "Past", "Who"]

_CHUNK = 100_000
_CONTENT = ("id", "user", "item", "kind", "at", "value", "session", "channel", "context", "slate", "price")
_READ = {"user": pl.String(), "item": pl.String(), "kind": pl.String(), "at": pl.Int64(), "value": pl.Float64()}


def _rows(names: Iterable[str]) -> sa.Table:
    """Return the table that stands in the file beside the store."""
    columns = [sa.Column(name, events.c[name].type) for name in names]
    return sa.Table("rows", sa.MetaData(schema="stage"), sa.Column("rowid", sa.Integer, system=True), *columns)


_coming, _going = _rows((*_CONTENT, "recorded")), _rows(_READ)


class Appended(Struct, frozen=True):
    """What became of rows that were added.

    >>> Appended(accepted=3, duplicates=1)
    Appended(accepted=3, duplicates=1)
    """

    accepted: int
    "Rows that are new."
    duplicates: int
    "Rows whose id was there already."


class Who(Struct, frozen=True):
    """Whose events may be read: those of people who agreed to ``purpose``; everyone's when it is None.

    >>> Who("train").default
    False
    """

    purpose: str | None
    "The purpose asked about."
    default: bool = False
    "Whether a person with no recorded answer counts as having agreed."


class Past(Struct, frozen=True):
    """What one person did, in time order, one entry an event, with ids as the outside knows them.

    >>> len(Past(("tea",), ("view",), (1,), (1.0,)))
    1
    """

    items: tuple[str, ...] = ()
    "Item ids."
    kinds: tuple[str, ...] = ()
    "Kinds of event."
    at: tuple[int, ...] = ()
    "Microseconds since 1970-01-01 UTC."
    values: tuple[float, ...] = ()
    "Quantities, stars."

    def __len__(self) -> int:
        return len(self.items)


class Events:
    """The event log of one store.

    >>> from tempfile import TemporaryDirectory
    >>> from penchant.store.store import Store
    >>> row = {"id": "e1", "user": "ann", "item": "tea", "kind": "view", "at": 1, "value": 1.0}
    >>> row |= {"session": None, "channel": "web", "context": None, "recorded": 2}
    >>> with TemporaryDirectory() as folder, Store.create(f"sqlite:///{folder}/shop.db") as store:
    ...     store.events.append([row, row]), store.events.past(Who(None), "ann", limit=10).items
    (Appended(accepted=1, duplicates=1), ('tea',))
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def append(self, rows: Sequence[dict[str, Any]]) -> Appended:
        """Add rows in one transaction; a row whose id is known already is left out.

        Args:
            rows: every column of the table but seq.
        """
        if not rows:
            return Appended(0, 0)
        with self._database.writing() as connection:
            statement = insert(connection, events).on_conflict_do_nothing(index_elements=["id"])
            accepted = connection.execute(statement, list(rows)).rowcount
        return Appended(accepted, len(rows) - accepted)

    def append_table(self, table: pl.DataFrame, recorded: int, progress: Progress = SILENT) -> Appended:
        """Add a whole table in one transaction; a row whose id is known already, or stands above it, is left out.

        Args:
            table: id, user, item, kind, at (Int64 microseconds), value, session, channel, context; slate, price if any.
            recorded: when, in microseconds.
            progress: told of the rows written.
        """
        absent = [name for name in ("slate", "price") if name not in table.columns]
        table = table.with_columns(pl.lit(None).alias(name) for name in absent)
        rows = (
            table.select(_CONTENT)
            .cast({"slate": pl.String, "price": pl.Float64})
            .with_columns(recorded=pl.lit(recorded, pl.Int64))
        )
        rows = rows.unique("id", keep="first", maintain_order=True)
        if rows.is_empty():
            return Appended(0, table.height)
        with stage.stage(self._database.path) as path:
            stage.save(rows, path)
            with self._database.attached(path) as connection, self._database.transaction(connection):
                accepted = _copy(connection, rows.height, progress)
        return Appended(accepted, table.height - accepted)

    def read(self, who: Who) -> pl.DataFrame:
        """Return user, item, kind (str), at (Int64 microseconds), value (Float64) in order of arrival.

        Events of an anonymous session have the person it was linked to as user, so far as both may be used.
        """
        columns = [events.c[name] for name in _READ if name != "user"]
        query = everyone([*columns], who.purpose, who.default).where(events.c.kind != IMPRESSION)
        query = query.order_by(events.c.seq)
        with stage.stage(self._database.path) as path:
            with self._database.attached(path) as connection:
                connection.exec_driver_sql("PRAGMA stage.journal_mode=OFF")
                connection.exec_driver_sql("PRAGMA stage.synchronous=OFF")
                connection.execute(sa.schema.CreateTable(_going))
                connection.execute(sa.insert(_going).from_select(list(_READ), query))
            return stage.load(path).cast(pl.Schema(_READ))

    def past(self, who: Who, user: str, limit: int) -> Past:
        """Return the newest ``limit`` events of one person, oldest first."""
        with self._database.reading() as connection:
            values = {"person": user, "purpose": who.purpose, "most": limit}
            newest = connection.execute(_past(who.purpose is None, who.default), values).fetchall()
        rows = newest[::-1]
        return Past(
            tuple([row[0] for row in rows]),
            tuple([row[1] for row in rows]),
            tuple([row[2] for row in rows]),
            tuple([row[3] for row in rows]),
        )

    def counts(self) -> tuple[int, int]:
        """Return how many events there are, and of how many users; anonymous visits are none."""
        with self._database.reading() as connection:
            person = sa.case((~events.c.user.startswith(MARK), events.c.user))
            query = sa.select(sa.func.count(), sa.func.count(person.distinct()))
            total, users = connection.execute(query).one()
        return int(total), int(users)

    def busiest(self, n: int) -> list[str]:
        """Return the users with most events, most first; of equals the lower id. Anonymous visits are left out."""
        query = sa.select(events.c.user).where(~events.c.user.startswith(MARK)).group_by(events.c.user)
        query = query.order_by(sa.func.count().desc(), events.c.user).limit(n)
        with self._database.reading() as connection:
            return list(connection.execute(query).scalars())

    def users(self, who: Who) -> int:
        """Return how many users with events may be used."""
        people = sa.select(events.c.user).where(~events.c.user.startswith(MARK)).distinct().subquery()
        query = sa.select(sa.func.count()).select_from(people)
        with self._database.reading() as connection:
            found = connection.execute(query.where(may_use(people.c.user, who.purpose, who.default))).scalar_one()
        return int(found)


@cache
def _past(shown: bool, default: bool) -> sa.Select[str, str, int, float]:
    """Return the question for one person's past, made once; it is asked on every request."""
    person = sa.bindparam("person", type_=sa.Text)
    purpose = None if shown else sa.bindparam("purpose", type_=sa.Text)
    query = sa.select(events.c.item, events.c.kind, events.c.at, events.c.value)
    query = query.where(events.c.user.in_(names(person)), may_use(person, purpose, default))
    if not shown:
        own = events.c.user == person  # asked once above, and not for every event
        query = query.where(own | kept(events.c.user, purpose), owned(person, purpose), events.c.kind != IMPRESSION)
    return query.order_by(events.c.at.desc(), events.c.seq.desc()).limit(sa.bindparam("most", type_=sa.Integer))


def _copy(connection: sa.Connection, total: int, progress: Progress) -> int:
    """Copy the staged rows, in order; return how many were new."""
    names = [*_CONTENT, "recorded"]
    columns = [_coming.c[name] for name in names]
    empty = connection.execute(sa.select(events.c.seq).limit(1)).first() is None
    if empty:  # building the indexes afterwards is faster than keeping them up; the transaction covers it
        for index in events.indexes:
            index.drop(connection)
    accepted = 0
    with progress.step("storing events", total, "events") as advance:
        for start, stop in blocks(total, _CHUNK):
            part = sa.select(*columns).where(_coming.c.rowid.between(start + 1, stop)).order_by(_coming.c.rowid)
            statement = insert(connection, events).from_select(names, part)
            if not empty:
                statement = statement.on_conflict_do_nothing(index_elements=["id"])
            accepted += connection.execute(statement).rowcount
            advance(stop - start)
        if empty:
            for index in sorted(events.indexes, key=lambda each: str(each.name)):
                index.create(connection)
    return accepted
