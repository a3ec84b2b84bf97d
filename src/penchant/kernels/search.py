"""The best inner products without computing most of them: bounds first, then the few that can matter, exactly.

A panel whose longest vector is too short for a row's k-th best so far ends the search of that row. In other panels
integers give each product within a known error. An item that may be among the best waits; the k-th largest of what
products are at least is what others need. At the end those that may still matter are multiplied out. So the lists are
those of a full scan, bit for bit, whatever was skipped.

Sources: the bound by lengths, Teflioudi, Gemulla and Mykytiuk, "LEMP: Fast Retrieval of Large Entries in a Matrix
Product", SIGMOD 2015; the bound from integers, Li, Chan, Yiu and Mamoulis, "FEXIPRO: Fast and Exact Inner Product
Retrieval in Recommender Systems", SIGMOD 2017. Both use the inequality of Cauchy and Schwarz on what is left out.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from penchant.core.arrays import Float32, Int32
from penchant.kernels.heap import ranked
from penchant.kernels.lanes import LANES, above_four, above_one
from penchant.kernels.layout import ZERO, Best, Rows, Space
from penchant.kernels.panels import HUGE, TILE, Panels
from penchant.kernels.waiting import ROW, Waiting, relieve, resolve, room_for, wait, wait_exactly

__all__ = ["rank_panels"]

LOWEST, HIGHEST = -(2**31), 2**31 - 1
FULL = 2**LANES - 1
"Sixteen bits: all items of a panel."
FAST = {"reassoc", "contract"}


class _Search(NamedTuple):
    """A block of rows while it is searched for."""

    rows: Any
    "ROW[b]."
    bars: tuple[Int32, Int32, Int32, Int32]
    "The rows' vectors as integers, the limits of products, the rows at hand, and where products go."
    allowed: Any
    "uint16[b, p]: for each row and panel the items that may be ranked, a bit each."
    waiting: Waiting
    "What may be among the best."
    pair: tuple[Float32, Float32]
    "The rows' vectors and the items' vectors."
    best: Best
    "Scratch until the end."


@njit(nogil=True, cache=True, fastmath=FAST)
def _whole(vector: Float32, unit: float, out: Any) -> Any:
    """Write a vector as integers times ``unit``, and return the length of what they leave out."""
    left, inverse = 0.0, 1 / unit
    for i in range(len(vector)):
        number = np.rint(vector[i] * inverse)
        out[i] = np.int16(number)
        left += (vector[i] - number * unit) * (vector[i] - number * unit)
    return np.sqrt(left)


@njit(nogil=True, cache=True)
def _asked(vectors: Float32, rows: Any, whole: Any) -> None:
    """Write the rows' vectors as integers of 16 bits, as far as sums of products with 8 bits allow, into ``whole``."""
    top = min(32767, HIGHEST // (127 * whole.shape[1])) - 1
    for r in range(len(vectors)):
        most, squares = np.float32(0), 0.0
        for value in vectors[r]:
            squares += np.float64(value) * np.float64(value)
            most = max(most, abs(value))
        rows[r].length, rows[r].floor, rows[r].unit = np.sqrt(squares), -np.inf, 1.0
        if not rows[r].length < HUGE:
            rows[r].length = np.inf
        elif most > 0:
            rows[r].unit = np.float64(most) / top
            rows[r].slip = _whole(vectors[r], rows[r].unit, whole[r])


@njit(nogil=True, cache=True)
def _allowed(rows: Rows, index: Panels, space: Space, exclude_seen: bool) -> Any:
    """Return uint16[b, p]: for each row and panel the items that may be ranked, a bit each."""
    b = len(rows.indptr) - 1
    allowed = np.full((b, len(index.reach)), FULL, np.uint16)
    for q in range(len(index.order)):
        if index.order[q] < 0:
            for r in range(b):
                allowed[r, q // LANES] &= np.uint16(FULL - (1 << (q % LANES)))
    if exclude_seen:
        for r in range(b):
            for p in range(rows.indptr[r], rows.indptr[r + 1]):
                place = space.positions[rows.indices[p]]
                if place >= 0:
                    q = index.places[place]
                    allowed[r, q // LANES] &= np.uint16(FULL - (1 << (q % LANES)))
    return allowed


@njit(nogil=True, cache=True)
def _limit(row: Any, d: int) -> Any:
    """Return what a product of integers must be above to matter to a row, and set the length an item needs for that."""
    worst, length = row.floor, row.length
    if worst > 0 and length < np.inf:
        needed = (worst - d * 2.0**-148) / (length * (1 + (d + 8) * 2.0**-23))
        row.need = min(needed, HUGE / length)
    limit = np.floor((worst - row.error) / row.step) - 2
    return np.int64(min(limit, np.float64(HIGHEST))) if limit > LOWEST else np.int64(LOWEST)


@njit(nogil=True, cache=True)
def _enter(rows: Any, index: Panels, t: int, limit: Int32, live: Int32) -> int:
    """Write the rows that items of tile ``t`` may matter to, and return how many they are.

    For each it is set how far products of integers may be off, and what a product of integers stands for.
    """
    d, count = index.vectors.shape[1], 0
    rounding, reach, slip = (d + 8) * 2.0**-23, index.reach[t * TILE], index.slip[t]
    for r in range(len(rows)):
        row = rows[r]
        row.error, row.step = np.inf, row.unit * index.unit[t]
        if row.length * reach < HUGE and slip < np.inf:
            row.error = row.slip * (reach + slip) + row.length * (slip + rounding * reach) + d * 2.0**-148
        limit[r] = _limit(row, d)
        if row.length > 0 and row.need <= reach:
            live[count] = r
            count += 1
    return count


@njit(nogil=True, cache=True)
def _walk(search: _Search, index: Panels, space: Space, t: int, at: tuple[int, int]) -> None:
    """Search the panels of a tile for up to four of the rows at hand, from ``at[0]`` on."""
    rows, bars, allowed, waiting, pair, best = search
    order, codes, reach = index.order, index.codes, index.reach
    _, limit, live, found = bars
    a, four = at
    for panel in range(t * TILE, min((t + 1) * TILE, len(reach))):
        need = rows[live[a]].need
        for u in range(1, four):
            need = min(need, rows[live[a + u]].need)
        if need > reach[panel]:
            return
        mask = above_four(codes, panel, a, bars) if four == 4 else 1
        if mask == 0:
            continue
        for u in range(four):
            r = live[a + u]
            base, bits = LANES * u, (mask >> (LANES * u)) & FULL
            if four < 4:
                base, bits = 0, above_one(codes, panel, a + u, bars)
            bits &= np.int64(allowed[r, panel])
            if bits:
                row, here = rows[r], (panel * LANES, base, bits)
                if row.error < np.inf:
                    wait(row, order, found, waiting, here)
                else:
                    wait_exactly(row, order, pair, waiting, here)
                if row.count > row.enough:
                    relieve(row, pair, space, waiting, Best(best.items[r], best.scores[r]))
                    limit[r] = _limit(row, pair[0].shape[1])


@njit(nogil=True, cache=True)
def rank_panels(rows: Rows, index: Panels, space: Space, exclude_seen: bool, best: Best) -> None:
    """Rank candidates by their inner product with a vector; a vector of zeros ranks nothing.

    >>> from penchant.kernels.panels import panels_of
    >>> rows = Rows(np.int64([0, 1]), np.int32([0]), np.float32([[1, 0.5]]))  # one history: item 0, and its vector
    >>> codes, best = np.arange(3, dtype=np.int32), Best(np.empty((1, 2), np.int32), np.empty((1, 2), np.float32))
    >>> rank_panels(rows, panels_of(np.float32([[1, 0], [0, 1], [1, 1]])), Space(codes, codes), True, best)
    >>> best.items.tolist(), best.scores.tolist()
    ([[2, 1]], [[1.5, 0.5]])

    Beside the lists memory is b (n / 8 + 40 k) bytes.

    Args:
        rows: b histories over item codes; data is float32[b, d], one vector each.
        index: the candidates' vectors.
        space: the candidates.
        exclude_seen: leave out the row's own items.
        best: written.
    """
    b, k = best.items.shape
    asked, limit, live = np.zeros(b, ROW), np.empty(b, np.int32), np.empty(b, np.int32)
    whole, found = np.zeros((b, 2 * index.codes.shape[1]), np.int16), np.empty(4 * LANES, np.int32)
    _asked(rows.data, asked, whole)
    waiting, pair = room_for(asked, k, len(index.vectors)), (rows.data, index.vectors)
    bars, allowed = (whole.view(np.int32), limit, live, found), _allowed(rows, index, space, exclude_seen)
    search = _Search(asked, bars, allowed, waiting, pair, best)
    for t in range(len(index.unit)):
        count = _enter(asked, index, t, limit, live)
        for a in range(0, count, 4):
            _walk(search, index, space, t, (a, min(4, count - a)))
    for r in range(b):
        heap = Best(best.items[r], best.scores[r])
        ranked(heap, (ZERO, k), resolve(asked[r], pair, space.codes, waiting, heap))
