"""The inverse of a large symmetric matrix, in its own place, by blocks that threads work on side by side."""

from __future__ import annotations

import numpy as np
from scipy.linalg.lapack import dpotrf, dpotri

from penchant.core.arrays import Float32
from penchant.core.blas import single_blas, subtract_product
from penchant.core.errors import InputError
from penchant.core.executor import Executor, blocks

__all__ = ["invert"]

_PIVOT = 192
"Rows swept together: fewer are a slow product, more leave much to do that is not one."
_ROWS = 256


def invert(matrix: Float32, executor: Executor, about: str) -> None:
    """Replace the upper triangle of a positive definite matrix (float32[n, n], C order) by that of its inverse.

    Sweeps one block of 192 rows after the other: with P the inverse of its diagonal block and V = P A_k the swept
    rows, every other entry becomes A_ij - A_ki' V_j, and after all sweeps minus the inverse stands there. That is n^3
    operations, as with LAPACK's potrf and potri, nearly all of them in products of blocks. Each product is that of one
    thread, so the bits do not depend on how many threads there are, and a busy machine slows the work down in
    proportion only: a BLAS with threads of its own waits for the slowest at every step.

    >>> from penchant.core.executor import LOCAL
    >>> matrix = np.float32([[2, 1], [0, 1]])
    >>> invert(matrix, LOCAL, "l2=1")
    >>> np.triu(matrix).tolist()
    [[1.0, -1.0], [0.0, 2.0]]

    Args:
        matrix: the upper triangle is read and written; what is below it is nothing.
        executor: where the work runs.
        about: what to name in the error.

    Raises:
        InputError: the matrix is not positive definite in float32.

    Source: the sweep operator, Goodnight, "A Tutorial on the SWEEP Operator", The American Statistician 33 (1979).
    """
    n = len(matrix)
    rows, swept = np.empty((2, min(_PIVOT, n), n), np.float32)
    with single_blas():
        for pivot in blocks(n, _PIVOT):
            size = pivot[1] - pivot[0]
            _sweep(matrix, pivot, (rows[:size], swept[:size]), executor, about)
        for _ in executor.map(lambda part: _negate(matrix, part), blocks(n, _ROWS)):
            pass


def _sweep(
    matrix: Float32, pivot: tuple[int, int], scratch: tuple[Float32, Float32], executor: Executor, about: str
) -> None:
    start, stop = pivot
    n, (rows, swept) = len(matrix), scratch
    inverse = _small(matrix[start:stop, start:stop], about)

    def place(part: tuple[int, int]) -> None:
        own = slice(*part)
        here = matrix[own, start:stop].T if part[0] < start else matrix[start:stop, own]
        rows[:, own] = here
        np.matmul(inverse, rows[:, own], out=swept[:, own])
        here[:] = swept[:, own]

    def update(part: tuple[int, int]) -> None:
        sides = [(part[0], start), (stop, n)] if part[0] < start else [(part[0], n)]
        for first, last in sides:
            subtract_product(matrix[slice(*part), first:last], swept[:, slice(*part)], rows[:, first:last])

    for work in (place, update):
        for _ in executor.map(work, _others(n, pivot)):
            pass
    matrix[start:stop, start:stop] = -inverse


def _others(n: int, pivot: tuple[int, int]) -> list[tuple[int, int]]:
    """Return the rows outside the pivot in blocks that do not cross it."""
    start, stop = pivot
    return blocks(start, _ROWS) + [(stop + first, stop + last) for first, last in blocks(n - stop, _ROWS)]


def _small(block: Float32, about: str) -> Float32:
    """Return the inverse of a block whose upper triangle is given, whole; computed in float64."""
    factor, failed = dpotrf(block.astype(np.float64), lower=0, clean=1)
    least = np.sqrt(np.finfo(np.float32).eps * np.abs(np.diagonal(block)).max())
    if failed or float(np.diagonal(factor).min()) < least:
        raise InputError("the ridge is too weak for this data in float32", got=about, then="raise l2")
    inverse, _ = dpotri(factor, lower=0)
    return np.asarray(np.triu(inverse) + np.triu(inverse, 1).T, np.float32)


def _negate(matrix: Float32, part: tuple[int, int]) -> None:
    matrix[slice(*part), part[0] :] *= -1
