"""The order of a slate."""

from __future__ import annotations

import numpy as np
from msgspec import Struct

from penchant.core.nouns import Query, Slate
from penchant.kernels.topk import top_k

__all__ = ["Rank"]


class Rank(Struct, frozen=True):
    """Keep the best n, best first; equal scores in the order of their ids.

    >>> from datetime import UTC, datetime
    >>> from penchant.core.nouns import History
    >>> query = Query(2, "for-you", History.of([]), datetime(2017, 1, 1, tzinfo=UTC))
    >>> Rank()(query, Slate.of([4, 5, 6], [0.1, 0.3, 0.3])).items.tolist()
    [5, 6]
    """

    def __call__(self, query: Query, slate: Slate, /) -> Slate:
        """Return the ``query.n`` items with the highest scores."""
        rows, scores = np.empty(query.n, np.int32), np.empty(query.n, np.float32)
        top_k(slate.scores, np.arange(len(slate), dtype=np.int32), rows, scores)
        return slate.take(rows[rows >= 0])
