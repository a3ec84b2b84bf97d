"""The event log in SQLite: whole tables pass through a file beside the store (decision 0006)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

import polars as pl
import sqlalchemy as sa

from penchant.core.executor import blocks
from penchant.core.progress import Advance
from penchant.store import stage
from penchant.store.amend import amended, any_amended, settle
from penchant.store.database import CONTENT, Log, Row, Then
from penchant.store.sql import insert
from penchant.store.tables import events, superseded

__all__ = ["SQLiteLog"]

_CHUNK = 100_000
_NAMES, _MARKS = ", ".join(f'"{name}"' for name in CONTENT), ", ".join("?" for _ in CONTENT)
_ADD = f"INSERT INTO events ({_NAMES}) VALUES ({_MARKS}) ON CONFLICT (id) DO NOTHING"  # noqa: S608 - names of ours only


def _rows(columns: Iterable[sa.ColumnElement[Any]]) -> sa.Table:
    """Return the table that stands in the file beside the store."""
    copies = [sa.Column(column.key, column.type) for column in columns]
    return sa.Table("rows", sa.MetaData(schema="stage"), sa.Column("rowid", sa.Integer, system=True), *copies)


_coming = _rows([events.c[name] for name in CONTENT])
_whole = [index for index in events.indexes if index.dialect_kwargs.get("sqlite_where") is None]
"The indexes that hold every event; the others hold few, and cost next to nothing to keep up."


class _File(Protocol):
    path: Path

    def writing(self) -> AbstractContextManager[sa.Connection]: ...
    def attached(self, other: Path) -> AbstractContextManager[sa.Connection]: ...
    def transaction(self, connection: sa.Connection) -> AbstractContextManager[None]: ...


class SQLiteLog(Log):
    """The event log of a SQLite file.

    >>> from tempfile import TemporaryDirectory
    >>> from penchant.store.store import Store
    >>> with TemporaryDirectory() as folder, Store.create(f"sqlite:///{folder}/shop.db") as store:
    ...     store._database.log.load(sa.select(events.c.at), {"at": pl.Int64()}).shape
    (0, 1)
    """

    def __init__(self, database: _File) -> None:
        self._database = database

    def add(self, batches: Sequence[Sequence[Row]]) -> list[int]:
        """Add batches of rows; an id that is known already adds nothing."""
        with self._database.writing() as connection:
            return self._add(connection, batches)

    def _add(self, connection: sa.Connection, batches: Sequence[Sequence[Row]]) -> list[int]:
        given = [[tuple([row.get(name) for name in CONTENT]) for row in batch] for batch in batches]
        accepted = [connection.exec_driver_sql(_ADD, batch).rowcount for batch in given]
        rows = [row for batch in batches for row in batch]
        touched = {(row["user"], row["replaces"]) for row in rows if row.get("replaces") is not None}
        if any_amended(connection):
            touched |= amended(connection, [row["id"] for row in rows])
        settle(connection, touched)
        return accepted

    def add_table(self, rows: pl.DataFrame, advance: Advance, then: Then) -> int:
        """Add a table through a file beside the store; an id that is known already adds nothing."""
        with stage.stage(self._database.path) as path:
            same = _same(rows)
            stage.save(rows.drop(same), path)
            with self._database.attached(path) as connection, self._database.transaction(connection):
                accepted = _copy(connection, rows.height, same, advance)
                _settle(connection, rows)
                then(connection, accepted)
        return accepted

    def fill(self, connection: sa.Connection, rows: Sequence[sa.Row[Any]]) -> None:
        """Add whole rows of another log, with their numbers."""
        connection.execute(sa.insert(events), [row._asdict() for row in rows])

    def filled(self, connection: sa.Connection) -> None:
        """Do nothing: numbers go on from the highest."""

    def forget(self, connection: sa.Connection, users: Sequence[str]) -> int:
        """Remove the events of some people, and that some of them no longer counted."""
        theirs = events.c.user.in_(users)
        connection.execute(sa.delete(superseded).where(superseded.c.seq.in_(sa.select(events.c.seq).where(theirs))))
        return connection.execute(sa.delete(events).where(theirs)).rowcount

    def prune(self, before: int) -> int:
        """Remove the events of before a moment, some at a time, so that nobody waits long for a turn to write."""
        with self._database.writing() as connection:
            last = connection.execute(sa.select(sa.func.max(events.c.seq))).scalar() or 0
        gone = 0
        for start, stop in blocks(last, _CHUNK):
            old = sa.and_(events.c.seq.between(start + 1, stop), events.c.at < before)
            with self._database.writing() as connection:
                connection.execute(
                    sa.delete(superseded).where(superseded.c.seq.in_(sa.select(events.c.seq).where(old)))
                )
                gone += connection.execute(sa.delete(events).where(old)).rowcount
        return gone

    def load(self, query: sa.Select[Any], schema: dict[str, pl.DataType]) -> pl.DataFrame:
        """Return the rows of a query, by way of a file beside the store."""
        going = _rows(query.selected_columns)
        with stage.stage(self._database.path) as path:
            with self._database.attached(path) as connection:
                connection.exec_driver_sql("PRAGMA stage.journal_mode=OFF")
                connection.exec_driver_sql("PRAGMA stage.synchronous=OFF")
                connection.execute(sa.schema.CreateTable(going))
                connection.execute(sa.insert(going).from_select(list(schema), query))
            return stage.load(path).cast(pl.Schema(schema))


def _same(rows: pl.DataFrame) -> dict[str, Any]:
    """Return the columns that hold one value in every row, and that value; these need not pass through the file."""
    plain = [name for name in CONTENT if name != "id" and not rows.schema[name].is_nested()]
    return {name: rows[name][0] for name in plain if rows[name].eq_missing(rows[name][0]).all()}


def _copy(connection: sa.Connection, total: int, same: dict[str, Any], advance: Advance) -> int:
    """Copy the staged rows, in order; return how many were new.

    When they are more than what is there, the large indexes are made anew, which is faster than keeping them up; the
    transaction covers it. But for an empty log, the index of the ids stays: it says which rows are new.
    """
    given = {name: sa.literal(value, events.c[name].type) for name, value in same.items()}
    columns = [given.get(name, _coming.c[name]) for name in CONTENT]
    held = connection.execute(sa.select(sa.func.max(events.c.seq))).scalar() or 0
    apart = [index for index in _whole if held < total and not (held and index.unique)]
    for index in apart:
        index.drop(connection)
    accepted = 0
    for start, stop in blocks(total, _CHUNK):
        part = sa.select(*columns).where(_coming.c.rowid.between(start + 1, stop)).order_by(_coming.c.rowid)
        statement = insert(connection, events).from_select(list(CONTENT), part)
        if held:
            statement = statement.on_conflict_do_nothing(index_elements=["id"])
        accepted += connection.execute(statement).rowcount
        advance(stop - start)
    for index in apart:
        index.create(connection)
    return accepted


def _settle(connection: sa.Connection, rows: pl.DataFrame) -> None:
    naming = rows.filter(pl.col("replaces").is_not_null()).select("user", "replaces")
    touched = set(naming.iter_rows())
    if any_amended(connection):
        named = sa.select(events.c.user, events.c.replaces).where(events.c.replaces.in_(sa.select(_coming.c.id)))
        touched |= {(user, target) for user, target in connection.execute(named)}
    settle(connection, touched)
