"""Linear autoencoders: what EASE and its kin share, from the Gram matrix to the weights."""

from __future__ import annotations

from abc import abstractmethod
from typing import Annotated, Any, ClassVar

import numpy as np
from msgspec import Meta

from penchant.core.arrays import Float32, Float64, Int64
from penchant.core.executor import Executor, blocks
from penchant.core.progress import Progress
from penchant.data.dataset import Dataset
from penchant.data.vocabulary import Vocabulary
from penchant.kernels.autoencoder import mirror_block, scale_block
from penchant.models.counting import Cooccurrence, CountsItems
from penchant.models.inverse import invert
from penchant.models.linear import DenseLinear, SparseLinear
from penchant.models.pruning import pruned
from penchant.models.scorer import Scorer
from penchant.models.tunable import HALF_LIVES, Tunable

__all__ = ["Autoencoder", "ridge_for", "ridge_of"]

_ROWS = 256


class Autoencoder(CountsItems, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An item-item matrix B that predicts every history from itself, as min |X - XB|^2 + sum_i gamma_i |B_i|^2.

    What sets its kin apart is gamma, and what the diagonal of B may hold.

    >>> from penchant.models.rdlae import RDLAE
    >>> isinstance(RDLAE(), Autoencoder), RDLAE(l2=2.0, dropout=0.5).gammas(np.int64([3]), 2.0).tolist()
    (True, [5.0])
    """

    scorer: ClassVar[type[Scorer]] = DenseLinear

    l2: Annotated[float, Meta(gt=0), Tunable(1, 10_000, log=True)] | None = None
    "Ridge strength. Larger values trust popular items more. None: chosen from how many people the items have."
    max_items: Annotated[int, Meta(ge=1)] | None = 20_000
    "How many of the most frequent items are candidates; None for all. The others score NaN."
    k: Annotated[int, Meta(ge=1)] | None = None
    "Weights kept per candidate, the strongest; what that costs is measured and logged. None: all."
    half_life: Annotated[float, Meta(gt=0), HALF_LIVES] | None = None
    "Days after which an event of the asker's history counts half; None: time is nothing."
    delta_inf: Annotated[float, Meta(gt=0)] | None = None
    "Events after which one of the asker's history counts 1/e; None: position is nothing."

    def kind(self) -> type[Scorer]:
        """Return the type of the scorer: dense, or sparse once weights are dropped."""
        return DenseLinear if self.k is None else SparseLinear

    def limit(self) -> int | None:
        """Return how many of the most frequent items are modelled; None for all."""
        return self.max_items

    def gammas(self, support: Int64, l2: float) -> Float64:
        """Return float64[n]: the ridge of each item that ``support`` people like."""
        return np.full(len(support), l2)

    @abstractmethod
    def slopes(self, gammas: Float64, diagonal: Float64) -> Float64:
        """Return float64[n]: what column j of the inverse is multiplied by, of its gamma and its diagonal entry."""

    def derive(self, items: Vocabulary, state: Cooccurrence, executor: Executor, progress: Progress) -> Any:
        """Return the scorer of these counts: one inverse, in the only n x n array there is."""
        l2 = ridge_for(state) if self.l2 is None else self.l2
        gammas = self.gammas(state.gram.diagonal(), l2)
        with progress.step(f"{type(self).__name__}: inverting", 1, "matrix") as advance:
            weights = state.gram.spread(executor)
            weights[np.diag_indices(len(weights))] += gammas.astype(np.float32)
            invert(weights, executor, f"l2={l2}")
            slopes = self.slopes(gammas, weights.diagonal().astype(np.float64)).astype(np.float32)
            _weigh(weights, slopes, executor)
            advance(1)
        return DenseLinear(
            items=items,
            learner=self,
            candidates=state.codes,
            weights=weights,
            half_life=self.half_life,
            delta_inf=self.delta_inf,
            facts={"l2": float(l2)},
        )

    def finish(self, scorer: DenseLinear, data: Dataset | None, executor: Executor) -> Scorer:
        """Return the scorer, or its ``k`` strongest weights per candidate."""
        return scorer if self.k is None else pruned(scorer, self.k, data, executor)


def ridge_for(state: Cooccurrence) -> float:
    """Return a ridge strength that suits the data: 50 times the fourth root of how many people like a liked item.

    That mean is taken over likes, so that it is about the popular. The rule lies near the optimum of validation cuts of
    small data sets and the values published for large ones.

    >>> from penchant.models.ease import EASE
    >>> from penchant.testing import checkerboard
    >>> ridge_for(EASE().fit(checkerboard(32)).state)  # everybody's item is liked by 16
    100.0
    """
    return ridge_of(state.support[state.codes])


def ridge_of(support: Int64) -> float:
    """Return a ridge strength that suits items liked by so many people each (int64[n]).

    >>> ridge_of(np.int64([16, 16]))
    100.0
    """
    people = support.astype(np.float64)
    return float(50.0 * ((people**2).sum() / people.sum()) ** 0.25)


def _weigh(matrix: Float32, slopes: Float32, executor: Executor) -> None:
    parts = blocks(len(matrix), _ROWS)
    for _ in executor.map(lambda part: mirror_block(*part, matrix), parts):
        pass
    for _ in executor.map(lambda part: scale_block(*part, matrix, slopes), parts):
        pass
