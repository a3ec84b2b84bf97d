"""The charts of a data report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from penchant.evaluation.datareport.facts import Facts
from penchant.evaluation.datareport.spread import Spread
from penchant.evaluation.pictures.bars import columns, curve
from penchant.evaluation.pictures.picture import SERIES, Picture

__all__ = ["pictures"]

_EVEN = "top share of the items; the straight line: all items alike"


def pictures(facts: Facts) -> dict[str, Picture]:
    """Return the charts by the section that they belong to.

    >>> import penchant as pt
    >>> from penchant.testing import checkerboard
    >>> list(pictures(pt.data_report(checkerboard(8))))
    ['Size', 'Activity: events per user', 'Activity: events per item', 'Long tail', 'Sessions']
    """
    line = facts.timeline
    return {
        "Size": columns(f"Events per {line.unit}, by kind", line.starts, _few(line.counts), "UTC"),
        "Activity: events per user": _spread("Users by their number of events", facts.users),
        "Activity: events per item": _spread("Items by their number of events", facts.items),
        "Long tail": curve("Share of the events that the top share of the items has", facts.lorenz, _EVEN),
        "Sessions": _spread("Sessions by their number of events", facts.sessions.length),
    }


def _spread(title: str, spread: Spread) -> Picture:
    names = [f"{low:,}" if low == high else f"{low:,}-{high:,}" for low, high, _ in spread.bins]
    return columns(title, names, {spread.what: [count for _, _, count in spread.bins]}, spread.what)


def _few(counts: Mapping[str, Sequence[int]]) -> dict[str, Sequence[int]]:
    """Return the most frequent kinds, and all others as one."""
    ordered = sorted(counts, key=lambda kind: -sum(counts[kind]))
    kept: dict[str, Sequence[int]] = {kind: counts[kind] for kind in ordered[:SERIES]}
    rest = [counts[kind] for kind in ordered[SERIES:]]
    if rest:
        kept[f"{len(rest)} other kinds"] = [sum(column) for column in zip(*rest, strict=True)]
    return kept
