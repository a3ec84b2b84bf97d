"""One half-step of alternating least squares: exact solves for a block of rows."""

from __future__ import annotations

import numpy as np
from numba import njit

from penchant.core.arrays import Float32, Float64
from penchant.kernels.layout import Rows, Side

__all__ = ["solve_rows"]


@njit(nogil=True, cache=True)
def _solve_spd(a: Float64, b: Float64) -> None:
    """Solve a x = b by Cholesky a = U'U on the upper triangle, row by row; ``a`` is overwritten, ``b`` becomes x."""
    d = len(b)
    for k in range(d):
        a[k, k:] /= np.sqrt(a[k, k])
        for j in range(k + 1, d):
            factor = a[k, j]
            for i in range(j, d):
                a[j, i] -= factor * a[k, i]
    for k in range(d):
        b[k] /= a[k, k]
        for i in range(k + 1, d):
            b[i] -= a[k, i] * b[k]
    for k in range(d - 1, -1, -1):
        for i in range(k + 1, d):
            b[k] -= a[k, i] * b[i]
        b[k] /= a[k, k]


@njit(nogil=True, cache=True)
def solve_rows(rows: Rows, target: Float32, side: Side, ridge: Float64, out: Float32) -> None:
    """Solve (gram + sum_i c_i h_i h_i' + ridge I) w = sum_i b_i h_i for each row.

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
        a[:] = side.gram
        b[:] = 0
        for j in range(d):
            a[j, j] += ridge[r]
        for p in range(rows.indptr[r], rows.indptr[r + 1]):
            h, c, t = side.vectors[rows.indices[p]], rows.data[p], target[p]
            for i in range(d):
                b[i] += t * h[i]
                ch = c * h[i]
                for j in range(i, d):
                    a[i, j] += ch * h[j]
        _solve_spd(a, b)
        out[r] = b.astype(np.float32)
