"""BPR: vectors that put what people like before what they do not."""

from __future__ import annotations

import logging
from typing import Annotated, Any, ClassVar

import numpy as np
import scipy.sparse as sp
from msgspec import Meta
from msgspec.structs import replace

from penchant.core.arrays import Float32, Float64, Int32, Int64
from penchant.core.executor import Executor
from penchant.core.progress import Progress
from penchant.data.dataset import Dataset
from penchant.data.sparse import Matrix, rows_of
from penchant.kernels.bpr import Block, Pace, deal, descend
from penchant.kernels.layout import Rows
from penchant.models.interactions import liked
from penchant.models.learner import Learner
from penchant.models.offset import OffsetFactors
from penchant.models.overlap import overlap_in
from penchant.models.tunable import Tunable

__all__ = ["BPR", "Preferences"]

log = logging.getLogger(__name__)

STRIPES = 16
"At most this many parts of the people, and of the items; so many blocks can run at once."
STRIPE = 256
"At least this many people and items a stripe, so that there is something to draw from."


class Preferences(OffsetFactors, frozen=True, eq=False, kw_only=True):
    """Item vectors with biases. The vector of a history is a linear map of the sum of its items' vectors.

    >>> from penchant.core.nouns import History
    >>> from penchant.testing import checkerboard
    >>> scorer = BPR(factors=4, epochs=20).fit(checkerboard(10))
    >>> history, items = History.of([0, 2]), np.int32([4])
    >>> bool(np.isclose(scorer.base(items) + scorer.contributions(history, items).sum(), scorer.score(history)[4]))
    True
    """

    mapping: Float64
    "float64[d, d]: takes the sum of a history's item vectors, over the root of their number, to a person's vector."

    def _signal(self, weights: Float32) -> Float32:
        return (weights > 0).astype(np.float32)

    def _vectors(self, rows: Rows) -> Float32:
        each = np.ascontiguousarray(self.factors[:-1, rows.indices].T, np.float64)
        own = sp.csr_array((_shares(rows), np.arange(len(each)), rows.indptr), shape=(len(rows.indptr) - 1, len(each)))
        return np.asarray((own @ each) @ self.mapping, np.float32)

    def _addends(self, codes: Int32, signal: Float32, items: Int32) -> Float32:
        places = self.positions[codes]
        said = (places >= 0) & (signal > 0)
        share = said / np.sqrt(np.maximum(np.count_nonzero(said), 1))
        each = (self.factors[:-1, places].T.astype(np.float64) * share[:, None]) @ self.mapping
        return np.asarray((each @ self.factors[:-1, self.positions[items]]).T, np.float32)


class BPR(Learner, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Bayesian personalized ranking: of a person's pairs of a liked and another item, most should be in order.

    The objective is the sum of ln sigma(x_ui - x_uj) over pairs of a liked item i and another item j, with
    x_ui = b_i + p_u . q_i, minus l2 / 2 times the squared length of what a step touches. An epoch takes as many steps
    as there are pairs of a person and a liked item, drawn with replacement; j is drawn evenly.

    People and items are dealt into stripes, anew in every epoch; blocks of a stripe of people and one of items that
    share no stripe run side by side, and j is drawn from the stripe of i. So no vector is touched by two threads, and
    the result does not depend on how many there are.

    Nobody is stored: the vector of a history is the sum of its items' vectors over the root of their number, times
    the d x d matrix that gives the people learnt from back, by least squares. Dislikes say nothing.

    >>> from penchant.testing import checkerboard
    >>> BPR(factors=4).fit(checkerboard(10)).recommend_one(["0", "2", "4"], n=2).ids
    ('6', '8')

    Memory is 4 d (users + items) + 8 events bytes while fitting, time d events an epoch.

    Source: Rendle et al., "BPR: Bayesian Personalized Ranking from Implicit Feedback", UAI 2009;
    the blocks: Gemulla et al., "Large-Scale Matrix Factorization with Distributed Stochastic Gradient Descent",
    KDD 2011. Folding in is ours.
    """

    name: ClassVar[str] = "bpr"
    scorer: ClassVar[type[Preferences]] = Preferences

    factors: Annotated[int, Meta(ge=1), Tunable(16, 256, log=True)] = 64
    "Length of the vectors."
    l2: Annotated[float, Meta(ge=0), Tunable(1e-4, 0.1, log=True)] | None = None
    "Strength of the regularization, a step. None: chosen from the data, see :meth:`suited`."
    learning_rate: Annotated[float, Meta(gt=0), Tunable(0.005, 0.2, log=True)] = 0.05
    "Length of the steps."
    epochs: Annotated[int, Meta(ge=1), Tunable(20, 300, log=True)] = 100
    "Rounds of as many steps as there are likings."

    def suited(self, overlap: float) -> float:
        """Return l2 for data in which two people share so many items by chance, unless it is given.

        It is 0.015 times that to the power of 0.4, between 0.003 and 0.01: chosen on validation cuts of the training
        data of MovieLens-100K, Gowalla, Beauty, Online Retail and made-up events.

        >>> BPR().suited(1.0), BPR().suited(0.01), BPR(l2=0.5).suited(1.0)
        (0.01, 0.003, 0.5)

        Args:
            overlap: of :func:`penchant.models.overlap.overlap_of`.
        """
        if self.l2 is not None:
            return float(self.l2)
        return round(float(np.clip(0.015 * overlap**0.4, 0.003, 0.01)), 6)

    def _fit(self, data: Dataset, rng: np.random.Generator, executor: Executor, progress: Progress) -> Preferences:
        matrix, candidates = liked(data)
        matrix = matrix[np.diff(matrix.indptr) > 0]  # who liked nothing has no say
        l2 = self.suited(overlap_in(matrix))
        learner = replace(self, l2=l2)
        people, items = (rng.normal(0.0, 0.1 / np.sqrt(self.factors), (n, self.factors + 1)) for n in matrix.shape)
        people[:, -1], items[:, -1] = 1.0, 0.0
        vectors = people.astype(np.float32), items.astype(np.float32)
        with progress.step("BPR", self.epochs, "epochs") as advance:
            for epoch in range(self.epochs):
                right, steps = learner._epoch(matrix, vectors, rng, executor)
                log.debug("epoch %d: %.4f of %d pairs in order", epoch + 1, right / max(steps, 1), steps)
                advance(1)
        return Preferences(
            items=data.items,
            learner=self,
            candidates=candidates,
            factors=np.ascontiguousarray(vectors[1].T),
            mapping=_mapping(matrix, vectors[0][:, :-1], vectors[1][:, :-1]),
            facts={"l2": l2},
        )

    def _epoch(
        self, matrix: Matrix, vectors: tuple[Float32, Float32], rng: np.random.Generator, executor: Executor
    ) -> tuple[int, int]:
        """Take the steps of one epoch; return how many found their pair in order, and how many there were."""
        users, n = matrix.shape
        parts = max(1, min(STRIPES, users // STRIPE, n // STRIPE))
        order = rng.permutation(n).astype(np.int32)
        stripes = np.array_split(order, parts)
        stripe_of = np.empty(n, np.int32)
        stripe_of[order] = np.repeat(np.arange(parts), [len(stripe) for stripe in stripes])
        bounds = np.arange(parts + 1) * users // parts
        seeds = rng.integers(0, 2**63, (parts, parts))
        dealt = list(executor.map(lambda part: _dealt(matrix, bounds[part : part + 2], stripe_of, parts), range(parts)))
        right = steps = 0
        for turn in rng.permutation(parts):

            def run(part: int, turn: int = int(turn)) -> tuple[int, int]:
                stripe = (part + turn) % parts
                whose, what, starts = dealt[part]
                own = slice(starts[stripe], starts[stripe + 1])
                pace = Pace(self.learning_rate, self.l2 or 0.0, int(seeds[part, stripe]))
                return descend(Block(whose[own], what[own], stripes[stripe]), pace, *vectors)

            for found, taken in executor.map(run, range(parts)):
                right, steps = right + found, steps + taken
        return right, steps


def _dealt(matrix: Matrix, bounds: Any, stripe_of: Int32, parts: int) -> tuple[Int32, Int32, Int64]:
    """Return the events of a stripe of people by stripe of items: users, items, and where each stripe starts."""
    rows = rows_of(matrix, *bounds)
    whose: Int32 = np.empty(len(rows.indices), np.int32)
    what: Int32 = np.empty(len(rows.indices), np.int32)
    starts: Int64 = np.empty(parts + 1, np.int64)
    deal(rows, int(bounds[0]), stripe_of, (whose, what), starts)
    return whose, what, starts


def _shares(rows: Rows) -> Float64:
    """Return float64[nnz]: one over the root of the length of each entry's row."""
    length = np.diff(rows.indptr)
    return np.repeat(1.0 / np.sqrt(np.maximum(length, 1)), length)


def _mapping(matrix: Matrix, people: Float32, items: Float32) -> Float64:
    """Return float64[d, d]: what brings the sums of people's item vectors nearest to their own vectors."""
    shares = _shares(rows_of(matrix))
    sums = sp.csr_array((shares, matrix.indices, matrix.indptr), shape=matrix.shape) @ items.astype(np.float64)
    square = sums.T @ sums
    ridge = 1e-3 * np.trace(square) / len(square) + 1e-12
    found: Float64 = np.linalg.solve(square + ridge * np.eye(len(square)), sums.T @ people.astype(np.float64))
    return found
