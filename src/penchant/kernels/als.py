"""Alternating least squares, exactly: the best vector of each row, and how far the vectors are from the data."""

from __future__ import annotations

import numpy as np
from numba import njit

from penchant.core.arrays import Float32, Float64
from penchant.kernels.layout import Rows, Side

__all__ = ["FAST", "add_outer", "misfit_rows", "solve_rows", "solve_spd"]

FAST = {"reassoc", "contract", "nsz", "arcp"}
"What sums may be rearranged for speed; NaN and infinity keep their meaning."


@njit(nogil=True, cache=True, fastmath=FAST)
def _take_panel(a: Float64, first: int) -> None:
    """Take the four rows from ``first``, which are done, from all rows below them, two at a time."""
    d, last = len(a), first + 4
    for j in range(last, d - 1, 2):
        upper, lower = a[j, j:], a[j + 1, j:]
        p0, p1, p2, p3 = a[first, j:], a[first + 1, j:], a[first + 2, j:], a[first + 3, j:]
        f0, f1, f2, f3 = p0[0], p1[0], p2[0], p3[0]
        g0, g1, g2, g3 = p0[1], p1[1], p2[1], p3[1]
        for i in range(len(upper)):
            upper[i] -= f0 * p0[i] + f1 * p1[i] + f2 * p2[i] + f3 * p3[i]
            lower[i] -= g0 * p0[i] + g1 * p1[i] + g2 * p2[i] + g3 * p3[i]
    if (d - last) % 2:
        for k in range(first, last):
            a[d - 1, d - 1] -= a[k, d - 1] * a[k, d - 1]


@njit(nogil=True, cache=True, fastmath=FAST)
def solve_spd(a: Float64, b: Float64) -> None:
    """Solve a x = b by Cholesky a = U'U on the upper triangle, four rows at a time.

    >>> a, b = np.float64([[4, 2], [0, 5]]), np.float64([8, 16])
    >>> solve_spd(a, b)
    >>> b.tolist()  # 4 x + 2 y = 8, 2 x + 5 y = 16
    [0.5, 3.0]

    Args:
        a: float64[d, d], positive definite; the upper triangle is read, and overwritten.
        b: float64[d], becomes x.
    """
    d = len(b)
    for first in range(0, d, 4):
        last = min(first + 4, d)
        for k in range(first, last):
            own = a[k, k:]
            for m in range(first, k):
                done = a[m, k:]
                factor = done[0]
                for i in range(len(own)):
                    own[i] -= factor * done[i]
            own *= 1.0 / np.sqrt(own[0])
        if last < d:
            _take_panel(a, first)
    for k in range(d):
        own, rest = a[k, k:], b[k:]
        rest[0] /= own[0]
        factor = rest[0]
        for i in range(1, len(own)):
            rest[i] -= own[i] * factor
    for k in range(d - 1, -1, -1):
        own, rest = a[k, k:], b[k:]
        total = rest[0]
        for i in range(1, len(own)):
            total -= own[i] * rest[i]
        rest[0] = total / own[0]


@njit(nogil=True, cache=True, fastmath=FAST)
def add_outer(row: Rows, vectors: Float32, start: int, a: Float64) -> None:
    """Add sum_i c_i h_i h_i' to the upper triangle of ``a``, over the entries of one row and the axes from ``start``.

    Below the diagonal anything may be written.

    >>> a, row = np.zeros((2, 2)), Rows(np.int64([0, 1]), np.int32([0]), np.float32([3]))
    >>> add_outer(row, np.float32([[7, 1, 2]]), 1, a)
    >>> a.tolist()  # 3 (1 2)'(1 2)
    [[3.0, 6.0], [6.0, 12.0]]

    Args:
        row: one row; data is c_i.
        vectors: float32[m, d], h.
        start: the first axis of the block.
        a: float64[b, b].
    """
    size, n = len(a), len(row.indices)
    tile = np.empty((4, size), np.float64)
    for first in range(0, n, 4):
        for k in range(4):
            if first + k < n:
                for i in range(size):
                    tile[k, i] = vectors[row.indices[first + k], start + i]
            else:
                tile[k] = 0.0
        c0 = row.data[first]
        c1 = row.data[min(first + 1, n - 1)]
        c2 = row.data[min(first + 2, n - 1)]
        c3 = row.data[min(first + 3, n - 1)]
        for i in range(0, size - 1, 2):
            upper, lower = a[i, i:], a[i + 1, i:]
            t0, t1, t2, t3 = tile[0, i:], tile[1, i:], tile[2, i:], tile[3, i:]
            f0, f1, f2, f3 = c0 * t0[0], c1 * t1[0], c2 * t2[0], c3 * t3[0]
            g0, g1, g2, g3 = c0 * t0[1], c1 * t1[1], c2 * t2[1], c3 * t3[1]
            for j in range(len(upper)):
                upper[j] += f0 * t0[j] + f1 * t1[j] + f2 * t2[j] + f3 * t3[j]
                lower[j] += g0 * t0[j] + g1 * t1[j] + g2 * t2[j] + g3 * t3[j]
        if size % 2:
            last = size - 1
            for k, c in enumerate((c0, c1, c2, c3)):
                a[last, last] += c * tile[k, last] * tile[k, last]


@njit(nogil=True, cache=True)
def solve_rows(rows: Rows, target: Float32, side: Side, ridge: Float64, out: Float32) -> None:
    """Solve (gram + sum_i c_i h_i h_i' + ridge I) w = sum_i b_i h_i for each row, in float64.

    Memory is 8 d^2 bytes, time d^2 nnz + d^3 b / 3.

    >>> rows = Rows(np.int64([0, 1]), np.int32([0]), np.float32([1]))
    >>> side, out = Side(np.float32([[2]]), np.float64([[3]])), np.empty((1, 1), np.float32)
    >>> solve_rows(rows, np.float32([1]), side, np.float64([1]), out)
    >>> out.tolist()  # 2 / (3 + 4 + 1)
    [[0.25]]

    Args:
        rows: b rows over ``side.vectors``; data is c_i, the confidence beyond what the gram holds already.
        target: float32[nnz], b_i.
        side: the vectors h that stand still, and their gram.
        ridge: float64[b].
        out: float32[b, d], written.
    """
    d = side.vectors.shape[1]
    a = np.empty((d, d), np.float64)
    b = np.empty(d, np.float64)
    for r in range(len(rows.indptr) - 1):
        start, stop = rows.indptr[r], rows.indptr[r + 1]
        b[:] = 0
        for j in range(d):
            for i in range(d):
                a[j, i] = side.gram[j, i]
            a[j, j] += ridge[r]
        for p in range(start, stop):
            for j in range(d):
                b[j] += target[p] * side.vectors[rows.indices[p], j]
        add_outer(Rows(rows.indptr[r : r + 2], rows.indices[start:stop], rows.data[start:stop]), side.vectors, 0, a)
        solve_spd(a, b)
        for j in range(d):
            out[r, j] = b[j]


@njit(nogil=True, cache=True, fastmath=FAST)
def misfit_rows(rows: Rows, own: Float32, other: Float32) -> tuple[float, float]:
    """Return, over the stored pairs, the sums of c (w.h - 1)^2 and of 1 - 2 w.h, in float64.

    The rest of the objective of IALS needs no pairs: it is in the grams of both sides.

    >>> rows = Rows(np.int64([0, 2]), np.int32([0, 1]), np.float32([2, 3]))
    >>> misfit_rows(rows, np.float32([[1]]), np.float32([[0], [3]]))  # 2 (0 - 1)^2 + 3 (3 - 1)^2; 1 - 0 + 1 - 6
    (14.0, -4.0)

    Args:
        rows: b rows over ``other``; data is c.
        own: float32[b, d], w.
        other: float32[m, d], h.
    """
    far, near = 0.0, 0.0
    for r in range(len(rows.indptr) - 1):
        for p in range(rows.indptr[r], rows.indptr[r + 1]):
            score = np.float32(0)
            for j in range(own.shape[1]):
                score += own[r, j] * other[rows.indices[p], j]
            far += float(rows.data[p] * (score - 1.0) * (score - 1.0))
            near += float(1.0 - 2.0 * score)
    return far, near
