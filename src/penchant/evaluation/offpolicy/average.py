"""The mean of what every round contributes, with an interval that allows for rare and heavy contributions."""

from __future__ import annotations

import numpy as np

from penchant.core.arrays import Float64, Int32
from penchant.evaluation.ends import skewed_ends
from penchant.evaluation.interval import Effect, Inconclusive

__all__ = ["DECIDING_LEAST", "average", "by_unit", "deciding"]

DECIDING_LEAST = 10.0
"Rounds that must decide an estimate; below it no interval that is computed from them can be relied on."


def average(contributions: Float64, *, level: float = 0.95) -> Effect | Inconclusive:
    """Return the mean of the contributions, with an interval corrected for their skewness.

    One click in two hundred, weighed unequally, is far from a normal curve; the plain interval would then be too short
    above and too long below. See :func:`skewed_ends`.

    >>> clicks = np.repeat([0.0, 1.0], [980, 20])
    >>> effect = average(clicks)
    >>> round(effect.value, 4), round(effect.low, 4), round(effect.high, 4)
    (0.02, 0.012, 0.0313)

    Args:
        contributions: float64[n], whose mean is the estimate.
        level: the share of such intervals that hold what the mean estimates.

    Returns:
        An effect; inconclusive when fewer than ``DECIDING_LEAST`` rounds decide (see :func:`deciding`).
    """
    mean, spread = float(contributions.mean()), float(contributions.std())
    if spread <= 1e-12 * max(abs(mean), 1e-300):
        return Inconclusive(mean, "every round contributes the same")
    count = deciding(contributions)
    if count < DECIDING_LEAST:
        return Inconclusive(
            mean, f"only about {count:.1f} rounds decide it, and {DECIDING_LEAST:.0f} are needed: log more of them"
        )
    return Effect(mean, *skewed_ends(contributions, level=level))


def deciding(contributions: Float64) -> float:
    """Return by about how many rounds the spread of an estimate is decided: (sum d^2)^2 / sum d^4, d from the mean.

    With rewards of 0 and 1 that are rare and weighed alike it is about the number of ones.

    >>> round(deciding(np.repeat([0.0, 1.0], [980, 20])), 1)
    20.8
    """
    square = (contributions - contributions.mean()) ** 2
    fourth = float(square @ square)
    return float(square.sum()) ** 2 / fourth if fourth else 0.0


def by_unit(contributions: Float64, unit: Int32 | None) -> Float64:
    """Return float64[units] with the same mean, one a person or session: rounds of one do not vary by themselves.

    With d the distances from the mean over all n rounds, a unit contributes the mean + (units / n) times its sum of d.

    >>> by_unit(np.array([1.0, 0.0, 0.0, 0.0]), np.int32([7, 7, 9, 9])).tolist()
    [0.5, 0.0]

    Args:
        contributions: float64[n].
        unit: int32[n], codes; None returns the contributions as they are.

    Source: Cochran, "Sampling Techniques", 1977, equation 9A.7 (the ratio over clusters of unequal size).
    """
    if unit is None:
        return contributions
    _, codes = np.unique(unit, return_inverse=True)
    mean = contributions.mean()
    total = np.bincount(codes, contributions - mean)
    return np.asarray(mean + total * (len(total) / len(contributions)))
