"""Stages that are watched: what each does stays the same, and somebody is told how long it took and what it kept."""

from __future__ import annotations

from typing import Protocol

import msgspec
from msgspec import Struct

from penchant.core.nouns import Query, Slate
from penchant.core.protocols import Stage
from penchant.pipeline import filters
from penchant.pipeline.blend import Blend, Fallback
from penchant.pipeline.explain import Explain, Words
from penchant.pipeline.retrieve import Retrieve
from penchant.pipeline.run import Pipeline
from penchant.pipeline.sift import Sift
from penchant.pipeline.spread import Spread

__all__ = ["Name", "Watch", "Watched", "watched"]

_FILTERS = tuple(getattr(filters, name) for name in filters.__all__)


class Name(Struct, frozen=True):
    """What a stage is called.

    >>> Name("filter", "seen").detail
    'seen'
    """

    stage: str
    "Its kind: retrieve, blend, sift, filter, rank, rerank, explain; of others, the name of their type."
    detail: str = ""
    "Which one of its kind: the model, the filter."


class Watch(Protocol):
    """Runs a stage and takes note of it."""

    def __call__(self, name: Name, stage: Stage, query: Query, slate: Slate, /) -> Slate:
        """Return what the stage returns."""
        ...


class Watched(Struct, frozen=True, eq=False):
    """A stage that is run by a watch.

    >>> from datetime import datetime
    >>> from penchant.core.nouns import History
    >>> from penchant.pipeline.rank import Rank
    >>> def told(name, stage, query, slate):
    ...     found = stage(query, slate)
    ...     print(name.stage, len(slate), "->", len(found))
    ...     return found
    >>> query = Query(1, "for-you", History.of([]), datetime(2017, 12, 31))
    >>> Watched(Name("rank"), Rank(), told)(query, Slate.of([4, 5, 6], [0.1, 0.3, 0.2])).items.tolist()
    rank 3 -> 1
    [5]
    """

    name: Name
    "What it is called."
    stage: Stage
    "What it does."
    watch: Watch
    "Who takes note."

    def __call__(self, query: Query, slate: Slate, /) -> Slate:
        """Return what the stage returns."""
        return self.watch(self.name, self.stage, query, slate)


def watched(stage: Stage, watch: Watch) -> Stage:
    """Return the same stage with all stages in it watched.

    >>> from datetime import datetime
    >>> from penchant.core.nouns import History
    >>> from penchant.pipeline.rank import Rank
    >>> def told(name, stage, query, slate):
    ...     print(name)
    ...     return stage(query, slate)
    >>> query = Query(1, "for-you", History.of([4]), datetime(2017, 12, 31))
    >>> stage = watched(Pipeline((filters.Seen(), Rank())), told)
    >>> stage(query, Slate.of([4, 5], [0.1, 0.3])).items.tolist()
    Name(stage='filter', detail='seen')
    Name(stage='rank', detail='')
    [5]
    """
    if isinstance(stage, Pipeline):
        return Pipeline(tuple(watched(inner, watch) for inner in stage.stages))
    if isinstance(stage, Fallback):
        return Fallback(watched(stage.first, watch), Watched(Name("fallback"), watched(stage.second, watch), watch))
    if isinstance(stage, Blend):
        weighed = tuple((watched(each, watch), weight) for each, weight in stage.stages)
        return Watched(Name("blend"), msgspec.structs.replace(stage, stages=weighed), watch)
    if isinstance(stage, Sift):
        inner = tuple(watched(each, watch) for each in stage.filters)
        return Watched(Name("sift"), msgspec.structs.replace(stage, filters=inner), watch)
    return Watched(_name(stage), stage, watch)


def _name(stage: Stage) -> Name:
    kind = type(stage).__name__.lower()
    if isinstance(stage, Retrieve):
        return Name("retrieve", stage.source)
    if isinstance(stage, _FILTERS):
        return Name("filter", kind)
    if isinstance(stage, Spread):
        return Name("rerank", kind)
    if isinstance(stage, Explain | Words):
        return Name("explain", "reasons" if isinstance(stage, Explain) else "words")
    return Name(kind)
