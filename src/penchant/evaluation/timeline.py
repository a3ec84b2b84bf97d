"""When the events of each side of a split were."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from msgspec import Struct

from penchant.data.dataset import Dataset
from penchant.data.split import Split

__all__ = ["PARTS", "Side", "Timeline", "Window", "timeline"]

PARTS = 96
"Equal parts that the time is cut into."


class Side(Struct, frozen=True):
    """One side of a split.

    >>> Side("test", 3, 2, 3, 0, 5_000_000, (2, 1), "9f2c").events
    3
    """

    name: str
    "train, history or test."
    events: int
    "How many there are; the history of a session's step holds what came before, so the same event may count often."
    users: int
    "How many have events there; in splits by session, how many sessions or steps of sessions."
    items: int
    "How many were touched there."
    first: int
    "The earliest event, in microseconds since 1970 UTC."
    last: int
    "The latest."
    parts: tuple[int, ...]
    "Events in each of the equal parts of the whole time; empty when all events have one time."
    digest: str
    "SHA-256 of its events and vocabularies."


class Window(Struct, frozen=True):
    """One split; the history is left out where it is the train side itself.

    >>> Window((Side("test", 3, 2, 3, 0, 5_000_000, (2, 1), "9f2c"),)).side("test").users
    2
    """

    sides: tuple[Side, ...]
    "In the order train, history, test."

    def side(self, name: str) -> Side:
        """Return a side by name; the train side where the history is the same."""
        return {side.name: side for side in self.sides}.get(name, self.sides[0])

    @property
    def apart(self) -> bool:
        """Whether all of train is earlier than all of the test."""
        return self.side("train").last < self.side("test").first


class Timeline(Struct, frozen=True):
    """The splits of an evaluation in time.

    >>> import penchant as pt
    >>> from penchant.testing import bazaar
    >>> found = timeline([pt.split.temporal(bazaar(), "14d")])
    >>> [(side.name, side.events) for side in found.windows[0].sides], found.windows[0].apart, found.timed
    ([('train', 1148), ('test', 352)], True, True)
    """

    begins: int
    "The earliest event of all, in microseconds since 1970 UTC."
    ends: int
    "The latest."
    windows: tuple[Window, ...]
    "One for each split."

    @property
    def timed(self) -> bool:
        """Whether the events have times that differ."""
        return self.ends > self.begins


def timeline(splits: Sequence[Split]) -> Timeline:
    """Return when the events of each side of each split were; time is O(events).

    >>> from penchant.testing import checkerboard
    >>> from penchant.data.split import random
    >>> timeline([random(checkerboard(6), rng=0)]).timed  # made of a matrix: nothing is known of times
    False
    """
    sides = [
        (name, getattr(split, name))
        for split in splits
        for name in ("train", "history", "test")
        if name != "history" or split.history is not split.train
    ]
    spans = [(int(data.column("at").min()), int(data.column("at").max())) for _, data in sides if data.n_events]
    begins = min((first for first, _ in spans), default=0)
    ends = max((last for _, last in spans), default=0)
    made = iter([_side(name, data, begins, ends) for name, data in sides])
    windows = [Window(tuple(next(made) for _ in range(2 if split.history is split.train else 3))) for split in splits]
    return Timeline(begins, ends, tuple(windows))


def _side(name: str, data: Dataset, begins: int, ends: int) -> Side:
    at = data.column("at")
    parts: tuple[int, ...] = ()
    if ends > begins:
        place = ((at - begins) / (ends - begins) * PARTS).astype(np.int64)
        parts = tuple(np.bincount(np.minimum(place, PARTS - 1), minlength=PARTS).tolist())
    first, last = (int(at.min()), int(at.max())) if len(at) else (begins, begins)
    users, items = (np.count_nonzero(np.bincount(data.column(name))) for name in ("user", "item"))
    return Side(name, data.n_events, int(users), int(items), first, last, parts, data.digest)
