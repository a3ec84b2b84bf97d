"""Every cut of every sequence: what came before it and what after, with weights that fall with the distance."""

from __future__ import annotations

import numpy as np
from numba import njit

from penchant.core.arrays import Int32, Int64
from penchant.kernels.layout import Rows

__all__ = ["cut_sequences"]


@njit(nogil=True, cache=True)
def _fill(part: Int32, weights: Int32, items: Int32, data: Int32) -> int:
    """Write the items of a part, nearest first, each once at its nearest place; return how many."""
    found = 0
    for d in range(min(len(part), len(weights))):
        known = False
        for p in range(found):
            if items[p] == part[d]:
                known = True
                break
        if not known:
            items[found], data[found] = part[d], weights[d]
            found += 1
    return found


@njit(nogil=True, cache=True)
def cut_sequences(indptr: Int64, items: Int32, weights: Int32) -> tuple[Rows, Rows]:
    """Return, for every cut between two events of a sequence, the items before it and those after it.

    >>> before, after = cut_sequences(np.int64([0, 3]), np.int32([7, 8, 9]), np.int32([4, 2]))
    >>> before.indptr.tolist(), before.indices.tolist(), before.data.tolist()  # 7 | and 7 8 |
    ([0, 1, 3], [7, 8, 7], [4, 4, 2])
    >>> after.indices.tolist(), after.data.tolist()  # | 8 9 and | 9
    ([8, 9, 9], [4, 2, 4])

    Args:
        indptr: int64[n + 1], where each sequence begins.
        items: int32[events], in time order a sequence.
        weights: int32[m], what an item counts at distance 0, 1, ... from the cut; 0 beyond.

    Returns:
        Two sets of rows, one row a cut; data int32.
    """
    cuts = 0
    for s in range(len(indptr) - 1):
        cuts += max(indptr[s + 1] - indptr[s] - 1, 0)
    starts = (np.zeros(cuts + 1, np.int64), np.zeros(cuts + 1, np.int64))
    room = cuts * len(weights)
    columns, data = (
        (np.empty(room, np.int32), np.empty(room, np.int32)),
        (np.empty(room, np.int32), np.empty(room, np.int32)),
    )
    at = 0
    for s in range(len(indptr) - 1):
        for t in range(indptr[s] + 1, indptr[s + 1]):
            low, high = max(indptr[s], t - len(weights)), min(indptr[s + 1], t + len(weights))
            near = (items[low:t][::-1].copy(), items[t:high].copy())
            for side in range(2):
                b = starts[side][at]
                starts[side][at + 1] = b + _fill(near[side], weights, columns[side][b:], data[side][b:])
            at += 1
    before = Rows(starts[0], columns[0][: starts[0][-1]].copy(), data[0][: starts[0][-1]].copy())
    after = Rows(starts[1], columns[1][: starts[1][-1]].copy(), data[1][: starts[1][-1]].copy())
    return before, after
