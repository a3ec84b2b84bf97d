"""From events to figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import polars as pl
from msgspec import Struct

from penchant.core.progress import Progress
from penchant.data.dataset import Dataset
from penchant.evaluation.datareport.described import Described
from penchant.evaluation.datareport.drift import Drift
from penchant.evaluation.datareport.facts import Facts, Reading
from penchant.evaluation.datareport.habits import Learnable, Repeats, Sessions
from penchant.evaluation.datareport.size import Kind, Size, Timeline
from penchant.evaluation.datareport.spread import Spread, lorenz
from penchant.evaluation.datareport.suspicion import suspicions

__all__ = ["Given", "gather"]

_KINDS = 10
"Kinds whose repeats are told of."


class Given(Struct, frozen=True, eq=False, kw_only=True):
    """What a report is made of.

    >>> from penchant.testing import checkerboard
    >>> Given(source="a board", data=checkerboard(4), weights={}).windows
    4
    """

    source: str
    data: Dataset
    weights: Mapping[str, float]
    "Kind to weight, of all kinds that are known."
    valued: tuple[str, ...] = ("rating",)
    sessions: pl.Series | None = None
    "What the data calls the session of each event, in the order of the dataset's frame."
    reading: Reading | None = None
    catalogue: pl.DataFrame | None = None
    "As ``read_items`` returns it."
    idle: float = 30.0
    windows: int = 4


def gather(given: Given, progress: Progress) -> Facts:
    """Return the figures, one step after the other.

    >>> from penchant.core.progress import SILENT
    >>> from penchant.testing import checkerboard
    >>> gather(Given(source="a board", data=checkerboard(4), weights={}), SILENT).size.events
    8
    """
    data, n_items = given.data, max(given.data.n_items, 1)
    frame = data.frame
    liked = frame.filter(pl.col("weight") > 0)
    steps: dict[str, Callable[[], Any]] = {
        "size": lambda: Size.of(frame, n_items),
        "kinds": lambda: Kind.all(frame, given.weights, given.valued),
        "timeline": lambda: Timeline.of(frame),
        "users": lambda: Spread.of("events per user", _counts(frame, "user")),
        "tastes": lambda: Spread.of("different items per user", _counts(_pairs(frame), "user")),
        "items": lambda: Spread.of("events per item", _counts(frame, "item")),
        "audience": lambda: Spread.of("different users per item", _counts(_pairs(frame), "item")),
        "lorenz": lambda: lorenz(_counts(frame, "item")),
        "repeats": lambda: _repeats(liked, n_items),
        "sessions": lambda: Sessions.of(frame, given.sessions, given.idle),
        "learnable": lambda: Learnable.of(liked, n_items),
        "suspicions": lambda: suspicions(frame),
        "catalogue": lambda: _described(given),
        "drift": lambda: Drift.of(frame, given.windows),
    }
    found: dict[str, Any] = {}
    with progress.step("looking at the data", len(steps), "figures") as advance:
        for name, step in steps.items():
            found[name] = step()
            advance(1)
    return Facts(source=given.source, reading=given.reading, **found)


def _counts(frame: pl.DataFrame, name: str) -> Any:
    counts = np.bincount(frame[name].to_numpy())
    return counts[counts > 0]


def _pairs(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.select("user", "item").unique()


def _repeats(liked: pl.DataFrame, n_items: int) -> tuple[Repeats, ...]:
    kinds = liked["kind"].cast(pl.String).value_counts().sort(["count", "kind"], descending=[True, False])
    names = kinds["kind"].head(_KINDS).to_list()
    return tuple(Repeats.of(kind, liked.filter(pl.col("kind") == kind), n_items) for kind in names)


def _described(given: Given) -> Described | None:
    if given.catalogue is None:
        return None
    return Described.of(given.catalogue, given.data.items, given.data.frame["item"])
