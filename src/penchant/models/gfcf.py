"""GF-CF: a smooth step along the graph of who likes what, plus its lowest frequencies."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

import numpy as np
from msgspec import Meta

from penchant.core.executor import Executor
from penchant.core.progress import Progress
from penchant.data.dataset import Dataset
from penchant.data.sparse import Matrix
from penchant.models.filtered import LowRankLinear
from penchant.models.heldout import MOST, best_rank, hold_out
from penchant.models.learner import Learner
from penchant.models.spectral import graph, normalized, pruned, singular
from penchant.models.tunable import Tunable

__all__ = ["GFCF"]


class GFCF(Learner, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Graph filter: score = x R'R + alpha x D^-1/2 V V' D^1/2, R the likes divided by both roots of the degrees.

    D holds how many like each item, V the leading right singular vectors of R. Nothing is trained.

    >>> from penchant.testing import checkerboard
    >>> GFCF().fit(checkerboard(10)).recommend_one(["0", "2", "4"], n=2).ids
    ('6', '8')

    Memory is 8 n (d + k) bytes for d factors and n items, 4 n d more while fitting; time the sum of squared history
    lengths, a few dozen times d events, and a few times n d^2.

    Source: Shen et al., "How Powerful is Graph Convolution for Recommendation?", CIKM 2021.
    """

    name: ClassVar[str] = "gf-cf"
    scorer: ClassVar[type[LowRankLinear]] = LowRankLinear

    factors: Annotated[int, Meta(ge=1), Tunable(32, 1024, log=True)] | None = None
    """Singular vectors; at most a quarter of the smaller side of the matrix is taken. None: as many, up to 256, as best
    foresee a tenth of the likes from the others, which takes as long again as finding 256."""
    alpha: Annotated[float, Meta(ge=0), Tunable(0, 1)] = 0.3
    "Weight of the low frequencies beside the smooth step."
    k: Annotated[int, Meta(ge=1)] | None = 1000
    "Entries kept in each row of R'R, the largest; None for all."

    def _fit(self, data: Dataset, rng: np.random.Generator, executor: Executor, progress: Progress) -> LowRankLinear:
        r, candidates = graph(data, 0.5, 0.5)
        factors = self.factors or self._suited(r.matrix, rng, executor, progress)
        vectors, _ = singular(r, factors, rng, executor, progress)
        n, root = len(candidates), np.sqrt(r.degrees)[:, None]
        with progress.step("GFCF: smoothing", n, "items") as advance:
            kept = pruned(n, self.k, r.product, executor, advance)
        return LowRankLinear(
            items=data.items,
            learner=self,
            candidates=candidates,
            left=(self.alpha * vectors / root).astype(np.float32),
            right=np.ascontiguousarray((vectors * root).T, dtype=np.float32),
            facts={"factors": vectors.shape[1]},
            **kept._asdict(),
        )

    def _suited(self, matrix: Matrix, rng: np.random.Generator, executor: Executor, progress: Progress) -> int:
        held = hold_out(matrix, rng)
        if not len(held.people):
            return MOST
        r = normalized(held.learn, 0.5, 0.5)
        vectors, _ = singular(r, MOST, rng, executor, progress)
        root = np.sqrt(np.maximum(r.degrees, 1.0))[:, None]
        left, right = self.alpha * vectors / root, (vectors * root).T

        def smooth(rows: Matrix) -> Any:
            return ((rows @ r.other) @ r.matrix).toarray()

        sides = left.astype(np.float32), np.ascontiguousarray(right, dtype=np.float32)
        return best_rank(held, sides, smooth, executor)
