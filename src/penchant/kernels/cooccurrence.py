"""How often items meet in the same history."""

from __future__ import annotations

import numpy as np
from numba import njit

from penchant.core.arrays import Int32
from penchant.kernels.layout import Best, Rows, Scale
from penchant.kernels.topk import top_k

__all__ = ["gram_block", "neighbours_block"]


@njit(nogil=True, cache=True)
def gram_block(start: int, rows: Rows, columns: Rows, out: Int32) -> None:
    """Count, for items ``start`` to ``start + len(out)``, the users they share with every item; exact integers.

    >>> rows = Rows(np.int64([0, 2, 3]), np.int32([0, 1, 1]), np.float32([1, 1, 1]))
    >>> columns = Rows(np.int64([0, 1, 3]), np.int32([0, 0, 1]), np.float32([1, 1, 1]))
    >>> out = np.empty((2, 2), np.int32)
    >>> gram_block(0, rows, columns, out)
    >>> out.tolist()
    [[1, 1], [1, 2]]

    Args:
        start: first item of the block.
        rows: the items of each user.
        columns: the users of each item, the transpose.
        out: int32[b, n], written.
    """
    out[:] = 0
    for row in range(len(out)):
        for p in range(columns.indptr[start + row], columns.indptr[start + row + 1]):
            user = columns.indices[p]
            for q in range(rows.indptr[user], rows.indptr[user + 1]):
                out[row, rows.indices[q]] += 1


@njit(nogil=True, cache=True)
def neighbours_block(start: int, rows: Rows, columns: Rows, scale: Scale, best: Best) -> None:
    """Find the k items most similar to each item of a block, itself left out; only positive products count.

    >>> rows = Rows(np.int64([0, 2, 3]), np.int32([0, 1, 1]), np.float32([5, 3, 4]))
    >>> columns = Rows(np.int64([0, 1, 3]), np.int32([0, 0, 1]), np.float32([5, 3, 4]))
    >>> best = Best(np.empty((2, 1), np.int32), np.empty((2, 1), np.float32))
    >>> neighbours_block(0, rows, columns, Scale(np.float32([5, 5]), 5.0), best)
    >>> best.items.tolist(), best.scores.tolist()  # 5 * 3 / (5 * 5 + 5)
    ([[1], [0]], [[0.5], [0.5]])

    Args:
        start: first item of the block.
        rows: the weighted users x items matrix.
        columns: its transpose.
        scale: what turns products into similarities.
        best: written; b rows.
    """
    n = len(scale.norms)
    codes = np.arange(n).astype(np.int32)
    similar = np.empty(n, np.float32)
    for row in range(len(best.items)):
        own = start + row
        similar[:] = 0
        for p in range(columns.indptr[own], columns.indptr[own + 1]):
            user, weight = columns.indices[p], columns.data[p]
            for q in range(rows.indptr[user], rows.indptr[user + 1]):
                similar[rows.indices[q]] += weight * rows.data[q]
        for j in range(n):
            if j == own or similar[j] <= 0:
                similar[j] = np.nan
            else:
                similar[j] /= scale.norms[own] * scale.norms[j] + scale.shrinkage
        top_k(similar, codes, best.items[row], best.scores[row])
