"""Scorers that are a sparse item-item matrix plus one of low rank."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp

from penchant.core.arrays import Bool, Float32, Int32
from penchant.core.blas import single_blas
from penchant.kernels.filters import spread, times
from penchant.kernels.layout import Best, Rows, Space
from penchant.kernels.topk import rank_scores
from penchant.models.linear import SparseLinear

__all__ = ["LowRankLinear"]


class LowRankLinear(SparseLinear, frozen=True, eq=False, kw_only=True):
    """A sparse item-item matrix plus ``left @ right``: whoever likes any candidate has a score for all of them.

    >>> from penchant.models.puresvd import PureSVD
    >>> from penchant.testing import checkerboard
    >>> scorer = PureSVD(factors=2).fit(checkerboard(10))
    >>> scorer.left.shape, scorer.right.shape, len(scorer.w_data)  # 0.2 = 1 / five items of one colour
    ((10, 2), (2, 10), 0)
    >>> abs(scorer.left[0] @ scorer.right).round(3)[:4].astype(str).tolist()
    ['0.2', '0.0', '0.2', '0.0']

    Memory is 8 d n + 8 nnz bytes, time d n + the entries of the history's rows for one history.
    """

    left: Float32
    "float32[n, d], C order: what candidate i in the history adds to the vector of the asker."
    right: Float32
    "float32[d, n], C order: one column a candidate."

    def _score(self, codes: Int32, signal: Float32) -> Float32:
        scores: Float32 = self._block(Rows(np.array([0, len(codes)], np.int64), self.positions[codes], signal))[0]
        return scores

    def _told(self, codes: Int32, signal: Float32, items: Int32) -> tuple[Float32, Bool]:
        return self._addends(codes, signal, items), self._can_score(codes, signal, items)

    def _addends(self, codes: Int32, signal: Float32, items: Int32) -> Float32:
        n = len(self.candidates)
        rows, columns = self.positions[codes], self.positions[items]
        matrix = sp.csr_array((self.w_data, self.w_indices, self.w_indptr), shape=(n, n))
        table: Any = matrix[np.maximum(rows, 0)].tocsc()[:, np.maximum(columns, 0)].toarray()
        low = np.empty((len(rows), len(columns)), np.float32)
        times(_as_rows(self.left[rows]), np.ascontiguousarray(self.right[:, columns]), low)
        table = (table + low).T * signal
        table[:, rows < 0] = 0
        return np.asarray(table, np.float32)

    def _can_score(self, codes: Int32, signal: Float32, items: Int32) -> Bool:
        said = (self.positions[codes] >= 0) & (signal != 0)
        able: Bool = (self._places(items) >= 0) & said.any()
        return able

    def _rank(self, rows: Rows, space: Space, exclude_seen: bool, best: Best) -> None:
        scores = self._block(Rows(rows.indptr, space.positions[rows.indices], rows.data))
        rank_scores(scores, rows, space, exclude_seen, best)

    def _block(self, rows: Rows) -> Float32:
        """Return float32[b, n]: the scores of rows of (place, signal); NaN where a row says nothing."""
        vectors = np.empty((len(rows.indptr) - 1, self.left.shape[1]), np.float32)
        times(rows, self.left, vectors)
        with single_blas():  # the same bits however many threads there are
            scores: Float32 = vectors @ self.right
        spread(rows, self._linear.postings, scores)
        return scores


def _as_rows(dense: Float32) -> Rows:
    """Return a dense matrix as sparse rows: their product does not depend on what else is asked, as BLAS's does."""
    b, d = dense.shape
    return Rows(np.arange(b + 1, dtype=np.int64) * d, np.tile(np.arange(d, dtype=np.int32), b), dense.ravel())
