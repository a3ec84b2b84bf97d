"""Non-negative regressions of every item on the items it meets, by coordinate descent on their counts."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from penchant.core.arrays import Float32, Float64, Int32, Int64
from penchant.kernels.cooccurrence import grown
from penchant.kernels.layout import ZERO, Elastic, Square

__all__ = ["regress_block"]

_FIRST = 64
"Items admitted at first; later as many as there are."
_WHOLE = 4096
"Items admitted at once where most of them had weight for the item before."
_TILE = 64


@njit(nogil=True, cache=True)
def regress_block(start: int, stop: int, gram: Square, elastic: Elastic) -> tuple[Int64, Int32, Float32, Float32]:
    """Find, for items ``start`` to ``stop``, the weights w >= 0 of other items that explain who likes each.

    Minimised is 1/2 w'Gw - w'g + l2/2 w'w + l1 sum(w), where g is the item's row of the counts G. Only items that meet
    it can have weight: elsewhere the slope at 0 is not negative, whatever the others weigh. They are admitted a few
    at a time, those that promise most first, until no slope of any of them calls for another.

    >>> counts = np.float32([[4, 2, 0], [2, 2, 0], [0, 0, 3]])
    >>> none, row = np.zeros(0, np.int64), np.zeros(0, np.int32)
    >>> gram = Square(none, none, row, np.zeros(0, np.float32), counts, counts.diagonal())
    >>> lengths, items, weights, slopes = regress_block(0, 3, gram, Elastic(0.0, 1.0, 1e-4, 100, 3))
    >>> lengths.tolist(), items.tolist(), weights.astype(float).round(2).tolist()  # 2 / (2 + 1) and 2 / (4 + 1)
    ([1, 1, 0], [1, 0], [0.67, 0.4])

    Args:
        start: first item of the block.
        stop: first item after it.
        gram: the counts.
        elastic: the penalties, and when to stop.

    Returns:
        int64[b] weights an item; int32[nnz] ascending items of each; float32[nnz] weights; float32[b] the largest
        slope that is left, as a share of the largest count.
    """
    n = len(gram.diagonal)
    lengths, slopes = np.zeros(stop - start, np.int64), np.zeros(stop - start, np.float32)
    size, at = 1024, 0
    indices, values = np.empty(size, np.int32), np.empty(size, np.float32)
    scratch, share = (np.zeros(n, np.float64), np.zeros(n, np.int32)), 0.0
    cells = np.empty((_FIRST, _FIRST), np.float32)
    for own in range(start, stop):
        items, counts = _met(own, gram, elastic.l1)
        if len(items) == 0:
            continue
        first = max(_FIRST, int(share * len(items)) if share < 1 / 3 else min(_WHOLE, len(items)))
        chosen, weights, slopes[own - start], cells = _solve(items, counts, gram, elastic, (first, scratch, cells))
        kept = _strongest(chosen, weights, elastic.k)
        share = np.count_nonzero(weights) / len(items)
        if at + len(kept) > size:
            size = max(2 * size, at + len(kept))
            indices, values = grown(indices, size), grown(values, size)
        for a in kept:
            indices[at], values[at] = chosen[a], weights[a]
            at += 1
        lengths[own - start] = len(kept)
    return lengths, indices[:at].copy(), values[:at].copy(), slopes


@njit(nogil=True, cache=True)
def _met(own: int, gram: Square, l1: float) -> tuple[Int32, Float64]:
    """Return the other items that meet one more often than ``l1``, ascending, and how much more often."""
    if len(gram.dense):
        row, codes = gram.dense[own], np.arange(len(gram.dense)).astype(np.int32)
    else:
        part = slice(gram.indptr[own], gram.indptr[own + 1])
        row, codes = gram.data[part], gram.indices[part]
    found = 0
    items, counts = np.empty(len(row), np.int32), np.empty(len(row), np.float64)
    for p in range(len(row)):
        if row[p] > l1 and row[p] > 0 and codes[p] != own:
            items[found], counts[found] = codes[p], row[p] - l1
            found += 1
    return items[:found], counts[:found]


@njit(nogil=True, cache=True)
def _solve(items: Int32, counts: Float64, gram: Square, elastic: Elastic, room: Any) -> Any:
    """Return the admitted items, what they weigh, and the largest slope left, as a share of the largest count.

    The room for the counts between the items is handed on from one to the next.
    """
    first, (sums, places), between = room
    size, m, spent = min(len(items), first), ZERO, 0
    chosen, weights = np.empty(size, np.int32), np.zeros(size, np.float32)
    slopes, admitted = counts.copy(), np.full(len(items), -1, np.int32)
    top = counts.max() + elastic.l1
    enough = elastic.tolerance * top
    while True:
        worst, promises = _judge(items, gram, (elastic.l2, enough), (weights, admitted), slopes)
        if worst <= enough or spent >= elastic.epochs:
            return chosen[:m], weights[:m], worst / top, between
        new = _promising(promises, max(first, m))
        if m + len(new) > size:
            size = min(len(items), 2 * (m + len(new)))
            chosen, weights = grown(chosen, size), grown(weights, size)
            weights[m:] = 0
        if m + len(new) > len(between):
            between = _wider(between, m, (m + len(new)) * 5 // 4)
        for a in range(len(new)):
            admitted[new[a]], chosen[m + a] = m + a, items[new[a]]
        old, m = m, m + len(new)
        _fill(chosen[:m], old, gram, elastic.l2, (places, between))
        slope = np.empty(m, np.float32)
        for p in range(len(items)):
            if admitted[p] >= 0:
                slope[admitted[p]] = slopes[p]
        goal = enough / 2 if len(new) == 0 else max(enough / 2, worst / 10)
        spent += _descend(between, slope, weights[:m], goal, elastic.epochs - spent)
        _slope(items, counts, (gram, between, sums), (chosen[:m], weights[:m], admitted), slopes)


@njit(nogil=True, cache=True)
def _judge(items: Int32, gram: Square, limits: Any, held: Any, slopes: Float64) -> tuple[float, Float64]:
    """Return the largest slope that should be 0, and what each item that is left out promises, 0 or more.

    The promise is the square root of twice what the item would gain alone.
    """
    l2, enough = limits
    weights, admitted = held
    worst, promises = 0.0, np.zeros(len(items), np.float64)
    for p in range(len(items)):
        a = admitted[p]
        if a >= 0:
            worst = max(worst, abs(slopes[p]) if weights[a] > 0 else slopes[p])
        elif slopes[p] > enough:
            worst = max(worst, slopes[p])
            promises[p] = slopes[p] / np.sqrt(gram.diagonal[items[p]] + l2)
    return worst, promises


@njit(nogil=True, cache=True)
def _slope(items: Int32, counts: Float64, grams: Any, held: Any, out: Float64) -> None:
    """Write how fast the fit improves with the weight of each item (float64), as precisely as the counts allow."""
    gram, between, sums = grams
    chosen, weights, admitted = held
    m, inside = len(chosen), np.zeros(len(chosen), np.float64)
    for a in range(m):
        if weights[a] > 0:
            weight, row = np.float64(weights[a]), between[a]
            for b in range(m):
                inside[b] += weight * row[b]
    for p in range(len(items)):
        if admitted[p] >= 0:
            out[p] = counts[p] - inside[admitted[p]]
    if m < len(items):
        if len(gram.dense):
            _outside_dense(gram, chosen, weights, sums)
        else:
            _outside_sparse(items, gram, held, sums)
        for p in range(len(items)):
            if admitted[p] < 0:
                out[p] = counts[p] - sums[items[p]]
        sums[:] = 0


@njit(nogil=True, cache=True)
def _outside_dense(gram: Square, chosen: Int32, weights: Float32, sums: Float64) -> None:
    for a in range(len(chosen)):
        if weights[a] > 0:
            weight, row = np.float64(weights[a]), gram.dense[chosen[a]]
            for i in range(len(row)):
                sums[i] += weight * row[i]


@njit(nogil=True, cache=True)
def _outside_sparse(items: Int32, gram: Square, held: Any, sums: Float64) -> None:
    """Sum over pairs from the rarer of the two, whose row is the shorter one."""
    chosen, weights, admitted = held
    known = np.zeros(len(sums), np.float32)
    for a in range(len(chosen)):
        if weights[a] > 0:
            known[chosen[a]] = weights[a]
            weight = np.float64(weights[a])
            for q in range(gram.later[chosen[a]], gram.indptr[chosen[a] + 1]):
                sums[gram.indices[q]] += weight * gram.data[q]
    for p in range(len(items)):
        if admitted[p] < 0:
            total = 0.0
            for q in range(gram.later[items[p]], gram.indptr[items[p] + 1]):
                total += np.float64(known[gram.indices[q]]) * gram.data[q]
            sums[items[p]] += total


@njit(nogil=True, cache=True)
def _promising(promises: Float64, room: int) -> Int64:
    """Return the places of the ``room`` largest promises above 0, of equals the first ones."""
    order = np.argsort(-promises, kind="mergesort")[:room]
    count = 0
    while count < len(order) and promises[order[count]] > 0:
        count += 1
    return order[:count]


@njit(nogil=True, cache=True)
def _wider(between: Float32, m: int, size: int) -> Float32:
    wider = np.empty((size, size), np.float32)
    for a in range(m):  # an assignment of slices would take seconds to compile
        for b in range(m):
            wider[a, b] = between[a, b]
    return wider


@njit(nogil=True, cache=True)
def _fill(chosen: Int32, first: int, gram: Square, l2: float, room: Any) -> None:
    """Write the counts between the items from ``first`` on and all chosen ones, and the ridge on the diagonal."""
    places, between = room
    m = len(chosen)
    if len(gram.dense):
        for a in range(first, m):
            row = gram.dense[chosen[a]]
            for b in range(m):
                between[a, b] = row[chosen[b]]
    else:
        for a in range(m):
            places[chosen[a]] = a + 1
        _fill_sparse(chosen, first, gram, places, between)
        for a in range(m):
            places[chosen[a]] = 0
    if first == 0 and len(gram.dense) == 0:
        _fold(m, between)
    else:
        for b in range(first):
            for a in range(first, m):
                between[b, a] = between[a, b]
    for a in range(first, m):
        between[a, a] = gram.diagonal[chosen[a]] + np.float32(l2)


@njit(nogil=True, cache=True)
def _fill_sparse(chosen: Int32, first: int, gram: Square, places: Int32, between: Float32) -> None:
    """Write whole rows of the new items, or when all are new each pair once, in the row of the rarer item."""
    m = len(chosen)
    line = np.zeros(m + 1, np.float32)
    for a in range(first, m):
        line[:] = 0
        start = gram.indptr[chosen[a]] if first > 0 else gram.later[chosen[a]]
        for q in range(start, gram.indptr[chosen[a] + 1]):
            line[places[gram.indices[q]]] = gram.data[q]
        for b in range(m):
            between[a, b] = line[b + 1]


@njit(nogil=True, cache=True)
def _fold(m: int, between: Float32) -> None:
    """Add the transpose, of which each cell or its mirror image is 0, by tiles."""
    for top in range(0, m, _TILE):
        for left in range(0, top + 1, _TILE):
            for a in range(top, min(top + _TILE, m)):
                for b in range(left, min(left + _TILE, a)):
                    both = between[a, b] + between[b, a]
                    between[a, b] = both
                    between[b, a] = both


@njit(nogil=True, cache=True)
def _descend(between: Float32, slope: Float32, weights: Float32, goal: float, epochs: int) -> int:
    """Set one weight after the other to its best value until none moves a slope by more than ``goal``; return epochs.

    ``between`` holds the counts between the items and the ridge on its diagonal.
    """
    m = len(weights)
    for epoch in range(epochs):
        worst = 0.0
        for a in range(m):
            row = between[a]
            after = max(np.float32(0), weights[a] + slope[a] / row[a])
            step = after - weights[a]
            if step == 0:
                continue
            worst = max(worst, abs(step) * row[a])
            weights[a] = after
            for b in range(m):
                slope[b] -= step * row[b]
        if worst <= goal:
            return epoch + 1
    return epochs


@njit(nogil=True, cache=True)
def _strongest(chosen: Int32, weights: Float32, k: int) -> Int64:
    """Return the places of the ``k`` largest weights above 0, of equals the lower items; items ascending."""
    order = np.argsort(chosen)
    order = order[np.argsort(-weights[order], kind="mergesort")[:k]]
    count = 0
    while count < len(order) and weights[order[count]] > 0:
        count += 1
    order = order[:count]
    return order[np.argsort(chosen[order])]
