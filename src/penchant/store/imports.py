"""How far imports are that have not reached their end."""

from __future__ import annotations

import sqlalchemy as sa

from penchant.store.database import Database
from penchant.store.sql import upsert
from penchant.store.tables import imports

__all__ = ["Imports"]


class Imports:
    """The imports table of one store.

    >>> from tempfile import TemporaryDirectory
    >>> from penchant.store.store import Store
    >>> with TemporaryDirectory() as folder, Store.create(f"sqlite:///{folder}/shop.db") as store:
    ...     with store._database.writing() as connection:
    ...         store.imports.note(connection, {"source": "5d41", "done": 1000, "accepted": 990, "at": 1})
    ...     store.imports.progress("5d41"), store.imports.progress("9f2c")
    ((1000, 990), (0, 0))
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def progress(self, source: str) -> tuple[int, int]:
        """Return how many rows of a source were dealt with, and how many of these were new."""
        query = sa.select(imports.c.done, imports.c.accepted).where(imports.c.source == source)
        with self._database.asking() as connection:
            found = connection.execute(query).first()
        return (0, 0) if found is None else (int(found.done), int(found.accepted))

    def note(self, connection: sa.Connection, row: dict[str, str | int]) -> None:
        """Note how far an import is (source, done, accepted, at), in the transaction that brought it there."""
        connection.execute(upsert(connection, imports), row)

    def end(self, connection: sa.Connection, source: str) -> None:
        """Forget an import that reached its end."""
        connection.execute(sa.delete(imports).where(imports.c.source == source))
