"""Anonymous sessions: what stands for a user in their events, and whose they turned out to be."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from penchant.store.amend import counting
from penchant.store.consent import may_use
from penchant.store.database import Database
from penchant.store.sql import insert
from penchant.store.tables import consent, events, visits

__all__ = ["MARK", "Visits", "everyone", "kept", "names", "owned", "visitor"]

MARK = "\x1f"
"What the user of an anonymous event begins with; no id of a person can hold it."


def visitor(session: str) -> str:
    r"""Return what stands for a user in the events of an anonymous session.

    >>> visitor("s1")
    '\x1fs1'
    """
    return MARK + session


def names(person: sa.ColumnElement[str]) -> sa.CompoundSelect[str]:
    """Return the query for everything a person's events have for a user: the person, and visits that were theirs.

    >>> print(names(sa.literal("ann")).selected_columns.keys())
    ['user']
    """
    own = sa.select(person.label("user"))
    return sa.union_all(own, sa.select(visits.c.visitor).where(visits.c.user == person))


def kept(user: sa.ColumnElement[str], purpose: str | sa.BindParameter[str] | None) -> sa.ColumnElement[bool]:
    """Return the SQL condition that nobody said no under the very name an event has; true for no purpose.

    Who an event belongs to is asked by :func:`penchant.store.consent.may_use`; this keeps the no of a visit a no
    after the visitor signed in as somebody who agreed.

    >>> print(kept(sa.column("user"), None))
    true
    """
    if purpose is None:
        return sa.true()
    refused = sa.select(1).where(consent.c.user == user, consent.c.purpose == purpose, consent.c.granted.is_(False))
    return ~refused.exists()


def owned(name: sa.ColumnElement[str], purpose: str | sa.BindParameter[str] | None) -> sa.ColumnElement[bool]:
    """Return the SQL condition that nobody whose visit this name turned out to be said no; true for no purpose.

    >>> print(owned(sa.literal("s1"), None))
    true
    """
    if purpose is None:
        return sa.true()
    refused = sa.select(1).join_from(visits, consent, consent.c.user == visits.c.user)
    refused = refused.where(visits.c.visitor == name, consent.c.purpose == purpose, consent.c.granted.is_(False))
    return ~refused.exists()


def everyone(columns: list[sa.ColumnElement[Any]], purpose: str | None, default: bool) -> sa.Select[Any]:
    """Return the query for all events that may be used, with the person (not the visit) as ``user``.

    >>> "LEFT OUTER JOIN visits" in str(everyone([events.c.item], "train", False))
    True
    """
    person = sa.func.coalesce(visits.c.user, events.c.user)
    query: Any = sa.select(person.label("user"), *columns)
    query = query.select_from(events.outerjoin(visits, visits.c.visitor == events.c.user))
    kept_too: sa.Select[Any] = query.where(may_use(person, purpose, default), kept(events.c.user, purpose), counting())
    return kept_too


class Visits:
    """The table of visits of one store; a visit belongs to one person for good.

    >>> from tempfile import TemporaryDirectory
    >>> from penchant.store.store import Store
    >>> with TemporaryDirectory() as folder, Store.create(f"sqlite:///{folder}/shop.db") as store:
    ...     [store.visits.link("s1", user, at=1) for user in ("ann", "ann", "bob")]
    [True, True, False]
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def link(self, session: str, user: str, at: int) -> bool:
        """Say whose a session is; return whether it is theirs now, and not somebody else's from before."""
        with self._database.writing() as connection:
            row = {"visitor": visitor(session), "user": user, "at": at}
            connection.execute(insert(connection, visits).on_conflict_do_nothing(), row)
            owner = sa.select(visits.c.user).where(visits.c.visitor == visitor(session))
            return bool(connection.execute(owner).scalar_one() == user)

    def people(self, purpose: str | None, after: str, most: int, *, default: bool = False) -> list[str]:
        """Return the ids after one, in order, of people with events who agreed to a purpose; no visitors."""
        everybody = _people()
        query = sa.select(everybody.c.user).where(may_use(everybody.c.user, purpose, default))
        query = query.where(everybody.c.user > after).order_by(everybody.c.user).limit(most)
        with self._database.reading() as connection:
            return list(connection.execute(query).scalars())

    def count(self, purpose: str | None, *, default: bool = False) -> int:
        """Return how many people with events agreed to a purpose; no visitors."""
        everybody = _people()
        query = sa.select(sa.func.count()).select_from(everybody)
        with self._database.reading() as connection:
            return int(connection.execute(query.where(may_use(everybody.c.user, purpose, default))).scalar_one())


def _people() -> sa.Subquery:
    """Return everybody with events, or whose visit had some."""
    own = sa.select(events.c.user).where(~events.c.user.startswith(MARK), counting())
    return sa.union(own, sa.select(visits.c.user)).subquery()
