"""From how often items meet to the most similar of each."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from penchant.kernels.layout import Best, Likeness, Rows
from penchant.kernels.topk import top_k

__all__ = ["similar_full", "similar_sparse"]

NOTHING = np.float32(np.nan)
"The score of what never met."


@njit(nogil=True, cache=True, error_model="numpy")
def _similarity(count: float, own: int, other: int, likeness: Likeness) -> Any:
    left, right = likeness.left[own], likeness.right[other]
    if likeness.union:
        return count / (left + right - count + likeness.shrinkage)
    return count / (left * right + likeness.shrinkage)


@njit(nogil=True, cache=True, error_model="numpy")
def similar_full(start: int, counts: Any, likeness: Likeness, best: Best) -> None:
    """Find the k items most similar to each of a block, of whole rows of counts (float[b, n]); itself is left out.

    >>> best = Best(np.empty((1, 2), np.int32), np.empty((1, 2), np.float32))
    >>> norms = np.float64([2, 2, 1])
    >>> similar_full(0, np.float64([[4, 2, 0]]), Likeness(norms, norms, 0.0, False), best)
    >>> best.items.tolist(), best.scores.tolist()  # 2 / (2 * 2); item 2 never met
    ([[1, -1]], [[0.5, nan]])

    Args:
        start: first item of the block.
        counts: how often each item of the block meets each item.
        likeness: what turns counts into similarities.
        best: b rows, written.
    """
    n = counts.shape[1]
    codes, scores = np.arange(n).astype(np.int32), np.empty(n, np.float32)
    right, shrinkage, union = likeness.right, likeness.shrinkage, likeness.union
    for row in range(len(counts)):
        met, left = counts[row], likeness.left[start + row]
        if union:
            for j in range(n):
                scores[j] = np.float32(met[j] / (left + right[j] - met[j] + shrinkage)) if met[j] > 0 else NOTHING
        else:
            for j in range(n):
                scores[j] = np.float32(met[j] / (left * right[j] + shrinkage)) if met[j] > 0 else NOTHING
        scores[start + row] = np.nan
        top_k(scores, codes, best.items[row], best.scores[row])


@njit(nogil=True, cache=True, error_model="numpy")
def similar_sparse(start: int, rows: Rows, likeness: Likeness, best: Best) -> None:
    """Find the same as :func:`similar_full`, of the stored counts of a symmetric sparse matrix (data int64).

    >>> best = Best(np.empty((1, 1), np.int32), np.empty((1, 1), np.float32))
    >>> rows = Rows(np.int64([0, 2]), np.int32([0, 1]), np.int64([4, 2]))
    >>> similar_sparse(0, rows, Likeness(np.float64([4, 2]), np.float64([4, 2]), 0.0, True), best)
    >>> best.items.tolist(), best.scores.tolist()  # 2 / (4 + 2 - 2)
    ([[1]], [[0.5]])

    Args:
        start: first item of the block.
        rows: all n rows.
        likeness: what turns counts into similarities.
        best: b rows, written.
    """
    for row in range(len(best.items)):
        own = start + row
        codes = rows.indices[rows.indptr[own] : rows.indptr[own + 1]]
        counts = rows.data[rows.indptr[own] : rows.indptr[own + 1]]
        scores = np.empty(len(codes), np.float32)
        for p in range(len(codes)):
            scores[p] = np.nan if codes[p] == own else _similarity(counts[p], own, codes[p], likeness)
        top_k(scores, codes, best.items[row], best.scores[row])
