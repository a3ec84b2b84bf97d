"""From the inverse of a Gram matrix to the weights between items, in place."""

from __future__ import annotations

from numba import njit

from penchant.core.arrays import Float32

__all__ = ["mirror_block", "scale_block"]

_TILE = 64


@njit(nogil=True, cache=True)
def mirror_block(start: int, stop: int, matrix: Float32) -> None:
    """Copy the upper triangle (float32[n, n], C order) onto the lower one, for rows ``start`` to ``stop``, by tiles.

    >>> import numpy as np
    >>> matrix = np.float32([[1, 2], [0, 3]])
    >>> mirror_block(0, 2, matrix)
    >>> matrix.tolist()
    [[1.0, 2.0], [2.0, 3.0]]
    """
    for left in range(0, stop, _TILE):
        for top in range(start, stop, _TILE):
            for i in range(top, min(top + _TILE, stop)):
                for j in range(left, min(left + _TILE, i)):
                    matrix[i, j] = matrix[j, i]


@njit(nogil=True, cache=True)
def scale_block(start: int, stop: int, matrix: Float32, factors: Float32) -> None:
    """Multiply every column of rows ``start`` to ``stop`` by its factor (float32[n]), and put 0 on the diagonal.

    >>> import numpy as np
    >>> matrix = np.float32([[1, 2], [3, 4]])
    >>> scale_block(0, 2, matrix, np.float32([10, 100]))
    >>> matrix.tolist()
    [[0.0, 200.0], [30.0, 0.0]]
    """
    for i in range(start, stop):
        for j in range(matrix.shape[1]):
            matrix[i, j] *= factors[j]
        matrix[i, i] = 0
