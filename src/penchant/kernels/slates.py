"""What slates are worth: every ranking metric at every length in one pass, and sums of users in bundles."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from penchant.core.arrays import Float64, Int32, Int64

__all__ = ["COLUMNS", "Depths", "Wanted", "add_bundles", "measure_slates"]

COLUMNS = ("recall", "recall_capped", "precision", "hit", "ndcg", "map", "mrr", "auc")
"What the kernel computes at each length, in the order of the rows of ``Depths.columns``."

WORD, ONE = 6, np.uint64(1)
LAST = np.int32(63)


class Wanted(NamedTuple):
    """What each user is found to want, and among how many items a model chose.

    >>> import numpy as np
    >>> wanted = Wanted(np.int64([0, 2, 3]), np.int32([1, 4, 0]), np.int64([5, 5]))
    >>> wanted.items[wanted.indptr[0] : wanted.indptr[1]].tolist()  # the items of user 0
    [1, 4]
    """

    indptr: Int64
    "int64[b + 1], positions in ``items``."
    items: Int32
    "int32[nnz], each once a user."
    candidates: Int64
    "int64[b], items that may stand in the slate of each user, the wanted ones among them."


class Depths(NamedTuple):
    """At which ranks metrics are written, and where.

    >>> import numpy as np
    >>> gains = 1 / np.log2(np.arange(2, 4))
    >>> columns = np.full((8, 1), -1)
    >>> columns[0, 0] = 0  # recall@2 into column 0, nothing else
    >>> Depths(np.int64([2]), columns, gains, np.append(0, np.cumsum(gains))).ideal.round(3).tolist()
    [0.0, 1.0, 1.631]
    """

    cuts: Int64
    "int64[c], ascending, 1 or more."
    columns: Int64
    "int64[8, c], where a metric at a cut goes; -1 for nowhere."
    gains: Float64
    "float64[deepest], what a hit at a rank adds to the discounted gain."
    ideal: Float64
    "float64[deepest + 1], the gain of the best slate with so many hits."


@njit(nogil=True, cache=True)
def measure_slates(slates: Int32, wanted: Wanted, depths: Depths, marks: np.ndarray, out: Float64) -> None:
    """Write the metrics of each slate into ``out``.

    Args:
        slates: int32[b, k], -1 for an empty slot. An item that stands twice is a hit once, where it stands first.
        wanted: of the same users.
        depths: what to write; a depth beyond ``k`` counts the missing slots as empty.
        marks: uint64[ceil(n_items / 64)] of zeros, and zeros again afterwards: one bit an item.
        out: float64[b, m]. NaN for a user who wants nothing, but 0 for precision, hit and mrr; auc is also NaN for a
            user who wants all candidates.

    Time is O(b k + wanted + b c), memory ``marks``: for a catalogue of 100,000 items 12.5 kB, so that it stays in the
    processor's first cache.

    >>> import numpy as np
    >>> columns = np.full((8, 2), -1)
    >>> columns[0], columns[6] = [0, 1], [-1, 2]  # recall at 1 and 3, mrr at 3
    >>> gains = 1 / np.log2(np.arange(2, 5))
    >>> depths = Depths(np.int64([1, 3]), columns, gains, np.append(0, np.cumsum(gains)))
    >>> wanted, out = Wanted(np.int64([0, 2]), np.int32([1, 4]), np.int64([5])), np.empty((1, 3))
    >>> measure_slates(np.int32([[3, 4, 0]]), wanted, depths, np.zeros(1, np.uint64), out)
    >>> out.tolist()
    [[0.0, 0.5, 0.5]]
    """
    width, cuts = slates.shape[1], depths.cuts
    for user in range(slates.shape[0]):
        start, stop = wanted.indptr[user], wanted.indptr[user + 1]
        for place in range(start, stop):
            item = wanted.items[place]
            marks[item >> WORD] |= ONE << np.uint64(item & LAST)
        found = misses = first = above = begin = 0
        gain = ranked = 0.0
        for cut in range(len(cuts)):
            for slot in range(begin, min(cuts[cut], width)):
                item = slates[user, slot]
                if item < 0:
                    continue
                bit = ONE << np.uint64(item & LAST)
                if marks[item >> WORD] & bit:
                    marks[item >> WORD] ^= bit
                    found += 1
                    above += misses
                    gain += depths.gains[slot]
                    ranked += found / (slot + 1)
                    if first == 0:
                        first = slot + 1
                else:
                    misses += 1
            begin = min(cuts[cut], width)
            counts = (found, misses, first, above)
            _write((cuts[cut], cut, stop - start, wanted.candidates[user]), counts, (gain, ranked), depths, out[user])
        for place in range(start, stop):
            marks[wanted.items[place] >> WORD] = 0


@njit(nogil=True, cache=True, inline="always")
def _write(where: Any, counts: Any, sums: Any, depths: Depths, out: Float64) -> None:
    """Write the metrics of one user at one depth: ``where`` is (k, cut, relevant, candidates)."""
    k, cut, relevant, candidates = where
    found, misses, first, above = counts
    gain, ranked = sums
    best = min(k, relevant)
    nothing = relevant == 0
    rest = candidates - relevant
    values = (
        np.nan if nothing else found / relevant,
        np.nan if nothing else found / best,
        found / k,
        1.0 if found > 0 else 0.0,
        np.nan if nothing else gain / depths.ideal[best],
        np.nan if nothing else ranked / best,
        1.0 / first if first > 0 else 0.0,
        np.nan
        if nothing or rest <= 0
        else (found * rest - above + (relevant - found) * (rest - misses) * 0.5) / (relevant * rest),
    )
    for metric in range(8):
        column = depths.columns[metric, cut]
        if column >= 0:
            out[column] = values[metric]


@njit(nogil=True, cache=True)
def add_bundles(values: Float64, users: Int64, starts: Int64, sums: Float64) -> None:
    """Write the sum of the users of each bundle.

    Args:
        values: float64[n_users, m].
        users: int64[n_users], bundle after bundle.
        starts: int64[g + 1], where the users of each bundle begin.
        sums: float64[g, m].

    >>> import numpy as np
    >>> sums = np.empty((2, 1))
    >>> add_bundles(np.float64([[1], [2], [5]]), np.int64([2, 0, 1]), np.int64([0, 1, 3]), sums)
    >>> sums.tolist()  # user 2, then users 0 and 1
    [[5.0], [3.0]]
    """
    for row in range(sums.shape[0]):
        total = sums[row]
        total[:] = 0.0
        for place in range(starts[row], starts[row + 1]):
            one = values[users[place]]
            for column in range(values.shape[1]):
                total[column] += one[column]
