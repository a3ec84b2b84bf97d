"""Alternating least squares by steps: conjugate gradients, and blocks of axes, along the principal axes of a side."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from penchant.core.arrays import Bool, Float32
from penchant.kernels.als import FAST, add_outer, solve_spd
from penchant.kernels.layout import Rows

__all__ = ["Axes", "Walk", "block_rows", "descend_rows"]


TILE = 2048
"Longest row whose vectors are copied together before it is solved."


class Axes(NamedTuple):
    """A side that stands still, turned until its gram is diagonal.

    >>> Axes(np.float32([[2, 0], [0, 1]]), np.float32([4, 1])).energy.tolist()
    [4.0, 1.0]
    """

    vectors: Float32
    "float32[m, d]."
    energy: Float32
    "float32[d], the diagonal of the unobserved weight times vectors' vectors."


class Walk(NamedTuple):
    """From where to go, how far, and when it is far enough.

    >>> Walk(np.zeros((1, 2), np.float32), 3, np.float32(0)).reach
    3
    """

    vectors: Float32
    "float32[b, d], where to start; overwritten by where one arrives."
    reach: int
    "Steps of conjugate gradients, or axes in a block."
    tolerance: Any = np.float32(0)
    "float32: conjugate gradients end when the square of what is left has shrunk to this share of itself."


@njit(nogil=True, cache=True, fastmath=FAST)
def _pull(row: Rows, lifted: Float32, vectors: Float32, x: Float32, out: Float32) -> None:
    """Add sum_i (b_i - c_i h_i.x) h_i to ``out``, four entries at a time; ``lifted`` is b; empty is 0."""
    n, d, reach = len(row.indices), len(out), len(x)
    zero = np.float32(0)
    for q in range(0, n - n % 4, 4):
        h0, h1 = vectors[row.indices[q]], vectors[row.indices[q + 1]]
        h2, h3 = vectors[row.indices[q + 2]], vectors[row.indices[q + 3]]
        s0, s1, s2, s3 = zero, zero, zero, zero
        for j in range(reach):
            s0 += h0[j] * x[j]
            s1 += h1[j] * x[j]
            s2 += h2[j] * x[j]
            s3 += h3[j] * x[j]
        s0, s1, s2, s3 = -row.data[q] * s0, -row.data[q + 1] * s1, -row.data[q + 2] * s2, -row.data[q + 3] * s3
        if len(lifted):
            s0, s1, s2, s3 = s0 + lifted[q], s1 + lifted[q + 1], s2 + lifted[q + 2], s3 + lifted[q + 3]
        for j in range(d):
            out[j] += s0 * h0[j] + s1 * h1[j] + s2 * h2[j] + s3 * h3[j]
    for q in range(n - n % 4, n):
        h0, s0 = vectors[row.indices[q]], zero
        for j in range(reach):
            s0 += h0[j] * x[j]
        s0 = -row.data[q] * s0
        if len(lifted):
            s0 += lifted[q]
        for j in range(d):
            out[j] += s0 * h0[j]


@njit(nogil=True, cache=True, fastmath=FAST)
def _energy(row: Rows, vectors: Float32, x: Float32) -> np.float32:
    """Return sum_i c_i (h_i.x)^2."""
    n, d = len(row.indices), len(x)
    zero = np.float32(0)
    total = zero
    for q in range(0, n - n % 4, 4):
        h0, h1 = vectors[row.indices[q]], vectors[row.indices[q + 1]]
        h2, h3 = vectors[row.indices[q + 2]], vectors[row.indices[q + 3]]
        s0, s1, s2, s3 = zero, zero, zero, zero
        for j in range(d):
            s0 += h0[j] * x[j]
            s1 += h1[j] * x[j]
            s2 += h2[j] * x[j]
            s3 += h3[j] * x[j]
        total += row.data[q] * s0 * s0 + row.data[q + 1] * s1 * s1
        total += row.data[q + 2] * s2 * s2 + row.data[q + 3] * s3 * s3
    for q in range(n - n % 4, n):
        s0 = zero
        for j in range(d):
            s0 += vectors[row.indices[q], j] * x[j]
        total += row.data[q] * s0 * s0
    return total


@njit(nogil=True, cache=True, fastmath=FAST)
def _descend(row: Rows, target: Float32, vectors: Float32, walk: Walk, scratch: Float32) -> bool:
    """Do the work of :func:`descend_rows` for one row, and say whether it arrived; D is in ``scratch[0]``."""
    x, damp, rest, way, pulled = walk.vectors[0], scratch[0], scratch[1], scratch[2], scratch[3]
    inverse, none, d, begun = scratch[4], target[:0], len(scratch[0]), 0
    for j in range(d):
        rest[j] = -damp[j] * x[j]
        inverse[j] = np.float32(1) / damp[j]
        begun = d if x[j] != 0 else begun
    _pull(row, target, vectors, x[:begun], rest)
    size = np.float32(0)
    for j in range(d):
        way[j] = rest[j] * inverse[j]
        size += way[j] * rest[j]
    enough = max(np.float32(1e-30), walk.tolerance * size)
    for _ in range(walk.reach - 1):
        if not size > enough:
            return True
        for j in range(d):
            pulled[j] = -damp[j] * way[j]
        _pull(row, none, vectors, way, pulled)
        bend = np.float32(0)
        for j in range(d):
            bend -= way[j] * pulled[j]
        stride, before, size = size / bend, size, np.float32(0)
        for j in range(d):
            x[j] += stride * way[j]
            rest[j] += stride * pulled[j]
            size += rest[j] * rest[j] * inverse[j]
        turn = size / before
        for j in range(d):
            way[j] = rest[j] * inverse[j] + turn * way[j]
    if not size > enough:
        return True
    bend = _energy(row, vectors, way)  # the last step needs its length only
    for j in range(d):
        bend += damp[j] * way[j] * way[j]
    stride = size / bend
    for j in range(d):
        x[j] += stride * way[j]
    return False


@njit(nogil=True, cache=True, fastmath=FAST)
def descend_rows(rows: Rows, target: Float32, axes: Axes, ridge: Float32, walk: Walk) -> Bool:
    """Take conjugate gradient steps towards (D + sum_i c_i h_i h_i') w = sum_i b_i h_i, with D = energy + ridge.

    D is diagonal along the principal axes, so that it costs d instead of d^2 to apply, and as little to invert: it is
    the preconditioner. What is left to the steps is the part of the row's own entries, and three do it.
    Memory is at most 8192 d bytes, time (4 steps + 2) d nnz.

    >>> row = Rows(np.int64([0, 1]), np.int32([0]), np.float32([1]))
    >>> walk = Walk(np.zeros((1, 1), np.float32), 1)
    >>> descend_rows(row, np.float32([1]), Axes(np.float32([[2]]), np.float32([3])), np.float32([1]), walk).tolist()
    [False]
    >>> walk.vectors.tolist()  # 2 / (3 + 4 + 1)
    [[0.25]]

    Args:
        rows: b rows over ``axes.vectors``; data is c_i, the confidence beyond the unobserved weight.
        target: float32[nnz], b_i.
        axes: the side that stands still.
        ridge: float32[b], above 0.
        walk: float32[b, d] to start from, the number of steps, and what is near enough.

    Returns:
        bool[b]: whether the tolerance was reached before the last step.

    Source: Hestenes and Stiefel, "Methods of Conjugate Gradients for Solving Linear Systems", 1952; Takacs, Pilaszy
    and Tikk, "Applications of the Conjugate Gradient Method for Implicit Feedback Collaborative Filtering", RecSys
    2011, sec. 3. The principal axes are ours.
    """
    d = axes.vectors.shape[1]
    size = 0
    for r in range(len(ridge)):
        size = max(size, min(TILE, rows.indptr[r + 1] - rows.indptr[r]))
    scratch, tile, arrived = (
        np.empty((5, d), np.float32),
        np.empty((size, d), np.float32),
        np.ones(len(ridge), np.bool_),
    )
    places = np.arange(size).astype(np.int32)
    for r in range(len(ridge)):
        start, stop = rows.indptr[r], rows.indptr[r + 1]
        if start == stop:
            walk.vectors[r] = 0
            continue
        for j in range(len(axes.energy)):
            scratch[0, j] = axes.energy[j] + ridge[r]
        here, vectors = rows.indices[start:stop], axes.vectors
        if len(here) <= TILE:  # read at every step, and faster side by side: a third less time where the side is large
            for q in range(len(here)):
                h, copy = vectors[here[q]], tile[q]
                for j in range(d):
                    copy[j] = h[j]
            here, vectors = places[: len(here)], tile
        row = Rows(rows.indptr[r : r + 2], here, rows.data[start:stop])
        own = Walk(walk.vectors[r : r + 1], walk.reach, walk.tolerance)
        arrived[r] = _descend(row, target[start:stop], vectors, own, scratch)
    return arrived


@njit(nogil=True, cache=True, fastmath=FAST)
def _correct(row: Rows, vectors: Float32, step: Float32, first: int, left: Float32) -> None:
    """Take from ``left`` what a step along the axes from ``first`` explains: c_i h_i.step."""
    for q in range(len(left)):
        score = np.float32(0)
        for j in range(len(step)):
            score += vectors[row.indices[q], first + j] * step[j]
        left[q] -= row.data[q] * score


@njit(nogil=True, cache=True, fastmath=FAST)
def block_rows(rows: Rows, target: Float32, axes: Axes, ridge: Float32, walk: Walk) -> None:
    """Solve the system of :func:`descend_rows` once for each block of axes in turn, the other axes standing still.

    Memory is 8 b^2 bytes for b axes, time (d b + 4 d) nnz + d b^2 / 3 a row.

    >>> row = Rows(np.int64([0, 1]), np.int32([0]), np.float32([1]))
    >>> walk = Walk(np.zeros((1, 2), np.float32), 1)
    >>> block_rows(row, np.float32([1]), Axes(np.float32([[2, 1]]), np.float32([3, 2])), np.float32([1]), walk)
    >>> walk.vectors.tolist()  # 2 / (3 + 4 + 1), then (1 - 2 / 4) / (2 + 1 + 1)
    [[0.25, 0.125]]

    Args:
        rows: b rows over ``axes.vectors``; data is c_i, the confidence beyond the unobserved weight.
        target: float32[nnz], b_i.
        axes: the side that stands still.
        ridge: float32[b], above 0.
        walk: float32[b, d] to start from, and the axes in a block.

    Source: Rendle, Krichene, Zhang and Koren, "iALS++: Speeding up Matrix Factorization with Subspace Optimization",
    2021, eq. 13 and 14.
    """
    for r in range(len(ridge)):
        start, stop = rows.indptr[r], rows.indptr[r + 1]
        row = Rows(rows.indptr[r : r + 2], rows.indices[start:stop], rows.data[start:stop])
        left = target[start:stop].copy()
        _correct(row, axes.vectors, walk.vectors[r], 0, left)
        for first in range(0, len(axes.energy), walk.reach):
            x = walk.vectors[r, first : first + walk.reach]
            system, move = np.zeros((len(x), len(x)), np.float64), np.empty(len(x), np.float64)
            for j in range(len(x)):
                system[j, j] = axes.energy[first + j] + ridge[r]
                move[j] = -system[j, j] * x[j]
            for q in range(len(left)):
                for j in range(len(x)):
                    move[j] += left[q] * axes.vectors[row.indices[q], first + j]
            add_outer(row, axes.vectors, first, system)
            solve_spd(system, move)
            step = move.astype(np.float32)
            for j in range(len(x)):
                x[j] += step[j]
            _correct(row, axes.vectors, step, first, left)
