"""The best k of many numbers: a heap whose root is the worst of those kept, and scans that mostly look past it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from penchant.core.arrays import Float32, Int32
from penchant.kernels.layout import ZERO, Best

__all__ = ["floor_of", "offer", "ranked", "scan", "top_k"]

CHUNK = 64
"Numbers compared with the worst of those kept before any of them is looked at alone."
HALVINGS = 12
"How often a range is halved to find the k-th largest in it, near enough."


@njit(nogil=True, cache=True)
def _sift(values: Float32, codes: Int32, start: int, size: int) -> None:
    """Restore the heap whose root is the worst entry: the lowest value, and of equals the highest code."""
    at = 0
    value, code = values[start], codes[start]
    while 2 * at + 1 < size:
        child = 2 * at + 1
        a = start + child
        if child + 1 < size and (values[a + 1] < values[a] or (values[a + 1] == values[a] and codes[a + 1] > codes[a])):
            child, a = child + 1, a + 1
        if value < values[a] or (value == values[a] and code > codes[a]):
            break
        values[start + at], codes[start + at] = values[a], codes[a]
        at = child
    values[start + at], codes[start + at] = value, code


@njit(nogil=True, cache=True)
def offer(value: float, code: int, heap: Best, span: tuple[int, int], size: int) -> int:
    """Put a number into the heap when it is among the best, and return how many the heap holds now.

    >>> heap = Best(np.empty(1, np.int32), np.empty(1, np.float32))
    >>> size = offer(np.float32(2), 7, heap, (0, 1), 0)
    >>> size = offer(np.float32(2), 5, heap, (0, 1), size)  # of equals the lower code is better
    >>> size, heap.items.tolist(), heap.scores.tolist()
    (1, [5], [2.0])

    Args:
        value: not NaN.
        code: what it belongs to; a code comes once.
        heap: flat, one or more heaps.
        span: where this heap starts, and how many it keeps.
        size: how many it holds.
    """
    codes, values = heap
    start, k = span
    if size < k:
        at = size
        while at > 0:
            up = (at - 1) // 2
            a = start + up
            if not (value < values[a] or (value == values[a] and code > codes[a])):
                break
            values[start + at], codes[start + at] = values[a], codes[a]
            at = up
        values[start + at], codes[start + at] = value, code
        return size + 1
    if value > values[start] or (value == values[start] and code < codes[start]):
        values[start], codes[start] = value, code
        _sift(values, codes, start, size)
    return size


@njit(nogil=True, cache=True)
def scan(scores: Float32, labels: Int32, heap: Best, span: tuple[int, int], size: int) -> int:
    """Offer many numbers in code order to the heap, and return how many it holds now; NaN is passed over.

    >>> heap = Best(np.empty(2, np.int32), np.empty(2, np.float32))
    >>> scan(np.float32([1, np.nan, 3]), np.int32([5, 6, 7]), heap, (0, 2), 0), heap.items.tolist()
    (2, [5, 7])

    Once the heap is full, 64 numbers at a time are compared with its root, which costs about what reading them does.

    Args:
        scores: float32[n].
        labels: int32[n], ascending, above every code in the heap: what the scores belong to.
        heap: flat, one or more heaps.
        span: where this heap starts, and how many it keeps.
        size: how many it holds.
    """
    n, values, c = len(scores), heap.scores, 0
    start, k = span
    while c < n and size < k:
        if not np.isnan(scores[c]):
            size = offer(scores[c], labels[c], heap, span, size)
        c += 1
    while c < n:
        bar, above, width = values[start], np.int32(0), min(CHUNK, n - c)
        if width == CHUNK:
            part = scores[c : c + CHUNK]
            for j in range(CHUNK):
                above |= np.int32(part[j] > bar)
        if above != 0 or width < CHUNK:
            for j in range(c, c + width):
                if scores[j] > values[start]:
                    offer(scores[j], labels[j], heap, span, size)
        c += width
    return size


@njit(nogil=True, cache=True)
def ranked(heap: Best, span: tuple[int, int], size: int) -> None:
    """Turn a heap into a list, best first; slots that stay empty hold -1 and NaN.

    >>> heap = Best(np.int32([5, 7, 0]), np.float32([1, 3, 0]))
    >>> ranked(heap, (0, 3), 2)
    >>> heap.items.tolist(), heap.scores.tolist()
    ([7, 5, -1], [3.0, 1.0, nan])
    """
    codes, values = heap
    start, k = span
    codes[start + size : start + k] = -1
    values[start + size : start + k] = np.nan
    for end in range(size - 1, 0, -1):
        last = start + end
        values[start], values[last] = values[last], values[start]
        codes[start], codes[last] = codes[last], codes[start]
        _sift(values, codes, start, end)


@njit(nogil=True, cache=True)
def top_k(scores: Float32, codes: Int32, items: Int32, values: Float32) -> None:
    """Write the codes and scores of the k best into ``items`` and ``values`` (length k), best first.

    NaN cannot be ranked; equal scores are ordered by code. Slots that stay empty hold -1 and NaN.

    >>> items, values = np.empty(2, np.int32), np.empty(2, np.float32)
    >>> top_k(np.float32([1, np.nan, 3, 3]), np.int32([5, 6, 7, 8]), items, values)
    >>> items.tolist(), values.tolist()
    ([7, 8], [3.0, 3.0])

    Args:
        scores: float32[n].
        codes: int32[n], ascending, what the scores belong to.
        items: int32[k], written.
        values: float32[k], written.
    """
    heap, span = Best(items, values), (ZERO, len(items))
    ranked(heap, span, scan(scores, codes, heap, span, ZERO))


@njit(nogil=True, cache=True, fastmath={"reassoc"})
def _reaching(values: Float32, bar: Any) -> Any:
    """Return how many numbers are at least this; no branch depends on them, so many are compared at a time."""
    count = np.int32(0)
    for i in range(len(values)):
        count += np.int32(values[i] >= bar)
    return count


@njit(nogil=True, cache=True)
def floor_of(values: Float32, k: int) -> Any:
    """Return a number that at least ``k`` of others reach, and hardly more: the k-th largest, or a little less.

    Halving the range of all numbers takes a few passes over them. Selecting takes fewer, whose every step is a guess
    that the processor gets wrong half the time, and costs several times as much.

    >>> float(floor_of(np.float32([5, 1, 4, 2]), 2))
    3.0

    Args:
        values: float32[n], n at least k, none of them NaN.
        k: 1 or more.
    """
    least, most = values[0], values[0]
    for i in range(len(values)):
        least, most = min(least, values[i]), max(most, values[i])
    for _ in range(HALVINGS):
        middle = least + (most - least) * np.float32(0.5)
        if not least < middle < most:
            break
        count = _reaching(values, middle)
        if count >= k:
            least = middle
            if count == k:
                break
        else:
            most = middle
    return least
