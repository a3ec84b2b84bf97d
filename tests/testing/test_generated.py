"""Made-up events have the shape that is promised."""

from __future__ import annotations

from importlib import import_module

import numpy as np
import pytest

import penchant as pt
from penchant.core.errors import InputError
from penchant.core.executor import LocalExecutor
from penchant.kernels.tastes import Habits, Picks, Tastes, pick_block
from penchant.testing import generated


def test_the_counts_are_those_asked_for_and_nobody_has_an_item_twice() -> None:
    data = generated(500, 120, 6000, rng=3)
    assert (data.n_users, data.n_items, data.n_events) == (500, 120, 6000)
    pairs = data.column("user").astype(np.int64) * data.n_items + data.column("item")
    assert len(np.unique(pairs)) == 6000
    assert np.diff(data.indptr).min() >= 1
    assert np.diff(data.indptr).max() <= 30


@pytest.mark.parametrize(("n_users", "n_items", "n_events"), [(1, 10, 1), (7, 10, 7), (40, 40, 200), (9, 1000, 1125)])
def test_small_and_full_worlds_have_the_counts_asked_for(n_users: int, n_items: int, n_events: int) -> None:
    data = generated(n_users, n_items, n_events)
    assert (data.n_users, data.n_items, data.n_events) == (n_users, n_items, n_events)
    assert data.matrix.data.tolist() == [1.0] * n_events


def test_the_matrix_given_along_is_the_one_of_the_events() -> None:
    data = generated(300, 80, 2500)
    built = data.csr(data.column("weight"))
    assert (data.matrix != built).nnz == 0
    assert np.array_equal(data.matrix.indices, built.indices)
    assert np.array_equal(data.matrix.indptr, built.indptr)


def test_the_seed_decides_and_threads_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    first = generated(9000, 100, 50_000, rng=1)
    assert generated(9000, 100, 50_000, rng=2).digest != first.digest
    monkeypatch.setattr(import_module("penchant.testing.generated"), "LOCAL", LocalExecutor(1))
    assert generated(9000, 100, 50_000, rng=1).digest == first.digest


def test_popularity_is_a_power_law_and_activity_log_normal() -> None:
    data = generated(20_000, 8_000, 1_000_000)
    support = np.sort(data.support)[::-1]
    assert 0.12 < support[:80].sum() / 1e6 < 0.22  # the most popular hundredth
    assert 0.40 < support[:800].sum() / 1e6 < 0.60  # the most popular tenth
    middle = np.arange(100, 4000)
    slope = np.polyfit(np.log(middle), np.log(support[middle]), 1)[0]
    assert -1.3 < slope < -0.8
    activity = np.log(np.diff(data.indptr))
    assert 0.9 < activity.std() < 1.1
    assert abs(activity.mean() - np.median(activity)) < 0.1


def test_times_rise_with_the_events_of_a_person_and_lie_within_two_years() -> None:
    data = generated(400, 100, 3000)
    at, user = data.column("at"), data.column("user")
    assert (np.diff(at)[np.diff(user) == 0] >= 0).all()
    years = at.astype("datetime64[us]").astype("datetime64[Y]").astype(int) + 1970
    assert set(years.tolist()) == {2024, 2025}


def test_moments_are_in_proportion_to_the_waits() -> None:
    at = import_module("penchant.testing.generated")._moments(
        np.array([1.0, 1.0, 2.0, 5.0]), np.array([0, 3, 4]), np.array([0.0, 0.5])
    )
    start, year = 1_704_067_200_000_000, 365 * 86_400 * 1_000_000
    assert at.tolist() == [start + year // 2, start + year, start + 2 * year, start + 2 * year]


def test_personal_models_beat_popularity_by_a_clear_margin() -> None:
    split = pt.split.leave_last_out(generated(2000, 800, 60_000))
    hits = {}
    for name, learner in {"popular": pt.Popular(), "knn": pt.ItemKNN()}.items():
        scorer = learner.fit(split.train)
        top = scorer.score_batch(scorer.rows(split.history), 20)
        row, wanted = split.test.matrix.nonzero()
        hits[name] = (top.items[row] == wanted[:, None]).any(axis=1).mean()
    assert hits["knn"] > 1.8 * hits["popular"]


def test_who_stays_with_a_taste_picks_neighbours_in_time_from_the_same_taste() -> None:
    """Two tastes of disjoint items, one of them a person: with no curiosity all picks are of one taste."""
    tastes = Tastes(np.int64([0, 4, 8, 16]), np.int32([*range(8), *range(8)]), np.float64([0.25, 0.5, 0.75, 1] * 4))
    picks = Picks(np.empty(80, np.int32), np.empty(80))
    starts = np.arange(0, 81, 4)
    pick_block(np.arange(20, dtype=np.uint64), starts, tastes, Habits(np.array([1.0]), 0.0, 0.5), picks)
    for person in picks.items.reshape(20, 4):
        assert sorted(person.tolist()) in ([0, 1, 2, 3], [4, 5, 6, 7])


def test_a_world_that_cannot_be_is_refused() -> None:
    with pytest.raises(InputError, match="got 10 people, 100 items, 200 events") as caught:
        generated(10, 100, 200)
    assert "an eighth of people times items" in str(caught.value)
    with pytest.raises(InputError, match="do not fit"):
        generated(10, 9, 10)
