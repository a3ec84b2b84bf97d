"""How often items meet in the same history, in exact integers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from penchant.core.arrays import Float32, Int32, Int64
from penchant.kernels.layout import Best, Meets, Rows, Scale
from penchant.kernels.topk import top_k

__all__ = ["count_full", "count_sparse", "grown", "multiply_sparse", "neighbours_block", "spread_full"]


@njit(nogil=True, cache=True)
def count_full(start: int, stop: int, meets: Meets, out: Any) -> None:
    """Count, for items ``start`` to ``stop``, what the people they share with every later item weigh together.

    >>> indptr, ones = np.int64([0, 1, 3]), np.int32([1, 1, 1])
    >>> meets = Meets(indptr, np.int64([0, 1, 2]), np.int64([2, 2, 3]), np.int32([0, 1, 1]), ones)
    >>> packed = np.zeros(3, np.int64)  # two people: items 0 and 1, item 1
    >>> count_full(0, 2, meets, packed)
    >>> packed.tolist()  # (0, 0), (0, 1), (1, 1)
    [1, 1, 2]

    Args:
        start: first item of the block.
        stop: first item after it.
        meets: who holds each item, and what else they hold.
        out: int[n (n + 1) / 2], the upper triangle row by row; the rows of the block are written.
    """
    n = len(meets.indptr) - 1
    row = np.empty(n, out.dtype)  # the far longer triangle would cost a page for every row
    for i in range(start, stop):
        row[i:] = 0
        for p in range(meets.indptr[i], meets.indptr[i + 1]):
            weight = meets.weights[p]
            for q in range(meets.first[p], meets.last[p]):
                row[meets.items[q]] += weight
        base = i * n - i * (i - 1) // 2 - i
        for j in range(i, n):  # an assignment of slices would take seconds to compile
            out[base + j] = row[j]


@njit(nogil=True, cache=True)
def count_sparse(start: int, stop: int, meets: Meets) -> tuple[Int64, Int32, Int64]:
    """Count as :func:`count_full` does, and return the rows of the block as a sparse matrix.

    >>> indptr, ones = np.int64([0, 1, 3]), np.int32([1, 1, 1])
    >>> meets = Meets(indptr, np.int64([0, 1, 2]), np.int64([2, 2, 3]), np.int32([0, 1, 1]), ones)
    >>> [part.tolist() for part in count_sparse(0, 2, meets)]
    [[2, 1], [0, 1, 1], [1, 1, 2]]

    Returns:
        int64[b] entries a row, int32[nnz] ascending columns of each row, int64[nnz] what they count.
    """
    n = len(meets.indptr) - 1
    totals, lengths = np.zeros(n, np.int64), np.zeros(stop - start, np.int64)
    touched = np.empty(n, np.int32)
    size = 1024
    indices, counts = np.empty(size, np.int32), np.empty(size, np.int64)
    at = 0
    for i in range(start, stop):
        found = 0
        for p in range(meets.indptr[i], meets.indptr[i + 1]):
            weight = meets.weights[p]
            for q in range(meets.first[p], meets.last[p]):
                j = meets.items[q]
                if totals[j] == 0:
                    touched[found] = j
                    found += 1
                totals[j] += weight
        if at + found > size:
            size = max(2 * size, at + found)
            indices, counts = grown(indices, size), grown(counts, size)
        row = np.sort(touched[:found])
        for j in row:
            indices[at], counts[at] = j, totals[j]
            totals[j] = 0
            at += 1
        lengths[i - start] = found
    return lengths, indices[:at].copy(), counts[:at].copy()


@njit(nogil=True, cache=True)
def multiply_sparse(start: int, stop: int, left: Rows, right: Rows) -> tuple[Int64, Int32, Int64]:
    """Return rows ``start`` to ``stop`` of a product of two sparse integer matrices, also where it is 0.

    >>> left = Rows(np.int64([0, 2]), np.int32([0, 1]), np.int32([2, 3]))
    >>> right = Rows(np.int64([0, 1, 2]), np.int32([1, 0]), np.int32([5, 7]))
    >>> [part.tolist() for part in multiply_sparse(0, 1, left, right)]  # [2 3] x [[0 5] [7 0]]
    [[2], [0, 1], [21, 10]]

    Args:
        start: first row.
        stop: first row after the block.
        left: rows, data int32.
        right: rows, data int32.

    Returns:
        int64[b] entries a row, int32[nnz] ascending columns of each row, int64[nnz] products.
    """
    n = right.indices.max() + 1 if len(right.indices) else 0
    totals, seen = np.zeros(n, np.int64), np.zeros(n, np.bool_)
    lengths, touched = np.zeros(stop - start, np.int64), np.empty(n, np.int32)
    size = 1024
    indices, counts = np.empty(size, np.int32), np.empty(size, np.int64)
    at = 0
    for i in range(start, stop):
        found = 0
        for p in range(left.indptr[i], left.indptr[i + 1]):
            weight, k = np.int64(left.data[p]), left.indices[p]
            for q in range(right.indptr[k], right.indptr[k + 1]):
                j = right.indices[q]
                if not seen[j]:
                    seen[j] = True
                    touched[found] = j
                    found += 1
                totals[j] += weight * right.data[q]
        if at + found > size:
            size = max(2 * size, at + found)
            indices, counts = grown(indices, size), grown(counts, size)
        for j in np.sort(touched[:found]):
            indices[at], counts[at] = j, totals[j]
            totals[j], seen[j] = 0, False
            at += 1
        lengths[i - start] = found
    return lengths, indices[:at].copy(), counts[:at].copy()


@njit(nogil=True, cache=True)
def grown(values: Any, size: int) -> Any:
    """Return an array of ``size`` that begins with the values; what comes after is not set.

    >>> grown(np.int32([3, 4]), 5)[:2].tolist()
    [3, 4]
    """
    longer = np.empty(size, values.dtype)
    for p in range(len(values)):  # as above
        longer[p] = values[p]
    return longer


@njit(nogil=True, cache=True)
def spread_full(start: int, stop: int, packed: Any, out: Float32) -> None:
    """Write rows of a packed upper triangle into the upper triangle of a square matrix (float32[n, n]).

    >>> out = np.zeros((2, 2), np.float32)
    >>> spread_full(0, 2, np.int64([1, 2, 3]), out)
    >>> out.tolist()
    [[1.0, 2.0], [0.0, 3.0]]
    """
    n = len(out)
    for i in range(start, stop):
        base = i * n - i * (i - 1) // 2 - i
        for j in range(i, n):
            out[i, j] = packed[base + j]


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
