"""Popular: what most people like, lately."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

import numpy as np
from msgspec import Meta

from penchant.core.arrays import Bool, Float32, Int32
from penchant.core.executor import Executor
from penchant.core.progress import Progress
from penchant.data.dataset import Dataset
from penchant.kernels.layout import Best, Rows, Space
from penchant.kernels.topk import rank_scores
from penchant.models.aging import decay
from penchant.models.learner import Learner
from penchant.models.scorer import Scorer

__all__ = ["Popular", "Popularity"]


class Popularity(Scorer, frozen=True, eq=False, kw_only=True):
    """One number an item: all of a score is its base, nothing depends on who asks.

    >>> scorer = Popular().fit(Dataset.from_matrix([[1, 1, 0], [0, 1, 0]]))
    >>> scorer.base(np.int32([0, 1, 2])).tolist()
    [0.5, 1.0, nan]
    """

    personal: ClassVar[bool] = False

    popularity: Float32
    "float32[n], at most 1."

    def base(self, items: Int32) -> Float32:
        """Return float32[m]: the popularity, which is the whole score; NaN where it cannot say."""
        everywhere = np.full(self.n_items, np.nan, np.float32)
        everywhere[self.candidates] = self.popularity
        return np.where(items >= 0, everywhere[items], np.nan).astype(np.float32)

    def _score(self, codes: Int32, signal: Float32) -> Float32:
        return self.popularity

    def _addends(self, codes: Int32, signal: Float32, items: Int32) -> Float32:
        return np.zeros((len(items), len(codes)), np.float32)

    def _can_score(self, codes: Int32, signal: Float32, items: Int32) -> Bool:
        return self._places(items) >= 0

    def _rank(self, rows: Rows, space: Space, exclude_seen: bool, best: Best) -> None:
        rank_scores(np.tile(self.popularity, (len(rows.indptr) - 1, 1)), rows, space, exclude_seen, best)


class Popular(Learner, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Popularity: how many people liked an item, those of long ago counting less. The baseline of everything.

    >>> import polars as pl
    >>> events = pl.DataFrame({"user": ["a", "b", "b"], "item": ["tea", "tea", "milk"], "at": [0, 0, 0]})
    >>> Popular().fit(Dataset.from_events(events)).recommend_one([], n=2).table()["score"].to_list()
    [1.0, 0.5]

    Each user counts once an item, at their latest event with it; scores are divided by the largest.
    """

    name: ClassVar[str] = "popular"
    scorer: ClassVar[type[Popularity]] = Popularity

    half_life: Annotated[float, Meta(gt=0)] | None = None
    "Days after which an event counts half, measured back from the latest liking; None for no decay."

    def _fit(self, data: Dataset, rng: np.random.Generator, executor: Executor, progress: Progress) -> Popularity:
        at, weight = data.column("at"), data.column("weight")
        pairs = data.csr(weight)
        pair = np.repeat(np.arange(data.n_users), np.diff(pairs.indptr)) * np.int64(data.n_items) + pairs.indices
        event = data.column("user") * np.int64(data.n_items) + data.column("item")
        place = np.searchsorted(pair, event)
        latest = np.full(len(pair), np.iinfo(np.int64).min)
        np.maximum.at(latest, place, at)
        liked = pairs.data > 0
        count = decay(latest[liked], latest[liked].max(), self.half_life)
        total = np.bincount(pairs.indices[liked], weights=count, minlength=data.n_items)
        candidates = np.flatnonzero(np.bincount(pairs.indices[liked], minlength=data.n_items)).astype(np.int32)
        popularity: Any = total[candidates] / total.max()
        return Popularity(
            items=data.items, learner=self, candidates=candidates, popularity=popularity.astype(np.float32)
        )
