"""Linear scoring fused with keeping the best k."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from penchant.core.arrays import Float32, Int32
from penchant.kernels.heap import offer, ranked, scan, top_k
from penchant.kernels.layout import Best, Linear, Rows, Space

__all__ = ["add_dense", "add_sparse", "addends", "rank_dense", "rank_scores", "rank_sparse", "top_k"]

TILE = 512
"Columns of a dense matrix that a block of histories is scored on before the next; a row's part fits the nearest cache."


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
def _add_part(places: Int32, signal: Float32, weights: Float32, first: int, out: Float32) -> bool:
    """Set ``out`` to the columns from ``first`` on of the signal-weighted sum of rows; tell whether one took part."""
    out[:] = 0
    silent, n = True, len(out)
    for p in range(len(places)):
        if places[p] >= 0 and signal[p] != 0:
            silent = False
            row, s = weights[places[p], first : first + n], signal[p]
            for j in range(n):
                out[j] += s * row[j]
    return not silent


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
    for first in range(0, len(out), TILE):
        if not _add_part(places, signal, weights, first, out[first : first + TILE]):
            out[:] = np.nan


@njit(nogil=True, cache=True)
def rank_dense(rows: Rows, weights: Float32, space: Space, exclude_seen: bool, best: Best) -> None:
    """Score rows against a dense item-item matrix and keep the best, some columns of all rows after the other.

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
    b, k = best.items.shape
    n, heap = len(space.codes), Best(best.items.reshape(-1), best.scores.reshape(-1))
    places, scores, size = space.positions[rows.indices], np.empty(TILE, np.float32), np.zeros(b, np.int64)
    for first in range(0, n, TILE):
        part, labels = scores[: min(TILE, n - first)], space.codes[first : first + TILE]
        for r in range(b):
            own = places[rows.indptr[r] : rows.indptr[r + 1]]
            if not _add_part(own, rows.data[rows.indptr[r] : rows.indptr[r + 1]], weights, first, part):
                continue
            if exclude_seen:
                for place in own:
                    if first <= place < first + len(part):
                        part[place - first] = np.nan
            size[r] = scan(part, labels, heap, (r * k, k), size[r])
    for r in range(b):
        ranked(heap, (r * k, k), size[r])


@njit(nogil=True, cache=True)
def add_sparse(places: Int32, signal: Float32, linear: Linear, out: Float32) -> None:
    """Set ``out`` to the bases plus the signal-weighted sum of sparse rows; NaN where no row reaches.

    >>> postings = Rows(np.int64([0, 1, 1]), np.int32([1]), np.float32([0.5]))
    >>> out = np.empty(2, np.float32)
    >>> add_sparse(np.int32([0]), np.float32([2]), Linear(postings, np.float32([0.25, 0.25])), out)
    >>> out.tolist()
    [nan, 1.25]

    Args:
        places: int32[m], rows of the postings; -1 for none.
        signal: float32[m].
        linear: n rows and the bases.
        out: float32[n], written.
    """
    postings, base = linear
    reached = np.zeros(len(out), np.uint8)
    out[:] = base
    for p in range(len(places)):
        if places[p] >= 0 and signal[p] != 0:
            for q in range(postings.indptr[places[p]], postings.indptr[places[p] + 1]):
                j = postings.indices[q]
                reached[j] = 1
                out[j] += signal[p] * postings.data[q]
    for j in range(len(out)):  # no branch depends on what was reached, here or above: it could not be foreseen
        out[j] = out[j] if reached[j] != 0 else np.float32(np.nan)


@njit(nogil=True, cache=True)
def addends(places: Int32, signal: Float32, columns: Int32, postings: Rows) -> Any:
    """Return float32[m, d] and bool[m]: what rows of the postings add to a few columns, and which of these they reach.

    >>> postings = Rows(np.int64([0, 2, 2]), np.int32([0, 1]), np.float32([0.5, 0.25]))
    >>> [found.tolist() for found in addends(np.int32([0, 1]), np.float32([2, 2]), np.int32([1, -1]), postings)]
    [[[0.5, 0.0], [0.0, 0.0]], [True, False]]

    Time is the number of postings of the rows: most are told to lead elsewhere by one look at a mark.

    Args:
        places: int32[d], rows; -1 for none.
        signal: float32[d].
        columns: int32[m]; -1 for none.
        postings: n rows over n columns.
    """
    table, reached = np.zeros((len(columns), len(places)), np.float32), np.zeros(len(columns), np.bool_)
    wanted = np.zeros(len(postings.indptr) - 1, np.bool_)
    for column in columns:
        if column >= 0:
            wanted[column] = True
    for e in range(len(places)):
        if places[e] < 0:
            continue
        for q in range(postings.indptr[places[e]], postings.indptr[places[e] + 1]):
            if wanted[postings.indices[q]]:
                for row in range(len(columns)):
                    if columns[row] == postings.indices[q]:
                        table[row, e] += signal[e] * postings.data[q]
                        reached[row] |= signal[e] != 0
    return table, reached


class _Sums(NamedTuple):
    """Scores of one row after the other: only what the row reaches is written."""

    scores: Float32
    row: Int32
    reached: Int32


@njit(nogil=True, cache=True)
def _add_row(number: int, places: Int32, signal: Float32, linear: Linear, sums: _Sums) -> int:
    """Add up rows of the postings on top of the bases, list what they reach, and return how much that is."""
    postings, count = linear.postings, 0
    for p in range(len(places)):
        if places[p] >= 0 and signal[p] != 0:
            for q in range(postings.indptr[places[p]], postings.indptr[places[p] + 1]):
                j = postings.indices[q]
                if sums.row[j] != number:
                    sums.row[j], sums.scores[j], sums.reached[count] = number, linear.base[j], j
                    count += 1
                sums.scores[j] += signal[p] * postings.data[q]
    return count


@njit(nogil=True, cache=True)
def rank_sparse(rows: Rows, linear: Linear, space: Space, exclude_seen: bool, best: Best) -> None:
    """Like :func:`rank_dense` with the item-item matrix as postings; an item that none reaches cannot be ranked.

    >>> rows = Rows(np.int64([0, 1]), np.int32([0]), np.float32([2]))  # one history: item 0
    >>> codes, best = np.arange(3, dtype=np.int32), Best(np.empty((1, 2), np.int32), np.empty((1, 2), np.float32))
    >>> postings = Rows(np.int64([0, 1, 1, 1]), np.int32([2]), np.float32([0.5]))  # item 0 reaches item 2 only
    >>> rank_sparse(rows, Linear(postings, np.zeros(3, np.float32)), Space(codes, codes), True, best)
    >>> best.items.tolist(), best.scores.tolist()
    ([[2, -1]], [[1.0, nan]])

    Time is the number of postings read: what a row does not reach is not looked at.
    """
    b, k = best.items.shape
    n, heap = len(space.codes), Best(best.items.reshape(-1), best.scores.reshape(-1))
    sums = _Sums(np.empty(n, np.float32), np.full(n, -1, np.int32), np.empty(n, np.int32))
    for r in range(b):
        own = space.positions[rows.indices[rows.indptr[r] : rows.indptr[r + 1]]]
        count = _add_row(r, own, rows.data[rows.indptr[r] : rows.indptr[r + 1]], linear, sums)
        if exclude_seen:
            for place in own:
                if place >= 0:
                    sums.scores[place] = np.nan
        size = 0
        for c in range(count):
            score = sums.scores[sums.reached[c]]
            if (size < k and not np.isnan(score)) or score >= heap.scores[r * k]:
                size = offer(score, space.codes[sums.reached[c]], heap, (r * k, k), size)
        ranked(heap, (r * k, k), size)
