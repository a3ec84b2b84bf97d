"""Scores of some items among those of all."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from penchant.core.arrays import Float32, Int32
from penchant.kernels.layout import ZERO

__all__ = ["add_scaled", "numbers"]


@njit(nogil=True, cache=True)
def numbers(scores: Float32) -> Any:
    """Return int32[m] and float32[m]: the places of the numbers among the scores, and these; NaN is left out.

    >>> [found.tolist() for found in numbers(np.float32([1, np.nan, 3]))]
    [[0, 2], [1.0, 3.0]]

    No branch depends on a score: which are NaN cannot be foreseen, and a wrong guess costs more than writing it down.
    """
    n, m = len(scores), ZERO
    places, values = np.empty(n, np.int32), np.empty(n, np.float32)
    for c in range(n):
        places[m], values[m] = c, scores[c]
        m += int(not np.isnan(scores[c]))
    return places[:m], values[:m]


@njit(nogil=True, cache=True)
def add_scaled(codes: Int32, scores: Float32, factor: Any, out: Float32) -> None:
    """Add scores times a factor to where their codes are in ``out``.

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
