"""What can be said beyond chance: bootstrap intervals, paired comparisons, correction for many of them.

The unit of chance is the user. Every column (a metric of a model) is resampled with the same users, so that the
difference of two columns is a paired difference.
"""

from __future__ import annotations

import numpy as np
from msgspec import Struct

from penchant.core.arrays import Float64
from penchant.core.executor import blocks

__all__ = ["Effect", "Inconclusive", "compare", "estimate", "holm", "resample_means", "sign_flip"]

_CELLS = 4_000_000
"Numbers of resampling weights held at once (32 MB)."


class Effect(Struct, frozen=True, tag=True):
    """A mean, or a difference of means, with the interval of what else it might have been.

    >>> Effect(0.012, 0.009, 0.015).verdict
    'better'
    """

    value: float
    "The mean over users."
    low: float
    "Lower end of the interval."
    high: float
    "Upper end of the interval."
    p: float | None = None
    "For a difference: how often chance alone gives one as large; corrected where several are compared."

    @property
    def verdict(self) -> str:
        """Read as a difference: 'better' or 'worse' when the interval excludes 0, else 'cannot tell'."""
        if self.low > 0:
            return "better"
        return "worse" if self.high < 0 else "cannot tell"


class Inconclusive(Struct, frozen=True, tag=True):
    """A mean, or a difference of means, that the data say nothing about beyond its value.

    >>> Inconclusive(0.5, "there is only one user").verdict
    'cannot tell'
    """

    value: float
    "The mean over users."
    why: str
    "Why there is no interval."

    @property
    def verdict(self) -> str:
        """Always 'cannot tell'."""
        return "cannot tell"


def resample_means(values: Float64, *, resamples: int, rng: int | np.random.Generator = 0) -> Float64:
    """Return the means of every column over users drawn with replacement, again and again.

    >>> means = resample_means(np.array([[0.0, 1.0], [1.0, 2.0]]), resamples=200, rng=0)
    >>> means.shape, sorted(set(means[:, 0].tolist()))
    ((200, 2), [0.0, 0.5, 1.0])
    >>> bool(np.allclose(means[:, 1] - means[:, 0], 1.0))  # the same users in both columns
    True

    Args:
        values: float64[n_users, m].
        resamples: how many times.
        rng: seed or generator.

    Returns:
        float64[resamples, m].

    Source: Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 6. Drawing n users with
    replacement is weighing each by how often it was drawn, so that a block of resamples is one matrix product.
    """
    n = len(values)
    source = np.random.default_rng(rng)
    means = np.empty((resamples, values.shape[1]))
    size = _at_once(resamples, n)
    counts = np.empty((size, n))
    for start, stop in blocks(resamples, size):
        for row in range(stop - start):
            counts[row] = np.bincount(source.integers(0, n, n), minlength=n)
        means[start:stop] = counts[: stop - start] @ values / n
    return means


def sign_flip(differences: Float64, *, resamples: int, rng: int | np.random.Generator = 0) -> Float64:
    """Return, a column, how often differences whose signs are chance have a mean as far from 0 (two-sided).

    When two models are equally good, each user's difference is as likely to have come out the other way round.

    >>> sign_flip(np.array([[0.2], [0.1], [0.3], [0.2], [0.4], [0.1], [0.3]]), resamples=999, rng=0).round(3).tolist()
    [0.019]

    Args:
        differences: float64[n_users, m], paired by user.
        resamples: random assignments of signs; the one that was observed is added to them, so that p is never 0.
        rng: seed or generator.

    Returns:
        float64[m], at least 1 / (resamples + 1).

    Source: Smucker, Allan and Carterette, "A Comparison of Statistical Significance Tests for Information Retrieval
    Evaluation", CIKM 2007, section 3.1; the added one: Phipson and Smyth, "Permutation P-values Should Never Be Zero",
    2010.
    """
    n = len(differences)
    source = np.random.default_rng(rng)
    total = differences.sum(axis=0)
    observed = np.abs(total) - 1e-9 * np.abs(differences).sum(axis=0)
    extreme = np.zeros(differences.shape[1], np.int64)
    size, width = _at_once(resamples, n), (n + 7) // 8
    heads = np.empty((size, n))
    for start, stop in blocks(resamples, size):
        raw = np.frombuffer(source.bytes((stop - start) * width), np.uint8).reshape(-1, width)
        heads[: stop - start] = np.unpackbits(raw, axis=1, count=n)
        extreme += (np.abs(2 * (heads[: stop - start] @ differences) - total) >= observed).sum(axis=0)
    p: Float64 = (1 + extreme) / (1 + resamples)
    return p


def holm(p: Float64) -> Float64:
    """Return p values that allow for having looked at all of them: the smallest counts m-fold, the next (m - 1)-fold...

    >>> holm(np.array([0.01, 0.04, 0.03])).round(4).tolist()
    [0.03, 0.06, 0.06]

    Source: Holm, "A Simple Sequentially Rejective Multiple Test Procedure", Scandinavian Journal of Statistics 1979.
    """
    order = np.argsort(p, kind="stable")
    raised = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    corrected = np.empty_like(p)
    corrected[order] = np.minimum(raised, 1.0)
    return corrected


def estimate(values: Float64, means: Float64, *, level: float = 0.95) -> Effect | Inconclusive:
    """Return the mean of one column with its percentile interval.

    >>> column = np.array([0.0, 1.0, 1.0, 0.0])
    >>> estimate(column, resample_means(column[:, None], resamples=500, rng=0)[:, 0])
    Effect(value=0.5, low=0.0, high=1.0, p=None)

    Args:
        values: float64[n_users].
        means: float64[resamples], of the same column.
        level: the share of such intervals that hold the truth.

    Source: Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, section 13.3.
    """
    why = _no_interval(values, len(means), level, "all users have the same value")
    if why:
        return Inconclusive(float(values.mean()), why)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return Effect(float(values.mean()), float(low), float(high))


def compare(differences: Float64, means: Float64, p: float, *, level: float = 0.95) -> Effect | Inconclusive:
    """Return the difference of two paired columns with its percentile interval and its p value.

    >>> same = np.zeros(4)
    >>> compare(same, np.zeros(1000), 1.0).why
    'no user has a different value'

    Args:
        differences: float64[n_users], this model's value minus the baseline's.
        means: float64[resamples], the differences of resampled means.
        p: what :func:`sign_flip` says.
        level: as in :func:`estimate`.
    """
    same = "all users differ by the same amount" if differences.any() else "no user has a different value"
    why = _no_interval(differences, len(means), level, same)
    if why:
        return Inconclusive(float(differences.mean()), why)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return Effect(float(differences.mean()), float(low), float(high), p)


def _no_interval(values: Float64, resamples: int, level: float, same: str) -> str | None:
    """Return why an interval cannot be drawn, if it cannot."""
    if len(values) < 2:
        return "there is only one user"
    if np.ptp(values) <= 1e-12 * np.abs(values).max():
        return same
    if resamples * (1 - level) < 2 - 1e-9:
        return f"{resamples} resamples are too few for an interval"
    return None


def _at_once(resamples: int, n: int) -> int:
    """Return how many resamples of ``n`` users fit in memory together."""
    return max(1, min(resamples, _CELLS // max(n, 1)))
