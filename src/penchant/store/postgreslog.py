"""The event log in PostgreSQL: parted by time, ids kept apart by a table of their own, tables through COPY."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeVar

import polars as pl
import sqlalchemy as sa

from penchant.core.progress import Advance
from penchant.store.amend import any_amended, settle
from penchant.store.database import CONTENT, Log, Row, Then
from penchant.store.partitions import DAY, Partitions
from penchant.store.postgrestable import KNOW, LIST, TYPES, array, copy_in, copy_new, cursor, know, stage
from penchant.store.tables import event_ids, events, superseded

__all__ = ["PostgresLog"]

T = TypeVar("T")

_POLARS = {"seq": pl.Int64(), "at": pl.Int64(), "value": pl.Float64(), "price": pl.Float64(), "recorded": pl.Int64()}
_ARRAYS = ", ".join(f"%s::{TYPES.get(name, 'text')}[]" for name in CONTENT)
_ADD_ROWS = f"""
    WITH given AS (
      SELECT * FROM unnest({_ARRAYS}) WITH ORDINALITY AS g({LIST}, place)
    ), numbered AS MATERIALIZED (
      SELECT nextval('events_seq') AS seq, ordered.* FROM (SELECT * FROM given ORDER BY place) AS ordered
    ), fresh AS (
      {KNOW.format(given="numbered")}
      RETURNING id, seq, named
    ), added AS (
      INSERT INTO events (seq, {LIST}) SELECT seq, {LIST} FROM numbered JOIN fresh USING (seq, id) ORDER BY seq
    )
    SELECT count(*), {{named}}, CASE WHEN count(*) < %s THEN array_agg(id) END FROM fresh"""  # noqa: S608 - names of ours only
_ADD = _ADD_ROWS.format(named="array_agg(id) FILTER (WHERE named)")
_ADD_ONLY = _ADD_ROWS.format(named="1 / CASE WHEN bool_or(named) THEN 0 ELSE 1 END")
"The same, but it fails when an event was named before it came; when it does not, nothing else is to be done."
_NAMED_BEFORE = "22012"  # division by zero
_ADD_TABLE = f"INSERT INTO events (seq, {LIST}) SELECT seq, {LIST} FROM coming"  # noqa: S608 - names of ours only
_ONLY_NEW = " JOIN event_ids USING (id, seq, at) ORDER BY seq"
# Of ids whose events are gone, those that a remaining event names stay known as named, and nothing else does.
_GONE = """
    at < %s AND NOT EXISTS
    (SELECT FROM events WHERE events.at < %s AND events.at = event_ids.at AND events.seq = event_ids.seq)"""
_NAMED = "id IN (SELECT replaces FROM events WHERE replaces IS NOT NULL)"
_UNKNOW = (
    f"UPDATE event_ids SET at = NULL, seq = NULL, named = true WHERE {_GONE} AND {_NAMED}",  # noqa: S608 - ours only
    f"DELETE FROM event_ids WHERE {_GONE}",  # noqa: S608 - ours only
)
_NAME = """
    INSERT INTO event_ids (id, named)
    SELECT id, true FROM unnest(%s::text[]) AS g(id) ORDER BY id
    ON CONFLICT DO NOTHING"""


class _Coming:
    """Batches of rows on their way in; of rows with one id, the first."""

    def __init__(self, batches: Sequence[Sequence[Row]]) -> None:
        self._first: dict[str, tuple[int, Row]] = {}
        for number, batch in enumerate(batches):
            for row in batch:
                self._first.setdefault(row["id"], (number, row))
        self.rows = [row for _, row in self._first.values()]
        self._number = len(batches)

    def columns(self) -> tuple[str | int, ...]:
        """Return the columns as the server's arrays, and how many rows they have."""
        return (*[array([row.get(name) for row in self.rows]) for name in CONTENT], len(self.rows))

    def accepted(self, found: Sequence[Any]) -> list[int]:
        """Return how many rows of each batch were new, given how many all, and, when not all were, the new ids."""
        count, _, fresh = found
        accepted = [0] * self._number
        for number, _ in self._first.values() if count == len(self.rows) else [self._first[key] for key in fresh or ()]:
            accepted[number] += 1
        return accepted


class _Server(Protocol):
    def once(self, statement: str, values: Sequence[Any], but: str) -> Sequence[Any] | None: ...
    def adding(self, work: Callable[[sa.Connection], T]) -> T: ...
    def transaction(self) -> AbstractContextManager[sa.Connection]: ...
    def reading(self) -> AbstractContextManager[sa.Connection]: ...


class PostgresLog(Log):
    """The event log of a PostgreSQL database.

    >>> from penchant.store.store import Store
    >>> from penchant.testing.postgres import PostgresServer
    >>> row = {"id": "e1", "user": "ann", "item": "tea", "kind": "view", "at": 1, "value": 1.0}
    >>> row |= {"session": None, "channel": "web", "context": None, "replaces": None, "recorded": 2}
    >>> with PostgresServer() as server, Store.create(server.database()) as store:
    ...     store.events.append([row, row])
    Appended(accepted=1, duplicates=1)
    """

    def __init__(self, database: _Server) -> None:
        self._database = database
        self._partitions = Partitions(database.transaction)

    def add(self, batches: Sequence[Sequence[Row]]) -> list[int]:
        """Add batches of rows in one statement; an id that is known already adds nothing."""
        coming = _Coming(batches)
        plain = all(row.get("replaces") is None for row in coming.rows)

        def work() -> list[int]:
            if plain:
                found = self._database.once(_ADD_ONLY, coming.columns(), _NAMED_BEFORE)
                if found is not None:
                    return coming.accepted(found)
            return self._database.adding(lambda connection: self._add(connection, coming))

        return self._partitions.retried([row["at"] for row in coming.rows], work)

    def _add(self, connection: sa.Connection, coming: _Coming) -> list[int]:
        naming = {(row["user"], row["replaces"]) for row in coming.rows if row.get("replaces") is not None}
        _name(connection, naming)
        found = connection.exec_driver_sql(_ADD, coming.columns()).one()
        _settle(connection, naming, found[1] or [])
        return coming.accepted(found)

    def add_table(self, rows: pl.DataFrame, advance: Advance, then: Then) -> int:
        """Add a table through COPY; an id that is known already adds nothing."""

        def work(connection: sa.Connection) -> int:
            naming = set(rows.filter(pl.col("replaces").is_not_null()).select("user", "replaces").iter_rows())
            if not naming and copy_new(connection, rows):
                accepted = rows.height
                advance(rows.height)
            else:
                accepted = _add_staged(connection, rows, naming, advance)
            then(connection, accepted)
            return accepted

        days = ((rows["at"] // DAY).unique() * DAY).to_list()
        return self._partitions.retried(days, lambda: self._database.adding(work))

    def fill(self, connection: sa.Connection, rows: Sequence[sa.Row[Any]]) -> None:
        """Add whole rows of another log, with their numbers, through COPY."""
        self._partitions.ensure(row.at for row in rows)
        schema = {column.name: _POLARS.get(column.name, pl.String()) for column in events.columns}
        frame = pl.DataFrame([tuple(row) for row in rows], schema=schema, orient="row")
        copy_in(connection, "events", frame)

    def filled(self, connection: sa.Connection) -> None:
        """Work the table of ids out from the log, and let numbers go on from the highest."""
        connection.exec_driver_sql(
            "INSERT INTO event_ids (id, at, seq, named) SELECT id, at, seq, false FROM events ORDER BY id"
        )
        connection.exec_driver_sql(
            "INSERT INTO event_ids (id, named) SELECT DISTINCT replaces, true FROM events WHERE replaces IS NOT NULL "
            "ON CONFLICT DO NOTHING"
        )
        connection.exec_driver_sql("SELECT setval('events_seq', greatest(max(seq), 1)) FROM events")

    def forget(self, connection: sa.Connection, users: Sequence[str]) -> int:
        """Remove the events of some people, their ids, and those that only they named."""
        theirs, others = events.c.user.in_(users), events.alias("others")
        connection.execute(sa.delete(superseded).where(superseded.c.seq.in_(sa.select(events.c.seq).where(theirs))))
        kept = sa.select(1).where(others.c.replaces == event_ids.c.id, others.c.user.not_in(users)).exists()
        named = sa.select(events.c.replaces).where(theirs, events.c.replaces.is_not(None))
        unseen = sa.and_(event_ids.c.seq.is_(None), event_ids.c.id.in_(named), ~kept)
        connection.execute(sa.delete(event_ids).where(unseen))
        connection.execute(sa.delete(event_ids).where(event_ids.c.id.in_(sa.select(events.c.id).where(theirs)), ~kept))
        waiting = event_ids.c.id.in_(sa.select(events.c.id).where(theirs))
        connection.execute(sa.update(event_ids).where(waiting).values(at=None, seq=None, named=True))
        return connection.execute(sa.delete(events).where(theirs)).rowcount

    def prune(self, before: int) -> int:
        """Remove the events of before a moment: whole parts at once, then what is left of one part, then the ids.

        Killed in between, it leaves ids of events that are gone; doing it again removes these, too.
        """
        gone = self._partitions.drop(before)

        def work(connection: sa.Connection) -> int:
            old = events.c.at < before
            connection.execute(sa.delete(superseded).where(superseded.c.seq.in_(sa.select(events.c.seq).where(old))))
            removed = connection.execute(sa.delete(events).where(old)).rowcount
            for statement in _UNKNOW:
                connection.exec_driver_sql(statement, (before, before))
            return removed

        return gone + self._database.adding(work)

    def load(self, query: sa.Select[Any], schema: dict[str, pl.DataType]) -> pl.DataFrame:
        """Return the rows of a query through COPY."""
        content = io.BytesIO()
        with self._database.reading() as connection:
            text = query.compile(connection, compile_kwargs={"literal_binds": True})
            with cursor(connection).copy(f"COPY ({text}) TO STDOUT (FORMAT csv, NULL '\\N')") as copy:
                for block in copy:
                    content.write(block)
        if not content.tell():
            return pl.DataFrame(schema=schema)
        return pl.read_csv(content.getvalue(), has_header=False, schema=schema, null_values="\\N")


def _add_staged(connection: sa.Connection, rows: pl.DataFrame, naming: set[tuple[str, str]], advance: Advance) -> int:
    """Add a table by way of a temporary one; an id that is known already adds nothing."""
    stage(connection, rows)
    advance(rows.height // 2)
    _name(connection, naming)
    accepted = know(connection)
    if not accepted:
        connection.exec_driver_sql("DROP TABLE coming")
        _settle(connection, naming, [])
        advance(rows.height - rows.height // 2)
        return 0
    connection.exec_driver_sql(_ADD_TABLE if accepted == rows.height else _ADD_TABLE + _ONLY_NEW)
    _settle(connection, naming, _coming_ids(connection) if any_amended(connection) else [])
    connection.exec_driver_sql("DROP TABLE coming")
    advance(rows.height - rows.height // 2)
    return accepted


def _name(connection: sa.Connection, naming: set[tuple[str, str]]) -> None:
    """Take hold of ids that are named, there or not: who adds such an event now is waited for, or waits for us."""
    if naming:
        connection.exec_driver_sql(_NAME, (sorted({target for _, target in naming}),))


def _settle(connection: sa.Connection, naming: set[tuple[str, str]], named: Sequence[str]) -> None:
    touched = set(naming)
    if named:
        by = sa.select(events.c.user, events.c.replaces).where(events.c.replaces.in_(named))
        touched |= {(user, target) for user, target in connection.execute(by)}
    settle(connection, touched, _by_id)


def _by_id(chain: sa.CTE) -> sa.Select[Any]:
    """Select the events that are named, which the table of ids knows the places of."""
    of = sa.and_(events.c.seq == event_ids.c.seq, events.c.at == event_ids.c.at, events.c.user == chain.c.user)
    return sa.select(events.c.seq).select_from(chain.join(event_ids, event_ids.c.id == chain.c.target).join(events, of))


def _coming_ids(connection: sa.Connection) -> list[str]:
    named = "SELECT id FROM event_ids JOIN coming USING (id) WHERE event_ids.named"
    return list(connection.exec_driver_sql(named).scalars())
