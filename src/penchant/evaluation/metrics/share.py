"""Division that knows what it cannot say."""

from __future__ import annotations

from typing import Any

import numpy as np

from penchant.core.arrays import Float64

__all__ = ["share"]


def share(part: Any, whole: Any) -> Float64:
    """Return part / whole as float64[n], NaN where the whole is 0.

    >>> share(np.array([1, 0]), np.array([4, 0])).tolist()
    [0.25, nan]
    """
    out = np.full(len(part), np.nan)
    np.divide(part, whole, out=out, where=np.asarray(whole) > 0)
    return out
