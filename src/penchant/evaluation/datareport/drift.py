"""How far one part of the time is like the one before it."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Literal

import numpy as np
import polars as pl
from msgspec import Struct
from scipy.special import chdtri, kolmogorov

from penchant.core.arrays import Float64, Int64
from penchant.evaluation.datareport.size import stamp
from penchant.evaluation.datareport.thresholds import DRIFT_EVENTS, PSI_COUNT, PSI_LARGE, PSI_MODERATE, WINDOWS

__all__ = ["Change", "Drift", "Shift", "Window", "psi", "smirnov"]

Level = Literal["stable", "moderate", "large"]


class Window(Struct, frozen=True):
    """A part of the time.

    >>> Window("2017-01-01T00:00:00+00:00", 120, 10, 5).events
    120
    """

    start: str
    "When it begins."
    events: int
    users: int
    items: int


class Shift(Struct, frozen=True):
    """How one distribution differs between two windows.

    >>> Shift.of("kinds", np.array([60, 60]), np.array([90, 10])).level
    'large'
    """

    what: str
    "kinds, items (which of them the events are about) or activity (events per user)."
    psi: float
    "See :func:`psi`."
    chance: float
    "What the index stays below in 95 of 100 cases when nothing has changed and events are independent."
    bins: int
    "Bins that were compared."
    level: Level
    "stable below 0.10 or what chance does, moderate, or large from 0.25."
    ks: float | None = None
    "Kolmogorov-Smirnov: the largest distance between the two cumulative distributions of events per user, or item."
    p: float | None = None
    "How often chance alone gives such a distance; counts have ties, so the true one is smaller."

    @classmethod
    def of(cls, what: str, before: Int64, after: Int64, ks: float | None = None, p: float | None = None) -> Shift:
        """Return the shift between two histograms over the same bins; ``ks`` and ``p`` are taken as they are."""
        sizes: Float64 = 1 / np.array([before.sum(), after.sum()], np.float64)
        bins, index = len(before), psi(before, after)
        chance = float(sizes.sum() * chdtri(bins - 1, 0.05)) if bins > 1 else 0.0
        quiet = index < PSI_MODERATE or index <= chance
        return cls(
            what, index, chance, bins, "stable" if quiet else "large" if index >= PSI_LARGE else "moderate", ks, p
        )


class Change(Struct, frozen=True):
    """A window beside the one before it.

    >>> Change(2, 0.1, (Shift("kinds", 0.0, 0.1, 1, "stable"),)).new
    0.1
    """

    window: int
    "The later of the two, counted from 1."
    new: float
    "Share of its events that are about items the window before had none of."
    shifts: tuple[Shift, ...]


class Drift(Struct, frozen=True):
    """What changes with time.

    >>> frame = pl.DataFrame({"user": 0, "item": [0] * 200, "kind": "view", "at": range(200)})
    >>> drift = Drift.of(frame, 2)
    >>> [window.events for window in drift.windows], [shift.psi for shift in drift.changes[0].shifts]
    ([100, 100], [0.0, 0.0, 0.0])
    """

    windows: tuple[Window, ...]
    "Of equal length; none when all times are equal."
    changes: tuple[Change, ...]
    "One for each window after the first in which both have enough events."
    why: str | None = None
    "Why something could not be compared."

    @classmethod
    def of(cls, frame: pl.DataFrame, windows: int = WINDOWS) -> Drift:
        """Return how the windows of a frame (user, item, kind, at) differ."""
        at = frame["at"].to_numpy()
        first, last = int(at.min()), int(at.max())
        if first == last:
            return cls((), (), "all times are equal")
        starts = np.array([first + (last - first + 1) * part // windows for part in range(windows)], np.int64)
        place = np.searchsorted(starts, at, side="right") - 1
        parts = [frame.filter(pl.Series(place == part)) for part in range(windows)]
        told = [
            Window(stamp(int(start)), part.height, part["user"].n_unique(), part["item"].n_unique())
            for start, part in zip(starts, parts, strict=True)
        ]
        pairs = [(n, before, after) for n, (before, after) in enumerate(pairwise(parts), 2)]
        able = [pair for pair in pairs if min(pair[1].height, pair[2].height) >= DRIFT_EVENTS]
        lacking = len(pairs) - len(able)
        why = (
            f"{lacking} of {len(pairs)} pairs have a window with fewer than {DRIFT_EVENTS} events" if lacking else None
        )
        return cls(tuple(told), tuple(_change(*pair) for pair in able), why)


def psi(before: Any, after: Any) -> float:
    """Return the population stability index of two histograms (int[bins]) over the same bins.

    sum over i of (a_i - b_i) ln(a_i / b_i), where a_i and b_i are the shares of bin i. Half an event is added to every
    bin of both, so that an empty one does not make it infinite.

    >>> psi([50, 50], [50, 50]), round(psi([50, 50], [90, 10]), 3)
    (0.0, 0.853)

    Source: Lewis, An Introduction to Credit Scoring, 1994; it is the symmetric divergence of Jeffreys (1946).
    """
    b, a = (np.asarray(counts, dtype=np.float64) + 0.5 for counts in (before, after))
    b, a = b / b.sum(), a / a.sum()
    return float(((a - b) * np.log(a / b)).sum())


def smirnov(before: Any, after: Any) -> tuple[float, float]:
    """Return the two-sample statistic of Kolmogorov and Smirnov over the counts above 0, and its asymptotic p.

    D = max over x of |F(x) - G(x)|; p = Q(D sqrt(n m / (n + m))) with Kolmogorov's survival function Q, an upper bound
    where counts are alike.

    >>> smirnov([1, 2, 0, 3], [4, 5, 6])[0], smirnov([1, 2], [1, 2])
    (1.0, (0.0, 1.0))

    Source: Smirnov, "Table for Estimating the Goodness of Fit of Empirical Distributions", Annals of Mathematical
    Statistics 19(2), 1948.
    """
    early, late = (np.sort(np.asarray(part)[np.asarray(part) > 0]) for part in (before, after))
    places = np.union1d(early, late)
    f, g = (np.searchsorted(part, places, side="right") / len(part) for part in (early, late))
    distance = float(np.abs(f - g).max())
    n, m = len(early), len(late)
    return distance, float(kolmogorov(distance * np.sqrt(n * m / (n + m))))


def _change(n: int, before: pl.DataFrame, after: pl.DataFrame) -> Change:
    kinds = _paired(before, after, "kind")
    items, users = _paired(before, after, "item"), _paired(before, after, "user")
    return Change(
        window=n,
        new=float(items[1][items[0] == 0].sum() / items[1].sum()),
        shifts=(
            Shift.of("kinds", *kinds),
            Shift.of("items", *_often(items), *smirnov(*items)),
            Shift.of("activity", *_binned(users), *smirnov(*users)),
        ),
    )


def _paired(before: pl.DataFrame, after: pl.DataFrame, name: str) -> tuple[Int64, Int64]:
    """Return the counts of every value that one of the two has, in both."""
    early, late = (part.group_by(name).agg(n=pl.len()) for part in (before, after))
    both = early.join(late, on=name, how="full", coalesce=True).fill_null(0)
    return both["n"].cast(pl.Int64).to_numpy(), both["n_right"].cast(pl.Int64).to_numpy()


def _often(items: tuple[Int64, Int64]) -> tuple[Int64, Int64]:
    """Return the counts of the items with enough events, and of all others together when there are some."""
    often = items[0] + items[1] >= PSI_COUNT
    rest = [counts[~often].sum(keepdims=True) for counts in items] if not often.all() else [items[0][:0]] * 2
    early, late = (np.concatenate([counts[often], other]) for counts, other in zip(items, rest, strict=True))
    return early, late


def _binned(users: tuple[Int64, Int64]) -> tuple[Int64, Int64]:
    """Return how many of the active users are in each tenth of the activity of both windows together."""
    active = [counts[counts > 0] for counts in users]
    ordered = np.sort(np.concatenate(active))
    edges = np.unique(ordered[np.ceil(np.arange(1, 11) / 10 * len(ordered)).astype(np.int64) - 1])
    early, late = (np.bincount(np.searchsorted(edges, counts), minlength=len(edges)) for counts in active)
    return early, late
