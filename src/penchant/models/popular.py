"""Popular: what most people like, lately."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import scipy.sparse as sp
from msgspec import Meta

from penchant.core.arrays import Bool, Float32, Int32
from penchant.core.executor import Executor
from penchant.core.progress import Progress
from penchant.data.dataset import Dataset
from penchant.data.vocabulary import Vocabulary
from penchant.kernels.layout import Best, Rows, Space
from penchant.kernels.topk import rank_scores
from penchant.models.aging import HOUR
from penchant.models.counting import Counting
from penchant.models.histogram import Groups
from penchant.models.scorer import Scorer
from penchant.models.tunable import Tunable

__all__ = ["CategoryPopularity", "Popular", "Popularity"]


class Popularity(Scorer, frozen=True, eq=False, kw_only=True):
    """One number an item: all of a score is its base, nothing depends on who asks.

    >>> scorer = Popular().fit(Dataset.from_matrix([[1, 1, 0], [0, 1, 0]]))
    >>> scorer.base(np.int32([0, 1, 2])).tolist()
    [0.5, 1.0, nan]
    """

    personal: ClassVar[bool] = False

    popularity: Float32
    "float32[n], one a candidate."

    def base(self, items: Int32) -> Float32:
        """Return float32[m]: the popularity, which is the whole score; NaN where it cannot say."""
        places = self._places(items)
        return np.where(places >= 0, self.popularity[places], np.float32(np.nan))

    def _score(self, codes: Int32, signal: Float32) -> Float32:
        return self.popularity.copy()

    def _addends(self, codes: Int32, signal: Float32, items: Int32) -> Float32:
        return np.zeros((len(items), len(codes)), np.float32)

    def _can_score(self, codes: Int32, signal: Float32, items: Int32) -> Bool:
        return self._places(items) >= 0

    def _rank(self, rows: Rows, space: Space, exclude_seen: bool, best: Best) -> None:
        rank_scores(np.tile(self.popularity, (len(rows.indptr) - 1, 1)), rows, space, exclude_seen, best)


class CategoryPopularity(Popularity, frozen=True, eq=False, kw_only=True):
    """Popularity, and on top of it for each item of the history the popularity within the item's categories.

    >>> import polars as pl
    >>> from penchant.core.nouns import History
    >>> items = pl.DataFrame({"id": ["jam", "rye", "tea"], "categories": [["food"], ["food"], ["drinks"]]})
    >>> events = pl.DataFrame({"user": ["a", "b", "c"], "item": ["jam", "tea", "tea"], "at": [0, 0, 0]})
    >>> scorer = Popular(by="category").fit(Dataset.from_events(events, items))
    >>> scorer.score(History.of([])).tolist(), scorer.score(History.of([1])).tolist()  # rye is food, as jam is
    ([0.5, nan, 1.0], [1.5, nan, 1.0])
    """

    personal: ClassVar[bool] = True

    m_indptr: Any
    "int64[n_items + 1]."
    m_indices: Int32
    "int32[m], the categories of each item."
    p_indptr: Any
    "int64[categories + 1]."
    p_indices: Int32
    "int32[p], the candidates of each category."
    p_data: Float32
    "float32[p], how many like them, divided by the most in the category."

    @cached_property
    def _memberships(self) -> Any:
        """CSR float64[n_items, categories]: each item's share in each of its categories; they sum to 1."""
        lengths = np.diff(self.m_indptr)
        shares = np.repeat(1.0 / np.maximum(lengths, 1), lengths)
        return sp.csr_array((shares, self.m_indices, self.m_indptr), shape=(self.n_items, len(self.p_indptr) - 1))

    @cached_property
    def _within(self) -> Any:
        """CSR float64[n candidates, categories]: the popularity of each candidate within each of its categories."""
        parts = (self.p_data.astype(np.float64), self.p_indices, self.p_indptr)
        return sp.csr_array(parts, shape=(len(self.p_indptr) - 1, len(self.candidates))).T.tocsr()

    def _score(self, codes: Int32, signal: Float32) -> Float32:
        said = self._memberships[codes].T @ signal.astype(np.float64)
        return np.asarray(self.popularity + self._within @ said, np.float32)

    def _addends(self, codes: Int32, signal: Float32, items: Int32) -> Float32:
        theirs = self._within[np.maximum(self._places(items), 0)]
        return np.asarray((theirs @ self._memberships[codes].T).toarray() * signal, np.float32)

    def _rank(self, rows: Rows, space: Space, exclude_seen: bool, best: Best) -> None:
        for row in range(len(rows.indptr) - 1):
            own = slice(rows.indptr[row], rows.indptr[row + 1])
            one = Rows(rows.indptr[row : row + 2] - rows.indptr[row], rows.indices[own], rows.data[own])
            scores = self._score(one.indices, one.data)[None]
            rank_scores(scores, one, space, exclude_seen, Best(best.items[row : row + 1], best.scores[row : row + 1]))


class Popular(Counting, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Popularity: how many people liked an item, those of long ago counting less. The baseline of everything.

    >>> import polars as pl
    >>> day = 86_400_000_000
    >>> events = pl.DataFrame({"user": ["a", "b", "b"], "item": ["tea", "tea", "milk"], "at": [0, 0, 7 * day]})
    >>> data = Dataset.from_events(events)
    >>> Popular().fit(data).recommend_one([], n=2).table()["score"].to_list()
    [1.0, 0.5]
    >>> Popular(window=7.0).fit(data).recommend_one([], n=2).ids
    ('milk',)

    Each user counts once an item, at the hour of their latest event with it; scores are divided by the largest. Time
    is measured back from the hour of the latest liking.

    Memory is at most 12 bytes a pair of a person and an item they like, for the hours; time is in proportion.
    """

    name: ClassVar[str] = "popular"
    scorer: ClassVar[type[Popularity]] = Popularity
    state: ClassVar[type[Groups]] = Groups

    half_life: Annotated[float, Meta(gt=0), Tunable(choices=(None, 1.0, 3.0, 7.0, 14.0, 30.0, 90.0))] | None = None
    "Days after which an event counts half; None for no decay."
    window: Annotated[float, Meta(gt=0)] | None = None
    "Days that count: 1, 7, 30...; items that nobody liked in them have no score. None for all."
    by: Literal["category"] | None = None
    "category adds, for each item of the history, the popularity within its categories; None: alike for everybody."

    def kind(self) -> type[Scorer]:
        """Return the type of the scorer: with categories it is a personal one."""
        return Popularity if self.by is None else CategoryPopularity

    def count(self, data: Dataset, limit: int | None, executor: Executor, progress: Progress) -> Groups:
        """Return how many people of a dataset last liked each item in each hour."""
        at, weight = data.column("at"), data.column("weight")
        pairs = data.csr(weight)
        pair = np.repeat(np.arange(data.n_users), np.diff(pairs.indptr)) * np.int64(data.n_items) + pairs.indices
        event = data.column("user") * np.int64(data.n_items) + data.column("item")
        latest = np.full(len(pair), np.iinfo(np.int64).min)
        np.maximum.at(latest, np.searchsorted(pair, event), at)
        liked = pairs.data > 0
        counts = Groups.of(pairs.indices[liked], latest[liked] // HOUR)
        return counts if self.by is None else counts.known(data)

    def trim(self, state: Groups) -> Groups:
        """Return the counts, which must be some."""
        return state.expect_some()

    def derive(self, items: Vocabulary, state: Groups, executor: Executor, progress: Progress) -> Popularity:
        """Return the scorer of these counts."""
        age = state.age / 24.0
        counts = np.ones(len(age)) if self.half_life is None else np.exp2(-age / self.half_life)
        recent = age < (np.inf if self.window is None else self.window)
        total = state.totals(len(items), counts * recent)
        candidates = np.unique(state.items[recent])
        popularity = total[candidates] / total.max()
        shared: Any = {"items": items, "learner": self, "candidates": candidates}
        shared["popularity"] = popularity.astype(np.float32)
        if self.by is None:
            return Popularity(**shared)
        return CategoryPopularity(**shared, **_shared(state, candidates, popularity, len(items)))


def _shared(state: Groups, candidates: Int32, popularity: Any, n_items: int) -> dict[str, Any]:
    """Return the categories of each item, and the popularity of the candidates within each category."""
    place = np.searchsorted(candidates, state.members)
    place[place == len(candidates)] = 0
    scored = candidates[place] == state.members
    group, place = state.member_groups[scored], place[scored]
    order = np.lexsort((place, group))
    group, place = group[order], place[order]
    top = np.zeros(len(state.names))
    np.maximum.at(top, group, popularity[place])
    share = popularity[place] / np.where(top[group] > 0, top[group], 1.0)
    return {
        "m_indptr": _starts(state.members, n_items),
        "m_indices": state.member_groups,
        "p_indptr": _starts(group, len(state.names)),
        "p_indices": place.astype(np.int32),
        "p_data": share.astype(np.float32),
    }


def _starts(rows: Int32, n: int) -> Any:
    return np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=n))]).astype(np.int64)
