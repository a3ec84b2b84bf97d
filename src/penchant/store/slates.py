"""The log of slates, what the views over it are told, and what they tell."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from penchant.store.database import Database
from penchant.store.sql import add_rows, upsert
from penchant.store.tables import consent, placements, slate_items, slates, visits, windows

__all__ = ["Slates"]

_OUTCOMES: tuple[str, ...] = (
    "slate",
    "item",
    "position",
    "score",
    "propensity",
    "placement",
    "policy",
    "basis",
    "model",
    "digest",
)
_OUTCOMES += ("experiment", "served", "at", "day", "clicked", "bought", "revenue")
outcomes = sa.table("v_outcomes", *(sa.column(name) for name in _OUTCOMES))
"The view of what was shown and what came of it."

days = sa.table(
    "v_placement_days",
    *(sa.column(name) for name in ("placement", "day", "slates", "impressions", "clicks", "purchases", "revenue")),
    *(sa.column(name) for name in ("items", "ctr", "conversion", "coverage")),
)
"The view of placements over time."


class Slates:
    """The slates of one store.

    >>> from tempfile import TemporaryDirectory
    >>> from penchant.store.store import Store
    >>> slate = {"id": "9f2c", "at": 5, "placement": "home", "policy": "non-profiling", "basis": "popular"}
    >>> slate |= {"model": "popular", "digest": "ab", "experiment": None, "user": None}
    >>> item = {"slate": "9f2c", "item": "tea", "position": 1, "score": 0.5, "propensity": 1.0}
    >>> with TemporaryDirectory() as folder, Store.create(f"sqlite:///{folder}/shop.db") as store:
    ...     store.slates.add([slate], [item], default=False)
    ...     [(row.placement, row.impressions, row.day) for row in store.slates.days(since=0)]
    [('home', 1, '1970-01-01')]
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def settle(self, kinds: Mapping[str, tuple[str, int]], reported: Mapping[str, bool]) -> None:
        """Tell the views which kinds have which role and span (microseconds), and which placements report."""
        wanted = [{"kind": kind, "role": role, "span": span} for kind, (role, span) in sorted(kinds.items())]
        known = [{"name": name, "reported": told} for name, told in sorted(reported.items())]
        with self._database.reading() as connection:
            there = [dict(row._mapping) for row in connection.execute(sa.select(windows).order_by(windows.c.kind))]
            names = sa.select(placements).where(placements.c.name.in_(reported)).order_by(placements.c.name)
            if there == wanted and [dict(row._mapping) for row in connection.execute(names)] == known:
                return
        with self._database.writing() as connection:
            connection.execute(sa.delete(windows))
            for table, rows in ((windows, wanted), (placements, known)):
                if rows:
                    connection.execute(upsert(connection, table), rows)

    def add(self, rows: Sequence[dict[str, Any]], items: Sequence[dict[str, Any]], *, default: bool) -> None:
        """Add slates and their items in one transaction; who did not agree to personalizing is left out of them.

        Args:
            rows: every column of the slates.
            items: every column of their items.
            default: whether a person with no recorded answer counts as having agreed.
        """
        if not rows:
            return
        with self._database.writing() as connection:
            agreed = _agreed(connection, {row["user"] for row in rows} - {None}, default)
            known = [row if row["user"] in agreed else {**row, "user": None} for row in rows]
            add_rows(connection, slates, known)
            add_rows(connection, slate_items, items)

    def prune(self, before: int, most: int) -> int:
        """Remove up to ``most`` of the slates from before a moment, the oldest first; return how many."""
        with self._database.writing() as connection:
            old = sa.select(slates.c.id).where(slates.c.at < before).order_by(slates.c.at).limit(most)
            found = list(connection.execute(old).scalars())
            connection.execute(sa.delete(slate_items).where(slate_items.c.slate.in_(found)))
            connection.execute(sa.delete(slates).where(slates.c.id.in_(found)))
        return len(found)

    def days(self, since: int) -> list[sa.Row[Any]]:
        """Return the rows of ``v_placement_days`` from the day of a moment (microseconds) on."""
        first = sa.select(outcomes.c.day).where(outcomes.c.at >= since).order_by(outcomes.c.day).limit(1)
        query = sa.select(days).where(days.c.day >= first.scalar_subquery()).order_by(days.c.placement, days.c.day)
        with self._database.reading() as connection:
            return list(connection.execute(query).fetchall())

    def outcomes(self, since: int, placement: str | None = None) -> list[sa.Row[Any]]:
        """Return the rows of ``v_outcomes`` shown since a moment, with the unit of chance of each.

        The unit is the person a slate was logged with, as a number of this answer, and else the slate.
        """
        person = sa.func.coalesce(visits.c.user, slates.c.user, sa.literal("\x1f\x1f") + slates.c.id)
        unit = sa.func.dense_rank().over(order_by=person).label("unit")
        query = sa.select(*(outcomes.c[name] for name in _OUTCOMES), unit)
        query = query.join_from(outcomes, slates, slates.c.id == outcomes.c.slate)
        query = query.outerjoin(visits, visits.c.visitor == slates.c.user).where(outcomes.c.at >= since)
        if placement is not None:
            query = query.where(outcomes.c.placement == placement)
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(outcomes.c.at, outcomes.c.slate, outcomes.c.position))
            return [*rows]

    def sums(self, since: int) -> list[sa.Row[Any]]:
        """Return, for each placement, sums over units of chance of what was shown since a moment and came of it.

        Columns: placement, units, slates, items (distinct), shown, clicks, purchases, revenue, and the sums over units
        of products: shown_shown, and for each of click, bought and revenue: x_x and x_shown.
        """
        person = sa.func.coalesce(visits.c.user, slates.c.user, sa.literal("\x1f\x1f") + slates.c.id)
        x = outcomes.c
        unit = sa.select(x.placement, person.label("unit"), sa.func.count().label("shown"))
        unit = unit.add_columns(*(sa.func.sum(x[name]).label(name) for name in ("clicked", "bought", "revenue")))
        unit = unit.join_from(outcomes, slates, slates.c.id == x.slate)
        unit = unit.outerjoin(visits, visits.c.visitor == slates.c.user).where(x.at >= since)
        part = unit.group_by(x.placement, person).subquery()
        c = part.c
        sums = sa.select(c.placement, sa.func.count().label("units"), sa.func.sum(c.shown).label("shown"))
        sums = sums.add_columns(sa.func.sum(1.0 * c.shown * c.shown).label("shown_shown"))
        for name in ("clicked", "bought", "revenue"):
            sums = sums.add_columns(
                sa.func.sum(c[name]).label(name),
                sa.func.sum(1.0 * c[name] * c[name]).label(f"{name}_{name}"),
                sa.func.sum(1.0 * c[name] * c.shown).label(f"{name}_shown"),
            )
        whole = sums.group_by(c.placement).subquery()
        wide = sa.select(x.placement, x.slate).distinct().where(x.at >= since).subquery()
        many = sa.select(wide.c.placement, sa.func.count().label("slates")).group_by(wide.c.placement).subquery()
        broad = sa.select(x.placement, sa.func.count(x.item.distinct()).label("items")).where(x.at >= since)
        items = broad.group_by(x.placement).subquery()
        query = sa.select(whole, many.c.slates, items.c["items"])
        query = query.join_from(whole, many, many.c.placement == whole.c.placement)
        query = query.join(items, items.c.placement == whole.c.placement).order_by(whole.c.placement)
        with self._database.reading() as connection:
            return list(connection.execute(query).fetchall())

    def count(self) -> int:
        """Return how many slates are logged."""
        with self._database.reading() as connection:
            return int(connection.execute(sa.select(sa.func.count()).select_from(slates)).scalar_one())


def _agreed(connection: sa.Connection, users: Collection[str], default: bool) -> set[str]:
    """Return which of some people, or visitors, agreed to personalizing; of a visitor, its person must not refuse."""
    asked = (consent.c.purpose == "personalize") & consent.c.user.in_(users)
    answers = sa.select(consent.c.user).where(asked, consent.c.granted.is_(not default))
    answered = set(connection.execute(answers).scalars())
    agreed = set(users) - answered if default else answered
    refusing = sa.select(visits.c.visitor).join_from(visits, consent, consent.c.user == visits.c.user)
    refusing = refusing.where(
        visits.c.visitor.in_(users), consent.c.purpose == "personalize", consent.c.granted.is_(False)
    )
    return agreed - set(connection.execute(refusing).scalars())
