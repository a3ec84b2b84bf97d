"""How events lose weight with age."""

from __future__ import annotations

from typing import Any

import numpy as np

from penchant.core.arrays import Float64, Int64

__all__ = ["DAY", "HOUR", "decay"]

DAY = 86_400_000_000
"Microseconds."

HOUR = 3_600_000_000
"Microseconds."


def decay(at: Int64, now: Any, half_life: float | None) -> Float64:
    """Return float64[m]: what an event counts at ``now``, halving every ``half_life`` days.

    >>> decay(np.int64([0, DAY]), DAY, 1.0).tolist()
    [0.5, 1.0]

    Args:
        at: int64[m], microseconds.
        now: int64, one or m.
        half_life: days; None for no decay.
    """
    if half_life is None:
        return np.ones(len(at))
    return np.asarray(np.exp2((at - now) / (half_life * DAY)))
