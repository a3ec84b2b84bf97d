"""Made-up people who pick items by taste."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from penchant.core.arrays import Float64, Int32, Int64

__all__ = ["Habits", "Picks", "Tastes", "pick_block"]

STEP = np.uint64(0x9E3779B97F4A7C15)
MIX = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))
SHIFTS = (np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(11))
TRIES = 48
"Picks of an item somebody has already, before the next free one after it is taken."


class Tastes(NamedTuple):
    """Which items each taste offers, and how often; the last taste is everybody's.

    >>> import numpy as np
    >>> tastes = Tastes(np.int64([0, 1, 3]), np.int32([7, 7, 8]), np.float64([1.0, 0.5, 1.0]))
    >>> tastes.items[tastes.starts[1] : tastes.starts[2]].tolist()  # everybody's, in equal shares
    [7, 8]
    """

    starts: Int64
    "int64[t + 1]: the items of taste t lie at starts[t] to starts[t + 1]."
    items: Int32
    "int32[m]."
    reach: Float64
    "float64[m]: cumulated shares of a taste's items, up to 1 at its last."


class Habits(NamedTuple):
    """How people choose.

    >>> habits = Habits(favourites=np.float64([0.75, 1.0]), curious=0.25, stays=0.5)
    >>> len(habits.favourites)  # tastes a person
    2
    """

    favourites: Float64
    "float64[f]: cumulated shares of a person's tastes."
    curious: float
    "How often everybody's taste is asked instead of one's own."
    stays: float
    "How often a person stays with the taste of the pick before."


class Picks(NamedTuple):
    """Where picks are written, one slot an event.

    >>> Picks(np.empty(3, np.int32), np.empty(3, np.float64)).items.shape
    (3,)
    """

    items: Int32
    "int32[e], in the order of time."
    waits: Float64
    "float64[e]: time since the pick before, in arbitrary units; long when the taste changed."


@njit(nogil=True, cache=True)
def _mixed(state: np.uint64) -> np.uint64:
    """Return 64 well-mixed bits of a state."""
    state = (state ^ (state >> SHIFTS[0])) * MIX[0]
    state = (state ^ (state >> SHIFTS[1])) * MIX[1]
    return state ^ (state >> SHIFTS[2])


@njit(nogil=True, cache=True)
def _share(state: np.uint64) -> float:
    """Return a number in [0, 1)."""
    return np.float64(_mixed(state) >> SHIFTS[3]) / 9007199254740992.0


@njit(nogil=True, cache=True)
def _below(reach: Float64, low: int, high: int, share: float) -> int:
    """Return the first place in [low, high) whose reach exceeds ``share``."""
    last = high - 1
    while low < last:
        middle = (low + last) // 2
        if reach[middle] > share:
            last = middle
        else:
            low = middle + 1
    return low


@njit(nogil=True, cache=True)
def _chosen(state: np.uint64, taste: int, everybody: int, own: Int64, habits: Habits) -> tuple[np.uint64, int, bool]:
    """Return the state after it, the taste of the next pick, and whether it is that of the pick before."""
    state += STEP
    if taste >= 0 and _share(state) < habits.stays:
        return state, taste, True
    state += STEP
    if _share(state) < habits.curious:
        return state, everybody, False
    state += STEP
    return state, int(own[_below(habits.favourites, 0, len(own), _share(state))]), False


@njit(nogil=True, cache=True)
def _picked(state: np.uint64, taste: int, tastes: Tastes, owner: Int32, person: int) -> tuple[np.uint64, int]:
    """Return the state after it, and an item of a taste that the person has not yet."""
    for _ in range(TRIES):
        state += STEP
        place = _below(tastes.reach, tastes.starts[taste], tastes.starts[taste + 1], _share(state))
        if owner[tastes.items[place]] != person:
            return state, int(tastes.items[place])
    return state, _free(tastes, taste, owner, person)


@njit(nogil=True, cache=True)
def _free(tastes: Tastes, taste: int, owner: Int32, person: int) -> int:
    """Return the first item of a taste, then of everybody's, that a person has not yet."""
    for offered in (taste, len(tastes.starts) - 2):
        for place in range(tastes.starts[offered], tastes.starts[offered + 1]):
            if owner[tastes.items[place]] != person:
                return int(tastes.items[place])
    return int(tastes.items[0])


@njit(nogil=True, cache=True)
def pick_block(seeds: np.ndarray, starts: Int64, tastes: Tastes, habits: Habits, picks: Picks) -> None:
    """Let each person of a block pick items by taste, none of them twice.

    A person's picks depend on their seed alone. When a taste has little left, the next free item in its order is taken.

    >>> tastes = Tastes(np.int64([0, 1, 3]), np.int32([7, 7, 8]), np.float64([1.0, 0.5, 1.0]))
    >>> picks = Picks(np.empty(2, np.int32), np.empty(2, np.float64))
    >>> pick_block(np.uint64([5]), np.int64([0, 2]), tastes, Habits(np.float64([1.0]), 0.5, 0.5), picks)
    >>> sorted(picks.items.tolist())
    [7, 8]

    Args:
        seeds: uint64[b], one a person.
        starts: int64[b + 1]: the picks of person p are slots starts[p] to starts[p + 1]; at most as many as there are
            items.
        tastes: what there is.
        habits: how it is chosen.
        picks: where it is written.

    Source of the random bits: Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014.
    """
    everybody = len(tastes.starts) - 2
    owner = np.full(tastes.items.max() + 1, -1, np.int32)
    own = np.empty(len(habits.favourites), np.int64)
    for person in range(len(seeds)):
        state = seeds[person]
        for f in range(len(own)):
            state += STEP
            own[f] = int(_share(state) * max(everybody, 1))
        taste = -1
        for slot in range(starts[person], starts[person + 1]):
            state, taste, stays = _chosen(state, taste, everybody, own, habits)
            state += STEP
            picks.waits[slot] = -np.log(1.0 - _share(state)) * (1.0 if stays else 50.0)
            state, item = _picked(state, taste, tastes, owner, person)
            owner[item] = person
            picks.items[slot] = item
