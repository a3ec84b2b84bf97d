"""Where slates begin: every item a scorer can score."""

from __future__ import annotations

import numpy as np
from msgspec import Struct

from penchant.core.nouns import Part, Query, Slate
from penchant.core.protocols import Scorer

__all__ = ["Retrieve"]


class Retrieve(Struct, frozen=True, eq=False):
    """Take every item the scorer can score for the history, in code order.

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
        scores = self.scorer.score(query.history)
        found = np.flatnonzero(~np.isnan(scores))
        return Slate.of(found, scores[found], parts=(Part(self.source, 1.0),))
