"""Several sources as one slate."""

from __future__ import annotations

import numpy as np
from msgspec import Struct

from penchant.core.arrays import Float32
from penchant.core.nouns import Part, Query, Slate
from penchant.core.protocols import Stage
from penchant.kernels.scores import add_scaled
from penchant.pipeline.retrieve import every, scored

__all__ = ["Blend", "Fallback"]


class Blend(Struct, frozen=True, eq=False):
    """Add up the scores of several stages, each scaled to 1 at its best item and then weighted.

    A stage that cannot score an item adds nothing to it. The factors are kept in the slate's parts, so that the
    addends of a blended score are the addends of its parts times their factors.

    >>> from datetime import datetime
    >>> from penchant.core.nouns import History
    >>> query = Query(3, "for-you", History.of([]), datetime(2017, 12, 31))
    >>> first = lambda query, slate: Slate.of([1, 2], [8, 4])
    >>> second = lambda query, slate: Slate.of([2, 3], [1, 0.5])
    >>> slate = Blend(((first, 1.0), (second, 0.5)))(query, Slate.of())
    >>> slate.items.tolist(), slate.scores.tolist()  # of item 2: 4 / 8 + 0.5 * 1 / 1
    ([1, 2, 3], [1.0, 1.0, 0.25])
    """

    stages: tuple[tuple[Stage, float], ...]
    "Each stage and its weight."

    def __call__(self, query: Query, slate: Slate, /) -> Slate:
        """Return the union of what the stages find."""
        found = [(stage(query, slate), weight) for stage, weight in self.stages]
        found = [(part, weight / (_largest(part.scores) or 1.0)) for part, weight in found if len(part)]
        if not found:
            return Slate.of()
        parts = tuple(Part(part.source, part.factor * factor) for slate, factor in found for part in slate.parts)
        size = 1 + max(int(slate.items.max()) for slate, _ in found)
        return Slate(*scored(_sum([(slate, np.float32(factor)) for slate, factor in found], size)), parts=parts)


def _sum(found: list[tuple[Slate, np.float32]], size: int) -> Float32:
    """Return float32[size]: the scores times their factors, added up; NaN where there is none."""
    found.sort(key=lambda each: each[0].items is not every(size))  # one of the whole catalogue is begun with
    first, factor = found[0]
    if first.items is every(size):
        scores, found = first.scores * factor, found[1:]
    else:
        scores = np.full(size, np.nan, np.float32)
        for slate, _ in found:
            scores[slate.items] = 0
    for slate, factor in found:
        add_scaled(slate.items, slate.scores, factor, scores)
    return scores


def _largest(scores: Float32) -> float:
    return max(float(scores.max()), -float(scores.min()))


class Fallback(Struct, frozen=True, eq=False):
    """Ask a second stage when the first finds nothing.

    >>> from datetime import datetime
    >>> from penchant.core.nouns import History
    >>> query = Query(3, "for-you", History.of([]), datetime(2017, 12, 31))
    >>> stage = Fallback(lambda query, slate: Slate.of(), lambda query, slate: Slate.of([7], [1.0]))
    >>> stage(query, Slate.of()).items.tolist()
    [7]
    """

    first: Stage
    "Asked first."
    second: Stage
    "Asked when the first slate is empty."

    def __call__(self, query: Query, slate: Slate, /) -> Slate:
        """Return the first slate that is not empty."""
        found = self.first(query, slate)
        return found if len(found) else self.second(query, slate)
