"""One store into another database: all of it as it was at one moment, compared row by row, or nothing of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import blake2b
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import Struct

from penchant.core.errors import StoreError
from penchant.core.progress import SILENT, Advance, Progress
from penchant.store.store import Store
from penchant.store.tables import METADATA, counters, events, placements, windows

__all__ = ["Copied", "copy_all", "held"]

_ROWS = 10_000  # rows at once, in memory
_MADE = (counters, placements, windows)
"Tables with rows that a store has from its making, or from whoever opened it with settings; the copy's replace them."


class Copied(Struct, frozen=True):
    """What was copied of one table.

    >>> Copied("items", 2, "5d41").rows
    2
    """

    table: str
    "Its name."
    rows: int
    "How many it holds."
    digest: str
    "BLAKE2b-128 of its rows in order of their keys, as hex: the same on both sides."


def held(store: Store) -> dict[str, int]:
    """Return how many rows each table of a store holds.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder, Store.create(f"sqlite:///{folder}/shop.db") as store:
    ...     held(store)["events"]
    0
    """
    with store._database.reading() as connection:
        return {table.name: _count(connection, table) for table in _tables()}


def copy_all(source: Store, target: Store, progress: Progress = SILENT) -> tuple[Copied, ...]:
    """Copy everything into an empty store, in one transaction there and from one snapshot here.

    The source may be written to meanwhile; what is written after the first read is not copied. Every table is read
    again from the target and compared before anything is kept, so the target holds all of it or is empty.

    >>> from tempfile import TemporaryDirectory
    >>> tea = {"id": "tea", "title": "Tea", "text": "", "categories": "[]", "price": 2.5, "currency": "EUR"}
    >>> tea |= {"available": True, "published": None, "attributes": "{}"}
    >>> with TemporaryDirectory() as folder, Store.create(f"sqlite:///{folder}/a.db") as a:
    ...     _ = a.items.put([tea])
    ...     with Store.create(f"sqlite:///{folder}/b.db") as b:
    ...         done = {copied.table: copied.rows for copied in copy_all(a, b)}
    ...         b.items.get("tea").price, done["items"], done["events"]
    (2.5, 1, 0)

    Raises:
        StoreError: the target is not empty, or what arrived there is not what was sent; then it was left as it was.
    """
    tables = _tables()
    with source._database.reading() as reading, target._database.writing() as writing:
        _check_empty(writing, target)
        total = 2 * sum(_count(reading, table) for table in tables)
        with progress.step("copying", total, "rows") as advance:
            for table in _MADE:
                writing.execute(sa.delete(table))
            sent = [_send(reading, writing, target, table, advance) for table in tables]
            target._database.log.filled(writing)
            for copied, table in zip(sent, tables, strict=True):
                _compare(writing, table, copied, advance)
    return tuple(sent)


def _tables() -> list[sa.Table]:
    """Return the tables that every database has, those that others refer to first."""
    return [table for table in METADATA.sorted_tables if "only" not in table.info]


def _check_empty(connection: sa.Connection, target: Store) -> None:
    full = [table.name for table in _tables() if table not in _MADE and _count(connection, table)]
    if full:
        raise StoreError(
            "the target is not empty",
            got=f"{target._database.place}: rows in {', '.join(full)}",
            allowed="a new database",
            then="copy into another; nothing was changed",
        )


def _send(reading: sa.Connection, writing: sa.Connection, target: Store, table: sa.Table, advance: Advance) -> Copied:
    digest, total = blake2b(digest_size=16), 0
    for rows in _parts(reading, table):
        _feed(digest, rows)
        if table is events:
            target._database.log.fill(writing, rows)
        else:
            writing.execute(sa.insert(table), [row._asdict() for row in rows])
        total += len(rows)
        advance(len(rows))
    return Copied(table.name, total, digest.hexdigest())


def _compare(connection: sa.Connection, table: sa.Table, sent: Copied, advance: Advance) -> None:
    digest, total = blake2b(digest_size=16), 0
    for rows in _parts(connection, table):
        _feed(digest, rows)
        total += len(rows)
        advance(len(rows))
    if (total, digest.hexdigest()) != (sent.rows, sent.digest):
        raise StoreError(
            f"the table {table.name} arrived otherwise than it was sent",
            got=f"{total:,} rows, digest {digest.hexdigest()}",
            allowed=f"{sent.rows:,} rows, digest {sent.digest}",
            then="nothing was kept; report it with the versions of both databases",
        )


def _parts(connection: sa.Connection, table: sa.Table) -> Iterator[Sequence[sa.Row[Any]]]:
    """Yield the rows of a table in order of their keys."""
    query = sa.select(table).order_by(*table.primary_key.columns)
    yield from connection.execute(query.execution_options(yield_per=_ROWS)).partitions()


def _feed(digest: Any, rows: Sequence[sa.Row[Any]]) -> None:
    encode = msgspec.msgpack.encode
    for row in rows:  # 0.0 and -0.0 are one number, which databases write in their own ways
        digest.update(encode([value + 0.0 if isinstance(value, float) else value for value in row]))


def _count(connection: sa.Connection, table: sa.Table) -> int:
    return int(connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())
