"""What placements bring: clicks, purchases, revenue and coverage, with intervals."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from penchant.evaluation.interval import Effect, Inconclusive
from penchant.evaluation.rates import Ratio, mean, share
from penchant.trust.access import Actor
from penchant.trust.gate import Gate
from penchant.trust.slates import Sums

__all__ = ["Figures", "figures"]


class Figures(Struct, frozen=True):
    """One placement's figures.

    >>> from penchant.testing import shop
    >>> from penchant.trust.access import SYSTEM
    >>> with shop() as engine:
    ...     _ = engine.similar(SYSTEM, "assam", 3)
    ...     engine.slates.flush()
    ...     (found,) = figures(engine.gate, SYSTEM, engine.clock.now())
    >>> found.placement, found.impressions, found.ctr.value, found.coverage
    ('similar', 3, 0.0, 0.375)
    """

    placement: str
    "Its name."
    units: int
    "People it was shown to, and slates of nobody known: the units of chance."
    slates: int
    "Slates shown."
    impressions: int
    "Items shown."
    clicks: int
    "Of these, how many were clicked."
    purchases: int
    "Of these, how many were bought."
    revenue: float
    "What that earned."
    ctr: Effect | Inconclusive
    "Clicked items of those shown."
    conversion: Effect | Inconclusive
    "Bought items of those shown."
    earned: Effect | Inconclusive
    "Revenue of a thousand items shown."
    coverage: float | None
    "Different items shown, of those that can be had; None without a catalogue."


def figures(gate: Gate, actor: Actor, since: datetime) -> tuple[Figures, ...]:
    """Return the figures of every placement that was shown since a moment.

    >>> from penchant.testing import shop
    >>> from penchant.trust.access import SYSTEM
    >>> with shop() as engine:
    ...     figures(engine.gate, SYSTEM, engine.clock.now())
    ()

    Raises:
        Forbidden: the actor lacks ``metrics:read``.
    """
    available = gate.catalogue.available(actor)
    return tuple(_figures(sums, available) for sums in gate.slates.sums(actor, since))


def _figures(sums: Sums, available: int) -> Figures:
    s = sums.sums

    def ratio(name: str, times: float = 1.0) -> Ratio:
        of = (s[name] * times, s["shown_shown"], s[f"{name}_{name}"] * times**2, s[f"{name}_shown"] * times)
        return Ratio(sums.units, s["shown"], *of)

    return Figures(
        placement=sums.placement,
        units=sums.units,
        slates=sums.slates,
        impressions=int(s["shown"]),
        clicks=int(s["clicked"]),
        purchases=int(s["bought"]),
        revenue=s["revenue"],
        ctr=share(ratio("clicked")),
        conversion=share(ratio("bought")),
        earned=mean(ratio("revenue", 1000.0)),
        coverage=sums.items / available if available else None,
    )
