"""The best k of many numbers, and linear scoring fused with it."""

from __future__ import annotations

import numpy as np
from numba import njit

from penchant.core.arrays import Bool, Float32, Int32
from penchant.kernels.layout import Best, Linear, Rows, Space

__all__ = ["add_dense", "add_sparse", "rank_dense", "rank_factors", "rank_scores", "rank_sparse", "top_k"]


@njit(nogil=True, cache=True)
def _sift(values: Float32, codes: Int32, size: int) -> None:
    """Restore the heap whose root is the worst entry: the lowest value, and of equals the highest code."""
    at = 0
    while True:
        worst, left = at, 2 * at + 1
        for child in (left, left + 1):
            if child < size and (
                values[child] < values[worst] or (values[child] == values[worst] and codes[child] > codes[worst])
            ):
                worst = child
        if worst == at:
            return
        values[at], values[worst] = values[worst], values[at]
        codes[at], codes[worst] = codes[worst], codes[at]
        at = worst


@njit(nogil=True, cache=True)
def top_k(scores: Float32, codes: Int32, items: Int32, values: Float32) -> None:
    """Write the codes and scores of the k best into ``items`` and ``values`` (length k), best first.

    NaN cannot be ranked; equal scores are ordered by code. Slots that stay empty hold -1 and NaN.

    >>> items, values = np.empty(2, np.int32), np.empty(2, np.float32)
    >>> top_k(np.float32([1, np.nan, 3, 3]), np.int32([5, 6, 7, 8]), items, values)
    >>> items.tolist(), values.tolist()
    ([7, 8], [3.0, 3.0])

    Args:
        scores: float32[n].
        codes: int32[n], ascending, what the scores belong to.
        items: int32[k], written.
        values: float32[k], written.
    """
    items[:] = -1
    values[:] = np.nan
    k, size = len(items), 0
    for c in range(len(scores)):
        score = scores[c]
        if np.isnan(score):
            continue
        if size < k:
            at, size = size, size + 1
            values[at], items[at] = score, codes[c]
            while at > 0:
                up = (at - 1) // 2
                if not (values[at] < values[up] or (values[at] == values[up] and items[at] > items[up])):
                    break
                values[at], values[up] = values[up], values[at]
                items[at], items[up] = items[up], items[at]
                at = up
        elif score > values[0]:
            values[0], items[0] = score, codes[c]
            _sift(values, items, size)
    for end in range(size - 1, 0, -1):
        values[0], values[end] = values[end], values[0]
        items[0], items[end] = items[end], items[0]
        _sift(values, items, end)


@njit(nogil=True, cache=True)
def _drop(scores: Float32, positions: Int32, seen: Int32) -> None:
    for p in range(len(seen)):
        at = positions[seen[p]]
        if at >= 0:
            scores[at] = np.nan


@njit(nogil=True, cache=True)
def rank_scores(scores: Float32, rows: Rows, space: Space, exclude_seen: bool, best: Best) -> None:
    """Rank rows of ready scores (float32[b, n], overwritten).

    >>> rows = Rows(np.int64([0, 1]), np.int32([0]), np.float32([1]))
    >>> space = Space(np.int32([0, 1]), np.int32([0, 1]))
    >>> best = Best(np.empty((1, 2), np.int32), np.empty((1, 2), np.float32))
    >>> rank_scores(np.float32([[3, 2]]), rows, space, True, best)
    >>> best.items.tolist()
    [[1, -1]]
    """
    for r in range(len(rows.indptr) - 1):
        if exclude_seen:
            _drop(scores[r], space.positions, rows.indices[rows.indptr[r] : rows.indptr[r + 1]])
        top_k(scores[r], space.codes, best.items[r], best.scores[r])


@njit(nogil=True, cache=True)
def add_dense(places: Int32, signal: Float32, weights: Float32, out: Float32) -> None:
    """Set ``out`` to the signal-weighted sum of rows of a matrix; NaN when no row takes part.

    >>> out = np.empty(2, np.float32)
    >>> add_dense(np.int32([1, -1]), np.float32([2, 5]), np.float32([[1, 1], [0, 3]]), out)
    >>> out.tolist()
    [0.0, 6.0]

    Args:
        places: int32[m], rows; -1 for none.
        signal: float32[m].
        weights: float32[n, n'], C order.
        out: float32[n'], written.
    """
    out[:] = 0
    silent = True
    for p in range(len(places)):
        if places[p] >= 0 and signal[p] != 0:
            silent = False
            row, s = weights[places[p]], signal[p]
            for j in range(len(out)):
                out[j] += s * row[j]
    if silent:
        out[:] = np.nan


@njit(nogil=True, cache=True)
def rank_dense(rows: Rows, weights: Float32, space: Space, exclude_seen: bool, best: Best) -> None:
    """Score rows against a dense item-item matrix and keep the best; only one row's scores exist at a time.

    >>> rows = Rows(np.int64([0, 1]), np.int32([0]), np.float32([2]))  # one history: item 0
    >>> codes, best = np.arange(3, dtype=np.int32), Best(np.empty((1, 2), np.int32), np.empty((1, 2), np.float32))
    >>> weights = np.float32([[0, 0.25, 0.5], [0.25, 0, 0], [0.5, 0, 0]])
    >>> rank_dense(rows, weights, Space(codes, codes), True, best)
    >>> best.items.tolist(), best.scores.tolist()
    ([[2, 1]], [[1.0, 0.5]])

    Args:
        rows: b histories over item codes, data is the signal.
        weights: float32[n, n] over candidates, C order: ``weights[i, j]`` is what history item i adds to j.
        space: the candidates.
        exclude_seen: leave out the row's own items.
        best: written.
    """
    scores = np.empty(len(space.codes), np.float32)
    for r in range(len(rows.indptr) - 1):
        own = rows.indices[rows.indptr[r] : rows.indptr[r + 1]]
        add_dense(space.positions[own], rows.data[rows.indptr[r] : rows.indptr[r + 1]], weights, scores)
        if exclude_seen:
            _drop(scores, space.positions, own)
        top_k(scores, space.codes, best.items[r], best.scores[r])


@njit(nogil=True, cache=True)
def add_sparse(places: Int32, signal: Float32, postings: Rows, reached: Bool, out: Float32) -> None:
    """Add to ``out`` (float32[n]) the signal-weighted sum of sparse rows; NaN where no row reaches.

    >>> postings = Rows(np.int64([0, 1, 1]), np.int32([1]), np.float32([0.5]))
    >>> out = np.zeros(2, np.float32)
    >>> add_sparse(np.int32([0]), np.float32([2]), postings, np.empty(2, np.bool_), out)
    >>> out.tolist()
    [nan, 1.0]

    Args:
        places: int32[m], rows of the postings; -1 for none.
        signal: float32[m].
        postings: n rows.
        reached: bool[n], scratch.
        out: float32[n], holds the bases; added to.
    """
    reached[:] = False
    for p in range(len(places)):
        if places[p] >= 0 and signal[p] != 0:
            for q in range(postings.indptr[places[p]], postings.indptr[places[p] + 1]):
                reached[postings.indices[q]] = True
                out[postings.indices[q]] += signal[p] * postings.data[q]
    for j in range(len(out)):
        if not reached[j]:
            out[j] = np.nan


@njit(nogil=True, cache=True)
def rank_sparse(rows: Rows, linear: Linear, space: Space, exclude_seen: bool, best: Best) -> None:
    """Like :func:`rank_dense` with the item-item matrix as postings; an item that none reaches cannot be ranked.

    >>> rows = Rows(np.int64([0, 1]), np.int32([0]), np.float32([2]))  # one history: item 0
    >>> codes, best = np.arange(3, dtype=np.int32), Best(np.empty((1, 2), np.int32), np.empty((1, 2), np.float32))
    >>> postings = Rows(np.int64([0, 1, 1, 1]), np.int32([2]), np.float32([0.5]))  # item 0 reaches item 2 only
    >>> rank_sparse(rows, Linear(postings, np.zeros(3, np.float32)), Space(codes, codes), True, best)
    >>> best.items.tolist(), best.scores.tolist()
    ([[2, -1]], [[1.0, nan]])
    """
    scores = np.empty(len(space.codes), np.float32)
    reached = np.empty(len(space.codes), np.bool_)
    for r in range(len(rows.indptr) - 1):
        own = rows.indices[rows.indptr[r] : rows.indptr[r + 1]]
        signal = rows.data[rows.indptr[r] : rows.indptr[r + 1]]
        scores[:] = linear.base
        add_sparse(space.positions[own], signal, linear.postings, reached, scores)
        if exclude_seen:
            _drop(scores, space.positions, own)
        top_k(scores, space.codes, best.items[r], best.scores[r])


@njit(nogil=True, cache=True)
def rank_factors(rows: Rows, factors: Float32, space: Space, exclude_seen: bool, best: Best) -> None:
    """Rank candidates by their inner product with a vector; a vector of zeros ranks nothing.

    >>> rows = Rows(np.int64([0, 1]), np.int32([0]), np.float32([[1, 0.5]]))  # one history: item 0, and its vector
    >>> codes, best = np.arange(3, dtype=np.int32), Best(np.empty((1, 2), np.int32), np.empty((1, 2), np.float32))
    >>> rank_factors(rows, np.float32([[1, 0, 1], [0, 1, 1]]), Space(codes, codes), True, best)
    >>> best.items.tolist(), best.scores.tolist()
    ([[2, 1]], [[1.5, 0.5]])

    Args:
        rows: b histories; data is float32[b, d], one vector each.
        factors: float32[d, n], C order: one column a candidate.
        space: the candidates.
        exclude_seen: leave out the row's own items.
        best: written.
    """
    scores = np.empty(len(space.codes), np.float32)
    axes = np.arange(len(factors)).astype(np.int32)
    for r in range(len(rows.indptr) - 1):
        add_dense(axes, rows.data[r], factors, scores)
        if exclude_seen:
            _drop(scores, space.positions, rows.indices[rows.indptr[r] : rows.indptr[r + 1]])
        top_k(scores, space.codes, best.items[r], best.scores[r])
