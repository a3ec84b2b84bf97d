"""What can be said beyond chance: bootstrap intervals, paired comparisons, correction for many of them.

The unit of chance is the user. Every column (a metric of a model) is resampled with the same users, so that the
difference of two columns is a paired difference.
"""

from __future__ import annotations

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from penchant.core.arrays import Float64
from penchant.core.executor import blocks
from penchant.evaluation.ends import RARE
from penchant.evaluation.power import CHANCE, users_needed
from penchant.evaluation.sample import Bundles, Sample, at_once, coins
from penchant.evaluation.spans import percentile_ends, share_ends

__all__ = [
    "DIFFERING",
    "FEWEST",
    "Effect",
    "Inconclusive",
    "Judged",
    "compare",
    "comparisons",
    "estimate",
    "estimates",
    "holm",
    "resample_means",
    "sign_flip",
    "too_few",
]

FEWEST = 20
"People below which an evaluation gives no interval: those there are would hold the truth less often than they say."

DIFFERING = 5
"""People who must have another value under the one model than under the other for their difference to have an interval,
and anything but 0 for a mean where most have 0."""


class Effect(Struct, frozen=True, tag=True, repr_omit_defaults=True):
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

    needed: int | None = None
    "For a difference that cannot be told from chance: about how many users would tell, were it the true one."

    @property
    def verdict(self) -> str:
        """Read as a difference: 'better' or 'worse' when the interval excludes 0 and p is 0.05 at most.

        Else 'cannot tell'. Without a p the interval alone decides.
        """
        if self.p is not None and self.p > CHANCE:
            return "cannot tell"
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


class Judged(Struct, frozen=True, tag=True):
    """A difference that was tested, and of which no interval is known that holds the truth as often as it says.

    >>> Judged(-0.1, 0.003, "it is a difference of extremes").verdict
    'worse'
    """

    value: float
    "The difference."
    p: float
    "How often chance alone gives one as large; corrected where several are compared."
    why: str
    "Why there is no interval."
    needed: int | None = None
    "Where it cannot be told from chance: about how many users would tell, were it the true one."

    @property
    def verdict(self) -> str:
        """Read as :attr:`Effect.verdict`, by p alone."""
        if self.p > CHANCE or not self.value:
            return "cannot tell"
        return "better" if self.value > 0 else "worse"


def resample_means(values: Float64 | Sample, *, resamples: int, rng: int | np.random.Generator = 0) -> Float64:
    """Return the means of every column over users drawn with replacement, again and again.

    >>> means = resample_means(np.array([[0.0, 1.0], [1.0, 2.0]]), resamples=200, rng=0)
    >>> means.shape, sorted(set(means[:, 0].tolist()))
    ((200, 2), [0.0, 0.5, 1.0])
    >>> bool(np.allclose(means[:, 1] - means[:, 0], 1.0))  # the same users in both columns
    True

    Args:
        values: float64[n_users, m], or what :class:`Bundles` makes of it. A NaN is no value: the mean is over the drawn
            users who have one, NaN when none has.
        resamples: how many times.
        rng: seed or generator.

    Returns:
        float64[resamples, m].

    Up to SINGLY users it is the exact bootstrap; of more, :class:`Bundles` are drawn. Time is O(resamples g m) for g
    users or bundles, memory 32 MB and the result.

    Source: Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 6. Drawing n users with
    replacement is weighing each by how often it was drawn, so that a block of resamples is one matrix product.
    """
    source = np.random.default_rng(rng)
    sample = values if isinstance(values, Sample) else Bundles.of(len(values), source).sample(values)
    n = len(sample.sums)
    means = np.empty((resamples, sample.sums.shape[1]))
    size = at_once(resamples, n)
    counts = np.empty((size, n))
    for start, stop in blocks(resamples, size):
        for row in range(stop - start):
            counts[row] = np.bincount(source.integers(0, n, n), minlength=n)
        means[start:stop] = sample.drawn(counts[: stop - start])
    return means


def sign_flip(differences: Float64 | Sample, *, resamples: int, rng: int | np.random.Generator = 0) -> Float64:
    """Return, a column, how often differences whose signs are chance have a mean as far from 0 (two-sided).

    When two models are equally good, each user's difference is as likely to have come out the other way round.

    >>> sign_flip(np.array([[0.2], [0.1], [0.3], [0.2], [0.4], [0.1], [0.3]]), resamples=999, rng=0).round(3).tolist()
    [0.019]

    Args:
        differences: float64[n_users, m], paired by user, or what :class:`Bundles` makes of it: then the signs of a
            bundle change together, which is as exact a test. A NaN is no difference.
        resamples: random assignments of signs; the one that was observed is added to them, so that p is never 0.
        rng: seed or generator.

    Returns:
        float64[m], at least 1 / (resamples + 1).

    Source: Smucker, Allan and Carterette, "A Comparison of Statistical Significance Tests for Information Retrieval
    Evaluation", CIKM 2007, section 3.1; the added one: Phipson and Smyth, "Permutation P-values Should Never Be Zero",
    2010.
    """
    source = np.random.default_rng(rng)
    if not isinstance(differences, Sample):
        differences = Bundles.of(len(differences), source).sample(differences)
    sums = differences.sums
    total = sums.sum(axis=0)
    observed = np.abs(total) - 1e-9 * np.abs(sums).sum(axis=0)
    extreme = np.zeros(sums.shape[1], np.int64)
    for heads in coins(resamples, len(sums), source):
        extreme += (np.abs(2 * (heads @ sums) - total) >= observed).sum(axis=0)
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
    """Return the mean of one column with its percentile interval, expanded for few people (:func:`tails`).

    A column of zeros and ones, a share of people, has :func:`wilson_ends`, which resamples of few people do worse than;
    so has one between 0 and 1 of which few people have more than 0 (:meth:`Sample.rare`), at its effective size.

    >>> column = np.array([0.0, 1.0, 1.0, 0.0])
    >>> found = estimate(column, resample_means(column[:, None], resamples=500, rng=0)[:, 0])
    >>> found.value, round(found.low, 2), round(found.high, 2)
    (0.5, 0.15, 0.85)

    Args:
        values: float64[n_users].
        means: float64[resamples], of the same column.
        level: the share of such intervals that hold the truth.

    Source: Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, section 13.3.
    """
    return estimates(_single(values), means[:, None], level=level)[0]


def compare(differences: Float64, means: Float64, p: float, *, level: float = 0.95) -> Effect | Inconclusive:
    """Return the difference of two paired columns with its percentile interval and its p value.

    Where few differ it is they who decide, and the interval is expanded for as many; of fewer than DIFFERING there is
    none, nor could their p be below 0.06.

    >>> same = np.zeros(4)
    >>> compare(same, np.zeros(1000), 1.0).why
    'no user has a different value'

    Args:
        differences: float64[n_users], this model's value minus the baseline's.
        means: float64[resamples], the differences of resampled means.
        p: what :func:`sign_flip` says.
        level: as in :func:`estimate`.
    """
    return comparisons(_single(differences), means[:, None], np.array([p]), level=level)[0]


def estimates(sample: Sample, means: Float64, *, level: float = 0.95, least: int = 2) -> list[Effect | Inconclusive]:
    """Return what :func:`estimate` says of every column of a sample; ``means`` is float64[resamples, m].

    With fewer than ``least`` users it says that these are too few to tell.

    >>> sample = Bundles.of(3).sample(np.array([[1.0], [1.0], [0.0]]))
    >>> estimates(sample, np.zeros((1000, 1)), least=30)[0].why
    '3 users are too few to tell'
    """
    same = ["all users have the same value"] * len(sample.users())
    return _effects(sample, means, level, least, (same, None))


def comparisons(
    sample: Sample, means: Float64, p: Float64, *, level: float = 0.95, least: int = 2
) -> list[Effect | Inconclusive]:
    """Return what :func:`compare` says of every column of a sample of differences; ``p`` is float64[m].

    >>> sample = Bundles.of(2).sample(np.array([[0.5, 0.0], [0.5, 0.0]]))
    >>> [found.why for found in comparisons(sample, np.zeros((1000, 2)), np.ones(2))]
    ['all users differ by the same amount', 'no user has a different value']
    """
    same = [
        "all users differ by the same amount" if column.any() else "no user has a different value"
        for column in sample.sums.T
    ]
    return _effects(sample, means, level, least, (same, p))


def _effects(
    sample: Sample, means: Float64, level: float, least: int, told: tuple[list[str], Float64 | None]
) -> list[Effect | Inconclusive]:
    same, p = told
    few = f"{len(means)} resamples are too few for an interval" if len(means) * (1 - level) < 2 - 1e-9 else ""
    counts, touched = sample.users(), sample.touched()
    deciding = np.where(touched < RARE, np.minimum(touched, counts), counts) if p is not None else counts
    ends = [] if few else percentile_ends(means, deciding, level)
    shares = {} if few or p is not None else share_ends(sample, level)
    scarce = sample.rare() & ~sample.yes_or_no() & (touched < DIFFERING)
    found: list[Effect | Inconclusive] = []
    for column, (value, users, spread) in enumerate(
        zip(sample.means().tolist(), counts.tolist(), sample.spread().tolist(), strict=True)
    ):
        why = too_few(int(users), least) or (same[column] if spread <= 1e-12 else few)
        if p is not None and not why and deciding[column] < min(DIFFERING, users):
            why = f"only {touched[column]} of {users:.0f} users have a different value"
        if p is None and not why and scarce[column]:
            why = f"only {touched[column]} of {users:.0f} users have anything but 0"
        if why:
            found.append(Inconclusive(value, why))
            continue
        own = shares.get(column) or ends[column]
        effect = Effect(value, *own, None if p is None else float(p[column]))
        if p is not None and effect.verdict == "cannot tell":
            effect = replace(effect, needed=users_needed(value, means[:, column], int(users)))
        found.append(effect)
    return found


def too_few(users: int, least: int) -> str:
    """Return why so few users say nothing; an empty text when they are enough.

    >>> too_few(1, 2), too_few(7, 30), too_few(30, 30)
    ('there is only one user', '7 users are too few to tell', '')
    """
    if users < 2:
        return "there is only one user" if users else "no user has a value"
    return f"{users} users are too few to tell" if users < least else ""


def _single(column: Float64) -> Sample:
    return Bundles(len(column)).sample(np.asarray(column)[:, None])
