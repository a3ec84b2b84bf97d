"""PureSVD: the likes of everybody, seen through their few strongest patterns."""

from __future__ import annotations

from typing import Annotated, ClassVar

import numpy as np
from msgspec import Meta

from penchant.core.executor import Executor
from penchant.core.progress import Progress
from penchant.data.dataset import Dataset
from penchant.data.sparse import Matrix
from penchant.models.filtered import LowRankLinear
from penchant.models.heldout import MOST, best_rank, hold_out
from penchant.models.learner import Learner
from penchant.models.spectral import graph, normalized, singular
from penchant.models.tunable import Tunable

__all__ = ["PureSVD"]


class PureSVD(Learner, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Projects a history onto the leading singular vectors of the matrix of likes: score = x V V'.

    >>> from penchant.testing import checkerboard
    >>> PureSVD(factors=2).fit(checkerboard(10)).recommend_one(["0", "2", "4"], n=2).ids
    ('6', '8')

    Memory is 8 d n bytes for d factors and n items, four times that while fitting; time a few dozen times d events
    and a few times n d^2.

    Source: Cremonesi, Koren and Turrin, "Performance of Recommender Algorithms on Top-N Recommendation Tasks",
    RecSys 2010.
    """

    name: ClassVar[str] = "pure-svd"
    scorer: ClassVar[type[LowRankLinear]] = LowRankLinear

    factors: Annotated[int, Meta(ge=1), Tunable(8, 512, log=True)] | None = None
    """Singular vectors; at most a quarter of the smaller side of the matrix is taken. None: as many, up to 256, as best
    foresee a tenth of the likes from the others, which takes as long again as fitting with 256."""

    def _fit(self, data: Dataset, rng: np.random.Generator, executor: Executor, progress: Progress) -> LowRankLinear:
        r, candidates = graph(data, 0.0, 0.0)
        factors = self.factors or self._suited(r.matrix, rng, executor, progress)
        vectors, _ = singular(r, factors, rng, executor, progress)
        return LowRankLinear(
            items=data.items,
            learner=self,
            candidates=candidates,
            w_indptr=np.zeros(len(candidates) + 1, np.int64),
            w_indices=np.zeros(0, np.int32),
            w_data=np.zeros(0, np.float32),
            left=vectors,
            right=np.ascontiguousarray(vectors.T),
            facts={"factors": vectors.shape[1]},
        )

    def _suited(self, matrix: Matrix, rng: np.random.Generator, executor: Executor, progress: Progress) -> int:
        held = hold_out(matrix, rng)
        if not len(held.people):
            return MOST
        vectors, _ = singular(normalized(held.learn, 0.0, 0.0), MOST, rng, executor, progress)
        return best_rank(held, (vectors, np.ascontiguousarray(vectors.T)), None, executor)
