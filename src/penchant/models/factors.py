"""Scorers of item vectors: a person's vector is solved from their history when they ask."""

from __future__ import annotations

from abc import abstractmethod
from functools import cached_property
from typing import Any

import numpy as np
from msgspec import field
from msgspec.structs import replace

from penchant.core.arrays import Bool, Float32, Float64, Int32
from penchant.core.nouns import TopK
from penchant.data.sparse import rows_of
from penchant.kernels.als import solve_rows
from penchant.kernels.als_cg import Axes, Walk, descend_rows
from penchant.kernels.layout import Best, Rows, Side, Space
from penchant.kernels.panels import Panels, multiply, panels_of
from penchant.kernels.search import rank_panels
from penchant.models.batches import expect_histories, in_blocks, ranked
from penchant.models.learner import Learner
from penchant.models.scorer import Scorer

__all__ = ["Factors", "FoldIn"]

_STEPS, _TOLERANCE = 24, np.float32(1e-12)
"""Conjugate gradients tried before a system is solved whole, and what is small enough: a square. The vectors are then
within 1e-5 of the whole solution's length."""


class FoldIn(Learner, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A learner of item vectors that says how the vector of a new history is found: by weighted least squares.

    >>> from penchant.models.ials import IALS
    >>> isinstance(IALS(), FoldIn), IALS(l2=0.5, unobserved=1.0).ridge(np.array([3]), 7).tolist()  # 0.5 (3 + 7)
    (True, [5.0])
    """

    @abstractmethod
    def ridge(self, counts: Any, others: int) -> Float64:
        """Return float64[b]: the regularization of rows with this many observed pairs, of ``others`` possible ones."""

    @abstractmethod
    def weigh(self, weights: Float32) -> tuple[Float32, Float32]:
        """Return confidence beyond the unobserved weight, and the right-hand side, of observed pairs."""

    def solve(self, rows: Rows, side: Side) -> Float32:
        """Return float32[b, d]: the best vector of each row of event weights while the other side stands still."""
        out = np.empty((len(rows.indptr) - 1, side.vectors.shape[1]), np.float32)
        ridge = self.ridge(np.diff(rows.indptr), len(side.vectors))
        confidence, target = self.weigh(rows.data)
        solve_rows(Rows(rows.indptr.astype(np.int64), rows.indices, confidence), target, side, ridge, out)
        return out


class Factors(Scorer, frozen=True, eq=False, kw_only=True):
    """Item factors. A person's vector is solved from their history at question time, so nobody is stored.

    >>> from penchant.core.nouns import History
    >>> from penchant.models.ials import IALS
    >>> from penchant.testing import checkerboard
    >>> scorer = IALS(factors=2, l2=0.01).fit(checkerboard(10))
    >>> scorer.factors.shape  # ten items; of the ten people nothing is kept
    (2, 10)
    >>> history, items = History.of([0, 2]), np.int32([4])
    >>> bool(np.isclose(scorer.contributions(history, items).sum(), scorer.score(history)[4]))
    True
    """

    learner: FoldIn
    "Brings the weights of the objective, which folding in needs again."
    factors: Float32
    "float32[d, n], C order: one column a candidate."
    energy: Float64
    "float64[d]: unobserved weight times the summed squares of the factors, which lie along their principal axes."
    settled: dict[str, float] = field(default_factory=dict)
    "Hyper-parameters that the learner left to the data, as fitting settled them."

    @cached_property
    def vectors(self) -> Float32:
        """float32[n, d], C order: one row a candidate; made when first asked for."""
        return np.ascontiguousarray(self.factors.T)

    @cached_property
    def rule(self) -> FoldIn:
        """The learner with what the data settled: how vectors are found."""
        return replace(self.learner, **self.settled)

    @cached_property
    def panels(self) -> Panels:
        """What ranking looks at first: the vectors in a quarter of their memory, the longest first."""
        return panels_of(self.vectors)

    def fold_in(self, histories: Any) -> Float32:
        """Return float32[n, d]: the vector of each history (CSR [n, n_items] of weights); 0 where it says nothing.

        Raises:
            InputError: the width of the matrix is not the number of items.
        """
        csr = expect_histories(histories, self.n_items)
        signal, out = self._signal(csr.data.astype(np.float32)), np.empty((csr.shape[0], len(self.factors)), np.float32)

        def solve(block: tuple[int, int]) -> None:
            rows = rows_of(csr, *block, signal)
            out[slice(*block)] = self._fold_in(Rows(rows.indptr, self.positions[rows.indices], rows.data))

        in_blocks(len(out), solve)
        return out

    def rank_vectors(self, vectors: Float32, histories: Any, k: int, exclude_seen: bool = True) -> TopK:
        """Return the best ``k`` items for float32[n, d] vectors, as they come from :meth:`fold_in`.

        >>> from penchant.models.ials import IALS
        >>> from penchant.testing import checkerboard
        >>> scorer = IALS(factors=2, l2=0.01).fit(checkerboard(6))
        >>> rows = scorer.rows(checkerboard(6))[:2]
        >>> scorer.rank_vectors(scorer.fold_in(rows), rows, 3, exclude_seen=False).items.tolist()
        [[0, 2, 4], [1, 3, 5]]

        Args:
            vectors: what to rank by.
            histories: CSR [n, n_items], what may be left out.
            k: how many items a vector.
            exclude_seen: leave out what a history holds.

        Raises:
            InputError: k is not positive, or the width of the matrix is not the number of items.
        """
        csr, panels = expect_histories(histories, self.n_items), self.panels
        space = Space(self.candidates, self.positions)

        def rank(block: tuple[int, int], best: Best) -> None:
            rows = rows_of(csr, *block)
            rank_panels(Rows(rows.indptr, rows.indices, vectors[slice(*block)]), panels, space, exclude_seen, best)

        return ranked(len(vectors), k, rank)

    def _signal(self, weights: Float32) -> Float32:
        return np.maximum(weights, 0).astype(np.float32)

    def _score(self, codes: Int32, signal: Float32) -> Float32:
        out = np.empty(len(self.candidates), np.float32)
        vector = self._fold_in(Rows(np.array([0, len(codes)], np.int64), self.positions[codes], signal))[0]
        multiply(vector, self.vectors, out)
        return out

    def _addends(self, codes: Int32, signal: Float32, items: Int32) -> Float32:
        rows = self.positions[codes]
        own = np.where((rows >= 0) & (signal > 0), signal, 0)
        h = self.vectors[rows].T.astype(np.float64)
        confidence, target = self.rule.weigh(own)
        ridge = self.rule.ridge(np.array([np.count_nonzero(own)]), len(self.candidates))[0]
        system = (h * confidence) @ h.T + np.diag(self.energy + ridge)
        share = np.linalg.solve(system, h * np.where(own > 0, target, 0))
        asked: Any = self.vectors[self.positions[items]] @ share
        return np.asarray(asked, np.float32)

    def _can_score(self, codes: Int32, signal: Float32, items: Int32) -> Bool:
        said = (self.positions[codes] >= 0) & (signal > 0)
        return (self._places(items) >= 0) & said.any()

    def _prepare(self) -> None:
        _ = self.panels

    def _rank(self, rows: Rows, space: Space, exclude_seen: bool, best: Best) -> None:
        vectors = self._fold_in(Rows(rows.indptr, space.positions[rows.indices], rows.data))
        rank_panels(Rows(rows.indptr, rows.indices, vectors), self.panels, space, exclude_seen, best)

    def _fold_in(self, rows: Rows) -> Float32:
        """Return float32[b, d]: the vector of each history over candidates; 0 where it says nothing.

        Along the principal axes a few conjugate gradients find it to float32's precision. Where they do not, since the
        weight of unobserved pairs is small or the history long, the system is solved in float64.
        """
        said, starts, asked = (rows.indices >= 0) & (rows.data > 0), rows.indptr, rows
        if not said.all():
            starts = np.concatenate([[0], np.cumsum(said)])[rows.indptr]
            asked = Rows(starts.astype(np.int64), rows.indices[said], rows.data[said])
        confidence, target = self.rule.weigh(asked.data)
        ridge = self.rule.ridge(np.diff(starts), len(self.vectors)).astype(np.float32)
        out = np.zeros((len(ridge), len(self.energy)), np.float32)
        axes = Axes(self.vectors, self.energy.astype(np.float32))
        walk = Walk(out, _STEPS, _TOLERANCE)
        arrived = descend_rows(Rows(asked.indptr, asked.indices, confidence), target, axes, ridge, walk)
        if not arrived.all():
            lengths = np.diff(starts)
            hard = np.repeat(~arrived, lengths)
            indptr = np.concatenate([[0], np.cumsum(lengths[~arrived])])
            rest = Rows(indptr, asked.indices[hard], asked.data[hard])
            out[~arrived] = self.rule.solve(rest, Side(self.vectors, np.diag(self.energy)))
        return out
