"""Stochastic gradient descent on pairs of a liked and another item, in blocks that share no vector."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from penchant.core.arrays import Float32, Int32, Int64
from penchant.kernels.layout import Rows

__all__ = ["Block", "Pace", "deal", "descend"]

_FAST = {"reassoc", "contract", "nsz", "arcp"}
"Lets sums be taken in lanes: half the time at 64 factors."


class Block(NamedTuple):
    """Events of some people with the items of one stripe, the events of a person side by side.

    >>> Block(np.int32([0, 0, 3]), np.int32([5, 8, 5]), np.int32([5, 8, 9])).stripe.tolist()
    [5, 8, 9]
    """

    users: Int32
    "int32[m]."
    items: Int32
    "int32[m]."
    stripe: Int32
    "int32[w], the items that are drawn from."


class Pace(NamedTuple):
    """How a step is taken, and where chance begins.

    >>> Pace(rate=0.05, l2=0.01, seed=7).seed
    7
    """

    rate: float
    "Length of a step."
    l2: float
    "Shrinks what a step touches."
    seed: int
    "Below 2**63; one for each block and epoch."


@njit(nogil=True, cache=True)
def deal(rows: Rows, first: int, stripe_of: Int32, out: tuple[Int32, Int32], starts: Int64) -> None:
    """Sort the events of some people by the stripe of their item, people in order within each.

    >>> rows, out = Rows(np.int64([0, 2, 3]), np.int32([0, 1, 0]), np.ones(3, np.float32)), np.empty((2, 3), np.int32)
    >>> starts = np.empty(3, np.int64)
    >>> deal(rows, 10, np.int32([1, 0]), (out[0], out[1]), starts)
    >>> out.tolist(), starts.tolist()  # item 1 is of stripe 0
    ([[10, 10, 11], [1, 0, 0]], [0, 1, 3])

    Args:
        rows: what people like.
        first: the number of the first of them.
        stripe_of: int32[n], the stripe of each item.
        out: int32[m] users and int32[m] items, written.
        starts: int64[stripes + 1], written: where each stripe begins.
    """
    starts[:] = 0
    for p in range(len(rows.indices)):
        starts[stripe_of[rows.indices[p]] + 1] += 1
    for s in range(1, len(starts)):
        starts[s] += starts[s - 1]
    place = starts.copy()
    users, items = out
    for r in range(len(rows.indptr) - 1):
        for p in range(rows.indptr[r], rows.indptr[r + 1]):
            item = rows.indices[p]
            at = place[stripe_of[item]]
            users[at], items[at] = first + r, item
            place[stripe_of[item]] = at + 1


@njit(nogil=True, cache=True)
def _random(state: Any) -> Any:
    """Return 64 bits for a counter: the finalizer of splitmix64."""
    z = np.uint64(state)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@njit(nogil=True, cache=True)
def _likes(block: Block, event: Any, item: Any) -> bool:
    """Say whether the person of an event has one with the item too, in this block."""
    user, at = block.users[event], event
    while at >= 0 and block.users[at] == user:
        if block.items[at] == item:
            return True
        at -= 1
    at = event + 1
    while at < len(block.users) and block.users[at] == user:
        if block.items[at] == item:
            return True
        at += 1
    return False


@njit(nogil=True, cache=True, fastmath=_FAST)
def _step(person: Float32, better: Float32, worse: Float32, rate: Any, l2: Any) -> float:
    """Move three vectors, whose last place is a bias, along the gradient of ln sigma(x) - l2/2 |.|^2; return x.

    The last place of the person is 1 and stays so.
    """
    d = len(person) - 1
    x = better[d] - worse[d]
    for f in range(d):
        x += person[f] * (better[f] - worse[f])
    slope = np.float32(1) / (np.float32(1) + np.exp(x))
    for f in range(d):
        p, i, j = person[f], better[f], worse[f]
        person[f] = p + rate * (slope * (i - j) - l2 * p)
        better[f] = i + rate * (slope * p - l2 * i)
        worse[f] = j - rate * (slope * p + l2 * j)
    better[d] += rate * (slope - l2 * better[d])
    worse[d] -= rate * (slope + l2 * worse[d])
    return float(x)


@njit(nogil=True, cache=True)
def descend(block: Block, pace: Pace, people: Float32, items: Float32) -> tuple[int, int]:
    """Take a step for each of as many events, drawn with replacement, as a block has; return (in order, steps).

    A step raises the liked item of an event over one drawn evenly from the stripe; where the person likes that one
    too, it is left out. A step counts as in order when it found the liked item ahead.

    >>> people, items = np.float32([[1, 1]]), np.float32([[1, 0], [0, 0]])  # the last column is the bias
    >>> block = Block(np.int32([0]), np.int32([0]), np.int32([1]))
    >>> descend(block, Pace(0.5, 0.0, 7), people, items)
    (1, 1)
    >>> bool(items[0] @ people[0] > 1 and items[1] @ people[0] < 0)
    True

    Args:
        block: the events.
        pace: of the descent.
        people: float32[users, d + 1], last column 1, moved.
        items: float32[n, d + 1], last column the bias, moved.
    """
    m, w = np.uint64(len(block.users)), np.uint64(len(block.stripe))
    rate, l2 = np.float32(pace.rate), np.float32(pace.l2)
    state, half, low = np.uint64(pace.seed), np.uint64(32), np.uint64(0xFFFFFFFF)
    right = steps = 0
    for _ in range(len(block.users)):
        state += np.uint64(0x9E3779B97F4A7C15)
        bits = _random(state)
        event = np.int64(((bits >> half) * m) >> half)
        other = block.stripe[np.int64(((bits & low) * w) >> half)]
        if _likes(block, event, other):
            continue
        x = _step(people[block.users[event]], items[block.items[event]], items[other], rate, l2)
        right += x > 0
        steps += 1
    return right, steps
