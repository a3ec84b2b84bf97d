"""How many users it would take to tell."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np

from penchant.core.arrays import Float64

__all__ = ["CHANCE", "POWER", "users_needed"]

CHANCE = 0.05
"How often two models that are equally good may be told apart by chance."

POWER = 0.8
"How often a difference as large as the one observed should be told."


def users_needed(value: float, means: Float64, users: int) -> int | None:
    """Return about how many users would tell a difference like this one from chance, four times in five.

    It takes the observed difference for the true one, which nobody knows: an order of magnitude for planning, no
    promise. None when there is no difference, or its resamples do not vary.

    >>> rng = np.random.default_rng(0)
    >>> differences = rng.normal(0.02, 0.2, 100)  # (1.96 + 0.84)^2 (0.2 / 0.02)^2 = 785, were both known
    >>> means = rng.choice(differences, (1000, 100)).mean(axis=1)
    >>> users_needed(0.02, means, 100)
    710

    Args:
        value: the mean difference.
        means: float64[resamples], of the same difference; NaN does not count.
        users: how many users it is the mean of.

    Returns:
        n ((z(1 - CHANCE / 2) + z(POWER)) se / value)^2, rounded up to two digits; se is the standard error.

    Source: Chow, Shao and Wang, "Sample Size Calculations in Clinical Research", 2008, section 3.1 (one sample, test
    for equality, here of paired differences), with the bootstrap's standard error.
    """
    known = means[~np.isnan(means)]
    error = float(known.std()) if len(known) else 0.0
    if not error or not value or math.isnan(value):
        return None
    normal = NormalDist()
    reach = (normal.inv_cdf(1 - CHANCE / 2) + normal.inv_cdf(POWER)) * error / abs(value)
    if not reach * math.sqrt(users) < 1e7:
        return None
    needed = max(users * reach**2, 1.0)
    unit = 10.0 ** max(math.floor(math.log10(needed)) - 1, 0)
    return math.ceil(needed / unit) * int(unit)
