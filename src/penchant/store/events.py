"""The log of what people did: rows are added, read and counted, never changed."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import polars as pl
import sqlalchemy as sa
from msgspec import Struct

from penchant.core.measuring import IMPRESSION
from penchant.core.progress import SILENT, Progress
from penchant.store.amend import counting
from penchant.store.consent import may_use
from penchant.store.database import CONTENT, Database, Row, Then
from penchant.store.group import Group
from penchant.store.question import Question
from penchant.store.tables import TEXT, events, visits
from penchant.store.visits import MARK, everyone, kept, owned

__all__ = ["Appended", "Events", "Past", "Who"]

_READ = {"user": pl.String(), "item": pl.String(), "kind": pl.String(), "at": pl.Int64(), "value": pl.Float64()}


def _nothing(_connection: sa.Connection, _accepted: int) -> None:
    """Do nothing else in the transaction."""


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
    >>> row |= {"session": None, "channel": "web", "context": None, "replaces": None, "recorded": 2}
    >>> with TemporaryDirectory() as folder, Store.create(f"sqlite:///{folder}/shop.db") as store:
    ...     store.events.append([row, row]), store.events.past(Who(None), "ann", limit=10).items
    (Appended(accepted=1, duplicates=1), ('tea',))
    """

    def __init__(self, database: Database, waiting: int) -> None:
        self._database = database
        self._group = Group(database.log.add, waiting)

    def append(self, rows: Sequence[Row]) -> Appended:
        """Add rows; a row whose id is known already is left out. On disk, all of them, when this returns.

        Threads that call this at once share a transaction, and so one wait for the disk.

        Args:
            rows: the columns of the table but seq; one that may be NULL may be left out.

        Raises:
            Busy: too many rows wait already; then none was kept.
            StoreError: the store failed; then none was kept.
        """
        if not rows:
            return Appended(0, 0)
        accepted = self._group.add(rows)
        return Appended(accepted, len(rows) - accepted)

    def newest(self) -> int | None:
        """Return when the last event was admitted, in microseconds since 1970 UTC; None when there is none."""
        with self._database.asking() as connection:
            last = sa.select(events.c.recorded).order_by(events.c.seq.desc()).limit(1)
            found = connection.execute(last).scalar()
        return None if found is None else int(found)

    @property
    def waiting(self) -> int:
        """How many rows wait to be written, in this process."""
        return self._group.waits

    def empty(self) -> bool:
        """Return whether the log holds nothing at all."""
        with self._database.asking() as connection:
            return connection.execute(sa.select(1).select_from(events).limit(1)).first() is None

    def append_table(
        self, table: pl.DataFrame, recorded: int, progress: Progress = SILENT, then: Then = _nothing
    ) -> Appended:
        """Add a whole table in one transaction; a row whose id is known already, or stands above it, is left out.

        Args:
            table: id, user, item, kind, at (Int64 microseconds), value, session, channel, context; replaces, slate
                and price, if any.
            recorded: when, in microseconds.
            progress: told of the rows written.
            then: what else belongs to the transaction, given how many rows were new.
        """
        absent = {name: None for name in ("replaces", "slate", "price") if name not in table.columns}
        rows = table.with_columns(**absent, recorded=pl.lit(recorded, pl.Int64)).select(CONTENT)
        rows = rows.cast({"replaces": pl.String, "slate": pl.String, "price": pl.Float64})
        if rows["id"].n_unique() < rows.height:
            rows = rows.unique("id", keep="first", maintain_order=True)
        if rows.is_empty():
            return Appended(0, table.height)
        with progress.step("storing events", rows.height, "events") as advance:
            accepted = self._database.log.add_table(rows, advance, then)
        return Appended(accepted, table.height - accepted)

    def prune(self, before: int) -> int:
        """Remove the events of before a moment (microseconds since 1970 UTC) and their ids; return how many."""
        return self._database.log.prune(before)

    def read(self, who: Who) -> pl.DataFrame:
        """Return user, item, kind (str), at (Int64 microseconds), value (Float64) in order of arrival.

        Events of an anonymous session have the person it was linked to as user, so far as both may be used.
        """
        columns = [events.c[name] for name in _READ if name != "user"]
        query = everyone([*columns], who.purpose, who.default).where(events.c.kind != IMPRESSION)
        return self._database.log.load(query.order_by(events.c.seq), _READ)

    def past(self, who: Who, user: str, limit: int) -> Past:
        """Return the newest ``limit`` events of one person, oldest first."""
        question = _past(who.purpose is None, who.default)
        rows = self._database.ask(question, person=user, purpose=who.purpose, most=limit)[::-1]
        return Past(
            tuple([row[0] for row in rows]),
            tuple([row[1] for row in rows]),
            tuple([row[2] for row in rows]),
            tuple([row[3] for row in rows]),
        )

    def counts(self) -> tuple[int, int]:
        """Return how many events count, and of how many users; anonymous visits are none."""
        with self._database.asking() as connection:
            person = sa.case((~events.c.user.startswith(MARK), events.c.user))
            query = sa.select(sa.func.count(), sa.func.count(person.distinct())).where(counting())
            total, users = connection.execute(query).one()
        return int(total), int(users)

    def busiest(self, n: int) -> list[str]:
        """Return the users with most events, most first; of equals the lower id. Anonymous visits are left out."""
        query = sa.select(events.c.user).where(~events.c.user.startswith(MARK), counting()).group_by(events.c.user)
        query = query.order_by(sa.func.count().desc(), events.c.user).limit(n)
        with self._database.asking() as connection:
            return list(connection.execute(query).scalars())

    def users(self, who: Who) -> int:
        """Return how many users with events may be used."""
        people = sa.select(events.c.user).where(~events.c.user.startswith(MARK), counting()).distinct().subquery()
        query = sa.select(sa.func.count()).select_from(people)
        with self._database.asking() as connection:
            found = connection.execute(query.where(may_use(people.c.user, who.purpose, who.default))).scalar_one()
        return int(found)


@cache
def _past(shown: bool, default: bool) -> Question:
    """Return the question for one person's past, made once; it is asked on every request.

    What was done under the person's own name is read in the order of an index, and what their visits did is merged in.
    """
    person = sa.bindparam("person", type_=TEXT)
    purpose = None if shown else sa.bindparam("purpose", type_=TEXT)
    columns = (events.c["item"], events.c.kind, events.c.at, events.c.value, events.c.seq)
    agreed = [may_use(person, purpose, default), owned(person, purpose), counting()]
    agreed += [] if shown else [events.c.kind != IMPRESSION]
    own = sa.select(*columns).where(events.c.user == person, *agreed)
    theirs = sa.select(*columns).join_from(visits, events, events.c.user == visits.c.visitor)
    theirs = theirs.where(visits.c.user == person, kept(events.c.user, purpose), *agreed)
    both = sa.union_all(own, theirs)
    newest = (both.selected_columns.at.desc(), both.selected_columns.seq.desc())
    return Question(both.order_by(*newest).limit(sa.bindparam("most", type_=sa.Integer)))
