"""The ends of the intervals of all columns of a sample at once."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri, stdtrit

from penchant.core.arrays import Float64
from penchant.evaluation.ends import tails, wilson_ends
from penchant.evaluation.sample import Sample

__all__ = ["percentile_ends", "share_ends"]


def percentile_ends(means: Float64, deciding: Float64, level: float) -> list[tuple[float, float]]:
    """Return the ends of each column's percentile interval; a resample in which nobody had a value does not count.

    >>> means = np.random.default_rng(0).normal(size=(1000, 2))
    >>> few, many = percentile_ends(means, np.array([10.0, 1e6]), 0.95)
    >>> few[0] < many[0], many[1] < few[1]
    (True, True)

    Args:
        means: float64[resamples, m], of resamples.
        deciding: float64[m], how many people decide each column: :func:`tails` of as many are left out.
        level: the share of such intervals that hold the truth.
    """
    out = np.empty((2, means.shape[1]))
    for n in np.unique(deciding):
        columns = deciding == n
        part, rest = means[:, columns], tails(max(int(n), 2), level=level)
        if np.isnan(part).any():
            out[:, columns] = np.nanquantile(np.where(np.isnan(part).all(axis=0), 0.0, part), [rest, 1 - rest], axis=0)
        else:
            out[:, columns] = np.quantile(part, [rest, 1 - rest], axis=0)
    return list(zip(*out.tolist(), strict=True))


def share_ends(sample: Sample, level: float) -> dict[int, tuple[float, float]]:
    """Return the ends of the columns that are shares of people, or that vary as shares do, by column.

    The second are those of :meth:`Sample.rare`, such as the NDCG of people of whom one in ten finds anything. Their
    interval is Wilson's at the effective size, that of as many yeses and noes as vary as much, with Student's quantile
    for what is known of the spread.

    >>> from penchant.evaluation.sample import Bundles
    >>> values = np.zeros((60, 2))
    >>> values[:6, 0], values[:, 1] = [1.0, 0.63, 0.5, 0.43, 0.39, 0.36], 0.5
    >>> ends = share_ends(Bundles.of(60).sample(values), 0.95)
    >>> list(ends), np.round(ends[0], 3).tolist()  # the percentiles are 0.018 and 0.097
    ([0], [0.021, 0.137])

    Source: Dean and Pagano, "Evaluating Confidence Interval Methods for Binomial Proportions in Clustered Surveys",
    Journal of Survey Statistics and Methodology 2015, on intervals at the effective size.
    """
    users, values, variances, freedom = sample.users(), sample.means(), sample.variances(), sample.freedom()
    likes, found = sample.yes_or_no(), {}
    for column in np.flatnonzero((likes | sample.rare()) & (variances > 0)).tolist():
        value = float(values[column])
        if likes[column]:
            found[column] = wilson_ends(value, float(users[column]), float(ndtri((1 + level) / 2)))
        else:
            size = value * (1 - value) / float(variances[column])
            found[column] = wilson_ends(value, size, float(stdtrit(freedom[column], (1 + level) / 2)))
    return found
