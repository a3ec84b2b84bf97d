"""Where slates begin: every item a scorer can score."""

from __future__ import annotations

from functools import cached_property, lru_cache

import numpy as np
from msgspec import Struct

from penchant.core.arrays import Float32, Int32
from penchant.core.nouns import History, Part, Query, Slate
from penchant.core.protocols import Scorer
from penchant.kernels.scores import numbers

__all__ = ["Retrieve", "every", "scored"]


class Retrieve(Struct, frozen=True, eq=False, dict=True):
    """Take every item the scorer can score for the history, in code order.

    A scorer that says the same to everybody is asked once.

    >>> from penchant.core.nouns import History
    >>> from datetime import UTC, datetime
    >>> from penchant.models.popular import Popular
    >>> from penchant.testing import checkerboard
    >>> query = Query(2, "trending", History.of([]), datetime(2017, 1, 1, tzinfo=UTC))
    >>> len(Retrieve("popular", Popular().fit(checkerboard(4)))(query, Slate.of()))
    4
    """

    source: str
    "What the scorer is called."
    scorer: Scorer
    "Gives the scores."

    def __call__(self, query: Query, slate: Slate, /) -> Slate:
        """Return the items with a score; what was in ``slate`` is replaced."""
        return self._found(query.history) if getattr(self.scorer, "personal", True) else self._same

    def _found(self, history: History) -> Slate:
        return Slate(*scored(self.scorer.score(history)), parts=(Part(self.source, 1.0),))

    @cached_property
    def _same(self) -> Slate:
        return self._found(History.of([]))


@lru_cache(maxsize=8)
def every(n: int) -> Int32:
    """Return int32[n]: the codes of a whole catalogue, the same array every time; nobody writes to it.

    >>> every(3).tolist(), every(3) is every(3)
    ([0, 1, 2], True)
    """
    return np.arange(n, dtype=np.int32)


def scored(scores: Float32) -> tuple[Int32, Float32]:
    """Return int32[m] and float32[m]: the codes that have a score, ascending, and the scores.

    >>> [found.tolist() for found in scored(np.float32([1, np.nan, 3]))]
    [[0, 2], [1.0, 3.0]]

    When all have one, the scores are those given, not a copy.
    """
    if not np.isnan(scores).any():
        return every(len(scores)), scores
    codes, found = numbers(scores)
    return codes, found
