"""Users as the units of chance, one by one or, where they are many, in bundles."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial

import numpy as np
from msgspec import Struct

from penchant.core.arrays import Bool, Float64, Int64
from penchant.core.executor import LOCAL, blocks
from penchant.evaluation.ends import RARE
from penchant.kernels.slates import add_bundles

__all__ = ["BUNDLES", "SINGLY", "Bundles", "Sample", "at_once", "coins"]

SINGLY = 32_768
"Up to this many users each is a unit of its own: the bootstrap is the exact one."

BUNDLES = 16_384
"Into how many bundles more users are dealt."

_CELLS = 4_000_000
"Numbers of resampling weights held at once (32 MB)."

_AT_ONCE = 256
"Bundles added up in one piece of work."


class Bundles(Struct, frozen=True, eq=False):
    """Which users are drawn together.

    Up to SINGLY users each is drawn alone. More are dealt at random into BUNDLES bundles, whose sizes differ by one at
    most, and bundles are drawn: a bundle's mean varies as much as that of so many users, and so does the mean of all
    bundles. What is lost is that the spread is estimated from BUNDLES values: its relative standard error is
    sqrt(1 / (2 BUNDLES)), 0.55%, where the ends of an interval from 1000 resamples err by 4%.

    >>> Bundles.of(3).starts is None  # three users are drawn one by one
    True
    >>> many = Bundles.of(40_000, rng=0)
    >>> np.unique(np.diff(many.starts)).tolist(), bool((np.sort(many.users) == np.arange(40_000)).all())
    ([2, 3], True)

    Where several rows are about one person (``units``), people are drawn, each with all of their rows.

    >>> two = Bundles.of(3, units=np.array([7, 9, 7]))
    >>> two.users.tolist(), two.starts.tolist()
    ([0, 2, 1], [0, 2, 3])

    Source: the idea of resampling few groups in place of many units: Efron and Tibshirani, "An Introduction to the
    Bootstrap", 1993, chapter 8; that random groups estimate the variance: Wolter, "Introduction to Variance
    Estimation", 2007, chapter 2 (the random group method).
    """

    n: int
    "Users."
    users: Int64 | None = None
    "int64[n], bundle after bundle; None when each is drawn alone."
    starts: Int64 | None = None
    "int64[g + 1], where the users of each bundle begin."
    share: float | None = None
    "People per row, where many are dealt into bundles; None where each unit is one person."

    @classmethod
    def of(cls, n: int, rng: int | np.random.Generator = 0, units: Int64 | None = None) -> Bundles:
        """Return the bundles of ``n`` users; the generator is asked only when there are more than SINGLY.

        Args:
            n: how many rows of values there are.
            rng: seed or generator of the dealing.
            units: int64[n], the person each row is about; None when each row is another person.
        """
        if units is not None:
            return cls._of_people(units, np.random.default_rng(rng))
        if n <= SINGLY:
            return cls(n)
        users = np.random.default_rng(rng).permutation(n)
        return cls(n, users, np.arange(BUNDLES + 1, dtype=np.int64) * n // BUNDLES, 1.0)

    @classmethod
    def _of_people(cls, units: Int64, rng: np.random.Generator) -> Bundles:
        people, place = np.unique(units, return_inverse=True)
        share = None
        if len(people) > SINGLY:
            place = (rng.permutation(len(people)) * BUNDLES // len(people))[place]
            share = len(people) / len(units)
        starts = np.concatenate([[0], np.cumsum(np.bincount(place))]).astype(np.int64)
        return cls(len(units), np.argsort(place, kind="stable"), starts, share)

    def sample(self, values: Float64) -> Sample:
        """Return the sums of float64[n, m] a unit; a NaN is no value, and counts neither in sum nor in count.

        >>> drawn = Bundles.of(2).sample(np.array([[1.0, np.nan], [0.0, 4.0]]))
        >>> drawn.sums.tolist(), drawn.counts.tolist(), drawn.means().tolist()
        ([[1.0, 0.0], [0.0, 4.0]], [[1.0, 0.0], [1.0, 1.0]], [0.5, 4.0])
        """
        sums = self._added(values)
        counts = np.ones((self.n, 1)) if self.starts is None else np.diff(self.starts)[:, None].astype(np.float64)
        holed: Bool = np.isnan(sums.sum(axis=0))
        if holed.any():
            part = values[:, holed]
            there = ~np.isnan(part)
            sums = sums.copy() if sums is values else sums
            sums[:, holed] = self._added(np.where(there, part, 0.0))
            counts = np.repeat(counts, values.shape[1], axis=1)
            counts[:, holed] = self._added(there.astype(np.float64))
        return Sample(sums, counts, self.share)

    def _added(self, values: Float64) -> Float64:
        if self.starts is None or self.users is None:
            return values
        sums = np.empty((len(self.starts) - 1, values.shape[1]))
        work = partial(_add, np.ascontiguousarray(values), self, sums)
        list(LOCAL.map(work, blocks(len(sums), _AT_ONCE)))
        return sums


class Sample(Struct, frozen=True, eq=False):
    """What is drawn from: the sums of each unit, and how many values they are of.

    >>> one = Sample(np.array([[1.0], [2.0]]), np.ones((2, 1)))
    >>> two = Sample.beside([one, one])
    >>> two.sums.tolist(), two.means().tolist()
    ([[1.0, 1.0], [2.0, 2.0]], [1.5, 1.5])
    """

    sums: Float64
    "float64[g, m]."
    counts: Float64
    "float64[g, m], or [g, 1] when all columns have the same."
    share: float | None = None
    "People per value, where many are dealt into bundles; None where each unit is one person."

    @classmethod
    def beside(cls, samples: Iterable[Sample]) -> Sample:
        """Return the columns of all samples, which must be of the same units."""
        parts = list(samples)
        sums = np.concatenate([part.sums for part in parts], axis=1)
        first = parts[0].counts
        if first.shape[1] == 1 and all(np.array_equal(part.counts, first) for part in parts):
            return cls(sums, first, parts[0].share)
        counts = [np.broadcast_to(part.counts, part.sums.shape) for part in parts]
        return cls(sums, np.concatenate(counts, axis=1), parts[0].share)

    def users(self) -> Float64:
        """Return float64[m]: how many people have a value; about so many, where people of several rows are many."""
        if self.share is None:
            people: Float64 = (self.counts > 0).sum(axis=0).astype(np.float64)
        else:
            people = np.rint(self.counts.sum(axis=0) * self.share)
        return np.broadcast_to(people, self.sums.shape[1:])

    def means(self) -> Float64:
        """Return float64[m]: the mean of every column; NaN where nobody has a value."""
        return _ratio(self.sums.sum(axis=0), np.broadcast_to(self.counts.sum(axis=0), self.sums.shape[1:]))

    def yes_or_no(self) -> Bool:
        """Return bool[m]: whether every unit has at most one value, and it is 0 or 1.

        >>> Bundles.of(2).sample(np.array([[1.0, 0.5], [0.0, 1.0]])).yes_or_no().tolist()
        [True, False]
        """
        single = np.broadcast_to(self.counts.max(axis=0, initial=0) <= 1, self.sums.shape[1:])
        found: Bool = single & ((self.sums == 0) | (self.sums == 1)).all(axis=0)
        return found

    def touched(self) -> Int64:
        """Return int64[m]: how many units have anything but 0.

        >>> Bundles.of(3).sample(np.array([[0.0], [0.5], [np.nan]])).touched().tolist()
        [1]
        """
        found: Int64 = np.count_nonzero(self.sums, axis=0)
        return found

    def rare(self) -> Bool:
        """Return bool[m]: whether all lies between 0 and 1, most units are at 0, and few are not.

        The mean of such a column is far from a normal curve, and varies as a share does: the more the larger it is.

        >>> Bundles.of(3).sample(np.array([[0.0, 0.5], [0.0, 0.5], [0.4, 0.0]])).rare().tolist()
        [True, False]
        """
        touched, units = self.touched(), np.broadcast_to((self.counts > 0).sum(axis=0), self.sums.shape[1:])
        few: Bool = (touched < RARE) & (2 * touched <= units)
        few[few] = ((self.sums[:, few] >= 0) & (self.sums[:, few] <= self._counts()[:, few])).all(axis=0)
        return few

    def variances(self) -> Float64:
        """Return float64[m]: the variance of each of the means, by linearization; 0 where one unit has all.

        >>> Bundles.of(3).sample(np.array([[0.0], [0.5], [1.0]])).variances().round(4).tolist()
        [0.0833]

        Source: Cochran, "Sampling Techniques", 3rd edition 1977, section 2.11.
        """
        counts = self._counts()
        total, units = counts.sum(axis=0), (counts > 0).sum(axis=0)
        return _ratio((self._apart() ** 2).sum(axis=0) * units / np.maximum(units - 1, 1), total**2)

    def freedom(self) -> Float64:
        """Return float64[m]: how well those variances are known, in degrees of freedom, 1 or more.

        >>> Bundles.of(4).sample(np.array([[0.0], [1.0], [0.0], [1.0]])).freedom().tolist()
        [3.0]

        Source: Satterthwaite, "An Approximate Distribution of Estimates of Variance Components", Biometrics Bulletin
        1946: twice the square of the sum of squares, over the sum of their squares; at most units - 1.
        """
        squares = self._apart() ** 2
        twice = 2 * _ratio(squares.sum(axis=0) ** 2, (squares**2).sum(axis=0))
        units = (self._counts() > 0).sum(axis=0)
        freedom: Float64 = np.clip(np.nan_to_num(twice, nan=1.0), 1.0, np.maximum(units - 1.0, 1.0))
        return freedom

    def _apart(self) -> Float64:
        return self.sums - np.nan_to_num(self.means()) * self._counts()

    def _counts(self) -> Float64:
        return np.broadcast_to(self.counts, self.sums.shape)

    def drawn(self, weights: Float64) -> Float64:
        """Return float64[r, m]: the means when the units count as often as ``weights`` (float64[r, g]) says."""
        return _ratio(weights @ self.sums, weights @ self.counts)

    def spread(self) -> Float64:
        """Return float64[m]: the largest difference between the means of units, as a share of the largest mean."""
        means = _ratio(self.sums, np.broadcast_to(self.counts, self.sums.shape))
        known = ~np.isnan(means)
        most = np.where(known, means, -np.inf).max(axis=0, initial=-np.inf)
        least = np.where(known, means, np.inf).min(axis=0, initial=np.inf)
        scale = np.maximum(np.abs(most), np.abs(least))
        there = known.any(axis=0)
        gap = np.subtract(most, least, out=np.zeros(len(most)), where=there)
        spread: Float64 = np.divide(gap, scale, out=np.zeros(len(gap)), where=there & (scale > 0))
        return spread


def at_once(resamples: int, n: int) -> int:
    """Return how many resamples of ``n`` users fit in memory together.

    >>> at_once(1000, 100), at_once(1000, 40_000)
    (1000, 100)
    """
    return max(1, min(resamples, _CELLS // max(n, 1)))


def coins(tosses: int, n: int, rng: np.random.Generator) -> Iterator[Float64]:
    """Yield blocks of rows, ``tosses`` in all, of ``n`` fair coins each: 1.0 for heads, else 0.0; one array, reused.

    >>> [block.shape for block in coins(3, 5, np.random.default_rng(0))]
    [(3, 5)]
    """
    size, width = at_once(tosses, n), (n + 7) // 8
    heads = np.empty((size, n))
    for start, stop in blocks(tosses, size):
        raw = np.frombuffer(rng.bytes((stop - start) * width), np.uint8).reshape(-1, width)
        heads[: stop - start] = np.unpackbits(raw, axis=1, count=n)
        yield heads[: stop - start]


def _add(values: Float64, bundles: Bundles, sums: Float64, block: tuple[int, int]) -> None:
    start, stop = block
    if bundles.users is not None and bundles.starts is not None:
        add_bundles(values, bundles.users, bundles.starts[start : stop + 1], sums[start:stop])


def _ratio(part: Float64, whole: Float64) -> Float64:
    out = np.full(part.shape, np.nan)
    np.divide(part, whole, out=out, where=np.broadcast_to(whole, part.shape) > 0)
    return out
