"""Whether a log can speak for another policy at all; where it cannot, why not, and what would help."""

from __future__ import annotations

import math
from collections.abc import Iterator
from statistics import NormalDist
from typing import Self

import numpy as np
from msgspec import Struct

from penchant.core.arrays import Float64, Int32

__all__ = [
    "ESS_LEAST",
    "LARGEST_MOST",
    "MEAN_MOST",
    "TAIL_MOST",
    "TAKEN_LEAST",
    "UNSUPPORTED_MOST",
    "Overlap",
    "ess",
    "mean_most",
    "tail",
    "unsupported",
]

ESS_LEAST = 100.0
"Effective rounds below which no estimate is given."

LARGEST_MOST = 0.02
"The most that one round may hold of the sum of all weights."

TAIL_MOST = 0.4
"The heaviest tail of the weights: above 0.5 they have no finite variance, and from 0.4 on no interval is right."

MEAN_MOST = 3.0
"Standard errors that the mean weight may lie from 1: that of a right log lies farther once in 370."

UNSUPPORTED_MOST = 0.05
"The most of the target policy that may be on actions the log says nothing of."

TAKEN_LEAST = 5
"Rounds in which an action was taken, below which the log says nothing of it."

_CLOSER = "log more rounds, or evaluate a policy that is closer to the logging policy"


class Overlap(Struct, frozen=True):
    """How much of a log bears on another policy.

    >>> overlap = Overlap.of(np.repeat([0.5, 1.5], 100))
    >>> round(overlap.ess), overlap.refusal
    (160, None)
    >>> Overlap.of(np.repeat([0.5, 1.5], 20)).refusal
    'the log is worth 32 rounds to this policy and 100 are needed: log more rounds, or evaluate a policy that is ...'
    """

    rounds: int
    "Rounds (or slates, or people) in the log."
    ess: float
    "Effective rounds: how many of the target policy's own would say as much. See :func:`ess`."
    largest: float
    "The heaviest round's share of the sum of all weights."
    tail: float | None
    "Shape of the weights' tail, see :func:`tail`; None when the largest weights are all the same."
    mean: float
    "The mean weight: 1 but for chance, when the propensities are right and the log tries all that the target does."
    off: float
    "Standard errors between the mean weight and 1."
    unsupported: float | None = None
    "Share of the target policy on actions that the log says nothing of; None when that was not told."
    among: int = 1
    "How many columns of weights (slots of a slate) these are the worst of."

    @classmethod
    def of(
        cls, weight: Float64, unsupported: float | None = None, *, whole: Float64 | None = None, among: int = 1
    ) -> Self:
        """Return the overlap that weights show; ``whole`` are the weights before clipping, whose mean should be 1."""
        size, n = np.abs(weight), len(weight)
        raw = weight if whole is None else whole
        total, mean = float(size.sum()), float(raw.mean())
        error = float(raw.std()) / math.sqrt(n)
        off = 0.0 if abs(mean - 1) < 1e-9 else (mean - 1) / max(error, 1e-9)
        largest = float(size.max()) / total if total else 1.0
        shape = tail(size)
        return cls(n, ess(weight), largest, shape if math.isfinite(shape) else None, mean, off, unsupported, among)

    @property
    def refusal(self) -> str | None:
        """Why no estimate should be made with these weights, and what to do; None when one may be."""
        return next((text for wrong, text in self._faults() if wrong), None)

    def _faults(self) -> Iterator[tuple[bool, str]]:
        """Yield every test and what is said when it fails, the plainest first."""
        worth = f"the log is worth {self.ess:.0f} rounds to this policy and {ESS_LEAST:.0f} are needed: {_CLOSER}"
        nothing, shape = self.unsupported or 0.0, -math.inf if self.tail is None else self.tail
        yield self.rounds < ESS_LEAST, worth
        yield (
            nothing > UNSUPPORTED_MOST,
            f"{nothing:.0%} of the policy is on actions that the log says nothing of (at most {UNSUPPORTED_MOST:.0%} "
            "may be): give these a chance in the logging policy, or evaluate a policy without them",
        )
        yield self.ess < ESS_LEAST, worth
        yield (
            abs(self.off) > mean_most(self.among),
            f"the weights average {self.mean:.3g} where 1 is due, which is hardly chance: the propensities are not "
            "those the actions were drawn with, or the policy does what the log hardly ever tries; check both",
        )
        yield (
            self.largest > LARGEST_MOST,
            f"one round has {self.largest:.0%} of all weight (at most {LARGEST_MOST:.0%} may be): {_CLOSER}",
        )
        yield (
            shape > TAIL_MOST,
            f"the weights have too heavy a tail ({shape:.2f}, at most {TAIL_MOST} may be), so that the round which "
            f"decides may not have come yet: {_CLOSER}",
        )


def mean_most(among: int) -> float:
    """Return how many standard errors a mean weight may lie from 1 when it is the farthest of several.

    One right log in 370 is refused for it, however many slots its slates have.

    >>> mean_most(1), round(mean_most(2), 2), round(mean_most(20), 2)
    (3.0, 3.21, 3.82)

    Source: Bonferroni's inequality, 1936.
    """
    if among == 1:
        return MEAN_MOST
    return -NormalDist().inv_cdf(NormalDist().cdf(-MEAN_MOST) / among)


def ess(weight: Float64) -> float:
    """Return (sum w)^2 / sum w^2: as many rounds as there are when all weigh alike, 1 when one has all the weight.

    >>> ess(np.array([1.0, 1.0, 0.0, 0.0]))
    2.0

    Source: Kong, "A Note on Importance Sampling Using Standardized Weights", 1992; Owen, "Monte Carlo Theory, Methods
    and Examples", 2013, section 9.3.
    """
    square = float(weight @ weight)
    return float(weight.sum()) ** 2 / square if square else 0.0


def tail(weight: Float64) -> float:
    """Return the shape k of the generalized Pareto curve that fits the largest weights: moments below 1/k exist.

    It looks at the min(n / 5, 3 sqrt(n)) largest. Below 0.5 the variance exists; minus infinity when the largest
    weights are all the same.

    >>> uniform = (np.arange(10_000) + 0.5) / 10_000
    >>> round(tail(uniform**-0.3), 2), round(tail(uniform**-0.8), 2), tail(np.ones(100))
    (0.31, 0.79, -inf)

    Source: Vehtari et al., "Pareto Smoothed Importance Sampling", JMLR 2024, section 2.4 and appendix C (the prior);
    the fit: Zhang and Stephens, "A New and Efficient Estimation Method for the Generalized Pareto Distribution",
    Technometrics 2009. Time is O(n log n).
    """
    ordered = np.sort(weight)
    m = int(min(len(weight) / 5, 3 * math.sqrt(len(weight))))
    over = ordered[len(ordered) - m :] - ordered[len(ordered) - m - 1]
    over = over[over > 1e-12 * ordered[-1]]
    n = len(over)
    if n < 5:
        return -math.inf
    grid = 30 + math.isqrt(n)
    quarter = over[int(n / 4 + 0.5) - 1]
    theta = 1 / over[-1] + (1 - np.sqrt(grid / (np.arange(1, grid + 1) - 0.5))) / (3 * quarter)
    shape = -np.log1p(-theta[:, None] * over).mean(axis=1)
    scale = np.divide(theta, shape, out=np.full(grid, 1 / over.mean()), where=shape != 0)  # its limit where both are 0
    profile = n * (np.log(scale) + shape - 1)
    chance = np.exp(profile - profile.max())
    best = float(theta @ chance / chance.sum())
    fitted = float(np.log1p(-best * over).mean())
    return float((n * fitted + 5.0) / (n + 10))


def unsupported(action: Int32, propensity: Float64, chosen: Float64, share: Float64) -> float:
    """Return the share of the target policy on actions that the log says nothing of.

    These are actions taken in fewer than ``TAKEN_LEAST`` rounds; and, in a round whose action was certain, all others.

    >>> action, taken = np.int32([0] * 9 + [1]), np.full(10, 0.6)
    >>> unsupported(action, np.full(10, 0.5), taken, np.array([0.6, 0.4]))  # action 1 was taken once
    0.4
    >>> round(unsupported(action, np.ones(10), taken, np.array([0.6, 0.4])), 2)  # nothing was left to chance
    0.4

    Args:
        action: int32[n], what was taken.
        propensity: float64[n], with what probability.
        chosen: float64[n], the target policy's probability of it.
        share: float64[m], the mean over rounds of the target policy's probability of every action.
    """
    rare = np.bincount(action, minlength=len(share)) < TAKEN_LEAST
    certain = propensity > 1 - 1e-9
    return max(float(share[rare].sum()), float(((1 - chosen) * certain).mean()))
