"""Trending: what rises beyond what chance would do."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import numpy as np
from msgspec import Meta
from scipy.special import betainc

from penchant.core.arrays import Bool, Float64
from penchant.core.executor import Executor
from penchant.core.progress import Progress
from penchant.data.dataset import Dataset
from penchant.data.vocabulary import Vocabulary
from penchant.models.aging import DAY
from penchant.models.counting import Counting
from penchant.models.histogram import Histogram
from penchant.models.popular import Popularity
from penchant.models.tunable import Tunable

__all__ = ["Trending"]


class Trending(Counting, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is liked more in the last days than the days before and all traffic let expect, beyond doubt.

    Of an item's r likings in the window and b before it, chance puts each into the window with q = R / (R + B), R and B
    being those of all items. So r is binomial, and p = P(X >= r | r + b, q); of all items tested together those are
    kept whose p the correction leaves below ``alpha``. With e = b R / B expected,

        score = 1 + ln((r + 1/2) / (e + 1/2))  where it trends, else  r / max r

    so what trends scores above 1, and what does not, at most 1, in the order of the window's popularity.

    >>> import polars as pl
    >>> day = 86_400_000_000
    >>> rows = [(f"{item}{u}", item, (u % 28) * day) for item in ("tea", "rye") for u in range(280)]
    >>> rows += [(f"jam{u}", "jam", (27 - u % 7) * day) for u in range(40)]
    >>> data = Dataset.from_events(pl.DataFrame(rows, schema=["user", "item", "at"], orient="row"))
    >>> Trending(window=7, before=21).fit(data).recommend_one([], n=3).table()["score"].to_list()
    [5.394449..., 1.0, 1.0]

    A person counts once an item a day, so days (UTC) are the finest step; back from the day of the latest liking. Take
    whole weeks where weekdays differ. The test takes likings as independent: what comes in bulk looks like a trend.

    Memory is at most 12 bytes a person, item and day; time is in proportion.

    Source: Przyborowski and Wilenski, "Homogeneity of Results in Testing Samples from Poisson Series", Biometrika 1940
    (the conditional test); Benjamini and Hochberg, "Controlling the False Discovery Rate", JRSS B 1995.
    """

    name: ClassVar[str] = "trending"
    scorer: ClassVar[type[Popularity]] = Popularity
    state: ClassVar[type[Histogram]] = Histogram

    window: Annotated[int, Meta(ge=1), Tunable(1, 28, log=True)] = 7
    "Days in which a trend shows."
    before: Annotated[int, Meta(ge=1), Tunable(7, 112, log=True)] = 28
    "Days before those, from which the expectation comes."
    alpha: Annotated[float, Meta(gt=0, lt=1)] = 0.05
    "Share of false trends among the trends that is borne (Benjamini-Hochberg), or chance of any (Bonferroni)."
    correction: Literal["benjamini-hochberg", "bonferroni"] = "benjamini-hochberg"
    "How testing many items at once is accounted for."
    others: bool = True
    "Whether what does not trend is scored too, beneath; without them a slate may be empty."

    def count(self, data: Dataset, limit: int | None, executor: Executor, progress: Progress) -> Histogram:
        """Return how many people of a dataset liked each item on each day."""
        day = data.column("at") // DAY
        first, days = (int(day.min()), int(day.max() - day.min()) + 1) if len(day) else (0, 1)
        pair = data.column("user").astype(np.int64) * data.n_items + data.column("item")
        keys, inverse = np.unique(pair * days + (day - first), return_inverse=True)
        liked = keys[np.bincount(inverse, weights=data.column("weight"), minlength=len(keys)) > 0]
        return Histogram.of(liked // days % data.n_items, liked % days + first)

    def trim(self, state: Histogram) -> Histogram:
        """Return the counts, which must be some."""
        return state.expect_some()

    def derive(self, items: Vocabulary, state: Histogram, executor: Executor, progress: Progress) -> Popularity:
        """Return the scorer of these counts."""
        age = state.age
        now = state.totals(len(items), age < self.window)
        before = state.totals(len(items), (age >= self.window) & (age < self.window + self.before))
        trends = self.significant(now, before)
        expected = before * now.sum() / max(before.sum(), 1.0)
        scores = np.where(trends, 1.0 + np.log((now + 0.5) / (expected + 0.5)), now / now.max())
        candidates = np.flatnonzero(now > 0 if self.others else trends).astype(np.int32)
        return Popularity(
            items=items, learner=self, candidates=candidates, popularity=scores[candidates].astype(np.float32)
        )

    def significant(self, now: Float64, before: Float64) -> Bool:
        """Return bool[n]: which of n items with so many likings in the window and before it trend.

        >>> Trending().significant(np.float64([30, 3, 500]), np.float64([10, 1, 500])).tolist()
        [True, False, False]
        """
        both = now + before
        share = now.sum() / max(both.sum(), 1.0)
        chance = np.ones(len(now))
        seen = now > 0
        chance[seen] = betainc(now[seen], before[seen] + 1.0, share)
        tested = np.flatnonzero(both > 0)
        order = tested[np.argsort(chance[tested], kind="stable")]
        rank = np.arange(1, len(order) + 1) if self.correction == "benjamini-hochberg" else np.ones(len(order))
        under = np.flatnonzero(chance[order] <= self.alpha * rank / max(len(order), 1))
        kept = np.zeros(len(now), np.bool_)
        kept[order[: under.max(initial=-1) + 1]] = True
        return kept
