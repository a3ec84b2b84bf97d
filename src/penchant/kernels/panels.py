"""The best inner products without computing most of them: bounds first, then the few that can matter, exactly.

Every item is kept twice: as it is, and as small integers in panels of sixteen, longest vectors first. A panel whose
longest vector is too short for a row's k-th best so far ends the search of that row. In other panels integers give
each product within a known error, and only items that may be among the best are multiplied out. So the lists are those
of a full scan, bit for bit, whatever was skipped.

Sources: the bound by lengths, Teflioudi, Gemulla and Mykytiuk, "LEMP: Fast Retrieval of Large Entries in a Matrix
Product", SIGMOD 2015; the bound from integers, Li, Chan, Yiu and Mamoulis, "FEXIPRO: Fast and Exact Inner Product
Retrieval in Recommender Systems", SIGMOD 2017. Both use the inequality of Cauchy and Schwarz on what is left out.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from penchant.core.arrays import Float32, Float64, Int8, Int32, Int64
from penchant.kernels.heap import offer, ranked
from penchant.kernels.lanes import LANES, above_four, above_one, lowest, product
from penchant.kernels.layout import Best, Rows, Space

__all__ = ["Panels", "multiply", "panels_of", "rank_panels"]

TILE = 64
"Panels that are read together, for all rows of a block; at 64 axes they take 64 KiB."
HUGE = 1e37
"Products of lengths from here on may overflow float32, so nothing is said about them."
LOWEST, HIGHEST = -(2**31), 2**31 - 1


class Panels(NamedTuple):
    """Vectors of items, and what bounds their inner products.

    >>> panels = panels_of(np.float32([[0, 1], [3, 4]]))
    >>> panels.order[:3].tolist(), panels.reach.tolist()  # the longer vector comes first
    ([1, 0, -1], [5.0])
    """

    vectors: Float32
    "float32[n, d], C order."
    order: Int32
    "int32[16 p], rows of the vectors by falling length, those with no length first; -1 behind the last."
    codes: Int8
    "int8[p, d / 2, 32], for each panel and pair of axes 16 times two integers."
    reach: Float64
    "float64[p], the largest length in each panel; infinite where there is no length."
    unit: Float64
    "float64[t], what an integer of each tile of 64 panels stands for."
    slip: Float64
    "float64[t], the largest length of what the integers of a tile leave out; infinite where there is no length."


def panels_of(vectors: Float32) -> Panels:
    """Return the panels of float32[n, d] vectors.

    Memory is 4 n d + n d bytes, of which the first are the vectors given; time n (d + log n).

    >>> panels_of(np.float32([[2, -1]])).codes[0, 0, :2].tolist()
    [127, -64]
    """
    n, d = vectors.shape
    lengths = np.concatenate([_lengths(vectors[a : a + 65536]) for a in range(0, n, 65536)] or [np.zeros(0)])
    lengths[~(lengths < HUGE)] = np.inf
    odd = np.flatnonzero(np.isinf(lengths))
    even = np.flatnonzero(np.isfinite(lengths))
    even = even[np.argsort(-lengths[even], kind="stable")]
    order = np.concatenate([_filled(odd, LANES * TILE), _filled(even, LANES)]).astype(np.int32)
    count, pairs = len(order) // LANES, (d + 1) // 2
    codes = np.zeros((count, pairs, 2 * LANES), np.int8)
    tiles = -(-count // TILE)
    unit, slip = np.ones(tiles), np.full(tiles, np.inf)
    for t in range(len(_filled(odd, LANES * TILE)) // (LANES * TILE), tiles):
        own = order[t * TILE * LANES : (t + 1) * TILE * LANES]
        part = np.where(own[:, None] >= 0, vectors[own], 0).astype(np.float64)
        unit[t] = np.abs(part).max() / 127 or 1.0
        whole = np.rint(part / unit[t])
        slip[t] = _lengths(part - whole * unit[t]).max()
        table = np.zeros((len(own), 2 * pairs), np.int8)
        table[:, :d] = whole
        codes[t * TILE : (t + 1) * TILE] = (
            table.reshape(-1, LANES, pairs, 2).transpose(0, 2, 1, 3).reshape(-1, pairs, 2 * LANES)
        )
    reach = np.where(order >= 0, lengths[order], 0.0).reshape(count, LANES).max(axis=1, initial=0.0)
    return Panels(vectors, order, codes, reach, unit, slip)


def _lengths(vectors: Any) -> Float64:
    wide = np.asarray(vectors, np.float64)
    squares: Float64 = np.einsum("ij,ij->i", wide, wide)
    return np.sqrt(squares)


def _filled(rows: Any, size: int) -> Any:
    """Return the rows and as many -1 as it takes to fill the last of the parts of this size."""
    return np.concatenate([rows, np.full(-len(rows) % size, -1)])


@njit(nogil=True, cache=True)
def _product(left: Float32, row: int, right: Float32, other: int) -> float:
    """Return the inner product of two rows, added up in one order only, so that its bits are the same everywhere."""
    total: float = product(left, row, right, other)
    n = left.shape[1]
    for i in range(n - n % 8, n):
        total += left[row, i] * right[other, i]
    return total


@njit(nogil=True, cache=True)
def multiply(vector: Float32, vectors: Float32, out: Float32) -> None:
    """Set ``out`` to the inner products of one vector with many; NaN when the vector is all zeros.

    >>> out = np.empty(2, np.float32)
    >>> multiply(np.float32([1, 0.5]), np.float32([[1, 0], [1, 1]]), out)
    >>> out.tolist()
    [1.0, 1.5]

    Args:
        vector: float32[d].
        vectors: float32[n, d], C order.
        out: float32[n], written.
    """
    silent, left = True, vector.reshape(1, -1)
    for value in vector:
        silent &= value == 0
    for j in range(len(out)):
        out[j] = np.nan if silent else _product(left, 0, vectors, j)


class _Asked(NamedTuple):
    """Rows of a block while they are searched for."""

    vectors: Float32
    whole: Any
    unit: Float64
    slip: Float64
    length: Float64
    size: Int64
    need: Float64
    limit: Int32
    error: Float64
    scale: Float64


@njit(nogil=True, cache=True)
def _asked(vectors: Float32, pairs: int) -> _Asked:
    """Return the rows' vectors as integers of 16 bits, as far as sums of products with 8 bits allow."""
    b, d = vectors.shape
    top = min(32767, HIGHEST // (127 * 2 * pairs))
    whole = np.zeros((b, 2 * pairs), np.int16)
    unit, slip, length = np.ones(b), np.zeros(b), np.zeros(b)
    for r in range(b):
        most = 0.0
        for i in range(d):
            length[r] += np.float64(vectors[r, i]) ** 2
            most = max(most, abs(np.float64(vectors[r, i])))
        length[r] = np.sqrt(length[r])
        if not length[r] < HUGE:
            length[r] = np.inf
        elif most > 0:
            unit[r] = most / top
            for i in range(d):
                number = np.rint(vectors[r, i] / unit[r])
                whole[r, i] = np.int16(number)
                slip[r] += (vectors[r, i] - number * unit[r]) ** 2
            slip[r] = np.sqrt(slip[r])
    size, need, limit = np.zeros(b, np.int64), np.zeros(b), np.full(b, LOWEST, np.int32)
    return _Asked(vectors, whole, unit, slip, length, size, need, limit, np.full(b, np.inf), np.ones(b))


@njit(nogil=True, cache=True)
def _enter(asked: _Asked, index: Panels, t: int) -> None:
    """Set for every row how far products of integers may be off in tile ``t``, and how many integers make one."""
    d = asked.vectors.shape[1]
    rounding, reach, slip = (d + 8) * 2.0**-23, index.reach[t * TILE], index.slip[t]
    for r in range(len(asked.size)):
        length = asked.length[r]
        asked.error[r] = np.inf
        if length * reach < HUGE and slip < np.inf:
            asked.error[r] = asked.slip[r] * (reach + slip) + length * (slip + rounding * reach) + d * 2.0**-148
            asked.scale[r] = 1 / (asked.unit[r] * index.unit[t])


@njit(nogil=True, cache=True)
def _raise(asked: _Asked, r: int, worst: float) -> None:
    """Set what an item needs to be looked at for a row that has enough: a length, and a product of integers."""
    d, length = asked.vectors.shape[1], asked.length[r]
    if worst > 0 and length < np.inf:
        needed = (worst - d * 2.0**-148) / (length * (1 + (d + 8) * 2.0**-23))
        asked.need[r] = min(needed, HUGE / length)
    limit = np.floor((worst - asked.error[r]) * asked.scale[r]) - 2
    asked.limit[r] = np.int32(min(limit, np.float64(HIGHEST))) if limit > LOWEST else LOWEST


@njit(nogil=True, cache=True)
def _holds(codes: Int32, low: int, high: int, code: int) -> bool:
    """Return whether an ascending part of a list holds a code."""
    end = high
    while low < high:
        middle = (low + high) // 2
        if codes[middle] < code:
            low = middle + 1
        else:
            high = middle
    return low < end and codes[low] == code


@njit(nogil=True, cache=True, inline="always")
def _look(asked: _Asked, index: Panels, seen: Rows, kept: tuple[Best, Int32], at: tuple[int, int, int]) -> None:
    """Multiply out the items of a panel that may be among the best of a row, and keep those that are."""
    r, first, bits = at
    heap, codes = kept
    k = len(heap.items) // len(asked.size)
    size, root = asked.size[r], r * k
    while bits:
        place = index.order[first + lowest(bits)]
        bits &= bits - 1
        if place >= 0:
            score = _product(asked.vectors, r, index.vectors, place)
            if (size < k and not np.isnan(score)) or score >= heap.scores[root]:
                code = codes[place]
                if not _holds(seen.indices, seen.indptr[r], seen.indptr[r + 1], code):
                    size = offer(score, code, heap, (root, k), size)
    asked.size[r] = size
    if size == k:
        _raise(asked, r, heap.scores[root])


@njit(nogil=True, cache=True)
def _live(asked: _Asked, heap: Best, reach: float, live: Int32) -> int:
    """Write the rows that items of this length may matter to, and return how many they are."""
    count, k = 0, len(heap.items) // len(asked.size)
    for r in range(len(asked.size)):
        if asked.size[r] == k:
            _raise(asked, r, heap.scores[r * k])
        if asked.length[r] > 0 and asked.need[r] <= reach:
            live[count] = r
            count += 1
    return count


@njit(nogil=True, cache=True)
def rank_panels(rows: Rows, index: Panels, space: Space, exclude_seen: bool, best: Best) -> None:
    """Rank candidates by their inner product with a vector; a vector of zeros ranks nothing.

    >>> rows = Rows(np.int64([0, 1]), np.int32([0]), np.float32([[1, 0.5]]))  # one history: item 0, and its vector
    >>> codes, best = np.arange(3, dtype=np.int32), Best(np.empty((1, 2), np.int32), np.empty((1, 2), np.float32))
    >>> rank_panels(rows, panels_of(np.float32([[1, 0], [0, 1], [1, 1]])), Space(codes, codes), True, best)
    >>> best.items.tolist(), best.scores.tolist()
    ([[2, 1]], [[1.5, 0.5]])

    Args:
        rows: b histories with ascending indices; data is float32[b, d], one vector each.
        index: the candidates' vectors.
        space: the candidates.
        exclude_seen: leave out the row's own items.
        best: written.
    """
    b, k = best.items.shape
    asked, heap = _asked(rows.data, index.codes.shape[1]), Best(best.items.reshape(-1), best.scores.reshape(-1))
    seen = Rows(rows.indptr if exclude_seen else np.zeros(b + 1, np.int64), rows.indices, rows.data)
    live = np.empty(b, np.int32)
    bars = (asked.whole.view(np.int32), asked.limit, live)
    for t in range(len(index.unit)):
        _enter(asked, index, t)
        count = _live(asked, heap, index.reach[t * TILE], live)
        for a in range(0, count, 4):
            four = min(4, count - a)
            for panel in range(t * TILE, min((t + 1) * TILE, len(index.reach))):
                need = asked.need[live[a]]
                for u in range(1, four):
                    need = min(need, asked.need[live[a + u]])
                if need > index.reach[panel]:
                    break
                if four == 4:
                    mask = above_four(index.codes, panel, a, bars)
                else:
                    mask = 0
                    for u in range(four):
                        mask |= above_one(index.codes, panel, a + u, bars) << (LANES * u)
                u = 0
                while mask:
                    if mask & 65535:
                        _look(asked, index, seen, (heap, space.codes), (live[a + u], panel * LANES, mask & 65535))
                    u += 1
                    mask = (mask >> LANES) & (2**48 - 1)
    for r in range(b):
        ranked(heap, (r * k, k), asked.size[r])
