"""Scorers that are an item-item matrix: a score is a sum of its rows."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from msgspec import field

from penchant.core.arrays import Bool, Float32, Int32, Int64
from penchant.kernels.layout import Best, Linear, Rows, Space
from penchant.kernels.topk import add_dense, add_sparse, addends, rank_dense, rank_sparse
from penchant.models.scorer import Scorer

__all__ = ["DenseLinear", "SparseLinear"]


class DenseLinear(Scorer, frozen=True, eq=False, kw_only=True):
    """A dense item-item matrix over the candidates.

    >>> from penchant.models.ease import EASE
    >>> from penchant.testing import checkerboard
    >>> scorer = EASE(l2=1.0).fit(checkerboard(4))  # two people like items 0 and 2: 2 / (2 + 1)
    >>> abs(scorer.weights[0]).round(3).astype(str).tolist()
    ['0.0', '0.0', '0.667', '0.0']
    """

    weights: Float32
    "float32[n, n], C order: weights[i, j] is what candidate i in the history adds to the score of candidate j."

    def _score(self, codes: Int32, signal: Float32) -> Float32:
        out = np.empty(len(self.candidates), np.float32)
        add_dense(self.positions[codes], signal, self.weights, out)
        return out

    def _addends(self, codes: Int32, signal: Float32, items: Int32) -> Float32:
        rows, columns = self.positions[codes], self.positions[items]
        table = self.weights[np.ix_(rows, columns)].T * signal
        table[:, rows < 0] = 0
        return table

    def _can_score(self, codes: Int32, signal: Float32, items: Int32) -> Bool:
        said = (self.positions[codes] >= 0) & (signal != 0)
        able: Bool = (self._places(items) >= 0) & said.any()
        return able

    def _rank(self, rows: Rows, space: Space, exclude_seen: bool, best: Best) -> None:
        rank_dense(rows, self.weights, space, exclude_seen, best)


class SparseLinear(Scorer, frozen=True, eq=False, kw_only=True):
    """A sparse item-item matrix over the candidates: postings; an item that none reaches cannot be scored.

    >>> from penchant.core.nouns import History
    >>> from penchant.models.itemknn import ItemKNN
    >>> from penchant.testing import checkerboard
    >>> scorer = ItemKNN().fit(checkerboard(4))
    >>> scorer.w_indices.tolist(), scorer.score(History.of([0])).round(2).tolist()  # 0 reaches 2, 1 reaches 3 and back
    ([2, 3, 0, 1], [nan, nan, 1.0, nan])
    """

    w_indptr: Int64
    "int64[n + 1]."
    w_indices: Int32
    "int32[nnz], candidates that row i reaches."
    w_data: Float32
    "float32[nnz], what it adds to each."
    offsets: Float32 = field(default_factory=lambda: np.zeros(0, np.float32))
    "float32[n], what the score of each candidate starts from; empty when that is 0 everywhere."

    def base(self, items: Int32) -> Float32:
        """Return float32[m]: what the score of each item holds before any history; NaN where it cannot say."""
        places = self._places(items)
        return np.where(places >= 0, self._linear.base[places], np.nan).astype(np.float32)

    def _score(self, codes: Int32, signal: Float32) -> Float32:
        out = np.empty(len(self.candidates), np.float32)
        add_sparse(self.positions[codes], signal, self._linear, out)
        return out

    def _addends(self, codes: Int32, signal: Float32, items: Int32) -> Float32:
        return self._told(codes, signal, items)[0]

    def _can_score(self, codes: Int32, signal: Float32, items: Int32) -> Bool:
        return self._told(codes, signal, items)[1]

    def _told(self, codes: Int32, signal: Float32, items: Int32) -> tuple[Float32, Bool]:
        """Return what leads from each code to each item, and which items anything leads to."""
        table, reached = addends(self._places(codes), signal, self._places(items), self._linear.postings)
        return table, reached

    def _rank(self, rows: Rows, space: Space, exclude_seen: bool, best: Best) -> None:
        rank_sparse(rows, self._linear, space, exclude_seen, best)

    @cached_property
    def _linear(self) -> Linear:
        base = self.offsets if len(self.offsets) else np.zeros(len(self.candidates), np.float32)
        return Linear(Rows(self.w_indptr, self.w_indices, self.w_data), base)
