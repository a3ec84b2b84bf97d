"""SLIST: a linear model of what comes next in a sequence, in closed form."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

import numpy as np
from msgspec import Meta

from penchant.core.arrays import Float32
from penchant.core.executor import Executor, blocks
from penchant.core.progress import Progress
from penchant.data.dataset import Dataset
from penchant.data.vocabulary import Vocabulary
from penchant.kernels.autoencoder import mirror_block
from penchant.models.counting import CountsItems
from penchant.models.inverse import invert
from penchant.models.linear import DenseLinear, SparseLinear
from penchant.models.pruning import pruned
from penchant.models.scorer import Scorer
from penchant.models.sequences import UNIT, Sequences, count_sequences
from penchant.models.tunable import Tunable

__all__ = ["SLIST"]

_ROWS = 256


class SLIST(CountsItems, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Session-aware linear item-item model: what stands together, and what follows on what, in one ridge regression.

    B = (alpha X'X + (1 - alpha) S'S + l2 I)^-1 (alpha X'X + (1 - alpha) S'T), where X holds whole sequences, and S and
    T what stands before and after each cut of them, counting exp(-distance / delta). A user's events in time order
    are a sequence; in one side of a cut an item stands once, at its place nearest to the cut.

    >>> from penchant.testing import checkerboard
    >>> SLIST(l2=1.0).fit(checkerboard(10)).recommend_one(["0", "2", "4"], n=2).ids
    ('6', '8')

    Memory is 8 n^2 bytes for n candidates while fitting, and 4 n^2 afterwards (8 n k with ``k``); time is 3 n^3
    operations. The counts that exact forgetting needs grow with the pairs that stand within 10 delta events.

    Source: Choi et al., "Session-aware Linear Item-Item Models for Session-based Recommendation", WWW 2021.
    """

    name: ClassVar[str] = "slist"
    scorer: ClassVar[type[Scorer]] = DenseLinear
    state: ClassVar[type[Sequences]] = Sequences

    l2: Annotated[float, Meta(gt=0), Tunable(1, 1000, log=True)] = 10.0
    "Ridge strength."
    alpha: Annotated[float, Meta(ge=0, le=1), Tunable(0, 1)] = 0.2
    "Share of what stands together; the rest is for what follows."
    delta: Annotated[float, Meta(gt=0), Tunable(0.25, 10, log=True)] = 1.0
    "Distance from a cut at which an item counts 1/e."
    delta_inf: Annotated[float, Meta(gt=0), Tunable(0.5, 50, log=True)] | None = 2.0
    "Events after which one of the asker's history counts 1/e; None: position is nothing."
    repeats: bool = False
    "Whether an item of the history adds to its own score, as where the same is taken again."
    max_items: Annotated[int, Meta(ge=1)] | None = 20_000
    "How many of the most frequent items are candidates; None for all. The others score NaN."
    k: Annotated[int, Meta(ge=1)] | None = None
    "Weights kept per candidate, the strongest; what that costs is measured and logged. None: all."

    def kind(self) -> type[Scorer]:
        """Return the type of the scorer: dense, or sparse once weights are dropped."""
        return DenseLinear if self.k is None else SparseLinear

    def limit(self) -> int | None:
        """Return how many of the most frequent items are modelled; None for all."""
        return self.max_items

    def count(self, data: Dataset, limit: int | None, executor: Executor, progress: Progress) -> Sequences:
        """Return the counts of all items: which are left out is decided afterwards, so that distances stay."""
        return count_sequences(data, self.delta, executor, progress)

    def derive(self, items: Vocabulary, state: Sequences, executor: Executor, progress: Progress) -> Any:
        """Return the scorer of these counts."""
        with progress.step("SLIST: solving", 1, "matrix") as advance:
            weights = self._system(state, executor)
            invert(weights, executor, f"l2={self.l2}")
            _mirror(weights, executor)
            _multiply(weights, self._target(state, executor), executor)
            if not self.repeats:
                np.fill_diagonal(weights, 0)
            advance(1)
        return DenseLinear(items=items, learner=self, candidates=state.codes, weights=weights, delta_inf=self.delta_inf)

    def finish(self, scorer: DenseLinear, data: Dataset | None, executor: Executor) -> Scorer:
        """Return the scorer, or its ``k`` strongest weights per candidate."""
        return scorer if self.k is None else pruned(scorer, self.k, data, executor)

    def _system(self, state: Sequences, executor: Executor) -> Float32:
        """Return alpha X'X + (1 - alpha) S'S + l2 I, its upper triangle filled."""
        system = state.gram.spread(executor)
        system *= np.float32(self.alpha)
        _add(system, state.before.upper(), (1.0 - self.alpha) / UNIT**2)
        system[np.diag_indices(len(system))] += np.float32(self.l2)
        return system

    def _target(self, state: Sequences, executor: Executor) -> Float32:
        """Return alpha X'X + (1 - alpha) S'T, whole."""
        target = state.gram.spread(executor)
        _mirror(target, executor)
        target *= np.float32(self.alpha)
        _add(target, state.follow, (1.0 - self.alpha) / UNIT**2)
        return target


def _mirror(matrix: Float32, executor: Executor) -> None:
    for _ in executor.map(lambda block: mirror_block(*block, matrix), blocks(len(matrix), _ROWS)):
        pass


def _add(out: Float32, matrix: Any, factor: float) -> None:
    """Add a sparse matrix times a factor to a dense one, row by row."""
    for i in range(len(out)):
        own = slice(matrix.indptr[i], matrix.indptr[i + 1])
        out[i, matrix.indices[own]] += (matrix.data[own] * factor).astype(np.float32)


def _multiply(matrix: Float32, right: Float32, executor: Executor) -> None:
    """Replace a matrix (float32[n, n]) by its product with another, a block of rows at a time."""

    def turn(block: tuple[int, int]) -> None:
        matrix[slice(*block)] = matrix[slice(*block)] @ right

    for _ in executor.map(turn, blocks(len(matrix), _ROWS)):
        pass
