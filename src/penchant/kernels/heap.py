"""The best k of many numbers: a heap whose root is the worst of those kept, and scans that mostly look past it."""

from __future__ import annotations

import numpy as np
from numba import njit

from penchant.core.arrays import Float32, Int32

__all__ = ["ranked", "offer", "scan", "top_k"]

CHUNK = 64
"Numbers compared with the worst of those kept before any of them is looked at alone."


@njit(nogil=True, cache=True)
def _sift(values: Float32, codes: Int32, size: int) -> None:
    """Restore the heap whose root is the worst entry: the lowest value, and of equals the highest code."""
    at = 0
    while True:
        worst, left = at, 2 * at + 1
        for child in (left, left + 1):
            if child < size and (
                values[child] < values[worst] or (values[child] == values[worst] and codes[child] > codes[worst])
            ):
                worst = child
        if worst == at:
            return
        values[at], values[worst] = values[worst], values[at]
        codes[at], codes[worst] = codes[worst], codes[at]
        at = worst


@njit(nogil=True, cache=True)
def offer(value: float, code: int, codes: Int32, values: Float32, size: int) -> int:
    """Put a number into the heap when it is among the best, and return how many the heap holds now.

    >>> codes, values = np.empty(1, np.int32), np.empty(1, np.float32)
    >>> size = offer(np.float32(2), 7, codes, values, 0)
    >>> size = offer(np.float32(2), 5, codes, values, size)  # of equals the lower code is better
    >>> size, codes.tolist(), values.tolist()
    (1, [5], [2.0])

    Args:
        value: not NaN.
        code: what it belongs to; a code comes once.
        codes: int32[k], the heap's codes.
        values: float32[k], the heap.
        size: how many of the k are taken.
    """
    if size < len(values):
        at = size
        values[at], codes[at] = value, code
        while at > 0:
            up = (at - 1) // 2
            if not (values[at] < values[up] or (values[at] == values[up] and codes[at] > codes[up])):
                break
            values[at], values[up] = values[up], values[at]
            codes[at], codes[up] = codes[up], codes[at]
            at = up
        return size + 1
    if value > values[0] or (value == values[0] and code < codes[0]):
        values[0], codes[0] = value, code
        _sift(values, codes, size)
    return size


@njit(nogil=True, cache=True)
def scan(scores: Float32, labels: Int32, codes: Int32, values: Float32, size: int) -> int:
    """Offer many numbers in code order to the heap, and return how many it holds now; NaN is passed over.

    >>> codes, values = np.empty(2, np.int32), np.empty(2, np.float32)
    >>> scan(np.float32([1, np.nan, 3]), np.int32([5, 6, 7]), codes, values, 0), codes.tolist()
    (2, [5, 7])

    Once the heap is full, 64 numbers at a time are compared with its root, which costs about what reading them does.

    Args:
        scores: float32[n].
        labels: int32[n], ascending, above every code in the heap: what the scores belong to.
        codes: int32[k], the heap's codes.
        values: float32[k], the heap.
        size: how many of the k are taken.
    """
    n, k, c = len(scores), len(values), 0
    while c < n and size < k:
        if not np.isnan(scores[c]):
            size = offer(scores[c], labels[c], codes, values, size)
        c += 1
    while c + CHUNK <= n:
        part, bar, above = scores[c : c + CHUNK], values[0], np.int32(0)
        for j in range(CHUNK):
            above |= np.int32(part[j] > bar)
        if above != 0:
            for j in range(CHUNK):
                if part[j] > values[0]:
                    offer(part[j], labels[c + j], codes, values, size)
        c += CHUNK
    while c < n:
        if scores[c] > values[0]:
            offer(scores[c], labels[c], codes, values, size)
        c += 1
    return size


@njit(nogil=True, cache=True)
def ranked(codes: Int32, values: Float32, size: int) -> None:
    """Turn a heap into a list, best first; slots that stay empty hold -1 and NaN.

    >>> codes, values = np.int32([5, 7, 0]), np.float32([1, 3, 0])
    >>> ranked(codes, values, 2)
    >>> codes.tolist(), values.tolist()
    ([7, 5, -1], [3.0, 1.0, nan])
    """
    codes[size:] = -1
    values[size:] = np.nan
    for end in range(size - 1, 0, -1):
        values[0], values[end] = values[end], values[0]
        codes[0], codes[end] = codes[end], codes[0]
        _sift(values, codes, end)


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
    ranked(items, values, scan(scores, codes, items, values, 0))
