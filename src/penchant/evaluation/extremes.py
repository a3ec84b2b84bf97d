"""What may be said of the worst over the best of several groups, of which nobody knows which is which."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from penchant.core.arrays import Float64
from penchant.evaluation.interval import Effect, Inconclusive
from penchant.evaluation.metrics.fairness import parity

__all__ = ["parity_ends"]

_LEVEL = 0.95
_NEAR = 0.75
"Standard errors: how near to the worst or the best a group must be to be taken for as bad or as good."

_STEPS = 30
"Halvings of where an end is looked for."


def parity_ends(ratios: Float64, means: Float64) -> Effect | Inconclusive:
    """Return the parity of groups, worst over best, with an interval for the truth.

    Where groups fare alike the worst of several draws lies below the best by chance alone, so that neither percentiles
    of the bootstrap nor a standard error hold the truth as often as they say, and intervals of every two groups at once
    hold it too often. So the gap g = ln best - ln worst is tested: each gap g0 that there may be is given to the groups
    by moving them as little as possible, errors of the bootstrap are added, and g0 is in the interval when the gap seen
    is neither among the largest nor among the smallest of those that come of it.

    A gap that could not be told from none (at the 95% quantile of what equal groups give, or below) is never ruled out
    for being too large: there all 5% of error are at the other end, and above it 2.5% at each.

    >>> rng = np.random.default_rng(0)
    >>> found = parity_ends(np.array([0.5, 0.4]), np.array([0.5, 0.4]) + rng.normal(0, 0.02, (1000, 2)))
    >>> round(found.value, 2), round(found.low, 2), round(found.high, 2)
    (0.8, 0.7, 0.89)

    Args:
        ratios: float64[g], the figure of every group; NaN for a group of nobody.
        means: float64[resamples, g], the same of the resamples.

    Source: an interval as what a test does not reject, with the error of both ends where the parameter lies on its
    bound: Feldman and Cousins, "Unified Approach to the Classical Statistical Analysis of Small Signals", Physical
    Review D 1998; groups near the extreme taken for as extreme: Andrews and Soares, "Inference for Parameters Defined
    by Moment Inequalities Using Generalized Moment Selection", Econometrica 2010. Time is O(resamples g).
    """
    value, known = parity(ratios), ~np.isnan(ratios)
    if not (ratios[known] > 0).all() or not (means[:, known] > 0).all():
        return Inconclusive(value, "a group has next to nothing, so that its share has no interval")
    logs = np.log(ratios[known])
    errors = np.log(means[:, known]) - logs
    spread = errors.std(axis=0)
    if not (spread > 1e-12).all():
        return Inconclusive(value, "all users have the same value")
    seen = float(np.ptp(logs))
    chance = float(np.quantile(np.ptp(errors, axis=1), _LEVEL))

    def drawn(gap: float) -> tuple[float, float]:
        """Return the largest and the smallest gap that are seen when this one is true."""
        gaps = np.ptp(_moved(logs, spread, gap) + errors, axis=1)
        if gap <= chance:
            return float(np.quantile(gaps, _LEVEL)), 0.0
        rest = (1 - _LEVEL) / 2
        return float(np.quantile(gaps, 1 - rest)), float(np.quantile(gaps, rest))

    least = 0.0 if seen <= chance else _crossing(lambda gap: drawn(gap)[0] < seen, 0.0, seen)
    far = max(seen, chance)
    most = _crossing(lambda gap: drawn(gap)[1] <= seen, far, far + 10 * float(spread.max()))
    return Effect(value, float(np.exp(-most)), float(np.exp(-least)))


def _crossing(before: Callable[[float], bool], low: float, high: float) -> float:
    """Return where a condition that holds at ``low`` ceases to."""
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if before(middle) else (low, middle)
    return (low + high) / 2


def _moved(logs: Float64, spread: Float64, gap: float) -> Float64:
    """Return float64[g]: the groups with this gap, as near to where they were seen as errors allow.

    >>> _moved(np.array([0.0, 0.2, 3.0, 9.0]), np.ones(4), 6.0).round(2).tolist()
    [1.07, 1.07, 3.0, 7.07]
    """
    best, worst = int(logs.argmax()), int(logs.argmin())
    wide = gap - float(logs[best] - logs[worst])
    weight = 1 / spread**2
    if wide >= 0:
        moved = logs.copy()
        share = weight[worst] / (weight[best] + weight[worst])
        moved[best] += wide * share
        moved[worst] -= wide * (1 - share)
    else:
        floor = _crossing(
            lambda at: float(weight @ np.clip(logs - at - gap, 0, None) - weight @ np.clip(at - logs, 0, None)) > 0,
            float(logs.min()),
            float(logs.max()) - gap,
        )
        moved = np.clip(logs, floor, floor + gap)
    floor = float(moved.min())
    above, below = moved - floor, floor + gap - moved
    down = (above <= below) & (above < _NEAR * spread)
    up = (below < above) & (below < _NEAR * spread)
    return np.where(down, floor, np.where(up, floor + gap, moved))
