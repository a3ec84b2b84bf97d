"""Statistics: what they are by definition, and how often they are right in simulation."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penchant.evaluation import sample
from penchant.evaluation.interval import Effect, Inconclusive, compare, estimate, holm, resample_means, sign_flip


def test_intervals_cover_the_truth_as_often_as_they_say():
    # 400 samples of 80 users whose true mean is 0.3; percentile intervals of that size cover a little under 95%.
    rng = np.random.default_rng(11)
    covered = 0
    for _ in range(400):
        users = (rng.random(80) < 0.3).astype(float)
        effect = estimate(users, resample_means(users[:, None], resamples=400, rng=rng)[:, 0])
        assert isinstance(effect, Effect)
        covered += effect.low <= 0.3 <= effect.high
    # Binomial(400, 0.95) has a standard deviation of 4.4; the band is 3.5 of them, and a point for the percentile bias.
    assert 380 - 15 - 4 <= covered <= 380 + 15


def test_sign_flip_rejects_a_true_null_as_seldom_as_it_says():
    rng = np.random.default_rng(5)
    null = rng.normal(size=(40, 600))
    rejected = int((sign_flip(null, resamples=400, rng=rng) <= 0.05).sum())
    # Binomial(600, 0.05): 30, standard deviation 5.3; the band is 3.5 of them.
    assert 30 - 19 <= rejected <= 30 + 19


def test_sign_flip_agrees_with_all_assignments_of_signs():
    differences = np.array([0.3, -0.1, 0.4, 0.2, 0.25, -0.05, 0.1, 0.3])
    signs = np.array(list(itertools.product([-1, 1], repeat=8)))
    exact = (np.abs(signs @ differences) >= abs(differences.sum()) - 1e-12).mean()
    assert sign_flip(differences[:, None], resamples=20_000, rng=0)[0] == pytest.approx(exact, abs=0.005)


def test_sign_flip_is_1_when_nothing_differs_and_never_0():
    p = sign_flip(np.stack([np.zeros(50), np.ones(50)], axis=1), resamples=199, rng=0)
    assert p.tolist() == [1.0, 1 / 200]


def test_resamples_are_the_same_for_every_column_and_seed(monkeypatch):
    values = np.random.default_rng(0).random((30, 3))
    whole = resample_means(values, resamples=50, rng=4)
    np.testing.assert_allclose(whole[:, 1], resample_means(values[:, [1]], resamples=50, rng=4)[:, 0], rtol=1e-12)
    monkeypatch.setattr(sample, "_CELLS", 70)  # two resamples at a time
    np.testing.assert_allclose(whole, resample_means(values, resamples=50, rng=4), rtol=1e-12)


def test_resample_means_center_on_the_mean_with_its_standard_error():
    values = np.random.default_rng(1).random((200, 1))
    means = resample_means(values, resamples=4000, rng=2)[:, 0]
    assert means.mean() == pytest.approx(values.mean(), abs=0.002)
    assert means.std() == pytest.approx(values.std() / np.sqrt(200), rel=0.05)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_equals_its_definition(values):
    m = len(values)
    order = sorted(range(m), key=lambda i: values[i])
    slow, worst = [0.0] * m, 0.0
    for step, i in enumerate(order):
        worst = max(worst, min(1.0, (m - step) * values[i]))
        slow[i] = worst
    np.testing.assert_allclose(holm(np.array(values)), slow)


@pytest.mark.parametrize(
    ("effect", "verdict"),
    [
        (Effect(0.2, 0.1, 0.3), "better"),
        (Effect(-0.2, -0.3, -0.1), "worse"),
        (Effect(0.1, 0.0, 0.2), "cannot tell"),
        (Effect(0.1, -0.1, 0.2), "cannot tell"),
        (Inconclusive(0.5, "there is only one user"), "cannot tell"),
    ],
)
def test_verdict_is_whether_the_interval_excludes_0(effect, verdict):
    assert effect.verdict == verdict


def test_what_cannot_be_told_says_why():
    one, flat = np.array([0.4]), np.full(9, 0.1)
    many = np.zeros(1000)
    assert estimate(one, many) == Inconclusive(0.4, "there is only one user")
    assert estimate(flat, many) == Inconclusive(pytest.approx(0.1), "all users have the same value")
    assert compare(flat, many, 0.01) == Inconclusive(pytest.approx(0.1), "all users differ by the same amount")
    assert compare(np.zeros(9), many, 1.0) == Inconclusive(0.0, "no user has a different value")
    few = estimate(np.array([0.0, 1.0]), np.zeros(39))
    assert few == Inconclusive(0.5, "39 resamples are too few for an interval")
    assert isinstance(estimate(np.array([0.0, 1.0]), np.zeros(40)), Effect)


def test_where_most_have_nothing_the_few_who_have_decide_and_of_too_few_nothing_is_said():
    values = np.zeros(60)
    values[:4] = 0.1, 0.2, 0.3, 0.4
    means = resample_means(values[:, None], resamples=400, rng=0)[:, 0]
    assert estimate(values, means).why == "only 4 of 60 users have anything but 0"
    assert compare(values, means, 0.2).why == "only 4 of 60 users have a different value"
    values[4:8] = 0.1, 0.5, 1.0, 0.3
    means = resample_means(values[:, None], resamples=4000, rng=0)[:, 0]
    own, apart = estimate(values, means), compare(values, means, 0.001)
    assert isinstance(own, Effect)
    assert isinstance(apart, Effect)
    low, high = np.quantile(means, [0.025, 0.975])
    assert own.low > low  # as of a share: less is ruled out sooner than more
    assert own.high > apart.high > high
    assert apart.low < low
