"""Taking one person out of every table, in one transaction."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from penchant.store.database import Database
from penchant.store.tables import consent, slate_items, slates, visits
from penchant.store.visits import names

__all__ = ["erase"]


def erase(database: Database, user: str) -> dict[str, int]:
    """Remove a person: events, consent, slates, and all of that of the visits that were theirs.

    >>> from tempfile import TemporaryDirectory
    >>> from penchant.store.store import Store
    >>> row = {"id": "e1", "user": "ann", "item": "tea", "kind": "view", "at": 1, "value": 1.0}
    >>> row |= {"session": None, "channel": "web", "context": None, "recorded": 2}
    >>> with TemporaryDirectory() as folder, Store.create(f"sqlite:///{folder}/shop.db") as store:
    ...     _ = store.events.append([row])
    ...     store.erase("ann"), store.events.counts()
    ({'events': 1, 'consent': 0, 'slates': 0, 'visits': 0}, (0, 0))

    Returns:
        Table to how many rows of it are gone.
    """
    with database.writing() as connection:
        found = list(connection.execute(names(sa.literal(user))).scalars())
        theirs = sa.select(slates.c.id).where(slates.c.user.in_(found))
        connection.execute(sa.delete(slate_items).where(slate_items.c.slate.in_(theirs)))
        conditions: dict[str, tuple[sa.Table, sa.ColumnElement[Any]]] = {
            "consent": (consent, consent.c.user.in_(found)),
            "slates": (slates, slates.c.user.in_(found)),
            "visits": (visits, visits.c.user == user),
        }
        gone = {"events": database.log.forget(connection, found)}
        return gone | {
            name: connection.execute(sa.delete(table).where(where)).rowcount
            for name, (table, where) in conditions.items()
        }
