"""Rates of what was shown, when what one person was shown hangs together."""

from __future__ import annotations

import math

from msgspec import Struct
from scipy.special import stdtrit

from penchant.evaluation.ends import wilson_ends
from penchant.evaluation.interval import Effect, Inconclusive

__all__ = ["DECIDING", "PEOPLE", "Ratio", "mean", "share"]

PEOPLE = 50
"Units of chance below which no interval is given: those there are would hold the truth less often than they say."

DECIDING = 25.0
"People that must decide a mean of amounts."


class Ratio(Struct, frozen=True):
    """Sums over n units of chance (people) of y, what came of it, and x, what was shown.

    >>> Ratio(n=2, x=10.0, y=3.0, xx=52.0, yy=5.0, xy=16.0).value
    0.3
    """

    n: int
    "Units."
    x: float
    "Sum of what was shown."
    y: float
    "Sum of what came of it."
    xx: float
    "Sum of squares of x."
    yy: float
    "Sum of squares of y."
    xy: float
    "Sum of products."

    @property
    def value(self) -> float:
        """What came of each x; 0 when nothing was shown."""
        return self.y / self.x if self.x else 0.0

    @property
    def variance(self) -> float:
        """The variance of :attr:`value`, by linearization; NaN for fewer than two units."""
        if self.n < 2:
            return math.nan
        r = self.value
        squares = max(self.yy - 2 * r * self.xy + r * r * self.xx, 0.0)
        return self.n / (self.n - 1) * squares / self.x**2


def share(ratio: Ratio) -> Effect | Inconclusive:
    """Return a share with its 95% interval, such as clicks of impressions: Wilson's, at the effective sample size.

    The effective size is that of independent impressions which would vary as much as these, and at most their number.
    Where the share is 0 or 1 and nothing varies, every unit counts as one impression, which is the cautious end.

    >>> many = share(Ratio(n=100, x=1000.0, y=50.0, xx=10000.0, yy=50.0, xy=500.0))
    >>> round(many.low, 3), many.value, round(many.high, 3)
    (0.038, 0.05, 0.066)
    >>> none = share(Ratio(n=100, x=1000.0, y=0.0, xx=10000.0, yy=0.0, xy=0.0))
    >>> none.low, round(none.high, 3)
    (0.0, 0.038)

    Source: Dean and Pagano, "Evaluating Confidence Interval Methods for Binomial Proportions in Clustered Surveys",
    Journal of Survey Statistics and Methodology 2015, with Student's quantile for the people there are.
    """
    if why := _few(ratio):
        return Inconclusive(ratio.value, why)
    p, variance = ratio.value, ratio.variance
    size = float(ratio.n) if variance <= 0 or not 0 < p < 1 else min(p * (1 - p) / variance, ratio.x)
    return Effect(p, *wilson_ends(p, size, float(stdtrit(ratio.n - 1, 0.975))))


def mean(ratio: Ratio) -> Effect | Inconclusive:
    """Return a mean of what is never below 0 with its 95% interval, such as the revenue of an impression.

    A few large orders make up the revenue, so the interval is that of the logarithm, which reaches further up than
    down; and there is none while fewer than about ``DECIDING`` people decide the sum, (sum y)^2 / sum y^2.

    >>> found = mean(Ratio(n=100, x=100.0, y=200.0, xx=100.0, yy=500.0, xy=200.0))
    >>> round(found.low, 3), found.value, round(found.high, 3)
    (1.81, 2.0, 2.21)
    >>> mean(Ratio(n=100, x=100.0, y=9.0, xx=100.0, yy=9.0, xy=9.0)).why
    'about 9 people decide it, and 25 are needed'

    Source: the ratio estimator; Cochran, "Sampling Techniques", 3rd edition 1977, section 2.11; by the delta method.
    """
    if why := _few(ratio):
        return Inconclusive(ratio.value, why)
    decide = ratio.y**2 / ratio.yy if ratio.yy else 0.0
    if decide < DECIDING or ratio.y <= 0:
        return Inconclusive(ratio.value, f"about {decide:.0f} people decide it, and {DECIDING:.0f} are needed")
    reach = math.exp(float(stdtrit(ratio.n - 1, 0.975)) * math.sqrt(ratio.variance) / ratio.value)
    return Effect(ratio.value, ratio.value / reach, ratio.value * reach)


def _few(ratio: Ratio) -> str:
    if ratio.n < PEOPLE:
        which = "person or slate was" if ratio.n == 1 else "people or slates were"
        return f"{ratio.n} {which} counted, and {PEOPLE} are needed"
    return ""
