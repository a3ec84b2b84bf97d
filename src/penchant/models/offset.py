"""Scorers of item vectors whose scores start from something: a base, and what the history adds to it."""

from __future__ import annotations

from abc import abstractmethod
from functools import cached_property

import numpy as np

from penchant.core.arrays import Bool, Float32, Int32
from penchant.kernels.layout import Best, Rows, Space
from penchant.kernels.panels import Panels, multiply, panels_of
from penchant.kernels.search import rank_panels
from penchant.models.scorer import Scorer

__all__ = ["OffsetFactors"]


class OffsetFactors(Scorer, frozen=True, eq=False, kw_only=True):
    """Item vectors and a base of each item; a person's vector comes of their history, and is never stored.

    >>> from penchant.core.nouns import History
    >>> from penchant.models.bpr import BPR
    >>> from penchant.testing import checkerboard
    >>> scorer = BPR(factors=4, epochs=20).fit(checkerboard(10))
    >>> scorer.factors.shape, isinstance(scorer, OffsetFactors)  # four factors and the base of ten items
    ((5, 10), True)
    >>> bool((scorer.score(History.of([])) == scorer.base(np.arange(10))).all())
    True
    """

    factors: Float32
    "float32[d + 1, n], C order: one column a candidate; the last row is the base."

    @cached_property
    def vectors(self) -> Float32:
        """float32[n, d + 1], C order: one row a candidate; made when first asked for."""
        return np.ascontiguousarray(self.factors.T)

    @cached_property
    def panels(self) -> Panels:
        """What ranking looks at first: the vectors in a quarter of their memory, the longest first."""
        return panels_of(self.vectors)

    def base(self, items: Int32) -> Float32:
        """Return float32[m]: what the score of each item holds before any history; NaN where it cannot say."""
        places = self._places(items)
        return np.where(places >= 0, self.factors[-1, places], np.nan).astype(np.float32)

    @abstractmethod
    def _vectors(self, rows: Rows) -> Float32:
        """Return float32[b, d]: the vector of each history, whose indices are places, all of them candidates'."""

    def _score(self, codes: Int32, signal: Float32) -> Float32:
        out = np.empty(len(self.candidates), np.float32)
        rows = Rows(np.array([0, len(codes)], np.int64), self.positions[codes], signal)
        multiply(self._based(rows)[0], self.vectors, out)
        return out

    def _can_score(self, codes: Int32, signal: Float32, items: Int32) -> Bool:
        return self._places(items) >= 0

    def _rank(self, rows: Rows, space: Space, exclude_seen: bool, best: Best) -> None:
        vectors = self._based(Rows(rows.indptr, space.positions[rows.indices], rows.data))
        rank_panels(Rows(rows.indptr, rows.indices, vectors), self.panels, space, exclude_seen, best)

    def _prepare(self) -> None:
        _ = self.panels

    def _based(self, rows: Rows) -> Float32:
        """Return float32[b, d + 1]: the vectors, each followed by the 1 that brings the base in."""
        said = (rows.indices >= 0) & (rows.data != 0)
        starts = np.concatenate([[0], np.cumsum(said)])[rows.indptr]
        vectors = self._vectors(Rows(starts, rows.indices[said], rows.data[said]))
        return np.concatenate([vectors, np.ones((len(vectors), 1), np.float32)], axis=1)
