"""Sparse matrices of one kind: CSR, float32, sorted columns."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import scipy.sparse as sp

from penchant.core.arrays import Float32, Int32
from penchant.kernels.layout import Rows

__all__ = ["Matrix", "matrix_of", "row_numbers", "rows_of", "transposed"]

Matrix = sp.csr_array[np.float32, tuple[int, int]]
"A users x items matrix, or its transpose."


def matrix_of(data: Any, column: Any, row: Any, shape: tuple[int, int]) -> Matrix:
    """Return the matrix of triples; those of one place are added up, zeros stay stored.

    >>> matrix_of([1, 2], [1, 1], [0, 0], (1, 2)).toarray().tolist()
    [[0.0, 3.0]]

    Args:
        data: float[nnz].
        column: int[nnz].
        row: int[nnz].
        shape: rows and columns.
    """
    triples: Any = (np.asarray(data, np.float32), (row, column))
    matrix = cast("Matrix", sp.coo_array(triples, shape=shape).tocsr())
    matrix.sort_indices()
    return matrix


def transposed(matrix: Matrix) -> Matrix:
    """Return the transpose, also as CSR with sorted columns.

    >>> transposed(matrix_of([1, 2], [0, 1], [0, 0], (1, 2))).toarray().tolist()
    [[1.0], [2.0]]
    """
    other = matrix.T.tocsr()
    other.sort_indices()
    return other


def row_numbers(matrix: Matrix) -> Int32:
    """Return int32[nnz]: the row of every stored entry.

    >>> row_numbers(matrix_of([1, 2, 3], [0, 1, 0], [0, 0, 1], (2, 2))).tolist()
    [0, 0, 1]
    """
    return np.repeat(np.arange(matrix.shape[0], dtype=np.int32), np.diff(matrix.indptr))


def rows_of(matrix: Any, start: int = 0, stop: int | None = None, data: Float32 | None = None) -> Rows:
    """Return rows ``start`` to ``stop`` as kernels take them; ``data`` (float32[nnz]) replaces the matrix's own.

    >>> rows_of(matrix_of([1, 2], [0, 1], [0, 1], (2, 2)), start=1).indices.tolist()
    [1]
    """
    indptr = matrix.indptr[start : (matrix.shape[0] if stop is None else stop) + 1].astype(np.int64)
    own = slice(indptr[0], indptr[-1])
    values = matrix.data if data is None else data
    return Rows(
        indptr - indptr[0], matrix.indices[own].astype(np.int32, copy=False), values[own].astype(np.float32, copy=False)
    )
