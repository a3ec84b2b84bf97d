"""The best of what filters let through, without asking them about the whole catalogue."""

from __future__ import annotations

import numpy as np
from msgspec import Struct

from penchant.core.nouns import Query, Slate
from penchant.core.protocols import Stage
from penchant.kernels.topk import top_k
from penchant.pipeline.retrieve import every

__all__ = ["Sift"]

FIRST, DEEPER = 64, 8
"Items looked at first beyond those wanted and those of the history, and how many times more when that is not enough."


class Sift(Struct, frozen=True, eq=False):
    """Keep the best items that pass filters: at least ``query.n`` and ``least`` of them where there are so many.

    A filter looks at one item at a time, so whether an item passes does not depend on the others: the best that pass
    are found among the first, and more are looked at only when too few of those do. What comes out ranks as if all
    had been filtered.

    >>> from datetime import datetime
    >>> from penchant.core.nouns import History
    >>> from penchant.pipeline.filters import Seen
    >>> query = Query(2, "for-you", History.of([5]), datetime(2017, 12, 31))
    >>> Sift((Seen(),))(query, Slate.of([4, 5, 6], [0.7, 0.9, 0.8])).items.tolist()
    [4, 6]
    """

    filters: tuple[Stage, ...]
    "Each keeps some items, whatever the others are, and changes nothing."
    least: int = 0
    "How many are wanted when more are wanted than the question says."

    def __call__(self, query: Query, slate: Slate, /) -> Slate:
        """Return the items that pass; their order is not that of their scores."""
        wanted = max(query.n, self.least)
        depth = wanted + len(query.history) + FIRST
        while depth < len(slate):
            found = self._passed(query, _best(slate, depth))
            if len(found) >= wanted:
                return found
            depth *= DEEPER
        return self._passed(query, slate)

    def _passed(self, query: Query, slate: Slate) -> Slate:
        for stage in self.filters:
            slate = stage(query, slate)
        return slate


def _best(slate: Slate, depth: int) -> Slate:
    rows, scores = np.empty(depth, np.int32), np.empty(depth, np.float32)
    top_k(slate.scores, every(len(slate)), rows, scores)
    return slate.take(np.sort(rows[rows >= 0]))
