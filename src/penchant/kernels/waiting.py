"""Items that may be among the best of a row, until the few that matter are multiplied out."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from penchant.core.arrays import Float32, Int32
from penchant.kernels.heap import floor_of, offer
from penchant.kernels.lanes import LANES, lowest
from penchant.kernels.layout import ZERO, Best, Space
from penchant.kernels.panels import inner

__all__ = ["ROW", "Waiting", "relieve", "resolve", "room_for", "wait", "wait_exactly"]

ROUNDED, LEAST = 2.0**-23, 1.5e-45
"More than what a number loses as it becomes a float32: a share of it, and among the smallest this much."

ROW = np.dtype(
    [
        ("number", np.int64),  # which row of the block it is
        ("unit", np.float64),  # what an integer of the row's vector stands for
        ("slip", np.float64),  # the length of what its integers leave out
        ("length", np.float64),
        ("error", np.float64),  # how far a product of integers may be off, in the tile at hand
        ("step", np.float64),  # what a product of integers stands for there
        ("floor", np.float64),  # k items have at least this product
        ("need", np.float64),  # the length an item needs for that
        ("count", np.int64),  # items that wait
        ("enough", np.int64),  # how many of them are too many
    ]
)
"What is known of a row of a block while it is searched for."


class Waiting(NamedTuple):
    """Items that may be among the best of each row.

    >>> Waiting(np.empty((1, 9), np.int32), np.empty((1, 2, 9), np.float32)).places.shape
    (1, 9)
    """

    places: Int32
    "int32[b, m]."
    bounds: Float32
    "float32[b, 2, m]: their products are at least the first and at most the second."


@njit(nogil=True, cache=True)
def room_for(rows: Any, k: int, n: int) -> Waiting:
    """Return room for the items that wait for rows (ROW[b]) whose ``k`` best of ``n`` are wanted.

    Memory is at most b (48 k + 1728) bytes.

    >>> room_for(np.zeros(3, ROW), 10, 1000).bounds.shape
    (3, 2, 184)
    """
    room = min(4 * k + 128, n) + LANES
    for r in range(len(rows)):
        rows[r].number, rows[r].enough = r, min(2 * k, room - LANES)
    return Waiting(np.empty((len(rows), room), np.int32), np.empty((len(rows), 2, room), np.float32))


@njit(nogil=True, cache=True)
def wait(row: Any, order: Int32, found: Int32, waiting: Waiting, at: tuple[int, int, int]) -> None:
    """Let the items of a panel wait that may be among the best of a row.

    >>> rows, order = np.zeros(1, ROW), np.int32([7, 3])
    >>> rows["step"], rows["error"], waiting = 0.5, 0.25, room_for(rows, 1, 2)
    >>> wait(rows[0], order, np.int32([4, 10]), waiting, (0, 0, 0b10))  # ten halves, and up to 0.5 + 0.25 off
    >>> waiting.places[0, 0], waiting.bounds[0, :, 0].round(3).tolist()
    (np.int32(3), [4.25, 5.75])

    Args:
        row: ROW.
        order: int32[m], rows of the vectors.
        found: int32, products of integers.
        waiting: written.
        at: where the panel begins in ``order``, where its products begin in ``found``, and a bit for each item.
    """
    r, (first, base, bits) = row.number, at
    places, bounds = waiting
    count, error, step = row.count, row.error, row.step
    while bits:
        lane = lowest(bits)
        bits &= bits - 1
        product = found[base + lane]
        least, most = (product - 1) * step - error, (product + 1) * step + error
        places[r, count] = order[first + lane]
        bounds[r, 0, count] = np.float32(least - abs(least) * ROUNDED - LEAST)
        bounds[r, 1, count] = np.float32(most + abs(most) * ROUNDED + LEAST)
        count += 1
    row.count = count


@njit(nogil=True, cache=True)
def wait_exactly(row: Any, order: Int32, pair: tuple[Float32, Float32], waiting: Waiting, at: Any) -> None:
    """Do the same where integers say nothing: multiply out. What is not a number is not among the best.

    >>> rows, pair = np.zeros(1, ROW), (np.float32([[1]]), np.float32([[2], [np.nan]]))
    >>> waiting = room_for(rows, 1, 2)
    >>> wait_exactly(rows[0], np.int32([1, 0]), pair, waiting, (0, 0, 0b11))
    >>> rows["count"].tolist(), waiting.bounds[0, :, 0].tolist()
    ([1], [2.0, 2.0])
    """
    r, (first, _, bits), (vectors, others) = row.number, at, pair
    while bits:
        place = order[first + lowest(bits)]
        bits &= bits - 1
        score = inner(vectors, r, others, place)
        if not np.isnan(score):
            waiting.places[r, row.count] = place
            waiting.bounds[r, :, row.count] = score
            row.count += 1


@njit(nogil=True, cache=True)
def _sieve(row: Any, k: int, places: Int32, bounds: Float32) -> None:
    """Raise the floor of a row that k items or more wait for, and keep those that may reach it."""
    row.floor = max(row.floor, np.float64(floor_of(bounds[0, : row.count], k)))
    count, floor = ZERO, np.float32(row.floor)
    for w in range(row.count):
        places[count], bounds[0, count], bounds[1, count] = places[w], bounds[0, w], bounds[1, w]
        count += ZERO + (bounds[1, w] >= floor)
    row.count = count


@njit(nogil=True, cache=True)
def resolve(row: Any, pair: tuple[Float32, Float32], codes: Int32, waiting: Waiting, heap: Best) -> int:
    """Multiply out the items that wait for a row and may matter; return how many the heap holds then.

    >>> rows, pair = np.zeros(1, ROW), (np.float32([[1]]), np.float32([[2], [3]]))
    >>> waiting, heap = room_for(rows, 1, 2), Best(np.empty(1, np.int32), np.empty(1, np.float32))
    >>> wait_exactly(rows[0], np.int32([0, 1]), pair, waiting, (0, 0, 0b11))
    >>> resolve(rows[0], pair, np.int32([5, 6]), waiting, heap), heap.items.tolist(), heap.scores.tolist()
    (1, [6], [3.0])

    Args:
        row: ROW.
        pair: float32[b, d] and float32[n, d], the rows' vectors and the items'.
        codes: int32[n], what the items are called in the heap.
        waiting: the items.
        heap: k slots, written.
    """
    r, size, k = row.number, ZERO, len(heap.items)
    places, (vectors, others) = waiting.places[r], pair
    if row.count >= k:
        _sieve(row, k, places, waiting.bounds[r])
    for w in range(row.count):
        score = inner(vectors, r, others, places[w])
        size = offer(score, codes[places[w]], heap, (ZERO, k), size)
    return size


@njit(nogil=True, cache=True)
def relieve(row: Any, pair: tuple[Float32, Float32], space: Space, waiting: Waiting, heap: Best) -> None:
    """Make room among the items that wait for a row; where that is not enough, find out which of them are its best.

    >>> rows, pair, codes = np.zeros(1, ROW), (np.float32([[1]]), np.float32([[2], [3]])), np.int32([0, 1])
    >>> waiting, heap = room_for(rows, 1, 2), Best(np.empty(1, np.int32), np.empty(1, np.float32))
    >>> wait_exactly(rows[0], codes, pair, waiting, (0, 0, 0b11))
    >>> relieve(rows[0], pair, Space(codes, codes), waiting, heap)
    >>> rows["count"].tolist(), waiting.places[0, 0]  # of two items one is left
    ([1], np.int32(1))
    """
    k, places, bounds = len(heap.items), waiting.places[row.number], waiting.bounds[row.number]
    if row.count >= k:
        _sieve(row, k, places, bounds)
    if row.count + k > len(places) - LANES:
        row.count = resolve(row, pair, space.codes, waiting, heap)
        for w in range(row.count):
            places[w] = space.positions[heap.items[w]]
            bounds[:, w] = heap.scores[w]
        if row.count == k:
            row.floor = np.float64(heap.scores[0])
    row.enough = min(row.count + max(k, 32), len(places) - LANES)
