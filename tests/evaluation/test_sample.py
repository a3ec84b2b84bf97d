"""Users in bundles: dealt once, evenly, at random; sums and counts are those of the users."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penchant.evaluation import sample
from penchant.evaluation.interval import estimates, resample_means, sign_flip
from penchant.evaluation.sample import Bundles, Sample


@pytest.fixture
def coarse(monkeypatch):
    monkeypatch.setattr(sample, "SINGLY", 50)
    monkeypatch.setattr(sample, "BUNDLES", 20)


def test_up_to_the_threshold_the_bootstrap_is_the_exact_one(coarse):
    values = np.random.default_rng(0).random((50, 2))
    source = np.random.default_rng(7)
    counts = np.stack([np.bincount(source.integers(0, 50, 50), minlength=50) for _ in range(30)])
    np.testing.assert_allclose(resample_means(values, resamples=30, rng=7), counts @ values / 50)


def test_every_user_is_in_one_bundle_and_bundles_are_even_and_mixed(coarse):
    bundles = Bundles.of(93, 0)
    assert sorted(bundles.users.tolist()) == list(range(93))
    assert set(np.diff(bundles.starts).tolist()) == {4, 5}
    assert bundles.users.tolist() != list(range(93))


@given(st.integers(0, 1000))
def test_sums_counts_and_means_are_those_of_the_users(seed):
    rng = np.random.default_rng(seed)
    values = rng.random((40, 3))
    values[rng.random(values.shape) < 0.3] = np.nan
    values[:, 2] = np.nan if seed % 3 == 0 else values[:, 2]
    order = rng.permutation(40)
    bundles = Bundles(40, order, np.int64([0, 13, 26, 40]))
    for drawn, members in (
        (bundles.sample(values), np.split(order, [13, 26])),
        (Bundles(40).sample(values), [[u] for u in range(40)]),
    ):
        np.testing.assert_allclose(drawn.sums, [np.nansum(values[users], axis=0) for users in members])
        slow = [(~np.isnan(values[users])).sum(axis=0) for users in members]
        np.testing.assert_allclose(np.broadcast_to(drawn.counts, drawn.sums.shape), slow)
        known = ~np.isnan(values)
        expected = [values[known[:, j], j].mean() if known[:, j].any() else np.nan for j in range(3)]
        np.testing.assert_allclose(drawn.means(), expected)


def test_the_values_that_were_given_are_not_changed():
    values = np.array([[np.nan], [1.0]])
    Bundles.of(2).sample(values)
    assert np.isnan(values[0, 0])


def test_bundles_estimate_the_same_spread(coarse, monkeypatch):
    values = np.random.default_rng(1).random((4000, 1))
    monkeypatch.setattr(sample, "BUNDLES", 1000)
    means = resample_means(values, resamples=3000, rng=2)[:, 0]
    assert means.mean() == pytest.approx(values.mean(), abs=0.001)
    assert means.std() == pytest.approx(values.std() / np.sqrt(4000), rel=0.07)


def test_models_are_paired_within_bundles(coarse):
    values = np.random.default_rng(3).random((200, 1))
    means = resample_means(np.concatenate([values, values + 0.25], axis=1), resamples=50, rng=0)
    np.testing.assert_allclose(means[:, 1] - means[:, 0], 0.25)


def test_signs_of_bundles_reject_a_difference_and_not_its_absence(coarse):
    rng = np.random.default_rng(5)
    differences = np.stack([rng.normal(0, 1, 400), rng.normal(0.5, 1, 400), np.zeros(400)], axis=1)
    p = sign_flip(differences, resamples=999, rng=0)
    assert p[0] > 0.05
    assert p[1] < 0.01
    assert p[2] == 1.0


def test_all_alike_in_bundles_have_no_interval(coarse):
    values = np.full((97, 1), 0.3)
    found = Bundles.of(97, 0).sample(values)
    effect = estimates(found, resample_means(found, resamples=100, rng=0))[0]
    assert effect.why == "all users have the same value"


def test_a_resample_without_a_value_does_not_count():
    values = np.full((3, 1), np.nan)
    values[:2, 0] = [0.0, 1.0]
    means = resample_means(values, resamples=400, rng=0)
    assert np.isnan(means).any()
    effect = estimates(Bundles.of(3).sample(values), means)[0]
    assert effect.value == 0.5
    assert (effect.low, effect.high) == pytest.approx((0.0945, 0.9055), abs=1e-4)  # of one in two, after Wilson


def test_samples_stand_beside_each_other_with_their_own_counts():
    holed = Bundles.of(2).sample(np.array([[np.nan], [2.0]]))
    whole = Bundles.of(2).sample(np.array([[1.0], [3.0]]))
    both = Sample.beside([holed, whole])
    assert both.means().tolist() == [2.0, 2.0]
    assert both.users().tolist() == [1.0, 2.0]
