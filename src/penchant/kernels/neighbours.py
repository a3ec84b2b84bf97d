"""The people nearest to a history, found through an inverted index, and what they like."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from penchant.core.arrays import Float32, Int32
from penchant.kernels.layout import ZERO, Best, Rows, Space

__all__ = ["Crowd", "Near", "Rule", "Scratch", "add_liked", "find_near", "rank_near"]


class Rule(NamedTuple):
    """How products become similarities, and how many people are asked.

    The similarity of a history to a person is product / (own norm + shrinkage), where own is the sum of the history's
    squared weights to the power of alpha; with ``union`` it is product / (own + norm - product + shrinkage).

    >>> own, norm, product = 4.0**0.5, 3.0, 4.5
    >>> product / (own * norm + Rule(k=10, alpha=0.5, shrinkage=3.0, union=False).shrinkage)
    0.5
    """

    k: int
    "1 or more."
    alpha: float
    "0 to 1."
    shrinkage: float
    "0 or more."
    union: bool
    "Whether the denominator is a union instead of a product."


class Crowd(NamedTuple):
    """What people like, both ways round.

    >>> likes = Rows(np.int64([0, 2, 3]), np.int32([0, 1, 1]), np.ones(3, np.float32))  # person 0: items 0 and 1
    >>> fans = Rows(np.int64([0, 1, 3]), np.int32([0, 0, 1]), np.ones(3, np.float32))
    >>> Crowd(likes, fans, np.float32([1.5, 1])).norms.tolist()
    [1.5, 1.0]
    """

    likes: Rows
    "One row a person, over items; data is not read."
    fans: Rows
    "One row an item, over people; data is the weight of the liking."
    norms: Float32
    "float32[people]."


class Near(NamedTuple):
    """The people found, in no order, and what finding them needs.

    >>> near = Near(np.empty(2, np.int32), np.empty(2, np.float32), np.zeros(5, np.float32), np.empty(5, np.int32))
    >>> len(near.people), len(near.products)  # two of five
    (2, 5)
    """

    people: Int32
    "int32[k], written."
    alike: Float32
    "float32[k], written: their similarity."
    products: Float32
    "float32[people], scratch, all 0 before and after."
    touched: Int32
    "int32[people], scratch."


class Scratch(NamedTuple):
    """What ranking works in, to be used again: making it takes the time of going through all people and items.

    >>> scratch = Scratch.of(2, 5, 3)
    >>> len(scratch.near.people), scratch.near.products.tolist(), scratch.scores.tolist()
    (2, [0.0, 0.0, 0.0, 0.0, 0.0], [nan, nan, nan])
    """

    near: Near
    "The people of the history in hand."
    scores: Float32
    "float32[n], all NaN before and after."
    reached: Int32
    "int32[n]."

    @classmethod
    def of(cls, k: int, people: int, n: int) -> Scratch:
        """Return 8 bytes for each of the ``people`` and ``n`` items, and room for ``k`` neighbours.

        >>> Scratch.of(4, 9, 2).near.alike.shape
        (4,)
        """
        found = np.empty(k, np.int32), np.empty(k, np.float32)
        near = Near(*found, np.zeros(people, np.float32), np.empty(people, np.int32))
        return cls(near, np.full(n, np.nan, np.float32), np.empty(n, np.int32))


@njit(nogil=True, cache=True)
def _farther(values: Float32, codes: Int32, one: int, other: int) -> bool:
    """Say whether the entry ``one`` comes after ``other``: of a lower value, or of the same and a higher code."""
    return bool(values[one] < values[other] or (values[one] == values[other] and codes[one] > codes[other]))


@njit(nogil=True, cache=True)
def _swap(values: Float32, codes: Int32, one: int, other: int) -> None:
    values[one], values[other] = values[other], values[one]
    codes[one], codes[other] = codes[other], codes[one]


@njit(nogil=True, cache=True)
def _sink(values: Float32, codes: Int32, size: int) -> None:
    """Let the root of a heap, whose root should be the last of all, find its place."""
    at = ZERO
    while True:
        last = at
        for child in (2 * at + 1, 2 * at + 2):
            if child < size and _farther(values, codes, child, last):
                last = child
        if last == at:
            return
        _swap(values, codes, at, last)
        at = last


@njit(nogil=True, cache=True)
def _offer(values: Float32, codes: Int32, size: int, value: Any, code: Any) -> int:
    """Put an entry on the heap if it is among the best, and return the new size."""
    if size < len(codes):
        codes[size], values[size] = code, value
        at = size
        while at > 0 and _farther(values, codes, at, (at - 1) // 2):
            _swap(values, codes, at, (at - 1) // 2)
            at = (at - 1) // 2
        return size + 1
    if value > values[0] or (value == values[0] and code < codes[0]):
        codes[0], values[0] = code, value
        _sink(values, codes, size)
    return size


@njit(nogil=True, cache=True)
def find_near(history: tuple[Int32, Float32], crowd: Crowd, rule: Rule, near: Near) -> int:
    """Write the k people most similar to a history and return how many there are; of equals the lower row comes first.

    Only people who share an item are looked at.

    >>> likes = Rows(np.int64([0, 2, 3]), np.int32([0, 1, 1]), np.ones(3, np.float32))  # person 0: items 0 and 1
    >>> fans = Rows(np.int64([0, 1, 3]), np.int32([0, 0, 1]), np.ones(3, np.float32))
    >>> near = Near(np.empty(2, np.int32), np.empty(2, np.float32), np.zeros(2, np.float32), np.empty(2, np.int32))
    >>> crowd, history = Crowd(likes, fans, np.float32([2, 1])), (np.int32([0]), np.float32([1]))
    >>> find_near(history, crowd, Rule(2, 0.5, 0.0, False), near), near.people[0].item(), near.alike[0].item()
    (1, 0, 0.5)

    Args:
        history: int32[m] distinct items, -1 for none, and float32[m] their weights; 0 and below says nothing.
        crowd: the people.
        rule: what similarity is, and k.
        near: written.
    """
    items, weights = history
    fans, products, touched = crowd.fans, near.products, near.touched
    count, square = 0, np.float32(0)
    for p in range(len(items)):
        if items[p] < 0 or weights[p] <= 0:
            continue
        square += weights[p] * weights[p]
        for q in range(fans.indptr[items[p]], fans.indptr[items[p] + 1]):
            person, product = fans.indices[q], weights[p] * fans.data[q]
            if products[person] == 0 and product > 0:
                touched[count] = person
                count += 1
            products[person] += product
    own = np.float32(square**rule.alpha)
    shrinkage, size = np.float32(rule.shrinkage), ZERO
    for t in range(count):
        person = touched[t]
        product, norm = products[person], crowd.norms[person]
        below = own + norm - product if rule.union else own * norm
        products[person] = 0
        size = _offer(near.alike, near.people, size, product / (below + shrinkage), person)
    return size


@njit(nogil=True, cache=True)
def add_liked(near: Near, size: int, likes: Rows, out: Float32, reached: Int32) -> int:
    """Write the summed similarity of those who like each item, and return how many items somebody likes.

    >>> likes = Rows(np.int64([0, 2, 3]), np.int32([0, 1, 1]), np.ones(3, np.float32))
    >>> near = Near(np.int32([0, 1]), np.float32([0.5, 0.25]), np.zeros(2, np.float32), np.empty(2, np.int32))
    >>> out, reached = np.full(3, np.nan, np.float32), np.empty(3, np.int32)
    >>> add_liked(near, 2, likes, out, reached), out.tolist()
    (2, [0.5, 0.75, nan])

    Args:
        near: the people.
        size: how many they are.
        likes: what everybody likes.
        out: float32[n], NaN everywhere; stays so where nobody likes an item.
        reached: int32[n], written: the items somebody likes, in no order.
    """
    count = 0
    for p in range(size):
        person, alike = near.people[p], near.alike[p]
        for q in range(likes.indptr[person], likes.indptr[person + 1]):
            j = likes.indices[q]
            if np.isnan(out[j]):
                out[j], reached[count] = alike, j
                count += 1
            else:
                out[j] += alike
    return count


@njit(nogil=True, cache=True)
def rank_near(rows: Rows, who: tuple[Crowd, Rule, Scratch], space: Space, exclude_seen: bool, best: Best) -> None:
    """Score each history by the people nearest to it and keep the best; an item that none of them likes is not ranked.

    >>> likes = Rows(np.int64([0, 2, 3]), np.int32([0, 1, 1]), np.ones(3, np.float32))  # person 0: items 0 and 1
    >>> fans = Rows(np.int64([0, 1, 3]), np.int32([0, 0, 1]), np.ones(3, np.float32))
    >>> who = Crowd(likes, fans, np.float32([2, 1])), Rule(2, 0.5, 0.0, False), Scratch.of(2, 2, 2)
    >>> rows, codes = Rows(np.int64([0, 1]), np.int32([0]), np.float32([1])), np.arange(2, dtype=np.int32)
    >>> best = Best(np.empty((1, 2), np.int32), np.empty((1, 2), np.float32))
    >>> rank_near(rows, who, Space(codes, codes), True, best)
    >>> best.items.tolist(), best.scores.tolist()
    ([[1, -1]], [[0.5, nan]])

    Args:
        rows: b histories over item codes; data is the weight.
        who: the people, what similarity is, and what to work in, which is for one thread at a time.
        space: the candidates, which the crowd's items are places of.
        exclude_seen: leave out the row's own items.
        best: written.
    """
    crowd, rule, scratch = who
    near, scores, reached = scratch
    best.items[:], best.scores[:] = -1, np.nan
    for r in range(len(rows.indptr) - 1):
        own = space.positions[rows.indices[rows.indptr[r] : rows.indptr[r + 1]]]
        size = find_near((own, rows.data[rows.indptr[r] : rows.indptr[r + 1]]), crowd, rule, near)
        count = add_liked(near, size, crowd.likes, scores, reached)
        if exclude_seen:
            for p in range(len(own)):
                if own[p] >= 0:
                    scores[own[p]] = np.nan
        items, values, filled = best.items[r], best.scores[r], ZERO
        for p in range(count):
            if not np.isnan(scores[reached[p]]):
                filled = _offer(values, items, filled, scores[reached[p]], space.codes[reached[p]])
                scores[reached[p]] = np.nan
        for end in range(filled - 1, 0, -1):
            _swap(values, items, ZERO, end)
            _sink(values, items, end)
