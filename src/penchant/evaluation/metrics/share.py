"""Shares of a whole, and how equal they are; NaN where there is nothing to share."""

from __future__ import annotations

from typing import Any

import numpy as np

from penchant.core.arrays import Float64

__all__ = ["inequality", "share"]


def share(part: Any, whole: Any) -> Float64:
    """Return part / whole as float64[n], NaN where the whole is 0.

    >>> share(np.array([1, 0]), np.array([4, 0])).tolist()
    [0.25, nan]
    """
    out = np.full(len(part), np.nan)
    np.divide(part, whole, out=out, where=np.asarray(whole) > 0)
    return out


def inequality(counts: Any) -> float:
    """Return the Gini coefficient of counts (numbers[n]): 0 when all have alike, near 1 when one has all.

    sum over i of (2 i - n - 1) x_i / (n sum of x), x in ascending order and i from 1. NaN when there is nothing.

    >>> inequality([1, 1, 1, 1]), inequality([0, 0, 0, 8]), inequality([])
    (0.0, 0.75, nan)

    Source: Damgaard and Weiner, "Describing Inequality in Plant Size or Fecundity", Ecology 81(4), 2000.
    """
    ordered = np.sort(np.asarray(counts, dtype=np.float64))
    n, total = len(ordered), ordered.sum()
    return float((2 * np.arange(1, n + 1) - n - 1) @ ordered / (n * total)) if total else float("nan")
