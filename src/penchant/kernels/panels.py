"""The best inner products without computing most of them: bounds first, then the few that can matter, exactly.

Every item is kept twice: as it is, and as small integers in panels of sixteen, longest vectors first. A panel whose
longest vector is too short for a row's k-th best so far ends the search of that row. In other panels integers give
each product within a known error, and only items that may be among the best are multiplied out. So the lists are those
of a full scan, bit for bit, whatever was skipped.

Source: the bound by lengths is from Teflioudi, Gemulla and Mykytiuk, "LEMP: Fast Retrieval of Large Entries in a Matrix
Product", SIGMOD 2015, sec. 3; the bound from integers from Li, Chan, Yiu and Mamoulis, "FEXIPRO", SIGMOD 2017, sec. 4.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from penchant.core.arrays import Bool, Float32, Float64, Int8, Int32, Int64
from penchant.kernels.heap import offer, ranked
from penchant.kernels.lanes import LANES, above_four, above_one
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
    return np.sqrt(np.einsum("ij,ij->i", wide, wide))


def _filled(rows: Any, size: int) -> Any:
    """Return the rows and as many -1 as it takes to fill the last of the parts of this size."""
    return np.concatenate([rows, np.full(-len(rows) % size, -1)])


@njit(nogil=True, cache=True)
def _product(left: Float32, right: Float32) -> float:
    """Return the inner product, added up in eight parts; everywhere the same order, so everywhere the same bits."""
    a = b = c = d = e = f = g = h = np.float32(0)
    n = len(left)
    whole = n - n % 8
    for i in range(0, whole, 8):
        a += left[i] * right[i]
        b += left[i + 1] * right[i + 1]
        c += left[i + 2] * right[i + 2]
        d += left[i + 3] * right[i + 3]
        e += left[i + 4] * right[i + 4]
        f += left[i + 5] * right[i + 5]
        g += left[i + 6] * right[i + 6]
        h += left[i + 7] * right[i + 7]
    for i in range(whole, n):
        a += left[i] * right[i]
    return np.float32(((a + e) + (c + g)) + ((b + f) + (d + h)))


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
    silent = True
    for value in vector:
        silent &= value == 0
    for j in range(len(out)):
        out[j] = np.nan if silent else _product(vector, vectors[j])


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
    return _Asked(
        vectors, whole, unit, slip, length, np.zeros(b, np.int64), np.zeros(b), np.full(b, LOWEST, np.int32)
    )


@njit(nogil=True, cache=True)
def _bound(asked: _Asked, r: int, worst: float, index: Panels, t: int) -> None:
    """Set what an item of tile ``t`` needs to be looked at for row ``r``: a length, and a product of integers."""
    asked.need[r], asked.limit[r] = 0.0, LOWEST
    d = asked.vectors.shape[1]
    rounding = (d + 8) * 2.0**-23
    length = asked.length[r]
    if np.isnan(worst) or not length < np.inf:
        return
    if worst > 0:
        asked.need[r] = min((worst - d * 2.0**-148) / (length * (1 + rounding)), HUGE / length)
    reach, slip = index.reach[t * TILE], index.slip[t]
    if not length * reach < HUGE or not slip < np.inf:
        return
    error = asked.slip[r] * (reach + slip) + length * slip + rounding * length * reach + d * 2.0**-148
    limit = np.floor((worst - error) / (asked.unit[r] * index.unit[t])) - 2
    if limit > LOWEST:
        asked.limit[r] = np.int32(min(limit, np.float64(HIGHEST)))


@njit(nogil=True, cache=True)
def _holds(codes: Int32, code: int) -> bool:
    """Return whether an ascending list holds a code."""
    low, high = 0, len(codes)
    while low < high:
        middle = (low + high) // 2
        if codes[middle] < code:
            low = middle + 1
        else:
            high = middle
    return low < len(codes) and codes[low] == code


@njit(nogil=True, cache=True)
def _look(asked: _Asked, index: Panels, rows: Rows, names: Any, best: Best, r: int, panel: int, bits: int) -> None:
    """Multiply out the items of a panel that may be among the best of row ``r``, and keep those that are."""
    codes, exclude_seen = names
    items, values, before = best.items[r], best.scores[r], asked.size[r]
    worst = values[0] if before == len(values) else np.float32(np.nan)
    own = rows.indices[rows.indptr[r] : rows.indptr[r + 1]]
    for lane in range(LANES):
        place = index.order[panel * LANES + lane]
        if (bits >> lane) & 1 == 0 or place < 0:
            continue
        score = _product(asked.vectors[r], index.vectors[place])
        if np.isnan(score) or score < worst or (exclude_seen and _holds(own, codes[place])):
            continue
        asked.size[r] = offer(score, codes[place], items, values, asked.size[r])
        if asked.size[r] == len(values):
            worst = values[0]
    if asked.size[r] == len(values):
        _bound(asked, r, worst, index, panel // TILE)


@njit(nogil=True, cache=True)
def _live(asked: _Asked, best: Best, index: Panels, t: int, live: Int32) -> int:
    """Write the rows that tile ``t`` may matter to, and return how many they are."""
    count = 0
    for r in range(len(asked.size)):
        full = asked.size[r] == best.scores.shape[1]
        _bound(asked, r, best.scores[r, 0] if full else np.nan, index, t)
        if asked.length[r] > 0 and asked.need[r] <= index.reach[t * TILE]:
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
    asked = _asked(rows.data, index.codes.shape[1])
    whole, names = asked.whole.view(np.int32), (space.codes, exclude_seen)
    live = np.empty(len(asked.size), np.int32)
    for t in range(len(index.unit)):
        count = _live(asked, best, index, t, live)
        ends = min((t + 1) * TILE, len(index.reach))
        for a in range(0, count, 4):
            four = live[a : min(a + 4, count)]
            for panel in range(t * TILE, ends):
                need = asked.need[four[0]]
                for r in four[1:]:
                    need = min(need, asked.need[r])
                if need > index.reach[panel]:
                    break
                if len(four) == 4:
                    mask = above_four(index.codes, panel, whole, four, 0, asked.limit)
                    if mask == 0:
                        continue
                    for u in range(4):
                        if (mask >> (LANES * u)) & 65535:
                            _look(asked, index, rows, names, best, four[u], panel, (mask >> (LANES * u)) & 65535)
                else:
                    for u in range(len(four)):
                        mask = above_one(index.codes, panel, whole, four, u, asked.limit)
                        if mask:
                            _look(asked, index, rows, names, best, four[u], panel, mask)
    for r in range(len(asked.size)):
        ranked(best.items[r], best.scores[r], asked.size[r])
