"""How a count is spread over those who have it."""

from __future__ import annotations

from typing import Any

import numpy as np
from msgspec import Struct

from penchant.core.arrays import Float64, Int64
from penchant.evaluation.metrics.share import inequality

__all__ = ["Spread", "lorenz", "top_share"]

QUANTILES = {"min": 0.0, "p10": 0.1, "p25": 0.25, "median": 0.5, "p75": 0.75, "p90": 0.9, "p99": 0.99, "max": 1.0}
"What is told of a distribution. The quantile q is the smallest value that at least a share q of them does not exceed."

TOPS = {"1%": 0.01, "10%": 0.1, "20%": 0.2}


class Spread(Struct, frozen=True):
    """The distribution of a count.

    >>> found = Spread.of("events per item", np.array([1, 1, 2, 8]))
    >>> found.n, found.mean, found.quantiles["median"], found.once
    (4, 3.0, 1, 2)
    >>> found.bins  # 1, 2 to 3, 4 to 7, 8 to 15
    ((1, 1, 2), (2, 3, 1), (4, 7, 0), (8, 15, 1))
    """

    what: str
    "What is counted."
    n: int
    "How many have one."
    mean: float
    "Over them; 0 when there are none."
    quantiles: dict[str, int]
    "min, p10, p25, median, p75, p90, p99, max; empty when there are none."
    once: int
    "How many have exactly 1."
    gini: float
    "0 when all have alike, near 1 when one has all; 0 when there are none."
    top: dict[str, float]
    "Share of the whole that the top 1%, 10% and 20% have."
    bins: tuple[tuple[int, int, int], ...]
    "First and last count of a bin, and how many have one of these; every bin is twice as wide as that before."

    @classmethod
    def of(cls, what: str, counts: Any) -> Spread:
        """Return the distribution of counts (int[n], each 1 or more)."""
        ordered: Int64 = np.sort(np.asarray(counts, dtype=np.int64))
        n = len(ordered)
        quantiles = {name: int(ordered[max(int(np.ceil(q * n)) - 1, 0)]) for name, q in QUANTILES.items()} if n else {}
        top = {name: top_share(ordered, share) for name, share in TOPS.items()}
        mean = float(ordered.mean()) if n else 0.0
        return cls(
            what,
            n,
            mean,
            quantiles,
            int((ordered == 1).sum()),
            inequality(ordered) if ordered.any() else 0.0,
            top,
            _bins(ordered),
        )


def top_share(counts: Any, share: float) -> float:
    """Return what part of the whole the largest ceil(share n) counts make up; 0 when there are none.

    >>> top_share([1, 1, 2, 4], 0.2)
    0.5
    """
    ordered = np.sort(np.asarray(counts, dtype=np.float64))[::-1]
    total = ordered.sum()
    # 0.1 * 30 is a little above 3, which is not a fourth
    return float(ordered[: int(np.ceil(share * len(ordered) - 1e-9))].sum() / total) if total else 0.0


def lorenz(counts: Any, points: int = 50) -> tuple[tuple[float, float], ...]:
    """Return points of the curve of shares: the top x of the items have y of the events.

    >>> lorenz([1, 3], 2)
    ((0.0, 0.0), (0.5, 0.75), (1.0, 1.0))
    """
    ordered = np.sort(np.asarray(counts, dtype=np.float64))[::-1]
    if not len(ordered) or not ordered.sum():
        return ()
    curve: Float64 = np.concatenate([[0.0], np.cumsum(ordered)]) / ordered.sum()
    places = np.unique(np.round(np.linspace(0, len(ordered), min(points, len(ordered)) + 1)).astype(np.int64))
    return tuple((float(place / len(ordered)), float(curve[place])) for place in places)


def _bins(ordered: Int64) -> tuple[tuple[int, int, int], ...]:
    if not len(ordered):
        return ()
    edges = 2 ** np.arange(int(ordered[-1]).bit_length() + 1, dtype=np.int64)
    below = np.searchsorted(ordered, edges)
    return tuple((int(a), int(b) - 1, int(n)) for a, b, n in zip(edges, edges[1:], np.diff(below), strict=False))
