"""Several sources as one slate."""

from __future__ import annotations

import numpy as np
from msgspec import Struct

from penchant.core.nouns import Part, Query, Slate
from penchant.core.protocols import Stage

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
        found = [(part, weight) for part, weight in found if len(part)]
        if not found:
            return Slate.of()
        size = 1 + max(int(part.items.max()) for part, _ in found)
        scores, there = np.zeros(size, np.float32), np.zeros(size, np.bool_)
        parts: list[Part] = []
        for part, weight in found:
            factor = weight / (float(np.abs(part.scores).max()) or 1.0)
            own = slice(size) if len(part) == size else part.items  # so many different codes are all, in order
            scores[own] += np.float32(factor) * part.scores
            there[own] = True
            parts += [Part(p.source, p.factor * factor) for p in part.parts]
        items = np.flatnonzero(there)
        return Slate.of(items, scores if len(items) == size else scores[items], parts=tuple(parts))


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
