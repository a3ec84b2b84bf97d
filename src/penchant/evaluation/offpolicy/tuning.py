"""How much to clip, switch or shrink, told from the log itself."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from msgspec import Struct

from penchant.core.arrays import Float64

__all__ = ["TUNINGS", "Candidate", "cuts", "lost", "settle", "shrinkages", "slope"]

TUNINGS = ("bound", "slope")
"How one may settle: see :func:`settle`."


class Candidate(Struct, frozen=True, eq=False):
    """An estimator at one setting.

    >>> Candidate(2.0, np.ones(3), np.zeros(3)).setting
    2.0
    """

    setting: float
    "Its tau or lambda."
    weight: Float64
    "float64[n], what is left of the weights."
    contributions: Float64
    "float64[n], whose mean is the estimate."


def settle(
    candidates: Sequence[Candidate], reach: float, tuning: str = "bound", sound: Sequence[bool] = ()
) -> tuple[Candidate, float]:
    """Return the candidate to go by, and the share of the target policy that it sets aside.

    ``bound`` makes (reach times the share set aside)^2 + variance least: the first is the most that clipping may have
    shifted the estimate. ``slope`` takes :func:`slope`'s.

    >>> weight = np.repeat([0.5, 1.5, 8.0], [60, 39, 1])
    >>> tried = [Candidate(tau, np.minimum(weight, tau), np.minimum(weight, tau)) for tau in (8.0, 2.0)]
    >>> chosen, aside = settle(tried, 0.5)
    >>> chosen.setting, round(aside, 3)
    (2.0, 0.095)

    Args:
        candidates: in the order that :func:`slope` asks for; the first clips nothing.
        reach: the most that a round can have been paid too little or too much.
        tuning: ``bound`` or ``slope``.
        sound: which candidates may be relied on; without any, or when nothing is said, all count.

    Source: the bound: Wang, Agarwal and Dudík, "Optimal and Adaptive Off-policy Evaluation in Contextual Bandits", ICML
    2017, section 4.1.
    """
    values = np.array([each.contributions.mean() for each in candidates])
    errors = np.array([each.contributions.std() / np.sqrt(len(each.contributions)) for each in candidates])
    aside = lost(np.array([each.weight.mean() for each in candidates]))
    cost = (reach * aside) ** 2 + errors**2
    if tuning == "slope":
        cost = np.abs(np.arange(len(cost)) - slope(values, errors) - 0.1)  # the next after it, where it is not sound
    if any(sound):
        cost[~np.array(sound)] = np.inf
    best = int(cost.argmin())
    return candidates[best], float(aside[best])


def lost(means: Float64) -> Float64:
    """Return the share of the target policy that is set aside: what the mean weight lacks of 1, and of the first's.

    >>> lost(np.array([1.02, 0.99, 0.9])).round(2).tolist()
    [0.0, 0.03, 0.12]

    Args:
        means: float64[m], the mean weights of candidates, of which the first clips nothing.
    """
    aside: Float64 = np.maximum(np.maximum(1 - means, means[0] - means), 0.0)
    aside[0] = 0.0
    return aside


def slope(values: Float64, errors: Float64, *, width: float = 1.0) -> int:
    """Return the candidate that trades bias for spread best: the last whose interval still meets all before it.

    Candidates stand in the order of less and less spread and more and more bias; the first should have none. While
    intervals of value +- 2 width error meet, the bias is lost in the noise.

    >>> values, errors = np.array([0.50, 0.52, 0.20]), np.array([0.10, 0.05, 0.01])
    >>> slope(values, errors)  # the last would be far off
    1

    Args:
        values: float64[m], the estimates.
        errors: float64[m], their standard errors.
        width: standard errors in the half width of an interval, of which twice is taken.

    Source: Su, Srinath and Krishnamurthy, "Adaptive Estimator Selection for Off-Policy Evaluation", ICML 2020, eq. 3.
    """
    low = np.maximum.accumulate(values - 2 * width * errors)
    high = np.minimum.accumulate(values + 2 * width * errors)
    return max(int((low <= high).argmin()) - 1, 0) if (low > high).any() else len(values) - 1


def cuts(weight: Float64, candidates: int = 12) -> Float64:
    """Return thresholds to try, from the largest weight (which leaves all as it is) down to their median.

    >>> cuts(np.arange(1.0, 101.0), 3).tolist()
    [100.0, 99.01, 50.5]
    """
    shares = np.concatenate([[1.0], 1 - np.geomspace(1 / len(weight), 0.5, candidates - 1)])
    thresholds: Float64 = np.unique(np.quantile(weight, shares))[::-1]
    return thresholds


def shrinkages(weight: Float64, candidates: int = 12) -> Float64:
    """Return strengths to try, from infinity (which leaves all as it is) down to the mean squared weight.

    >>> shrinkages(np.array([1.0, 1.0]), 3).tolist()
    [inf, 10000.0, 1.0]
    """
    square = float((weight * weight).mean())
    return np.concatenate([[np.inf], np.geomspace(1e4, 1.0, candidates - 1) * square])
