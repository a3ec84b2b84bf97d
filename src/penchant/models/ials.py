"""iALS: vectors of items and people, learnt by turns."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

import numpy as np
from msgspec import Meta

from penchant.core.arrays import Float32, Float64
from penchant.core.executor import Executor, blocks
from penchant.core.progress import Progress
from penchant.data.dataset import Dataset
from penchant.data.sparse import Matrix, rows_of, transposed
from penchant.kernels.layout import Side
from penchant.models.factors import Factors, FoldIn
from penchant.models.interactions import liked

__all__ = ["IALS"]


class IALS(FoldIn, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Implicit alternating least squares: weighted matrix factorization, solved exactly for one side at a time.

    The objective is the sum over observed pairs of (unobserved + alpha r) (w.h - 1)^2, over all other pairs of
    unobserved (w.h)^2, and l2 (observed + unobserved others)^frequency_scaling |.|^2 for every vector, where observed
    counts its pairs and others the vectors of the other side. People who liked nothing have no vector.
    With ``frequency_scaling=0, unobserved=1`` this is the objective of Hu, Koren and Volinsky.

    >>> from penchant.testing import checkerboard
    >>> IALS(factors=2, l2=0.01).fit(checkerboard(10)).recommend_one(["0", "2", "4"], n=2).ids
    ('6', '8')

    Memory is 4 d (users + items) bytes while fitting, time d^2 events + d^3 (users + items) an epoch.

    Source: Hu, Koren and Volinsky, "Collaborative Filtering for Implicit Feedback Datasets", ICDM 2008, eq. 3 and 4;
    Rendle et al., "Revisiting the Performance of iALS on Item Recommendation Benchmarks", RecSys 2022, sec. 3.
    """

    name: ClassVar[str] = "ials"
    scorer: ClassVar[type[Factors]] = Factors

    factors: Annotated[int, Meta(ge=1)] = 64
    "Length of the vectors."
    l2: Annotated[float, Meta(gt=0)] = 0.003
    "Strength of the regularization."
    alpha: Annotated[float, Meta(gt=0)] = 0.02
    "Confidence that one unit of event weight adds. Small, so that weights of 5 and counts of 100 do no harm."
    unobserved: Annotated[float, Meta(gt=0)] = 1.0
    "Weight of the pairs nobody was seen to form."
    frequency_scaling: Annotated[float, Meta(ge=0, le=1)] = 1.0
    "How much more the vectors of the frequent are regularized: 0 not at all, 1 in proportion."
    epochs: Annotated[int, Meta(ge=1)] = 16
    "Rounds over both sides."

    def ridge(self, counts: Any, others: int) -> Float64:
        """Return float64[b]: the regularization of rows with this many observed pairs, of ``others`` possible ones."""
        scale = np.power(np.asarray(counts) + self.unobserved * others, self.frequency_scaling)
        return self.l2 * np.maximum(scale, 1e-12)

    def weigh(self, weights: Float32) -> tuple[Float32, Float32]:
        """Return confidence beyond the unobserved weight, and the right-hand side, of observed pairs."""
        confidence = np.float32(self.alpha) * weights
        return confidence, confidence + np.float32(self.unobserved)

    def gram(self, side: Float32) -> Float64:
        """Return float64[d, d]: the unobserved weight times side' side."""
        wide = side.astype(np.float64)
        return self.unobserved * (wide.T @ wide)

    def _fit(self, data: Dataset, rng: np.random.Generator, executor: Executor, progress: Progress) -> Factors:
        matrix, candidates = liked(data)
        matrix = matrix[np.diff(matrix.indptr) > 0]  # who liked nothing has no say
        d = self.factors
        items = rng.normal(0.0, 0.1 / np.sqrt(d), (matrix.shape[1], d)).astype(np.float32)
        sides = (matrix, transposed(matrix))
        with progress.step("iALS", 2 * self.epochs, "half-steps") as advance:
            for _ in range(self.epochs):
                users = self._half(sides[0], items, executor)
                advance(1)
                items = self._half(sides[1], users, executor)
                advance(1)
        return Factors(
            items=data.items,
            learner=self,
            candidates=candidates,
            factors=np.ascontiguousarray(items.T),
            gram=self.gram(items),
        )

    def _half(self, matrix: Matrix, other: Float32, executor: Executor) -> Float32:
        side = Side(other, self.gram(other))

        def part(block: tuple[int, int]) -> Float32:
            return self.solve(rows_of(matrix, *block), side)

        return np.concatenate(list(executor.map(part, blocks(matrix.shape[0], 512))))
