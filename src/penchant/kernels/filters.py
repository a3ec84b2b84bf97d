"""Sparse operators on blocks of dense rows: what graph filters are made of."""

from __future__ import annotations

import numpy as np
from numba import njit

from penchant.core.arrays import Float32
from penchant.kernels.layout import Rows

__all__ = ["product_block", "spread", "through", "times"]


@njit(nogil=True, cache=True)
def times(rows: Rows, dense: Float32, out: Float32) -> None:
    """Set ``out`` to sparse rows times a dense matrix; a column of -1 takes no part.

    >>> out = np.empty((1, 2), np.float32)
    >>> times(Rows(np.int64([0, 2]), np.int32([1, -1]), np.float32([2, 5])), np.float32([[1, 1], [0, 3]]), out)
    >>> out.tolist()
    [[0.0, 6.0]]

    Args:
        rows: b rows over m columns.
        dense: float32[m, d], C order.
        out: float32[b, d], written.
    """
    out[:] = 0
    for r in range(len(out)):
        own = out[r]
        for p in range(rows.indptr[r], rows.indptr[r + 1]):
            if rows.indices[p] >= 0:
                other, weight = dense[rows.indices[p]], rows.data[p]
                for j in range(len(own)):
                    own[j] += weight * other[j]


@njit(nogil=True, cache=True)
def product_block(start: int, rows: Rows, columns: Rows, out: Float32) -> None:
    """Set ``out`` to rows ``start`` to ``start + len(out)`` of M'M, the inner products of columns of a sparse M.

    >>> rows = Rows(np.int64([0, 2, 3]), np.int32([0, 1, 1]), np.float32([5, 3, 4]))
    >>> columns = Rows(np.int64([0, 1, 3]), np.int32([0, 0, 1]), np.float32([5, 3, 4]))
    >>> out = np.empty((2, 2), np.float32)
    >>> product_block(0, rows, columns, out)
    >>> out.tolist()
    [[25.0, 15.0], [15.0, 25.0]]

    Args:
        start: first item of the block.
        rows: M, users x items.
        columns: its transpose.
        out: float32[b, n], written.
    """
    out[:] = 0
    for r in range(len(out)):
        for p in range(columns.indptr[start + r], columns.indptr[start + r + 1]):
            user, weight = columns.indices[p], columns.data[p]
            for q in range(rows.indptr[user], rows.indptr[user + 1]):
                out[r, rows.indices[q]] += weight * rows.data[q]


@njit(nogil=True, cache=True)
def through(dense: Float32, postings: Rows, out: Float32) -> None:
    """Set ``out`` to dense rows times a sparse matrix; zeros of the dense rows cost nothing.

    >>> out = np.empty((1, 2), np.float32)
    >>> through(np.float32([[2, 0]]), Rows(np.int64([0, 1, 2]), np.int32([1, 0]), np.float32([3, 7])), out)
    >>> out.tolist()
    [[0.0, 6.0]]

    Args:
        dense: float32[b, m].
        postings: m rows over n columns.
        out: float32[b, n], written.
    """
    out[:] = 0
    for r in range(len(out)):
        for i in range(dense.shape[1]):
            weight = dense[r, i]
            if weight != 0:
                for q in range(postings.indptr[i], postings.indptr[i + 1]):
                    out[r, postings.indices[q]] += weight * postings.data[q]


@njit(nogil=True, cache=True)
def spread(rows: Rows, postings: Rows, out: Float32) -> None:
    """Add to ``out`` what the postings of each row's items give; a row that says nothing becomes NaN.

    >>> rows = Rows(np.int64([0, 1, 2]), np.int32([0, -1]), np.float32([2, 1]))
    >>> out = np.ones((2, 2), np.float32)
    >>> spread(rows, Rows(np.int64([0, 1, 1]), np.int32([1]), np.float32([0.5])), out)
    >>> out.tolist()
    [[1.0, 2.0], [nan, nan]]

    Args:
        rows: b rows of (place, signal); a place of -1 or a signal of 0 says nothing.
        postings: n rows over n columns.
        out: float32[b, n], added to.
    """
    for r in range(len(out)):
        silent = True
        for p in range(rows.indptr[r], rows.indptr[r + 1]):
            place, signal = rows.indices[p], rows.data[p]
            if place >= 0 and signal != 0:
                silent = False
                for q in range(postings.indptr[place], postings.indptr[place + 1]):
                    out[r, postings.indices[q]] += signal * postings.data[q]
        if silent:
            out[r] = np.nan
