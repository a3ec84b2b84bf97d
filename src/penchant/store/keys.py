"""The rows of API keys."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from penchant.store.database import Database
from penchant.store.tables import api_keys

__all__ = ["Keys"]


class Keys:
    """The api_keys table of one store.

    >>> from tempfile import TemporaryDirectory
    >>> from penchant.store.store import Store
    >>> with TemporaryDirectory() as folder, Store.create(f"sqlite:///{folder}/shop.db") as store:
    ...     store.keys.add({"id": "a1", "name": "shop", "hash": "5d41", "scopes": '["admin"]', "created": 1})
    ...     store.keys.revoke("a1", at=5), store.keys.revoke("a1", at=9), store.keys.get("a1").revoked
    (True, True, 5)
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, row: dict[str, Any]) -> None:
        """Add a key: id, name, hash, scopes, created."""
        with self._database.writing() as connection:
            connection.execute(sa.insert(api_keys), row)

    def get(self, key: str) -> sa.Row[Any] | None:
        """Return one row, revoked or not, or None."""
        with self._database.asking() as connection:
            return connection.execute(sa.select(api_keys).where(api_keys.c.id == key)).first()

    def all(self) -> list[sa.Row[Any]]:
        """Return every row, oldest first."""
        with self._database.asking() as connection:
            return list(connection.execute(sa.select(api_keys).order_by(api_keys.c.created, api_keys.c.id)).fetchall())

    def revoke(self, key: str, at: int) -> bool:
        """Mark a key as revoked, keeping the first moment it was; return whether there is such a key."""
        moment = sa.func.coalesce(api_keys.c.revoked, at)
        with self._database.writing() as connection:
            found = connection.execute(sa.update(api_keys).where(api_keys.c.id == key).values(revoked=moment)).rowcount
        return bool(found)
