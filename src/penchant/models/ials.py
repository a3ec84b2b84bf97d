"""iALS: vectors of items and people, learnt by turns."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from msgspec import Meta
from msgspec.structs import replace

from penchant.core.arrays import Float32, Float64
from penchant.core.blas import single_blas
from penchant.core.errors import InputError
from penchant.core.executor import LOCAL, Executor
from penchant.core.progress import SILENT, Progress
from penchant.data.dataset import Dataset
from penchant.data.sparse import Matrix, rows_of, transposed
from penchant.kernels.als_cg import Axes, Walk, block_rows, descend_rows
from penchant.kernels.layout import Rows, Side
from penchant.models.alternating import gram_of, misfit, pieces, principal_axes
from penchant.models.factors import Factors, FoldIn
from penchant.models.interactions import liked
from penchant.models.tunable import Tunable

__all__ = ["IALS"]

_LEFT: tuple[Literal["l2", "unobserved"], ...] = ("l2", "unobserved")
"What is left to the data where it is not given."
_PULL, _LEAST = (9.0, 20.0), 0.01
"What all unobserved pairs together weigh beside the observed ones, and what each does if that lies between."


class IALS(FoldIn, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Implicit alternating least squares: weighted matrix factorization, solved for one side at a time.

    The objective is the sum over observed pairs of (unobserved + alpha r) (w.h - 1)^2, over all other pairs of
    unobserved (w.h)^2, and l2 (observed + unobserved others)^frequency_scaling |.|^2 for every vector, where observed
    counts its pairs and others the vectors of the other side. People who liked nothing have no vector.
    With ``frequency_scaling=0, unobserved=1`` this is the objective of Hu, Koren and Volinsky.

    Before each half-step both sides are turned along the principal axes of the side that stands still. There the part
    of the system that all pairs share is diagonal, and preconditions the conjugate gradients: three steps are nearly
    the exact solution.

    >>> from penchant.testing import checkerboard
    >>> IALS(factors=2, l2=0.01).fit(checkerboard(10)).recommend_one(["0", "2", "4"], n=2).ids
    ('6', '8')

    Memory is 4 d (users + items) + 16 events bytes while fitting. Time of an epoch is, in multiplications, with n for
    users + items: d^2 events + d^3 n / 3 exact, (d block + 4 d) events + (d block^2 / 3 + 2 d^2) n in blocks, and
    (8 steps + 4) d events + 3 d^2 n by conjugate gradients.

    Source: Hu, Koren and Volinsky, "Collaborative Filtering for Implicit Feedback Datasets", ICDM 2008, eq. 3 and 4;
    Rendle et al., "Revisiting the Performance of iALS on Item Recommendation Benchmarks", RecSys 2022, sec. 3.
    """

    name: ClassVar[str] = "ials"
    scorer: ClassVar[type[Factors]] = Factors

    factors: Annotated[int, Meta(ge=1), Tunable(16, 256, log=True)] = 64
    "Length of the vectors."
    l2: Annotated[float, Meta(gt=0), Tunable(1e-4, 0.1, log=True)] | None = None
    "Strength of the regularization; None: chosen from the density of the data, see :meth:`suited`."
    alpha: Annotated[float, Meta(gt=0)] = 1.0
    "Confidence that one unit of event weight adds."
    unobserved: Annotated[float, Meta(gt=0), Tunable(0.003, 1, log=True)] | None = None
    "Weight of the pairs nobody was seen to form; None: chosen from the density of the data, see :meth:`suited`."
    frequency_scaling: Annotated[float, Meta(ge=0, le=1)] = 1.0
    "How much more the vectors of the frequent are regularized: 0 not at all, 1 in proportion."
    epochs: Annotated[int, Meta(ge=1)] = 16
    "Rounds over both sides."
    solver: Literal["auto", "exact", "block", "cg"] = "auto"
    "How one side is found: exactly, in blocks of axes, or by conjugate gradients; auto: exactly up to 16 factors."
    block: Annotated[int, Meta(ge=1)] = 64
    "Axes solved together by the solver ``block``."
    steps: Annotated[int, Meta(ge=1)] = 3
    "Steps of the solver ``cg`` a half-step, from where the last one ended."

    def suited(self, matrix: Matrix) -> IALS:
        """Return the learner with the regularization and the weight of unobserved pairs that suit a matrix.

        l2 is 0.05 times the density to the power of 0.23, between 0.01 and 0.02. Together the unobserved pairs weigh
        nine times what the observed ones do: nine times the density for each, in units of the mean confidence of what
        was seen; in sparse data up to twenty times, while each weighs less than 0.01. What was given stays. Chosen
        on validation cuts of the training data of MovieLens-100K, Gowalla (a third, and whole), Beauty, Online Retail
        and made-up events.

        >>> from penchant.data.sparse import matrix_of
        >>> learner = IALS().suited(matrix_of([1, 1], [0, 49], [0, 1], (2, 50)))
        >>> learner.l2, learner.unobserved  # 9 times 2 / 100
        (0.02, 0.18)
        >>> IALS().suited(matrix_of([5, 15], [0, 49], [0, 1], (2, 50))).unobserved  # ten times as sure of what was seen
        1.8
        """
        density = matrix.nnz / (matrix.shape[0] * matrix.shape[1])
        l2, unobserved = self.l2, self.unobserved
        if l2 is None:
            l2 = float(f"{np.clip(0.05 * density**0.23, 0.01, 0.02):.6g}")
        if unobserved is None:
            sure = self.alpha * float(matrix.data.mean(dtype=np.float64))
            unobserved = float(f"{np.clip(_LEAST, _PULL[0] * density, _PULL[1] * density) * sure:.6g}")
        return replace(self, l2=l2, unobserved=unobserved)

    def _settled(self, field: Literal["l2", "unobserved"]) -> float:
        """Return a hyper-parameter that the data may have to settle."""
        value: float | None = getattr(self, field)
        if value is None:
            raise InputError(
                f"{field} is not settled",
                got=value,
                allowed="a number > 0",
                then=f"give {field}, or take learner.suited(matrix)",
                field=field,
            )
        return value

    @property
    def _elsewhere(self) -> float:
        """The weight of unobserved pairs, which has to be settled by now."""
        return self._settled("unobserved")

    def ridge(self, counts: Any, others: int) -> Float64:
        """Return float64[b]: the regularization of rows with this many observed pairs, of ``others`` possible ones."""
        scale = np.power(np.asarray(counts) + self._elsewhere * others, self.frequency_scaling)
        return self._settled("l2") * np.maximum(scale, 1e-12)

    def weigh(self, weights: Float32) -> tuple[Float32, Float32]:
        """Return confidence beyond the unobserved weight, and the right-hand side, of observed pairs."""
        confidence = np.float32(self.alpha) * weights
        return confidence, confidence + np.float32(self._elsewhere)

    def train(
        self, matrix: Matrix, rng: np.random.Generator, executor: Executor = LOCAL, progress: Progress = SILENT
    ) -> tuple[Float32, Float32]:
        """Return the vectors of rows and columns of a matrix of positive weights; ``fit`` keeps those of the items.

        >>> from penchant.data.sparse import matrix_of
        >>> matrix = matrix_of([1, 1, 1], [0, 1, 1], [0, 0, 1], (2, 2))
        >>> learner = IALS(factors=2, l2=1e-4, unobserved=0.1)
        >>> users, items = learner.train(matrix, np.random.default_rng(0))
        >>> (users @ items.T).round(1).tolist()
        [[1.0, 1.0], [0.0, 1.0]]

        Args:
            matrix: CSR float32[users, items].
            rng: where the items' first vectors are drawn from.
            executor: where the work runs.
            progress: told how far it is.
        """
        d, learner = self.factors, self.suited(matrix)
        items = rng.normal(0.0, 0.1 / np.sqrt(d), (matrix.shape[1], d)).astype(np.float32)
        users = np.zeros((matrix.shape[0], d), np.float32)
        other = transposed(matrix)
        with progress.step("iALS", 2 * self.epochs, "half-steps") as advance, single_blas():
            for _ in range(self.epochs):
                learner._half(matrix, items, users, executor)
                advance(1)
                learner._half(other, users, items, executor)
                advance(1)
        return users, items

    def loss(self, matrix: Matrix, users: Float32, items: Float32, executor: Executor = LOCAL) -> float:
        """Return the objective, exactly, in time d events + d^2 (users + items).

        >>> from penchant.data.sparse import matrix_of
        >>> matrix = matrix_of([2], [0], [0], (1, 2))
        >>> learner = IALS(factors=1, l2=0.5, alpha=1.0, unobserved=1.0, frequency_scaling=0.0)
        >>> learner.loss(matrix, np.float32([[1]]), np.float32([[3], [2]]))  # 3 (3 - 1)^2 + 2^2 + 0.5 (1 + 9 + 4)
        23.0

        Args:
            matrix: CSR float32[users, items] of positive weights.
            users: float32[users, d].
            items: float32[items, d].
            executor: where the work runs.
        """
        far, near = misfit(matrix, users, items, executor)
        everywhere = np.sum(gram_of(users, executor) * gram_of(items, executor))
        learner = self.suited(matrix)
        total = self.alpha * far + learner._elsewhere * (near + everywhere)
        seen = np.diff(matrix.indptr), np.bincount(matrix.indices, minlength=matrix.shape[1])
        for vectors, counts, others in zip((users, items), seen, (len(items), len(users)), strict=True):
            norms = np.einsum("ij,ij->i", vectors, vectors, dtype=np.float64)
            total += float(learner.ridge(counts, others) @ norms)
        return float(total)

    def _fit(self, data: Dataset, rng: np.random.Generator, executor: Executor, progress: Progress) -> Factors:
        matrix, candidates = liked(data)
        active = np.diff(matrix.indptr) > 0
        if not active.all():
            matrix = matrix[active]  # who liked nothing has no say
        learner = self.suited(matrix)
        items = learner.train(matrix, rng, executor, progress)[1]
        turned = principal_axes(items, executor)[0]
        return Factors(
            items=data.items,
            learner=self,
            settled={name: learner._settled(name) for name in _LEFT if getattr(self, name) is None},
            candidates=candidates,
            factors=np.ascontiguousarray(items.T),
            energy=learner._elsewhere * turned.astype(np.float64),
        )

    def _half(self, matrix: Matrix, other: Float32, own: Float32, executor: Executor) -> None:
        """Improve ``own`` in place while ``other`` stands still, but for a turn of both."""
        if self.solver == "exact" or (self.solver == "auto" and self.factors <= 16):
            side = Side(other, self._elsewhere * gram_of(other, executor))

            def part(block: tuple[int, int]) -> None:
                own[slice(*block)] = self.solve(rows_of(matrix, *block), side)
        else:
            energy, turn = principal_axes(other, executor)
            axes = Axes(other, np.float32(self._elsewhere) * energy)

            def part(block: tuple[int, int]) -> None:
                own[slice(*block)] = self._step(rows_of(matrix, *block), axes, own[slice(*block)] @ turn)

        for _ in executor.map(part, pieces(matrix.indptr)):
            pass

    def _step(self, rows: Rows, axes: Axes, start: Float32) -> Float32:
        """Return float32[b, d]: better vectors than those to start from, which are overwritten."""
        confidence, target = self.weigh(rows.data)
        ridge = self.ridge(np.diff(rows.indptr), len(axes.vectors)).astype(np.float32)
        weighed = Rows(rows.indptr, rows.indices, confidence)
        if self.solver == "block":
            block_rows(weighed, target, axes, ridge, Walk(start, min(self.block, self.factors)))
        else:
            descend_rows(weighed, target, axes, ridge, Walk(start, self.steps))
        return start
