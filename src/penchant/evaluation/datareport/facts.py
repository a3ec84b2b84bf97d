"""All the figures of a data report."""

from __future__ import annotations

from msgspec import Struct

from penchant.data.quality import Quality
from penchant.evaluation.datareport.described import Described
from penchant.evaluation.datareport.drift import Drift
from penchant.evaluation.datareport.habits import Learnable, Repeats, Sessions
from penchant.evaluation.datareport.size import Kind, Size, Timeline
from penchant.evaluation.datareport.spread import Spread
from penchant.evaluation.datareport.suspicion import Suspicion

__all__ = ["Facts", "Reading"]


class Reading(Struct, frozen=True):
    """What became of the rows that were read.

    >>> Reading("orders.csv", 3, 2, {"missing_user": 1}, ()).accepted
    2
    """

    source: str
    read: int
    accepted: int
    reasons: dict[str, int]
    "Reason to rows that were refused for it."
    notes: tuple[str, ...]
    "What was assumed."

    @classmethod
    def of(cls, quality: Quality) -> Reading:
        """Return the account of a reading in plain values, without the rows themselves."""
        return cls(quality.source, quality.read, quality.accepted, quality.by_reason, quality.notes)


class Facts(Struct, frozen=True, kw_only=True):
    """The figures that the verdicts rest on.

    >>> import polars as pl, penchant as pt
    >>> events = pl.DataFrame({"user": ["ann", "bob"], "item": ["tea", "tea"], "at": ["2017-01-01", "2017-01-02"]})
    >>> facts = pt.data_report(events)
    >>> facts.size.items, facts.users.once, facts.reading.accepted
    (1, 2, 2)
    """

    source: str
    "What the report is about."
    reading: Reading | None
    "What became of the rows; None for a Dataset, which has no refused ones."
    size: Size
    kinds: tuple[Kind, ...]
    "Most frequent first."
    timeline: Timeline
    users: Spread
    "Events per user."
    tastes: Spread
    "Different items per user."
    items: Spread
    "Events per item, over items with events."
    audience: Spread
    "Different users per item."
    lorenz: tuple[tuple[float, float], ...]
    "The top x of the items have y of the events."
    repeats: tuple[Repeats, ...]
    "By kind, of the events that say yes."
    sessions: Sessions
    learnable: Learnable
    suspicions: tuple[Suspicion, ...]
    catalogue: Described | None
    drift: Drift
