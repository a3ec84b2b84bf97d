"""The catalogue's rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from penchant.store.database import Database
from penchant.store.question import Question
from penchant.store.sql import upsert
from penchant.store.tables import counters, items

__all__ = ["Items"]

_BLOCK = 10_000
"Rows read at a time."

_VERSION = Question(sa.select(counters.c.value).where(counters.c.name == "items"))


class Items:
    """The items table of one store.

    >>> from tempfile import TemporaryDirectory
    >>> from penchant.store.store import Store
    >>> tea = {"id": "tea", "title": "Tea", "text": "", "categories": "[]", "price": 2.5, "currency": "EUR"}
    >>> tea |= {"available": True, "published": None, "attributes": "{}"}
    >>> with TemporaryDirectory() as folder, Store.create(f"sqlite:///{folder}/shop.db") as store:
    ...     version = store.items.put([tea, {**tea, "id": "milk", "title": "Milk"}])
    ...     _ = store.items.put([{**tea, "title": "Green tea"}])
    ...     [row.title for row in store.items.changed(since=version)[0]]
    ['Green tea']
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, rows: Sequence[dict[str, Any]]) -> int:
        """Add or replace rows in one transaction; return the version they carry.

        Args:
            rows: every column of the table but version.
        """
        with self._database.writing() as connection:
            if not rows:
                return _version(connection)
            grown = sa.update(counters).where(counters.c.name == "items").values(value=counters.c.value + 1)
            version = int(connection.execute(grown.returning(counters.c.value)).scalar_one())
            connection.execute(upsert(connection, items), [{**row, "version": version} for row in rows])
        return version

    def changed(self, since: int) -> tuple[list[sa.Row[Any]], int]:
        """Return the rows put after version ``since``, in order of id, and the version now; 0 gives all of them."""
        query = sa.select(items).where(items.c.version > since).order_by(items.c.id)
        with self._database.reading() as connection:
            version = _version(connection)
            return (list(connection.execute(query).fetchall()) if version > since else []), version

    def shown(self, since: int) -> Iterator[list[Any]]:
        """Yield the rows put after version ``since`` in blocks: what is shown of an item, so no long texts."""
        names = ("id", "title", "categories", "price", "currency", "available")
        query = sa.select(*(items.c[name] for name in names)).where(items.c.version > since).order_by(items.c.id)
        with self._database.reading() as connection:
            for part in connection.execution_options(yield_per=_BLOCK).execute(query).partitions():
                yield list(part)

    def version(self) -> int:
        """Return the version that the last put gave."""
        return int(self._database.ask(_VERSION)[0][0])

    def get(self, key: str) -> sa.Row[Any] | None:
        """Return one row, or None."""
        with self._database.asking() as connection:
            return connection.execute(sa.select(items).where(items.c.id == key)).first()

    def available(self) -> int:
        """Return how many items can be had."""
        query = sa.select(sa.func.count()).select_from(items).where(items.c.available)
        with self._database.reading() as connection:
            return int(connection.execute(query).scalar_one())

    def count(self) -> int:
        """Return how many items there are."""
        with self._database.asking() as connection:
            return int(connection.execute(sa.select(sa.func.count()).select_from(items)).scalar_one())


def _version(connection: sa.Connection) -> int:
    return int(connection.execute(_VERSION.statement).scalar_one())
