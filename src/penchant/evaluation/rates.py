"""Rates of what was shown, when what one person was shown hangs together."""

from __future__ import annotations

import math

from msgspec import Struct

from penchant.evaluation.interval import Effect, Inconclusive

__all__ = ["Ratio", "mean", "share"]

_Z = 1.959963984540054  # 95% of a normal distribution


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
    (0.038, 0.05, 0.065)
    >>> none = share(Ratio(n=100, x=1000.0, y=0.0, xx=10000.0, yy=0.0, xy=0.0))
    >>> none.low, round(none.high, 3)
    (0.0, 0.037)

    Source: Dean and Pagano, "Evaluating Confidence Interval Methods for Binomial Proportions in Clustered Surveys",
    Journal of Survey Statistics and Methodology 2015; Wilson, JASA 1927.
    """
    if ratio.n < 2:
        return Inconclusive(ratio.value, "fewer than two people or slates were counted")
    p, variance = ratio.value, ratio.variance
    size = float(ratio.n) if variance <= 0 or not 0 < p < 1 else min(p * (1 - p) / variance, ratio.x)
    middle = (p + _Z**2 / (2 * size)) / (1 + _Z**2 / size)
    reach = _Z / (1 + _Z**2 / size) * math.sqrt(p * (1 - p) / size + _Z**2 / (4 * size**2))
    return Effect(p, max(middle - reach, 0.0) if p else 0.0, min(middle + reach, 1.0) if p < 1 else 1.0)


def mean(ratio: Ratio) -> Effect | Inconclusive:
    """Return a mean with its 95% interval, such as the revenue of an impression.

    >>> found = mean(Ratio(n=100, x=100.0, y=200.0, xx=100.0, yy=500.0, xy=200.0))
    >>> round(found.low, 3), found.value, round(found.high, 3)
    (1.803, 2.0, 2.197)

    Source: the ratio estimator; Cochran, "Sampling Techniques", 3rd edition 1977, section 2.11.
    """
    if ratio.n < 2:
        return Inconclusive(ratio.value, "fewer than two people or slates were counted")
    reach = _Z * math.sqrt(ratio.variance)
    return Effect(ratio.value, ratio.value - reach, ratio.value + reach)
