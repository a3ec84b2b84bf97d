"""Vectors of items twice: as they are, and as small integers in panels of sixteen, the longest vectors first."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from penchant.core.arrays import Float32, Float64, Int8, Int32
from penchant.kernels.lanes import LANES, product

__all__ = ["HUGE", "TILE", "Panels", "inner", "multiply", "panels_of"]

TILE = 64
"Panels that are read together, for all rows of a block; at 64 axes they take 64 KiB."
HUGE = 1e37
"Products of lengths from here on may overflow float32, so nothing is said about them."


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
    places: Int32
    "int32[n], the inverse: where each row stands in the order."
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

    Memory is 4 n d + n d + 8 n bytes, of which the first are the vectors given; time n (d + log n).

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
    places = np.empty(n, np.int32)
    places[order[order >= 0]] = np.flatnonzero(order >= 0)
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
    return Panels(vectors, order, places, codes, reach, unit, slip)


def _lengths(vectors: Any) -> Float64:
    wide = np.asarray(vectors, np.float64)
    squares: Float64 = np.einsum("ij,ij->i", wide, wide)
    return np.sqrt(squares)


def _filled(rows: Any, size: int) -> Any:
    """Return the rows and as many -1 as it takes to fill the last of the parts of this size."""
    return np.concatenate([rows, np.full(-len(rows) % size, -1)])


@njit(nogil=True, cache=True)
def inner(left: Float32, row: int, right: Float32, other: int) -> float:
    """Return the inner product of a row of one matrix with a row of another.

    It is added up in one order only, so that its bits are the same everywhere.

    >>> inner(np.float32([[1, 2]]), 0, np.float32([[0, 0], [3, 4]]), 1)
    11.0
    """
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
        out[j] = np.nan if silent else inner(left, 0, vectors, j)
