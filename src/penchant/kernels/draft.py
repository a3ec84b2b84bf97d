"""Two slates made one, row by row, by turns that a coin decides."""

from __future__ import annotations

import numpy as np
from numba import njit

from penchant.core.arrays import Int8, Int32

__all__ = ["draft"]


@njit(nogil=True, cache=True)
def _next(wanted: Int32, at: int, taken: Int32, n_taken: int) -> int:
    """Return the first place from ``at`` on whose item is not taken yet; the length when there is none."""
    while at < len(wanted):
        free = wanted[at] >= 0
        for k in range(n_taken):
            if taken[k] == wanted[at]:
                free = False
                break
        if free:
            return at
        at += 1
    return at


@njit(nogil=True, cache=True)
def draft(a: Int32, b: Int32, coins: Int8, items: Int32, team: Int8) -> None:
    """Fill ``items`` and ``team`` with the team draft of every row of two slates.

    >>> items, team = np.full((1, 4), -1, np.int32), np.zeros((1, 4), np.int8)
    >>> draft(np.int32([[7, 8, 9]]), np.int32([[8, 7, 5]]), np.int8([[1, 0]]), items, team)
    >>> items.tolist(), team.tolist()
    ([[7, 8, 5, 9]], [[1, -1, -1, 0]])

    Args:
        a: int32[m, p], -1 in empty slots; an item that stands twice counts where it stands first.
        b: int32[m, q], likewise.
        coins: int8[m, ceil(n / 2)], 1 where ``a`` picks first in that round.
        items: int32[m, n], all -1; written.
        team: int8[m, n], all 0; written: 1 for an item that ``a`` picked, -1 for ``b``, 0 for one that only one slate
            still had, which is nobody's.

    Memory is what is given, time O(m n (n + p + q)).
    """
    n = items.shape[1]
    for row in range(len(items)):
        size = at_a = at_b = lead = rounds = 0
        while size < n:
            at_a = _next(a[row], at_a, items[row], size)
            at_b = _next(b[row], at_b, items[row], size)
            left_a, left_b = at_a < a.shape[1], at_b < b.shape[1]
            if not left_a and not left_b:
                break
            if not (left_a and left_b):
                items[row, size] = a[row, at_a] if left_a else b[row, at_b]
                size += 1
                continue
            pick_a = lead < 0
            if lead == 0:
                pick_a = coins[row, rounds] == 1
                rounds += 1
            items[row, size] = a[row, at_a] if pick_a else b[row, at_b]
            team[row, size] = np.int8(1 if pick_a else -1)
            lead += 1 if pick_a else -1
            size += 1
