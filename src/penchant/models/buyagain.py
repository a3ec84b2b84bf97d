"""BuyAgain: what a person buys over and over."""

from __future__ import annotations

from typing import Annotated, ClassVar

import numpy as np
from msgspec import Meta

from penchant.core.arrays import Float32, Float64
from penchant.core.executor import Executor
from penchant.core.progress import Progress
from penchant.data.dataset import Dataset
from penchant.models.learner import Learner
from penchant.models.linear import SparseLinear
from penchant.models.tunable import Tunable

__all__ = ["BuyAgain", "Repeats"]


class Repeats(SparseLinear, frozen=True, eq=False, kw_only=True):
    """A diagonal item-item matrix: each item adds to its own score only, recent events more than old ones.

    >>> from penchant.core.nouns import History
    >>> from penchant.testing import checkerboard
    >>> scorer = BuyAgain(half_life=1.0, smoothing=None).fit(checkerboard(6))
    >>> day = 86_400_000_000
    >>> scorer.score(History.of([2, 4, 2], at=[0, day, 2 * day]))[[2, 4]].tolist()  # 1/4 + 1, and 1/2
    [1.25, 0.5]
    """

    def _aged(self, weights: Float32, age: Float64) -> Float32:
        return (weights * age).astype(np.float32)

    def _signal(self, weights: Float32) -> Float32:
        return weights


class BuyAgain(Learner, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Repeat consumption: how often and how lately a person took an item, times how often people take it again.

    >>> import polars as pl
    >>> events = pl.DataFrame({"user": ["a", "a", "b", "a"], "item": ["tea", "tea", "tea", "pan"], "at": [0, 1, 1, 2]})
    >>> scorer = BuyAgain().fit(Dataset.from_events(events))
    >>> scorer.recommend_one(["tea", "pan", "tea"], exclude_seen=False).ids
    ('tea', 'pan')

    Ask with ``exclude_seen=False``: it scores only what is in the history.

    Source: the repeat customer probability of Bhagat et al., "Buy It Again: Modeling Repeat Purchase
    Recommendations", KDD 2018, smoothed, times an exponentially decayed count.
    """

    name: ClassVar[str] = "buy-again"
    task: ClassVar[str] = "repeat"
    scorer: ClassVar[type[Repeats]] = Repeats

    half_life: Annotated[float, Meta(gt=0), Tunable(7, 365, log=True)] | None = 84.0
    "Days after which an event counts half; None counts all alike."
    smoothing: Annotated[float, Meta(gt=0), Tunable(0.5, 200, log=True)] | None = 10.0
    "People of the average repeat rate added to every item's own; None gives every item the same rate."

    def _fit(self, data: Dataset, rng: np.random.Generator, executor: Executor, progress: Progress) -> Repeats:
        liked = data.column("weight") > 0
        ones = data.csr(liked.astype(np.float32))
        taken = ones.data >= 1
        buyers = np.bincount(ones.indices[taken], minlength=data.n_items)
        again = np.bincount(ones.indices[ones.data >= 2], minlength=data.n_items)
        candidates = np.flatnonzero(buyers).astype(np.int32)
        rate = np.ones(len(candidates))
        if self.smoothing is not None:
            average = (again.sum() + 1.0) / (buyers.sum() + 2.0)
            rate = (again[candidates] + self.smoothing * average) / (buyers[candidates] + self.smoothing)
        n = len(candidates)
        return Repeats(
            items=data.items,
            learner=self,
            candidates=candidates,
            half_life=self.half_life,
            w_indptr=np.arange(n + 1, dtype=np.int64),
            w_indices=np.arange(n, dtype=np.int32),
            w_data=rate.astype(np.float32),
        )
