"""A whole table into PostgreSQL: COPY, and the ids indexed once where the log is empty."""

from __future__ import annotations

import io
from typing import Any

import polars as pl
import sqlalchemy as sa

from penchant.store.database import CONTENT

__all__ = ["KNOW", "LIST", "TYPES", "copy_in", "cursor", "fill_empty", "know", "stage"]

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
_IDS = "INSERT INTO event_ids (id, at, seq, named) SELECT id, at, seq, false FROM {given}"
_ANY = "SELECT EXISTS (SELECT FROM event_ids) OR EXISTS (SELECT FROM events)"
_TAKE = "SELECT min(n), max(n) FROM (SELECT nextval('events_seq') AS n FROM generate_series(1, %s)) AS taken"
_KEY = """
    SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE contype = 'p' AND conrelid = 'event_ids'::regclass"""


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
    content = io.BytesIO()
    rows.write_csv(content, include_header=False, quote_style="non_numeric", null_value="\\N")
    block, names = content.getbuffer(), ", ".join(f'"{name}"' for name in rows.columns)
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

    Most tables hold new ids only, and then a plain INSERT does, at half the work of one that looks out for conflicts.

    >>> from penchant.store.store import Store
    >>> from penchant.testing.postgres import PostgresServer
    >>> with PostgresServer() as server, Store.create(server.database()) as store:
    ...     with store._database.transaction() as connection:
    ...         made = "CREATE TEMPORARY TABLE coming AS SELECT 'e1' AS id, 5::bigint AS at, 1::bigint AS seq"
    ...         _ = connection.exec_driver_sql(made)
    ...         know(connection), know(connection)
    (1, 0)
    """
    try:
        with connection.begin_nested():
            return connection.exec_driver_sql(_IDS.format(given="coming") + " ORDER BY id").rowcount
    except sa.exc.IntegrityError:
        return connection.exec_driver_sql(KNOW.format(given="coming")).rowcount


def fill_empty(connection: sa.Connection, rows: pl.DataFrame) -> bool:
    """Add rows, ids distinct, to a log that holds nothing, and index the ids afterwards; return whether it was one.

    Nobody else adds to the log meanwhile; whoever reads it goes on. When somebody is at it already, nothing is done.

    >>> from penchant.store.store import Store
    >>> from penchant.testing.postgres import PostgresServer
    >>> rows = pl.DataFrame({"id": ["e1"], "user": "ann", "item": "tea", "kind": "view", "at": 1, "value": 1.0})
    >>> rows = rows.with_columns(pl.lit(None, pl.String).alias(n) for n in CONTENT if n not in rows.columns)
    >>> rows = rows.with_columns(channel=pl.lit("web"), price=pl.lit(None, pl.Float64), recorded=pl.lit(2))
    >>> with PostgresServer() as server, Store.create(server.database()) as store:
    ...     database = store._database
    ...     database.log._partitions.ensure([1])
    ...     with database.transaction() as connection:
    ...         filled = fill_empty(connection, rows), fill_empty(connection, rows)
    ...         stage(connection, rows)
    ...         added = know(connection)
    ...         copy_in(connection, "event_ids", pl.DataFrame({"id": ["e2"], "named": [True]}))
    ...         ids = [key for key, in cursor(connection).execute("SELECT id FROM event_ids ORDER BY id")]
    >>> filled, added, ids
    ((True, False), 0, ['e1', 'e2'])
    """
    if connection.exec_driver_sql(_ANY).scalar_one() or not _locked(connection):
        return False
    if connection.exec_driver_sql(_ANY).scalar_one():
        return False
    first, last = connection.exec_driver_sql(_TAKE, (rows.height,)).one()
    if last - first != rows.height - 1:  # others took numbers in between
        return False
    name, meaning = connection.exec_driver_sql(_KEY).one()
    connection.exec_driver_sql(f'ALTER TABLE event_ids DROP CONSTRAINT "{name}"')
    copy_in(connection, "events", rows.select(CONTENT).with_columns(seq=pl.int_range(first, last + 1, dtype=pl.Int64)))
    connection.exec_driver_sql(_IDS.format(given="events"))
    connection.exec_driver_sql("SET LOCAL maintenance_work_mem = '256MB'")
    connection.exec_driver_sql(f'ALTER TABLE event_ids ADD CONSTRAINT "{name}" {meaning}')
    return True


def _locked(connection: sa.Connection) -> bool:
    """Take the table of ids for this transaction alone, unless that takes longer than a second."""
    try:
        with connection.begin_nested():
            connection.exec_driver_sql("SET LOCAL lock_timeout = '1s'")
            connection.exec_driver_sql("LOCK TABLE event_ids IN ACCESS EXCLUSIVE MODE")
            connection.exec_driver_sql("SET LOCAL lock_timeout TO DEFAULT")
    except sa.exc.OperationalError as error:
        if getattr(error.orig, "sqlstate", None) != "55P03":
            raise
        return False
    return True
