"""Re-ranking: a slate that does not show one kind of thing only."""

from __future__ import annotations

import numpy as np
from msgspec import Struct

from penchant.core.nouns import Query, Slate
from penchant.pipeline.catalogue import Catalogue

__all__ = ["DEEP", "Spread"]

DEEP = 5_000
"Items below which nobody looks for another category."


class Spread(Struct, frozen=True, eq=False):
    """Keep the best n, best first, but not more of one category than allowed so long as there are others.

    When the others run out, the best of those left over follow, so the slate is never shorter than without it; from
    there on its scores begin again. An item of several categories counts in each.

    >>> from datetime import datetime
    >>> from penchant.core.nouns import History, Item
    >>> from penchant.data.vocabulary import Vocabulary
    >>> items = [Item(name, name, categories=(name[0],)) for name in ("a1", "a2", "a3", "b1")]
    >>> stage = Spread(Catalogue(Vocabulary.of([item.id for item in items]), items), most=1)
    >>> query = Query(3, "for-you", History.of([]), datetime(2017, 12, 31))
    >>> stage(query, Slate.of([0, 1, 2, 3], [0.9, 0.8, 0.7, 0.6])).items.tolist()
    [0, 3, 1]
    """

    catalogue: Catalogue
    "Knows the categories."
    most: int
    "Items of one category."

    def __call__(self, query: Query, slate: Slate, /) -> Slate:
        """Return ``query.n`` items, spread over categories."""
        order = np.lexsort((slate.items, -slate.scores))[:DEEP]
        counts: dict[str, int] = {}
        chosen: list[int] = []
        over: list[int] = []
        for row in order.tolist():
            if len(chosen) == query.n:
                break
            groups = self.catalogue.item(int(slate.items[row])).categories
            if any(counts.get(group, 0) >= self.most for group in groups):
                over.append(row)
                continue
            chosen.append(row)
            for group in groups:
                counts[group] = counts.get(group, 0) + 1
        return slate.take((chosen + over)[: query.n])
