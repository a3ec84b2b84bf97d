"""What alternating least squares does to one side at a time, over all threads and to the same bits for any number."""

from __future__ import annotations

from typing import Any

import numpy as np

from penchant.core.arrays import Float32, Float64
from penchant.core.blas import single_blas
from penchant.core.executor import Executor, blocks
from penchant.data.sparse import Matrix, rows_of
from penchant.kernels.als import misfit_rows

__all__ = ["gram_of", "misfit", "pieces", "principal_axes"]

TILE = 8192
"Vectors taken together where the whole side is read: their float64 copy stays small."


def pieces(indptr: Any, entries: int = 1 << 16) -> list[tuple[int, int]]:
    """Return half-open ranges of rows that hold about this many entries each; they depend on the data only.

    A row counts as one entry more than it has, and one that has too many is a range of its own.

    >>> pieces(np.int32([0, 3, 4, 5, 9]), entries=4)
    [(0, 1), (1, 3), (3, 4)]
    """
    work = np.asarray(indptr, np.int64) + np.arange(len(indptr))
    start, found = 0, []
    while start < len(indptr) - 1:
        stop = max(int(np.searchsorted(work, work[start] + entries, "right")) - 1, start + 1)
        found.append((start, stop))
        start = stop
    return found


def gram_of(vectors: Float32, executor: Executor) -> Float64:
    """Return float64[d, d]: vectors' vectors.

    >>> from penchant.core.executor import LOCAL
    >>> gram_of(np.float32([[1, 0], [1, 1]]), LOCAL).tolist()
    [[2.0, 1.0], [1.0, 1.0]]
    """
    total = np.zeros((vectors.shape[1], vectors.shape[1]))

    def part(block: tuple[int, int]) -> Float64:
        wide = vectors[slice(*block)].astype(np.float64)
        return wide.T @ wide

    with single_blas():
        for product in executor.map(part, blocks(len(vectors), TILE)):
            total += product
    return total


def principal_axes(vectors: Float32, executor: Executor) -> tuple[Float32, Float32]:
    """Turn ``vectors`` in place until their gram is diagonal; return that diagonal and the turn.

    The diagonal is held above 1e-8 of its largest entry, which is what turning in float32 blurs.
    Scores do not change when both sides of a factorization are turned by the same orthogonal matrix.

    >>> from penchant.core.executor import LOCAL
    >>> vectors = np.float32([[3, 4], [6, 8]])
    >>> energy, turn = principal_axes(vectors, LOCAL)
    >>> energy.round(3).tolist(), np.abs(vectors).round(3).tolist()
    ([0.0, 125.0], [[0.0, 5.0], [0.0, 10.0]])

    Args:
        vectors: float32[m, d], overwritten.
        executor: where the work runs.

    Returns:
        float32[d], ascending, and the orthogonal float32[d, d] that ``vectors`` were multiplied by.
    """
    gram = gram_of(vectors, executor)
    with single_blas():
        energy, axes = np.linalg.eigh(gram)
        turn = axes.astype(np.float32)

        def part(block: tuple[int, int]) -> None:
            vectors[slice(*block)] = vectors[slice(*block)] @ turn

        for _ in executor.map(part, blocks(len(vectors), TILE)):
            pass
    return np.maximum(energy, 1e-8 * max(energy[-1], 0.0)).astype(np.float32), turn


def misfit(matrix: Matrix, own: Float32, other: Float32, executor: Executor) -> tuple[float, float]:
    """Return, over the stored pairs, the sums of r (w.h - 1)^2 and of 1 - 2 w.h.

    >>> from penchant.core.executor import LOCAL
    >>> from penchant.data.sparse import matrix_of
    >>> matrix = matrix_of([2, 3], [0, 1], [0, 0], (1, 2))
    >>> misfit(matrix, np.float32([[1]]), np.float32([[0], [3]]), LOCAL)  # 2 (0 - 1)^2 + 3 (3 - 1)^2; 1 - 0 + 1 - 6
    (14.0, -4.0)
    """

    def part(block: tuple[int, int]) -> tuple[float, float]:
        return misfit_rows(rows_of(matrix, *block), own[slice(*block)], other)

    sums = np.sum(list(executor.map(part, pieces(matrix.indptr))), axis=0)
    return float(sums[0]), float(sums[1])
