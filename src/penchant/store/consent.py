"""Who said yes to what; and the one predicate that every read of personal data goes through."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from penchant.store.database import Database
from penchant.store.sql import insert, upsert
from penchant.store.tables import consent

__all__ = ["Consents", "may_use"]


def may_use(
    user: sa.ColumnElement[str], purpose: str | sa.BindParameter[str] | None, default: bool
) -> sa.ColumnElement[bool]:
    """Return the SQL condition that a person (a column, or a parameter) agreed to a purpose; true for None.

    >>> print(may_use(sa.column("user"), None, False))
    true
    """
    if purpose is None:
        return sa.true()
    answered = sa.select(1).where(consent.c.user == user, consent.c.purpose == purpose)
    if default:
        return ~answered.where(consent.c.granted.is_(False)).exists()
    return answered.where(consent.c.granted.is_(True)).exists()


class Consents:
    """The consent table of one store.

    >>> from tempfile import TemporaryDirectory
    >>> from penchant.store.store import Store
    >>> answer = {"user": "ann", "purpose": "train", "granted": True, "basis": "form", "at": 1}
    >>> with TemporaryDirectory() as folder, Store.create(f"sqlite:///{folder}/shop.db") as store:
    ...     store.consent.put([answer, {**answer, "user": "bob", "granted": False}])
    ...     [store.consent.permits("train", user, default=True) for user in ("ann", "bob", "eve")]
    [True, False, True]
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, rows: Sequence[dict[str, Any]]) -> None:
        """Record answers (user, purpose, granted, basis, at) in one transaction; each replaces the one before it."""
        if rows:
            with self._database.writing() as connection:
                connection.execute(upsert(connection, consent), list(rows))

    def add(self, rows: Sequence[dict[str, Any]]) -> None:
        """Record answers like :meth:`put`, but where there is one already, that one stays."""
        if rows:
            with self._database.writing() as connection:
                connection.execute(insert(connection, consent).on_conflict_do_nothing(), list(rows))

    def refusing(self, purposes: Sequence[str]) -> set[str]:
        """Return the people who said no to any of the purposes."""
        query = sa.select(consent.c.user).where(consent.c.purpose.in_(purposes), consent.c.granted.is_(False))
        with self._database.asking() as connection:
            return set(connection.execute(query.distinct()).scalars())

    def of(self, user: str) -> Sequence[sa.Row[str, bool, str, int]]:
        """Return the answers of one person: purpose, granted, basis, at; in order of purpose."""
        query = sa.select(consent.c.purpose, consent.c.granted, consent.c.basis, consent.c.at)
        with self._database.asking() as connection:
            return [*connection.execute(query.where(consent.c.user == user).order_by(consent.c.purpose))]

    def permits(self, purpose: str, user: str, default: bool) -> bool:
        """Return whether a person agreed, by the same predicate that reads go through."""
        query = sa.select(may_use(sa.literal(user), purpose, default))
        with self._database.asking() as connection:
            return bool(connection.execute(query).scalar_one())
