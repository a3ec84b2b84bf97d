"""From how often items meet to the most similar of each."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from penchant.core.arrays import Float32, Int32, Int64
from penchant.kernels.heap import floor_of, offer, ranked, top_k
from penchant.kernels.layout import ZERO, Best, Likeness, Rows

__all__ = ["similar_full", "similar_sparse"]

STRIP, CHUNK = 64, 64
"Rows turned together, and counts compared together."
EXACT = 2**24
"Whole numbers below this are exact in float32; those above are looked up again."


class _Search(NamedTuple):
    """All counts, what makes them similarities, and what may be among the most similar of each item of a block."""

    packed: Any
    likeness: Likeness
    right: Float32
    found: Best
    size: Int64
    bar: Float32
    k: int


@njit(nogil=True, cache=True)
def _row(i: int, n: int) -> int:
    """Return where column 0 of row i of a packed upper triangle would stand."""
    return i * n - i * (i - 1) // 2 - i


@njit(nogil=True, cache=True, error_model="numpy")
def _similarity(count: float, own: int, other: int, likeness: Likeness) -> Any:
    left, right = likeness.left[own], likeness.right[other]
    if likeness.union:
        return count / (left + right - count + likeness.shrinkage)
    return count / (left * right + likeness.shrinkage)


@njit(nogil=True, cache=True, error_model="numpy")
def _bar(score: float, own: int, likeness: Likeness) -> tuple[Any, Any]:
    """Return float32 a and b such that whatever is more similar than a score meets more often than a right + b.

    Rounding loses nothing: the numbers are a little less than they could be, and some that pass are not more similar.
    """
    left, least = likeness.left[own], score * (1.0 - 1e-6)
    if likeness.union:
        least /= 1.0 + least
        return np.float32(least), np.float32(least * (left + likeness.shrinkage))
    return np.float32(least * left), np.float32(least * likeness.shrinkage)


@njit(nogil=True, cache=True)
def _any_above(met: Float32, right: Float32, slope: Any, floor: Any) -> bool:
    """Say whether one of the first counts is above slope right + floor."""
    above = np.int32(0)
    for j in range(CHUNK):
        above |= np.int32(met[j] > slope * right[j] + floor)
    return bool(above != 0)


@njit(nogil=True, cache=True)
def _cut(codes: Int32, scores: Float32, k: int) -> None:
    """Bring the k best to the front, the worst of them to place k - 1: Hoare's selection."""
    low, high = 0, len(codes) - 1
    while low < high:
        middle = (low + high) // 2
        score, code, i, j = scores[middle], codes[middle], low, high
        while i <= j:
            while scores[i] > score or (scores[i] == score and codes[i] < code):
                i += 1
            while scores[j] < score or (scores[j] == score and codes[j] > code):
                j -= 1
            if i <= j:
                scores[i], scores[j] = scores[j], scores[i]
                codes[i], codes[j] = codes[j], codes[i]
                i, j = i + 1, j - 1
        if k - 1 <= j:
            high = j
        elif k - 1 >= i:
            low = i
        else:
            return


@njit(nogil=True, cache=True)
def _sieve(codes: Int32, scores: Float32, k: int) -> tuple[int, Any]:
    """Bring the k best and few others to the front; return how many they are, and what others must be above."""
    floor, count = floor_of(scores, k), ZERO
    for p in range(len(codes)):
        codes[count], scores[count] = codes[p], scores[p]
        count += ZERO + (scores[p] >= floor)
    if count <= k + k // 2:
        return count, floor
    _cut(codes[:count], scores[:count], k)  # many are equal, or most are nearly so
    return k, scores[k - 1]


@njit(nogil=True, cache=True)
def _sort(codes: Int32, scores: Float32, items: Int32, values: Float32) -> None:
    """Write entries best first; slots that stay empty hold -1 and NaN."""
    heap, span, size = Best(items, values), (0, len(items)), 0
    for p in range(len(codes)):
        size = offer(scores[p], codes[p], heap, span, size)
    ranked(heap, span, size)


@njit(nogil=True, cache=True, error_model="numpy")
def _consider(met: Any, first: int, own: int, r: int, search: _Search) -> None:
    """Note those of the items from ``first`` on, which item ``own`` meets so often (float32), that may be best."""
    n, k, right, codes, scores = (
        len(search.right),
        search.k,
        search.right,
        search.found.items[r],
        search.found.scores[r],
    )
    size = search.size[r]
    slope, floor = _bar(np.float64(search.bar[r]), own, search.likeness)
    for low in range(0, len(met), CHUNK):
        width = min(CHUNK, len(met) - low)
        if width == CHUNK and not _any_above(met[low:], right[first + low :], slope, floor):
            continue
        for j in range(low, low + width):
            if met[j] > slope * right[first + j] + floor:
                other = first + j
                count = np.float64(met[j])
                if met[j] >= EXACT:
                    count = np.float64(search.packed[_row(min(own, other), n) + max(own, other)])
                codes[size], scores[size] = other, np.float32(_similarity(count, own, other, search.likeness))
                size += 1
        if size > len(codes) - CHUNK:
            size, search.bar[r] = _sieve(codes[:size], scores[:size], k)
            slope, floor = _bar(np.float64(search.bar[r]), own, search.likeness)
    search.size[r] = size


@njit(nogil=True, cache=True, error_model="numpy")
def similar_full(start: int, stop: int, packed: Any, likeness: Likeness, best: Best) -> None:
    """Find the k items most similar to each of a block, of a packed triangle of counts; itself is left out.

    >>> best = Best(np.empty((1, 2), np.int32), np.empty((1, 2), np.float32))
    >>> norms = np.float64([2, 2, 1])
    >>> similar_full(0, 1, np.int32([4, 2, 0, 4, 1, 1]), Likeness(norms, norms, 0.0, False), best)
    >>> best.items.tolist(), best.scores.tolist()  # 2 / (2 * 2); item 2 never met
    ([[1, -1]], [[0.5, nan]])

    A strip of rows before the block is turned so that each item of the block has its counts side by side, which are
    then compared, many at a time, with what it takes to be among the best. Those few are divided and noted, and sieved
    for the best k whenever they are twice as many. Time is n^2 compares.

    Args:
        start: first item of the block.
        stop: first item after it.
        packed: int[n (n + 1) / 2], how often each pair meets, row by row from the diagonal on.
        likeness: what turns counts into similarities.
        best: b rows, written.
    """
    n, (b, k) = len(likeness.left), best.items.shape
    found = Best(np.empty((b, 2 * k + CHUNK), np.int32), np.empty((b, 2 * k + CHUNK), np.float32))
    search = _Search(
        packed, likeness, likeness.right.astype(np.float32), found, np.zeros(b, np.int64), np.zeros(b, np.float32), k
    )
    strip, rest = np.empty((b, STRIP), np.float32), np.empty(n - start, np.float32)
    for low in range(0, start, STRIP):
        width = min(STRIP, start - low)
        for j in range(width):
            column = packed[_row(low + j, n) + start : _row(low + j, n) + stop]
            for r in range(b):
                strip[r, j] = column[r]
        for r in range(b):
            _consider(strip[r, :width], low, start + r, r, search)
    for r in range(b):
        for j in range(start, start + r):
            rest[j - start] = packed[_row(j, n) + start + r]
        rest[r] = 0
        base = _row(start + r, n) + start
        for j in range(r + 1, n - start):
            rest[j] = packed[base + j]
        _consider(rest, start, start + r, r, search)
        size = search.size[r]
        if size > k:
            _cut(found.items[r, :size], found.scores[r, :size], k)
            size = k
        _sort(found.items[r, :size], found.scores[r, :size], best.items[r], best.scores[r])


@njit(nogil=True, cache=True, error_model="numpy")
def similar_sparse(start: int, rows: Rows, likeness: Likeness, best: Best) -> None:
    """Find the same as :func:`similar_full`, of the stored counts of a symmetric sparse matrix (data int64).

    >>> best = Best(np.empty((1, 1), np.int32), np.empty((1, 1), np.float32))
    >>> rows = Rows(np.int64([0, 2]), np.int32([0, 1]), np.int64([4, 2]))
    >>> similar_sparse(0, rows, Likeness(np.float64([4, 2]), np.float64([4, 2]), 0.0, True), best)
    >>> best.items.tolist(), best.scores.tolist()  # 2 / (4 + 2 - 2)
    ([[1]], [[0.5]])

    Args:
        start: first item of the block.
        rows: all n rows.
        likeness: what turns counts into similarities.
        best: b rows, written.
    """
    for row in range(len(best.items)):
        own = start + row
        codes = rows.indices[rows.indptr[own] : rows.indptr[own + 1]]
        counts = rows.data[rows.indptr[own] : rows.indptr[own + 1]]
        scores = np.empty(len(codes), np.float32)
        for p in range(len(codes)):
            scores[p] = np.nan if codes[p] == own else _similarity(counts[p], own, codes[p], likeness)
        top_k(scores, codes, best.items[row], best.scores[row])
