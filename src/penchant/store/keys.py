"""The rows of API keys, and of the secrets that servers of one store share."""

from __future__ import annotations

from typing import Any, NamedTuple

import sqlalchemy as sa

from penchant.store.database import Database
from penchant.store.question import Question
from penchant.store.sql import insert
from penchant.store.tables import api_keys, secrets

__all__ = ["KeyRow", "Keys"]


class KeyRow(NamedTuple):
    """A key as it is stored: the columns of the table.

    >>> KeyRow("a1", "shop", "5d41", '["admin"]', 1).revoked is None
    True
    """

    id: str
    name: str
    hash: str
    scopes: str
    created: int
    revoked: int | None = None
    expires: int | None = None
    rate: str | None = None
    networks: str | None = None
    public: bool = False
    family: str | None = None
    successor: str | None = None


_ALL = sa.select(*(api_keys.c[name] for name in KeyRow._fields))
_ONE = Question(_ALL.where(api_keys.c.id == sa.bindparam("key")))


class Keys:
    """The api_keys and secrets tables of one store.

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
        """Add a key: id, name, hash, scopes, created; the other columns may be left out."""
        with self._database.writing() as connection:
            connection.execute(sa.insert(api_keys), row)

    def get(self, key: str) -> KeyRow | None:
        """Return one row, revoked or not, or None."""
        found = self._database.ask(_ONE, key=key)
        return KeyRow(*found[0]) if found else None

    def all(self) -> list[KeyRow]:
        """Return every row, oldest first."""
        with self._database.asking() as connection:
            return [KeyRow(*row) for row in connection.execute(_ALL.order_by(api_keys.c.created, api_keys.c.id))]

    def revoke(self, key: str, at: int) -> bool:
        """Mark a key as revoked, keeping the first moment it was; return whether there is such a key."""
        moment = sa.func.coalesce(api_keys.c.revoked, at)
        with self._database.writing() as connection:
            found = connection.execute(sa.update(api_keys).where(api_keys.c.id == key).values(revoked=moment)).rowcount
        return bool(found)

    def replace(self, key: str, row: dict[str, Any], until: int) -> bool:
        """Add the successor of a key, which ends at ``until`` if not sooner; both or neither.

        Returns:
            Whether it was done: False when there is no such key, or it is revoked or replaced already.
        """
        ends = sa.case(
            (api_keys.c.expires < until, api_keys.c.expires),
            else_=until,
        )
        alive = sa.and_(api_keys.c.id == key, api_keys.c.revoked.is_(None), api_keys.c.successor.is_(None))
        with self._database.writing() as connection:
            change = sa.update(api_keys).where(alive).values(successor=row["id"], expires=ends)
            if not connection.execute(change).rowcount:
                return False
            connection.execute(sa.insert(api_keys), row)
        return True

    def secret(self, name: str, offered: str) -> str:
        """Return the secret of this name; when there is none, ``offered`` becomes it, for all servers alike."""
        with self._database.reading() as connection:
            found = connection.execute(sa.select(secrets.c.value).where(secrets.c.name == name)).scalar()
        if found is not None:
            return str(found)
        with self._database.writing() as connection:
            statement = insert(connection, secrets).on_conflict_do_nothing(index_elements=["name"])
            connection.execute(statement, {"name": name, "value": offered})
            return str(connection.execute(sa.select(secrets.c.value).where(secrets.c.name == name)).scalar_one())
