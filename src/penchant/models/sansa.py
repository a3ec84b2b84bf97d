"""SANSA: the autoencoder for catalogues whose inverse does not fit into memory."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

import numpy as np
from msgspec import Meta

from penchant.core.arrays import Int32
from penchant.core.executor import Executor
from penchant.core.progress import Progress
from penchant.data.dataset import Dataset
from penchant.data.vocabulary import Vocabulary
from penchant.models.autoencoder import ridge_of
from penchant.models.counting import Cooccurrence, CountsItems
from penchant.models.interactions import liked
from penchant.models.linear import SparseLinear
from penchant.models.sparseinverse import Counted, Inverse, counted_in, counted_of
from penchant.models.tunable import HALF_LIVES, Tunable

__all__ = ["SANSA"]

_PREDECESSORS = 50


class SANSA(CountsItems, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Sparse approximate autoencoder: EASE by a sparse factor of the inverse, for catalogues of any size.

    >>> from penchant.testing import checkerboard
    >>> SANSA(l2=1.0).fit(checkerboard(10)).recommend_one(["0", "2", "4"], n=2).ids  # the others of the even colour
    ('6', '8')

    The inverse of the Gram matrix is written as W'W, where W is sparse and triangular once the items are ordered by
    how many people like them: its row j regresses item j on those of the more popular items that are most like it,
    one small LDL solve each. Where no count was left out, this is of all W with these entries the one nearest to the
    true factor. With ``density`` 1 and ``k`` None it is exact, and the scores are those of EDLAE.

    Memory is at most n max(64 m, 24 m + 32 k) bytes for n items, m = density n predecessors and k weights each, beside
    60 bytes an event while meetings are counted: only the 4 m largest counts of a row are kept, never a whole Gram
    matrix. Time is half the sum of the squared history lengths for the counts, and n (4 m^2 + m^3 / 6) operations.

    People are forgotten exactly only where the whole counts were kept, which takes up to 40 bytes for each pair of
    items that meet: with ``forgetting`` exact and at most ``max_pairs`` meetings. Beyond, forgetting means training
    again, and the scorer says so. The weights are the same bits either way.

    Sources: Spisak et al., "Scalable Approximate NonSymmetric Autoencoder for Collaborative Filtering", RecSys 2023;
    the factor: Kolotilina and Yeremin, "Factorized Sparse Approximate Inverse Preconditionings I", SIAM J.
    Matrix Anal. Appl. 1993; dropout: Steck, "Autoencoders that don't overfit towards the Identity", NeurIPS
    2020.
    """

    name: ClassVar[str] = "sansa"
    scorer: ClassVar[type[SparseLinear]] = SparseLinear

    l2: Annotated[float, Meta(gt=0), Tunable(1, 10_000, log=True)] | None = None
    "Ridge strength, as in EASE. None: chosen from how many people the items have."
    dropout: Annotated[float, Meta(ge=0, lt=1), Tunable(0, 0.9)] = 0.3
    "Share p of the inputs that drop out, as in EDLAE; 0 is EASE. Adds p / (1 - p) times an item's count to its ridge."
    density: Annotated[float, Meta(gt=0, le=1)] | None = None
    "Share of the cells of the n x n factor that may be filled, the same in each row; 1 is exact. None: 50 a row."
    k: Annotated[int, Meta(ge=1)] | None = 200
    "Weights kept per candidate, those of largest size; None: all that the factor gives."
    max_pairs: Annotated[int, Meta(ge=0)] = 67_108_864
    "The most meetings of two items, each person's counted, with which the counts are kept for exact forgetting."
    half_life: Annotated[float, Meta(gt=0), HALF_LIVES] | None = None
    "Days after which an event of the asker's history counts half; None: time is nothing."
    delta_inf: Annotated[float, Meta(gt=0)] | None = None
    "Events after which one of the asker's history counts 1/e; None: position is nothing."

    def derive(self, items: Vocabulary, state: Cooccurrence, executor: Executor, progress: Progress) -> SparseLinear:
        """Return the scorer of these counts."""
        counted = counted_in(state.gram, state.support[state.codes])
        return self._solved(items, state.codes, counted, executor, progress)

    def _fit(self, data: Dataset, rng: np.random.Generator, executor: Executor, progress: Progress) -> Any:
        matrix, codes = liked(data)
        length = np.diff(matrix.indptr).astype(np.int64)
        if self.forgetting == "exact" and int((length * (length + 1)).sum()) // 2 <= self.max_pairs:
            return super()._fit(data, rng, executor, progress)
        return self._solved(data.items, codes, counted_of(matrix), executor, progress)

    def _solved(
        self, items: Vocabulary, codes: Int32, counted: Counted, executor: Executor, progress: Progress
    ) -> SparseLinear:
        n = len(codes)
        l2 = ridge_of(counted.support) if self.l2 is None else self.l2
        gammas = l2 + self.dropout / (1.0 - self.dropout) * counted.support.astype(np.float64)
        wanted = _PREDECESSORS if self.density is None else max(1, round(self.density * n))
        inverse = Inverse.of(counted, gammas, min(wanted, n - 1), executor, progress)
        weights = inverse.weights(n if self.k is None else self.k, executor, progress)
        return SparseLinear(
            items=items,
            learner=self,
            candidates=codes,
            w_indptr=weights.indptr.astype(np.int64),
            w_indices=weights.indices.astype(np.int32),
            w_data=weights.data,
            half_life=self.half_life,
            delta_inf=self.delta_inf,
            facts={"l2": float(l2), "predecessors": min(wanted, n - 1), "raised": inverse.raised},
        )
