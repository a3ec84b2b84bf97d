"""Turbo-CF: polynomial graph filters without any factorization."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from msgspec import Meta

from penchant.core.arrays import Float32
from penchant.core.executor import Executor
from penchant.core.progress import Progress
from penchant.data.dataset import Dataset
from penchant.kernels.filters import through
from penchant.kernels.layout import Rows
from penchant.models.interactions import liked
from penchant.models.learner import Learner
from penchant.models.linear import SparseLinear
from penchant.models.overlap import overlap_in
from penchant.models.spectral import graph, pruned
from penchant.models.tunable import Tunable

__all__ = ["TurboCF"]


class TurboCF(Learner, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Graph filter: score = x f(P), where P holds the products R'R of the normalized likes, each to the power ``s``.

    R = D_u^-a X D_i^(a-1) with D the degrees of users and items. ``filter`` chooses f: 1 is P, 2 is 2P - P^2, 3 is
    P + 0.01 (-P^3 + 10 P^2 - 29 P). Powers of P are taken of a few rows at a time. Nothing is trained.

    >>> from penchant.testing import checkerboard
    >>> TurboCF().fit(checkerboard(10)).recommend_one(["0", "2", "4"], n=2).ids
    ('6', '8')

    Memory is 8 n k bytes, filters 2 and 3 hold 8 bytes for every pair with a common user while fitting; time is the
    sum of squared history lengths for filter 1, and for 2 the sum over all pairs of how many pairs the other forms.

    Source: Park, Shin and Shin, "Turbo-CF: Matrix Decomposition-Free Graph Filtering for Fast Recommendation",
    SIGIR 2024.
    """

    name: ClassVar[str] = "turbo-cf"
    scorer: ClassVar[type[SparseLinear]] = SparseLinear

    a: Annotated[float, Meta(ge=0, le=1), Tunable(0, 1)] | None = None
    "How much of the normalization is by the user's degree; the item's has the rest. None: see :meth:`suited`."
    s: Annotated[float, Meta(gt=0), Tunable(0.3, 1.5)] | None = None
    "Power of every entry of R'R: less than 1 lifts weak links. None: see :meth:`suited`."
    filter: Annotated[Literal[1, 2, 3], Tunable()] = 1
    "Which polynomial of P: 1 linear, 2 and 3 closer to an ideal low-pass."
    k: Annotated[int, Meta(ge=1)] | None = 1000
    "Entries kept in each row, the largest by size; None for all. On Gowalla 1000 cost 0.4% of recall@20, 500 cost 1%."

    def suited(self, overlap: float) -> tuple[float, float]:
        """Return a and s for data in which two people share so many items by chance, unless they are given.

        With x the decimal logarithm of that, a is 0.35 - 0.3 x between 0.4 and 0.65, and s is 1.06 + 0.32 x between 0.5
        and 1: chosen on validation cuts of the training data of MovieLens-100K, Gowalla, Beauty, Online Retail and
        made-up events. On Gowalla the published a = 0.6, s = 0.7 lie nearby.

        >>> TurboCF().suited(0.01), TurboCF(s=0.7).suited(1.0)
        ((0.65, 0.5), (0.4, 0.7))
        """
        x = np.log10(overlap)
        a = round(float(np.clip(0.35 - 0.3 * x, 0.4, 0.65)), 6) if self.a is None else float(self.a)
        s = round(float(np.clip(1.06 + 0.32 * x, 0.5, 1.0)), 6) if self.s is None else float(self.s)
        return a, s

    def _fit(self, data: Dataset, rng: np.random.Generator, executor: Executor, progress: Progress) -> SparseLinear:
        a, s = self.suited(overlap_in(liked(data)[0]))
        r, candidates = graph(data, a, 1.0 - a)
        n = len(candidates)

        def powers(start: int, stop: int) -> Float32:
            product = r.product(start, stop)
            return np.power(product, np.float32(s), out=product, where=product > 0)

        with progress.step("TurboCF: smoothing", n, "items") as advance:
            kept = pruned(n, self.k if self.filter == 1 else None, powers, executor, advance)
        if self.filter != 1:
            rows = self._filtered(powers, Rows(*kept))
            with progress.step("TurboCF: filtering", n, "items") as advance:
                kept = pruned(n, self.k, rows, executor, advance)
        facts = {"a": a, "s": s}
        return SparseLinear(items=data.items, learner=self, candidates=candidates, facts=facts, **kept._asdict())

    def _filtered(self, powers: Callable[[int, int], Float32], p: Rows) -> Callable[[int, int], Float32]:
        """Return what gives rows of the polynomial of P."""

        def rows(start: int, stop: int) -> Float32:
            one = powers(start, stop)
            two, three = np.empty_like(one), np.empty_like(one)
            through(one, p, two)
            if self.filter == 2:
                return np.asarray(2 * one - two, np.float32)
            through(two, p, three)
            out: Any = one + np.float32(0.01) * (np.float32(10) * two - three - np.float32(29) * one)
            return np.asarray(out, np.float32)

        return rows
