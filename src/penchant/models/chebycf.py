"""ChebyCF: a plateau over the frequencies of the graph, as a Chebyshev polynomial."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

import numpy as np
from msgspec import Meta
from numpy.polynomial import chebyshev

from penchant.core.arrays import Float32, Float64
from penchant.core.executor import Executor, LocalExecutor
from penchant.core.progress import Progress
from penchant.data.dataset import Dataset
from penchant.models.filtered import LowRankLinear
from penchant.models.learner import Learner
from penchant.models.spectral import Graph, graph, pruned, singular
from penchant.models.tunable import Tunable

__all__ = ["ChebyCF"]


class ChebyCF(Learner, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Graph filter: score = x D^-beta (p(I - 2 R'R) + alpha V V') D^beta, with p close to a plateau.

    R holds the likes divided by both roots of the degrees, D how many like each item, V the leading right singular
    vectors of R. On V the polynomial is kept exactly, as factors; of what it adds elsewhere, the largest entries of
    every row. Nothing is trained.

    >>> from penchant.testing import checkerboard
    >>> ChebyCF().fit(checkerboard(10)).recommend_one(["0", "2", "4"], n=2).ids
    ('6', '8')

    Memory is 8 n (d + k) bytes for d factors and n items, 1.3 kB n for each worker while fitting; time is ``degree``
    times 2 n events and n^2 d for the rows, and the singular vectors.

    Source: Kim, Sung, Han and Lee, "Graph Spectral Filtering with Chebyshev Interpolation for Recommendation"
    (ChebyCF), SIGIR 2025.
    """

    name: ClassVar[str] = "cheby-cf"
    scorer: ClassVar[type[LowRankLinear]] = LowRankLinear

    factors: Annotated[int, Meta(ge=1), Tunable(32, 1024, log=True)] = 512
    "Singular vectors; at most a quarter of the smaller side of the matrix is taken."
    degree: Annotated[int, Meta(ge=1)] = 8
    "Degree of the polynomial."
    phi: Annotated[float, Meta(gt=0), Tunable(0.5, 4)] = 1.5
    "How flat the plateau is: larger values pass more of the middle frequencies at one half."
    alpha: Annotated[float, Meta(ge=0), Tunable(0, 1)] = 0.2
    "Weight of the low frequencies beside the plateau."
    beta: Annotated[float, Meta(ge=0), Tunable(0, 1)] = 0.4
    "How much popularity is taken from the history and given back to the scores."
    k: Annotated[int, Meta(ge=1)] | None = 1000
    "Entries kept in each row beside the factors, the largest by size; None for all."

    def coefficients(self) -> Float64:
        """Return float64[degree + 1]: the Chebyshev coefficients of the plateau, of the lowest degree first.

        >>> ChebyCF(degree=2, phi=2.0).coefficients().round(3).tolist()
        [0.5, -0.577, 0.0]
        """
        n = self.degree + 1
        points = np.cos(np.arange(self.degree, -1, -1) * np.pi / self.degree)
        height = np.round(0.5 - 0.5 * np.sign(points) * np.abs(points) ** self.phi, 3)
        nodes = np.cos((n + 0.5 - np.arange(1, n + 1)) * np.pi / n)
        found: Float64 = 2.0 / n * (chebyshev.chebvander(nodes, self.degree).T @ height)
        found[0] /= 2
        return found

    def _fit(self, data: Dataset, rng: np.random.Generator, executor: Executor, progress: Progress) -> LowRankLinear:
        r, candidates = graph(data, 0.5, 0.5)
        n, c = len(candidates), self.coefficients()
        vectors, squares = singular(r, self.factors, rng, executor, progress)
        passed = chebyshev.chebval(1 - 2 * squares, c)
        scale = (r.degrees**self.beta).astype(np.float32)
        shadow = (vectors * passed).astype(np.float32)

        def rows(start: int, stop: int) -> Float32:
            rest = _filtered(r, c, start, stop).T - shadow[start:stop] @ vectors.T
            return np.asarray(rest / scale[start:stop, None] * scale, np.float32)

        with progress.step("ChebyCF: filtering", n, "items") as advance:
            kept = pruned(n, self.k, rows, executor, advance)
        return LowRankLinear(
            items=data.items,
            learner=self,
            candidates=candidates,
            left=(vectors * (passed + self.alpha) / scale[:, None]).astype(np.float32),
            right=np.ascontiguousarray((vectors * scale[:, None]).T),
            **kept._asdict(),
        )


ALONE = LocalExecutor(1)
"What runs inside a part of the work."


def _filtered(r: Graph, c: Float64, start: int, stop: int) -> Float32:
    """Return float32[n, b]: columns ``start`` to ``stop`` of sum_k c_k T_k(I - 2 R'R)."""
    before = np.zeros((r.matrix.shape[1], stop - start), np.float32)
    before[np.arange(start, stop), np.arange(stop - start)] = 1
    now = before - np.float32(2) * r.product(start, stop).T
    out: Any = np.float32(c[0]) * before + np.float32(c[1]) * now
    for weight in np.trim_zeros(np.where(np.abs(c) > 1e-12, c, 0), "b")[2:]:
        before, now = now, np.float32(2) * (now - np.float32(2) * r.apply(now, ALONE)) - before
        out += np.float32(weight) * now
    return np.asarray(out, np.float32)
