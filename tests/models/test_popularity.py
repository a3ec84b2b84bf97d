"""Popularity in windows and categories, and trends, against their formulas; counts that add up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from penchant.core.errors import InputError
from penchant.core.nouns import History
from penchant.data.dataset import Dataset
from penchant.models.histogram import Groups, Histogram
from penchant.models.load import load
from penchant.models.popular import CategoryPopularity, Popular
from penchant.models.trending import Trending
from penchant.testing.claim import same_arrays

START = datetime(2017, 1, 1, tzinfo=UTC)
CATALOGUE = pl.DataFrame(
    {
        "id": ["cola", "jam", "pan", "rye", "tea"],
        "categories": [["drinks"], ["food"], [], ["food"], ["drinks", "hot"]],
    }
)


def market(rows: list[tuple[str, str, float]], catalogue: pl.DataFrame | None = CATALOGUE) -> Dataset:
    """Return the dataset of (user, item, day) rows."""
    frame = pl.DataFrame(rows, schema=["user", "item", "day"], orient="row", schema_overrides={"day": pl.Float64})
    moments = [START + timedelta(days=day) for day in frame["day"]]
    return Dataset.from_events(frame.select("user", "item", at=pl.Series(moments)), catalogue)


def by_id(data: Dataset, scores: np.ndarray) -> dict[str, float]:
    return {item: float(score) for item, score in zip(data.items, scores, strict=True) if not np.isnan(score)}


def test_a_window_counts_its_days_and_no_others() -> None:
    rows = [("ann", "tea", 0), ("bob", "tea", 2.5), ("ann", "jam", 3), ("bob", "jam", 9), ("cat", "tea", 9.5)]
    data = market([(user, item, float(day)) for user, item, day in rows])
    nobody = History.of([])
    assert by_id(data, Popular(window=7.0).fit(data).score(nobody)) == {"jam": 1.0, "tea": 0.5}
    assert by_id(data, Popular(window=7.1).fit(data).score(nobody)) == {"jam": 1.0, "tea": 1.0}
    assert by_id(data, Popular(window=1.0).fit(data).score(nobody)) == {"jam": 1.0, "tea": 1.0}
    assert by_id(data, Popular(window=0.5).fit(data).score(nobody)) == {"tea": 1.0}


def test_time_is_kept_by_the_hour() -> None:
    """Half an hour more or less is the same hour; the counts hold hours and no moments."""
    rows = [("ann", "tea", 0.001), ("bob", "jam", 1.01)]
    data = market(rows)
    scorer = Popular(half_life=1.0).fit(data)
    assert by_id(data, scorer.score(History.of([]))) == {"tea": 0.5, "jam": 1.0}
    assert (scorer.state.times % 24).tolist() == [0, 0]


def test_categories_add_what_is_popular_in_them() -> None:
    rows = [(f"{item}{n}", item, 0.0) for item, n in {"cola": 4, "jam": 2, "rye": 1, "tea": 2, "pan": 1}.items()
            for n in range(n)]  # fmt: skip
    data = market(rows)
    scorer = Popular(by="category").fit(data)
    assert isinstance(scorer, CategoryPopularity)
    base = {"cola": 1.0, "jam": 0.5, "pan": 0.25, "rye": 0.25, "tea": 0.5}
    assert by_id(data, scorer.score(History.of([]))) == base
    drinks, hot, food = {"cola": 1.0, "tea": 0.5}, {"tea": 1.0}, {"jam": 1.0, "rye": 0.5}
    for history, weights, added in (
        (["tea"], [1], [(0.5, drinks), (0.5, hot)]),
        (["tea", "jam"], [1, 1], [(0.5, drinks), (0.5, hot), (1.0, food)]),
        (["cola", "rye"], [1, -1], [(1.0, drinks), (-1.0, food)]),
        (["pan"], [1], []),
    ):
        wanted = {i: base[i] + sum(times * of.get(i, 0.0) for times, of in added) for i in base}
        asked = History.of(data.items.codes(history), weights)
        assert by_id(data, scorer.score(asked)) == pytest.approx(wanted)
        every = np.arange(data.n_items, dtype=np.int32)
        sums = scorer.base(every) + scorer.contributions(asked, every).sum(axis=1)
        np.testing.assert_allclose(sums, scorer.score(asked), rtol=1e-6)
        top = scorer.score_batch(scorer.rows(data)[:0], 2)
        assert top.items.shape == (0, 2)


def test_categories_rank_a_batch_as_one_by_one_and_come_back(tmp_path: Any) -> None:
    rng = np.random.default_rng(0)
    rows = [(f"u{u}", str(rng.choice(CATALOGUE["id"])), float(rng.integers(40))) for u in range(30) for _ in range(3)]
    data = market(rows)
    scorer = Popular(by="category", window=30.0, half_life=9.0).fit(data)
    again = load(scorer.save(tmp_path / "model"))
    for one in (scorer, again):
        top = one.score_batch(one.rows(data), 5, exclude_seen=False)
        for row, user in enumerate(data.users):
            scores = one.score(data.history(user))
            np.testing.assert_array_equal(scores[top.items[row]], top.scores[row])
    gone = np.isin(data.column("user"), [0, 7, 8])
    same_arrays(again.without(data.select(gone)), Popular(by="category", window=30.0, half_life=9.0).fit(
        data.select(~gone)), "three people forgotten")  # fmt: skip


def test_who_comes_brings_categories() -> None:
    few = pl.DataFrame({"id": ["jam", "tea"], "categories": [["food"], ["hot"]]})
    before, after = market([("ann", "tea", 0.0), ("bob", "jam", 0.0)], few), [("cat", "cola", 1.0), ("dan", "rye", 1.0)]
    learner = Popular(by="category")
    updated = learner.fit(before).updated(market(after))
    whole = learner.fit(market([("ann", "tea", 0.0), ("bob", "jam", 0.0), *after]))
    same_arrays(updated, whole, "two people with their categories")
    assert updated.state.names == whole.state.names == ["drinks", "food", "hot"]


def traffic(now: dict[str, int], before: dict[str, int]) -> Dataset:
    """Return likings by people of their own: so many in the week that ends on day 34, so many in the four before."""
    rows = [(f"{i} now {n}", i, 28.0 + n % 7) for i, count in now.items() for n in range(count)]
    rows += [(f"{i} then {n}", i, float(n % 28)) for i, count in before.items() for n in range(count)]
    return market(rows, None)


def test_a_trend_scores_its_rise_over_what_traffic_lets_expect() -> None:
    data = traffic({"tea": 30, "jam": 50, "rye": 20}, {"tea": 20, "jam": 200, "rye": 80})
    expected = 20 * 100 / 300
    wanted = {"tea": 1 + np.log(30.5 / (expected + 0.5)), "jam": 1.0, "rye": 0.4}
    assert by_id(data, Trending().fit(data).score(History.of([]))) == pytest.approx(wanted)
    assert list(by_id(data, Trending(others=False).fit(data).score(History.of([])))) == ["tea"]


def test_growth_of_everything_is_no_trend() -> None:
    data = traffic({"tea": 300, "jam": 150}, {"tea": 200, "jam": 100})
    scorer = Trending(others=False).fit(data)
    assert scorer.recommend_one([]).ids == ()
    assert Trending().fit(data).recommend_one([]).ids == ("tea", "jam")


def test_noise_is_rarely_a_trend_and_a_real_one_is_found() -> None:
    """Of 400 worlds without a trend at most 5 in 100 show any, but for chance; an item at four times its rate shows."""
    rng, shown, missed = np.random.default_rng(0), 0, 0
    rates = 200 / np.arange(1, 201)
    for _ in range(400):
        now, before = rng.poisson(rates), rng.poisson(4 * rates)
        shown += Trending().significant(now.astype(float), before.astype(float)).any()
        now[10] = rng.poisson(4 * rates[10])
        missed += not Trending().significant(now.astype(float), before.astype(float))[10]
    assert shown <= 400 * 0.05 + 3 * (400 * 0.05 * 0.95) ** 0.5
    assert missed <= 4


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 160)), min_size=1, max_size=12), st.floats(0.001, 0.5))
def test_significance_is_the_binomial_test_corrected(counts: list[tuple[int, int]], alpha: float) -> None:
    now, before = (np.array(side, np.float64) for side in zip(*counts, strict=True))
    share = now.sum() / max((now + before).sum(), 1)
    chance = {i: binom.sf(now[i] - 1, now[i] + before[i], share) for i in range(len(now)) if now[i] + before[i]}
    ranked = sorted(chance, key=lambda i: chance[i])
    last = max((n for n, i in enumerate(ranked, 1) if chance[i] <= alpha * n / len(ranked)), default=0)
    close = any(abs(chance[i] - alpha * n / len(ranked)) < 1e-9 for n, i in enumerate(ranked, 1))
    if not close:
        found = Trending(alpha=alpha).significant(now, before)
        assert set(np.flatnonzero(found)) == set(ranked[:last])
        strict = Trending(alpha=alpha, correction="bonferroni").significant(now, before)
        assert set(np.flatnonzero(strict)) == {i for i in chance if chance[i] <= alpha / len(chance)}


def test_a_person_counts_once_an_item_and_day() -> None:
    data = market([("ann", "tea", 0.1), ("ann", "tea", 0.9), ("ann", "tea", 1.5), ("bob", "tea", 1.2)], None)
    state = Trending().fit(data).state
    assert state.times.tolist() == [17_167, 17_168]
    assert state.counts.tolist() == [1, 2]


pairs = st.lists(st.tuples(st.integers(0, 5), st.integers(-30, 30)), min_size=0, max_size=30)


@given(pairs, pairs)
def test_histograms_add_up(one: list[tuple[int, int]], other: list[tuple[int, int]]) -> None:
    first, second, both = (
        Histogram.of(*np.array(rows, np.int64).reshape(-1, 2).T) for rows in (one, other, one + other)
    )
    assert_same(first.plus(second, 1), both)
    assert_same(both.plus(first, -1), second)
    wider = np.int32([0, 3, 4, 7, 8, 9])
    assert_same(both.over(wider, 10), first.over(wider, 10).plus(second.over(wider, 10), 1))
    if one:
        with pytest.raises(InputError, match="more likings are to be forgotten than there are"):
            second.plus(first.plus(second, 1), -1)


def assert_same(one: Histogram, other: Histogram) -> None:
    for name, values in one.arrays().items():
        assert values.dtype == other.arrays()[name].dtype
        np.testing.assert_array_equal(values, other.arrays()[name])


def test_a_catalogue_without_categories_names_none() -> None:
    data = market([("ann", "tea", 0.0)], CATALOGUE.select("id"))
    assert Groups.of(np.int32([0]), np.int64([0])).known(data).names == []
