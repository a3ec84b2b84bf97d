"""Leases: work that one process of all does at a time, also when one of them is killed."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from penchant.store.database import Database
from penchant.store.sql import insert
from penchant.store.tables import leases

__all__ = ["Leases", "holds"]


class Leases:
    """The leases of one store.

    >>> from tempfile import TemporaryDirectory
    >>> from penchant.store.store import Store
    >>> with TemporaryDirectory() as folder, Store.create(f"sqlite:///{folder}/shop.db") as store:
    ...     taken = [store.leases.take("train", who, now, now + 10) for who, now in (("a", 0), ("b", 5), ("b", 10))]
    ...     taken, store.leases.renew("train", "a", 11, 21), store.leases.get("train").holder
    ([True, False, True], False, 'b')
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def take(self, name: str, holder: str, now: int, until: int, latest: int | None = None) -> bool:
        """Take a lease that nobody holds now, or that is one's own already; return whether it is one's own.

        One that ends after ``latest`` was taken by a clock that was ahead, and holds nobody off.
        """
        row = {"name": name, "holder": holder, "until": until}
        with self._database.writing() as connection:
            free = sa.or_(leases.c.until <= now, leases.c.holder == holder)
            if latest is not None:
                free = sa.or_(free, leases.c.until > latest)
            statement = insert(connection, leases).on_conflict_do_update(
                index_elements=["name"], set_={"holder": holder, "until": until}, where=free
            )
            return connection.execute(statement.returning(leases.c.name), row).first() is not None

    def renew(self, name: str, holder: str, now: int, until: int) -> bool:
        """Hold a lease for longer; return False when it ran out or another has it."""
        mine = sa.update(leases).where(leases.c.name == name, leases.c.holder == holder, leases.c.until > now)
        with self._database.writing() as connection:
            return connection.execute(mine.values(until=until)).rowcount == 1

    def release(self, name: str, holder: str, done: int | None = None) -> bool:
        """Give a lease back, and note when the work was done to its end; return False when another has it."""
        mine = sa.update(leases).where(leases.c.name == name, leases.c.holder == holder)
        ended = {} if done is None else {"done": done}
        with self._database.writing() as connection:
            return connection.execute(mine.values(holder="", until=0, **ended)).rowcount == 1

    def get(self, name: str) -> sa.Row[Any] | None:
        """Return one lease, or None when it was never taken."""
        with self._database.reading() as connection:
            return connection.execute(sa.select(leases).where(leases.c.name == name)).first()


def holds(connection: sa.Connection, name: str, holder: str, now: int) -> bool:
    """Return whether somebody holds a lease; nobody can take it before the transaction ends.

    >>> from tempfile import TemporaryDirectory
    >>> from penchant.store.store import Store
    >>> with TemporaryDirectory() as folder, Store.create(f"sqlite:///{folder}/shop.db") as store:
    ...     _ = store.leases.take("train", "a", 0, 10)
    ...     with store.leases._database.writing() as connection:
    ...         holds(connection, "train", "a", 9), holds(connection, "train", "a", 10)
    (True, False)
    """
    query = sa.select(leases.c.name).where(leases.c.name == name, leases.c.holder == holder, leases.c.until > now)
    return connection.execute(query.with_for_update()).first() is not None
