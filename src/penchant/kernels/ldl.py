"""A sparse LDL of an inverse: each item told by its strongest predecessors, by a small dense solve of its own."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from penchant.core.arrays import Float32, Float64, Int32, Int64
from penchant.kernels.layout import ZERO, Rows

__all__ = ["factor_block", "factor_ldl", "solve_ldl", "strongest_block", "weigh_block"]

_PIVOT = 1e-6
"Pivots of a matrix with ones on its diagonal below this are taken for 0."

_FAST = {"reassoc", "contract", "nsz", "arcp"}


@njit(nogil=True, cache=True)
def _largest(values: Any, count: int, wanted: int, out: Int32) -> int:
    """Write where the ``wanted`` largest of the first ``count`` values are, ascending; of equals the later ones."""
    taken = min(count, wanted)
    if taken == count:
        for p in range(count):
            out[p] = p
        return count
    if taken == 0:
        return 0
    cut = np.partition(values[:count], count - taken)[count - taken]
    room = taken
    for p in range(count):
        room -= values[p] > cut
    at = taken
    for p in range(count - 1, -1, -1):
        if values[p] > cut or (values[p] == cut and room > 0):
            room -= values[p] == cut
            at -= 1
            out[at] = p
    return taken


@njit(nogil=True, cache=True)
def strongest_block(start: int, rows: Rows, scale: Float64, keep: int) -> tuple[Int64, Int32, Float32]:
    """Keep, in each row of counts, the entries after the diagonal that are largest once both items are scaled.

    >>> rows = Rows(np.int64([0, 3]), np.int32([0, 1, 2]), np.int64([4, 2, 2]))
    >>> [part.tolist() for part in strongest_block(0, rows, np.float64([0.5, 0.5, 0.25]), 1)]
    [[1], [1], [0.5]]

    Args:
        start: the item of the first row.
        rows: ascending columns, data whole numbers.
        scale: float64[n], what the counts of each item are multiplied by.
        keep: entries kept a row.

    Returns:
        int64[b] entries a row, int32[nnz] ascending columns, float32[nnz] scaled counts.
    """
    b = len(rows.indptr) - 1
    lengths = np.zeros(b, np.int64)
    longest = 0
    for r in range(b):
        longest = max(longest, int(rows.indptr[r + 1] - rows.indptr[r]))
    keep = min(keep, longest)
    indices, values = np.empty(b * keep, np.int32), np.empty(b * keep, np.float32)
    scaled, columns, chosen = np.empty(longest, np.float32), np.empty(longest, np.int32), np.empty(keep, np.int32)
    at = 0
    for r in range(b):
        found = ZERO
        for p in range(rows.indptr[r], rows.indptr[r + 1]):
            j = rows.indices[p]
            if j > start + r:
                columns[found], scaled[found] = j, rows.data[p] * scale[start + r] * scale[j]
                found += 1
        lengths[r] = _largest(scaled, found, keep, chosen)
        for c in chosen[: lengths[r]]:
            indices[at], values[at] = columns[c], scaled[c]
            at += 1
    return lengths, indices[:at].copy(), values[:at].copy()


@njit(nogil=True, cache=True, fastmath=_FAST)
def factor_ldl(matrix: Float64) -> bool:
    """Factor a symmetric matrix (float64[m, m], its lower triangle) in place: L below the diagonal, D on it.

    >>> matrix = np.float64([[4, 0], [2, 3]])
    >>> factor_ldl(matrix), matrix.tolist()  # [[1, 0], [0.5, 1]], 4 and 2
    (True, [[4.0, 0.0], [0.5, 2.0]])

    Returns:
        Whether all pivots are positive; where not, the matrix is left half done.
    """
    for i in range(len(matrix)):
        for j in range(i):
            total = matrix[i, j]
            for k in range(j):
                total -= matrix[i, k] * matrix[j, k]
            matrix[i, j] = total
        pivot = matrix[i, i]
        for j in range(i):
            scaled = matrix[i, j] / matrix[j, j]
            pivot -= matrix[i, j] * scaled
            matrix[i, j] = scaled
        if pivot < _PIVOT:
            return False
        matrix[i, i] = pivot
    return True


@njit(nogil=True, cache=True, fastmath=_FAST)
def solve_ldl(matrix: Float64, right: Float64) -> None:
    """Solve L D L' x = right (float64[m]) in place, with what :func:`factor_ldl` made.

    >>> right = np.float64([8, 8])
    >>> solve_ldl(np.float64([[4, 0], [0.5, 2]]), right)
    >>> right.tolist()  # [[4, 2], [2, 3]] x = [8, 8]
    [1.0, 2.0]
    """
    m = len(matrix)
    for i in range(m):
        for k in range(i):
            right[i] -= matrix[i, k] * right[k]
    for i in range(m):
        right[i] /= matrix[i, i]
    for i in range(m - 1, -1, -1):
        for k in range(i):
            right[k] -= matrix[i, k] * right[i]


@njit(nogil=True, cache=True)
def _gather(near: Rows, members: Int32, place: Int32, matrix: Float64) -> None:
    """Write the entries among some items into the lower triangle of a matrix with ones on its diagonal."""
    matrix[:] = 0
    for a in range(len(members)):
        place[members[a]] = a
    for a in range(len(members)):
        matrix[a, a] = 1
        for p in range(near.indptr[members[a]], near.indptr[members[a] + 1]):
            b = place[near.indices[p]]
            if b >= 0:
                matrix[b, a] = near.data[p]
    for a in range(len(members)):
        place[members[a]] = -1


@njit(nogil=True, cache=True)
def _regress(near: Rows, members: Int32, right: Float64, place: Int32) -> tuple[Float64, int]:
    """Return the solution for ``right`` of the matrix among some items, and how often its diagonal was raised."""
    matrix, share = np.empty((len(members), len(members)), np.float64), right.copy()
    _gather(near, members, place, matrix)
    shift, raised = 0.0, 0
    while not factor_ldl(matrix):
        shift = max(2.0 * shift, 0.01)
        raised += 1
        _gather(near, members, place, matrix)
        for a in range(len(members)):
            matrix[a, a] += shift
    solve_ldl(matrix, share)
    return share, raised


@njit(nogil=True, cache=True)
def factor_block(start: int, stop: int, near: Rows, wanted: int, floor: Float64) -> tuple[Int64, Int32, Float32, int]:
    """Return rows of W, where W'W is the approximate inverse of a matrix A with ones on its diagonal.

    Row j regresses item j on the ``wanted`` strongest of its predecessors S: A[S, S] c = A[S, j], and holds
    (1, -c) / sqrt(1 - c'A[S, j]). Where entries left out of A make A[S, S] indefinite, its diagonal is raised by 0.01,
    0.02, 0.04 and so on until it is not.

    >>> near = Rows(np.int64([0, 1, 1]), np.int32([1]), np.float32([0.75]))
    >>> [part.tolist() for part in factor_block(0, 2, near, 5, np.float64([0.5625, 0.5625]))[:3]]  # 1 - 0.75^2 < 0.5625
    [[2, 1], [0, 1, 1], [1.3333333730697632, -1.0, 1.0]]

    Args:
        start: first item of the block.
        stop: first item after it.
        near: for each item, its ascending predecessors, which have larger numbers, and the entries of A.
        wanted: at most this many predecessors an item.
        floor: float64[n], what 1 - c'A[S, j] cannot be below.

    Returns:
        int64[b] entries a row, int32[nnz] ascending columns, float32[nnz] values, and how often a diagonal was raised.
    """
    n = len(near.indptr) - 1
    longest = 0
    for j in range(start, stop):
        longest = max(longest, int(near.indptr[j + 1] - near.indptr[j]))
    wanted = min(wanted, longest)
    lengths = np.zeros(stop - start, np.int64)
    room = (stop - start) * (wanted + 1)
    indices, values = np.empty(room, np.int32), np.empty(room, np.float32)
    place, chosen = np.full(n, -1, np.int32), np.empty(wanted, np.int32)
    at, raised = 0, 0
    for j in range(start, stop):
        begin, end = near.indptr[j], near.indptr[j + 1]
        taken = _largest(near.data[begin:end], end - begin, wanted, chosen)
        members = near.indices[begin:end][chosen[:taken]]
        right = near.data[begin:end][chosen[:taken]].astype(np.float64)
        share, shifts = _regress(near, members, right, place)
        raised += shifts
        left = 1.0
        for a in range(taken):
            left -= share[a] * right[a]
        norm = 1.0 / np.sqrt(max(left, floor[j]))
        indices[at], values[at] = j, norm
        for a in range(taken):
            indices[at + 1 + a], values[at + 1 + a] = members[a], -share[a] * norm
        lengths[j - start] = taken + 1
        at += taken + 1
    return lengths, indices[:at].copy(), values[:at].copy(), raised


@njit(nogil=True, cache=True)
def _column(j: int, factor: Rows, columns: Rows, total: Float64, touched: Int32) -> int:
    """Add up column ``j`` of W'W in ``total``, which is NaN where nothing was added; return how many were touched."""
    found = 0
    for p in range(columns.indptr[j], columns.indptr[j + 1]):
        k, weight = columns.indices[p], np.float64(columns.data[p])
        for q in range(factor.indptr[k], factor.indptr[k + 1]):
            i = factor.indices[q]
            if np.isnan(total[i]):
                total[i], touched[found] = 0, i
                found += 1
            total[i] += weight * factor.data[q]
    return found


@njit(nogil=True, cache=True)
def weigh_block(start: int, stop: int, factor: Rows, columns: Rows, keep: int) -> tuple[Int64, Int32, Float32]:
    """Return the strongest weights of items ``start`` to ``stop``: -P_ij / P_jj of P = W'W, column j by column j.

    >>> factor = Rows(np.int64([0, 2, 3]), np.int32([0, 1, 1]), np.float32([2, -1, 1]))
    >>> columns = Rows(np.int64([0, 1, 3]), np.int32([0, 0, 1]), np.float32([2, -1, 1]))
    >>> [part.tolist() for part in weigh_block(0, 2, factor, columns, 5)]  # P = [[4, -2], [-2, 2]]
    [[1, 1], [1, 0], [0.5, 1.0]]

    Args:
        start: first item of the block.
        stop: first item after it.
        factor: W.
        columns: its transpose.
        keep: weights kept an item, those of largest size.

    Returns:
        int64[b] weights an item, int32[nnz] ascending items i, float32[nnz] weights.
    """
    n = len(factor.indptr) - 1
    keep = min(keep, n - 1)
    total, touched = np.full(n, np.nan), np.empty(n, np.int32)
    size, chosen = np.empty(n, np.float32), np.empty(keep, np.int32)
    lengths = np.zeros(stop - start, np.int64)
    indices, values = np.empty((stop - start) * keep, np.int32), np.empty((stop - start) * keep, np.float32)
    at = 0
    for j in range(start, stop):
        found = _column(j, factor, columns, total, touched)
        own, reached = total[j], np.sort(touched[:found])
        for a in range(found):
            size[a] = -1.0 if reached[a] == j else abs(total[reached[a]])
        lengths[j - start] = _largest(size, found, min(keep, found - 1), chosen)
        for c in chosen[: lengths[j - start]]:
            indices[at], values[at] = reached[c], -total[reached[c]] / own
            at += 1
        total[touched[:found]] = np.nan
    return lengths, indices[:at].copy(), values[:at].copy()
