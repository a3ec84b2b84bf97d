"""A whole table into PostgreSQL: COPY, straight into the log where all ids are new."""

from __future__ import annotations

import io
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import polars as pl
import sqlalchemy as sa

from penchant.store.database import CONTENT

__all__ = ["KNOW", "LIST", "TYPES", "array", "copy_in", "copy_new", "cursor", "know", "stage"]

TYPES = {"at": "bigint", "value": "double precision", "price": "double precision", "recorded": "bigint"}
"The types of an event's columns that are not text."
LIST = ", ".join(f'"{name}"' for name in CONTENT)
"The names of an event's columns, as SQL."
# Ids go first and in their order: whoever adds the same ids waits there, and nobody waits in a circle. An id that was
# only named so far (seq is NULL) is as good as new.
KNOW = """
    INSERT INTO event_ids AS known (id, at, seq, named)
    SELECT id, at, seq, false FROM {given} ORDER BY id
    ON CONFLICT (id) DO UPDATE SET at = excluded.at, seq = excluded.seq WHERE known.seq IS NULL"""
"Takes note of the ids that are new, to be formatted with where they stand."

_BLOCK = 1 << 20  # bytes given to COPY at once
_UNKNOWN = """
    (SELECT * FROM coming WHERE NOT EXISTS
      (SELECT FROM event_ids WHERE event_ids.id = coming.id AND event_ids.seq IS NOT NULL)) AS unknown"""
_KNOWN = "SELECT EXISTS (SELECT FROM event_ids WHERE id IN (%s, %s))"
_TAKE = "SELECT min(n), max(n) FROM (SELECT nextval('events_seq') AS n FROM generate_series(1, %s)) AS taken"
_day = pl.from_epoch("at", "us")
_PART = _day.dt.year() * 4 + _day.dt.quarter()
_TWICE = "23505"  # what the server calls a key that stands there already


def array(values: Sequence[str | float | None]) -> str:
    r"""Return values of one kind as PostgreSQL writes an array of them.

    >>> print(array(["tea", 'a "b"', None]), array(["tea"]), array([1.5, None]))
    {"tea","a \"b\"",NULL} {"tea"} {1.5,NULL}
    """
    texts = [value for value in values if type(value) is str]
    plain = "".join(texts)
    if not texts or len(texts) < len(values) or '"' in plain or "\\" in plain:
        return "{" + ",".join([_element(value) for value in values]) + "}"
    return '{"' + '","'.join(texts) + '"}'


def _element(value: str | float | None) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return repr(value)


def cursor(connection: sa.Connection) -> Any:
    """Return a cursor of the driver, in the connection's transaction.

    >>> with sa.create_engine("sqlite://").connect() as connection:
    ...     cursor(connection).execute("SELECT 1").fetchone()
    (1,)
    """
    driver: Any = connection.connection.driver_connection
    return driver.cursor()


def copy_in(connection: sa.Connection, table: str, rows: pl.DataFrame) -> None:
    """Write rows into the columns of a table that are called as theirs.

    >>> from penchant.store.store import Store
    >>> from penchant.testing.postgres import PostgresServer
    >>> with PostgresServer() as server, Store.create(server.database()) as store:
    ...     with store._database.transaction() as connection:
    ...         copy_in(connection, "counters", pl.DataFrame({"name": ["a", "b"], "value": [1, 2]}))
    ...         connection.exec_driver_sql("SELECT sum(value) FROM counters WHERE name IN ('a', 'b')").scalar_one()
    Decimal('3')
    """
    _send(connection, table, rows.columns, _written(rows))


def _written(rows: pl.DataFrame) -> io.BytesIO:
    content = io.BytesIO()
    rows.write_csv(content, include_header=False, quote_style="non_numeric", null_value="\\N")
    return content


def _send(connection: sa.Connection, table: str, columns: Sequence[str], content: io.BytesIO) -> None:
    block, names = content.getbuffer(), ", ".join(f'"{name}"' for name in columns)
    with cursor(connection).copy(f"COPY {table} ({names}) FROM STDIN (FORMAT csv, NULL '\\N')") as copy:
        for start in range(0, len(block), _BLOCK):
            copy.write(block[start : start + _BLOCK])


def stage(connection: sa.Connection, rows: pl.DataFrame) -> None:
    """Put a table into the temporary table ``coming``, numbered in the order of its rows.

    >>> from penchant.store.store import Store
    >>> from penchant.testing.postgres import PostgresServer
    >>> text = {name: pl.Series([None, None], dtype=pl.String) for name in CONTENT if name not in TYPES}
    >>> rows = pl.DataFrame({**text, **{name: [1, 2] for name in TYPES}, "id": ["e1", "e2"]})
    >>> with PostgresServer() as server, Store.create(server.database()) as store:
    ...     with store._database.transaction() as connection:
    ...         stage(connection, rows)
    ...         connection.exec_driver_sql("SELECT id, seq FROM coming").all()
    [('e1', 1), ('e2', 2)]
    """
    columns = ", ".join(f'"{name}" {TYPES.get(name, "text")}' for name in CONTENT)
    connection.exec_driver_sql("SET LOCAL work_mem = '256MB'")
    number = "seq bigint DEFAULT nextval('events_seq')"
    connection.exec_driver_sql(f"CREATE TEMPORARY TABLE coming ({columns}, {number}) ON COMMIT DROP")
    copy_in(connection, "coming", rows.select(CONTENT))


def know(connection: sa.Connection) -> int:
    """Take note of the ids of the table ``coming``; return how many are new.

    Those that are there are left out before, for to run into them costs more than to look for them.

    >>> from penchant.store.store import Store
    >>> from penchant.testing.postgres import PostgresServer
    >>> with PostgresServer() as server, Store.create(server.database()) as store:
    ...     with store._database.transaction() as connection:
    ...         made = "CREATE TEMPORARY TABLE coming AS SELECT 'e1' AS id, 5::bigint AS at, 1::bigint AS seq"
    ...         _ = connection.exec_driver_sql(made)
    ...         know(connection), know(connection)
    (1, 0)
    """
    connection.exec_driver_sql("ANALYZE coming")
    return connection.exec_driver_sql(KNOW.format(given=_UNKNOWN)).rowcount


def copy_new(connection: sa.Connection, rows: pl.DataFrame) -> bool:
    """Add rows, ids distinct, when all of their ids are new; return whether they were, or nothing was done.

    Most tables hold new ids only, and then two COPYs do, each in the order of its table's index, whose pages are then
    written one after the other and not all over; the numbers still say in which order the rows stood.

    >>> from penchant.store.store import Store
    >>> from penchant.testing.postgres import PostgresServer
    >>> rows = pl.DataFrame({"id": ["e2", "e1"], "user": "ann", "item": "tea", "kind": "view", "at": 1, "value": 1.0})
    >>> rows = rows.with_columns(pl.lit(None, pl.String).alias(n) for n in CONTENT if n not in rows.columns)
    >>> rows = rows.with_columns(channel=pl.lit("web"), price=pl.lit(None, pl.Float64), recorded=pl.lit(2))
    >>> with PostgresServer() as server, Store.create(server.database()) as store:
    ...     store._database.log._partitions.ensure([1])
    ...     with store._database.transaction() as connection:
    ...         added = copy_new(connection, rows), copy_new(connection, rows)
    ...         ids = [key for key, in cursor(connection).execute("SELECT id FROM events ORDER BY seq")]
    >>> added, ids
    ((True, False), ['e2', 'e1'])
    """
    if connection.exec_driver_sql(_KNOWN, (rows["id"][0], rows["id"][-1])).scalar_one():
        return False
    with ThreadPoolExecutor(1) as beside:  # the next table is made ready while the server takes in this one
        sorting = beside.submit(_by_id, rows)
        first, last = connection.exec_driver_sql(_TAKE, (rows.height,)).one()
        if last - first != rows.height - 1:  # others took numbers in between
            return False
        ids = sorting.result().with_columns(pl.col("seq") + first)
        writing = beside.submit(_by_person, rows, first)
        try:
            with connection.begin_nested():
                copy_in(connection, "event_ids", ids)
        except connection.dialect.loaded_dbapi.Error as error:
            if getattr(error, "sqlstate", None) != _TWICE:
                raise
            return False
        names, content = writing.result()
        _send(connection, "events", names, content)
    return True


def _by_id(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of the table of ids, in the order of its index, numbered from 0 as the events are."""
    places = rows["id"].arg_sort()
    return pl.select(rows["id"].gather(places), rows["at"].gather(places), seq=places.cast(pl.Int64), named=False)


def _by_person(rows: pl.DataFrame, first: int) -> tuple[list[str], io.BytesIO]:
    """Return the names of the columns that hold anything, and their content in the order of the parts' indexes."""
    filled = [name for name in CONTENT if rows[name].null_count() < rows.height]
    numbered = rows.select(filled).with_columns(seq=pl.int_range(first, first + rows.height, dtype=pl.Int64))
    numbered = numbered.sort(_PART, "user", "at", maintain_order=True)
    return numbered.columns, _written(numbered)
