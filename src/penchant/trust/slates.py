"""The log of slates: what was answered, written in batches, and what came of it. No id of who did not agree."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import polars as pl
from msgspec import Struct

from penchant.core.clock import micros, parse_duration
from penchant.core.settings import Settings
from penchant.store.store import Store
from penchant.store.visits import visitor
from penchant.trust.access import Actor, require
from penchant.trust.purpose import Purpose

__all__ = ["Served", "Slates", "Sums", "Thing"]


_PRUNED = 2_000
"Slates removed in one transaction: few, so that events need not wait long for their turn."


class Thing(Struct, frozen=True):
    """One item of a logged slate.

    >>> Thing("tea", 1, 0.5).propensity
    1.0
    """

    item: str
    "Its id."
    position: int
    "From 1."
    score: float
    "What it was ranked by."
    propensity: float = 1.0
    "The chance it had of standing there; 1 for a ranking without chance."


class Served(Struct, frozen=True):
    """One slate as it is logged.

    >>> Served("9f2c", datetime(2017, 12, 31), "home", "non-profiling", "popular", "popular", "ab").user is None
    True
    """

    slate: str
    "Its id."
    at: datetime
    "When it was answered."
    placement: str
    "Where it is shown."
    policy: str
    "On whose data it rests."
    basis: str
    "The step of the chain that answered."
    model: str
    "Name of the models."
    digest: str
    "Their identity."
    things: tuple[Thing, ...] = ()
    "What stands in it."
    user: str | None = None
    "Who asked; kept only when they agreed to personalizing."
    session: str | None = None
    "The anonymous session that asked; kept as the user is."
    experiment: str | None = None
    "What the caller said it belongs to."


class Sums(Struct, frozen=True):
    """What was shown in a placement and came of it, added up over units of chance (people, or else slates).

    >>> Sums("home", 2, 3, 4, {"shown": 12.0}).units
    2
    """

    placement: str
    "Its name."
    units: int
    "People, and slates of nobody known."
    slates: int
    "Slates shown."
    items: int
    "Different items shown."
    sums: dict[str, float]
    "shown, clicked, bought and revenue, and the sums of their products: x_x and x_shown."


class Slates:
    """The slate log of one store.

    >>> from tempfile import TemporaryDirectory
    >>> from penchant.trust.access import SYSTEM
    >>> noon = datetime(2017, 12, 31, 12)
    >>> with TemporaryDirectory() as folder, Store.create(f"sqlite:///{folder}/shop.db") as store:
    ...     slates = Slates(store, Settings())
    ...     slates.log(SYSTEM, [Served("9f2c", noon, "home", "x", "popular", "popular", "ab", (Thing("tea", 1, 0.5),))])
    ...     slates.days(SYSTEM, noon).select("placement", "day", "impressions", "clicks").row(0)
    ('home', '2017-12-31', 1, 0)
    """

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings

    def settle(self) -> None:
        """Tell the views what the settings say of kinds and placements."""
        attribution = self._settings.attribution
        roles = (("click", attribution.clicks), ("purchase", attribution.purchases))
        kinds = {
            kind: (role, parse_duration(span) // timedelta(microseconds=1))
            for role, spans in roles
            for kind, span in spans.items()
        }
        reported = {name: placement.reported for name, placement in self._settings.placements.items()}
        self._store.slates.settle(kinds, reported)

    def log(self, actor: Actor, slates: Sequence[Served]) -> None:
        """Write slates in one transaction; one that is there already stays as it is.

        Raises:
            Forbidden: the actor lacks ``recommend:read``.
            StoreError: the store failed; then none was kept.
        """
        require(actor, Purpose.PERSONALIZE.scope)
        rows: list[dict[str, Any]] = []
        items: list[dict[str, Any]] = []
        for each in slates:
            whose = each.user or (None if each.session is None else visitor(each.session))
            row = {"id": each.slate, "at": micros(each.at), "placement": each.placement, "policy": each.policy}
            row |= {"basis": each.basis, "model": each.model, "digest": each.digest}
            rows.append({**row, "experiment": each.experiment, "user": whose})
            for thing in each.things:
                place = {"slate": each.slate, "item": thing.item, "position": thing.position}
                items.append({**place, "score": thing.score, "propensity": thing.propensity})
        self._store.slates.add(rows, items, default=self._settings.consent.default)

    def prune(self, actor: Actor, now: datetime) -> bool:
        """Remove some of the slates that were kept long enough; return whether there may be more of them.

        Raises:
            Forbidden: the actor is not an administrator.
        """
        require(actor, "admin")
        before = micros(now - parse_duration(self._settings.slates.keep_for))
        return self._store.slates.prune(before, _PRUNED) == _PRUNED

    def days(self, actor: Actor, since: datetime) -> pl.DataFrame:
        """Return the view ``v_placement_days`` from the day of a moment on.

        Raises:
            Forbidden: the actor lacks ``metrics:read``.
        """
        require(actor, "metrics:read")
        return _table(self._store.slates.days(micros(since)), _DAYS)

    def sums(self, actor: Actor, since: datetime) -> tuple[Sums, ...]:
        """Return what was shown since a moment and came of it, placement by placement.

        Raises:
            Forbidden: the actor lacks ``metrics:read``.
        """
        require(actor, "metrics:read")
        named = ("placement", "units", "slates", "items")
        return tuple(
            Sums(
                row.placement,
                int(row.units),
                int(row.slates),
                int(row._mapping["items"]),
                {name: float(value) for name, value in row._mapping.items() if name not in named},
            )
            for row in self._store.slates.sums(micros(since))
        )

    def outcomes(self, actor: Actor, since: datetime, placement: str | None = None) -> pl.DataFrame:
        """Return what was shown since a moment, a row an item, with what came of it; no ids of people.

        Returns:
            slate, item, position, score, propensity, placement, policy, basis, model, digest, experiment, served, at
            (Int64 microseconds), day, clicked, bought (0 or 1), revenue, and unit: the same number for one person.

        Raises:
            Forbidden: the actor lacks ``metrics:read``.
        """
        require(actor, "metrics:read")
        return _table(self._store.slates.outcomes(micros(since), placement), _OUTCOMES)


_DAYS = {
    **dict.fromkeys(("placement", "day"), pl.String()),
    **dict.fromkeys(("slates", "impressions", "clicks", "purchases"), pl.Int64()),
    "revenue": pl.Float64(),
    "items": pl.Int64(),
    **dict.fromkeys(("ctr", "conversion", "coverage"), pl.Float64()),
}
_OUTCOMES = {
    **dict.fromkeys(("slate", "item"), pl.String()),
    "position": pl.Int64(),
    **dict.fromkeys(("score", "propensity"), pl.Float64()),
    **dict.fromkeys(("placement", "policy", "basis", "model", "digest", "experiment"), pl.String()),
    **dict.fromkeys(("served", "at"), pl.Int64()),
    "day": pl.String(),
    **dict.fromkeys(("clicked", "bought"), pl.Int64()),
    "revenue": pl.Float64(),
    "unit": pl.Int64(),
}


def _table(rows: Sequence[Any], schema: dict[str, Any]) -> pl.DataFrame:
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(schema)
    return pl.DataFrame(
        [
            pl.Series(name, values, dtype=kind, strict=False)
            for (name, kind), values in zip(schema.items(), columns, strict=True)
        ]
    )
