"""Where intervals end: of few people, of shares, and of means of what is far from a normal curve."""

from __future__ import annotations

import math

from scipy.special import ndtr, stdtrit

from penchant.core.arrays import Float64

__all__ = ["RARE", "skewed_ends", "tails", "wilson_ends"]

RARE = 100
"People from whom on percentiles of the bootstrap can be relied on, though all others are at 0."


def tails(n: int, *, level: float = 0.95) -> float:
    """Return what share of the resamples of n people to leave out at each end, so that the interval is wide enough.

    Resamples of few people vary less than people do, by the root of (n - 1) / n, and an interval from them knows
    nothing of the error of the spread, as Student's does. With many people it is (1 - level) / 2.

    >>> round(tails(20), 4), round(tails(300), 4), round(tails(10**6), 4)
    (0.0159, 0.0243, 0.025)

    Source: Hesterberg, "What Teachers Should Know About the Bootstrap", The American Statistician 2015, section 3.2
    (the expanded percentile interval).
    """
    return float(ndtr(-math.sqrt(n / (n - 1)) * stdtrit(n - 1, (1 + level) / 2)))


def wilson_ends(share: float, size: float, quantile: float) -> tuple[float, float]:
    """Return the ends of the interval of a share of so many.

    >>> low, high = wilson_ends(0.1, 50, 1.96)
    >>> round(low, 3), round(high, 3), wilson_ends(0.0, 50, 1.96)[0]
    (0.043, 0.214, 0.0)

    Source: Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", JASA 1927; that it holds the
    truth as often as it says where the percentile and the normal interval do not: Brown, Cai and DasGupta, "Interval
    Estimation for a Binomial Proportion", Statistical Science 2001.
    """
    pull = quantile**2 / size
    middle = (share + pull / 2) / (1 + pull)
    reach = quantile / (1 + pull) * math.sqrt(share * (1 - share) / size + pull / (4 * size))
    return max(middle - reach, 0.0) if share else 0.0, min(middle + reach, 1.0) if share < 1 else 1.0


def skewed_ends(contributions: Float64, *, level: float = 0.95) -> tuple[float, float]:
    """Return the ends of the interval of a mean, corrected for the skewness of what it is a mean of.

    With t the studentized mean and g the skewness, t + g t^2 / (3 sqrt(n)) + g^2 t^3 / (27 n) + g / (6 sqrt(n)) is
    normal to the next order; the ends are where that has its quantiles. Where few of them decide the spread, it is not
    known well either: the quantiles are Student's, with as many degrees of freedom as decide, n over the kurtosis.
    (Satterthwaite's would be twice as many; but who has not seen the tail yet finds too small a kurtosis.)

    >>> import numpy as np
    >>> low, high = skewed_ends(np.repeat([0.0, 1.0], [980, 20]))
    >>> round(low, 4), round(high, 4)
    (0.012, 0.0313)

    Args:
        contributions: float64[n], not all the same.
        level: the share of such intervals that hold what the mean estimates.

    Source: Hall, "On the Removal of Skewness by Transformation", Journal of the Royal Statistical Society B 1992,
    section 3; Satterthwaite, "An Approximate Distribution of Estimates of Variance Components", Biometrics Bulletin
    1946. Time and memory are O(n).
    """
    n, mean = len(contributions), float(contributions.mean())
    apart = contributions - mean
    square = apart * apart
    spread = math.sqrt(float(square.mean()))
    skewness = float((square * apart).mean()) / spread**3 / math.sqrt(n)
    decide = n * spread**4 / float((square * square).mean())
    t = float(stdtrit(max(min(decide, n - 1), 1.0), (1 + level) / 2))
    error = spread / math.sqrt(n - 1)
    return mean - error * _straight(t, skewness), mean - error * _straight(-t, skewness)


def _straight(quantile: float, skewness: float) -> float:
    """Return the studentized mean whose transform has this value; ``skewness`` is divided by sqrt(n)."""
    if abs(skewness) < 1e-8:
        return quantile
    inner = 1 + skewness * (quantile - skewness / 6)
    return 3 / skewness * (math.cbrt(inner) - 1)
