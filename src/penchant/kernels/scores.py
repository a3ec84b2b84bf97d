"""Scores of some items on top of those of all."""

from __future__ import annotations

from numba import njit

from penchant.core.arrays import Float32, Int32

__all__ = ["add_scaled"]


@njit(nogil=True, cache=True)
def add_scaled(codes: Int32, scores: Float32, factor: float, out: Float32) -> None:
    """Add scores times a factor to where their codes are in ``out``.

    >>> import numpy as np
    >>> out = np.float32([0, 0, 1])
    >>> add_scaled(np.int32([0, 2]), np.float32([2, 4]), np.float32(0.5), out)
    >>> out.tolist()
    [1.0, 0.0, 3.0]

    Args:
        codes: int32[m], distinct.
        scores: float32[m].
        factor: float32.
        out: float32[n], added to.
    """
    for c in range(len(codes)):
        out[codes[c]] += factor * scores[c]
