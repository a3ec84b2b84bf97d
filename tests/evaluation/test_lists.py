"""What slates are like: against loops that anyone can check, and at the edges."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from penchant.evaluation import metrics as m

NOTHING = np.full((2, 3), -1, np.int32)


@st.composite
def worlds(draw):
    """Slates of distinct items with some empty slots, features of the items, histories, and what was wanted."""
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    n, k, n_items = draw(st.integers(1, 5)), draw(st.integers(1, 6)), 9
    items = np.stack([rng.permutation(n_items)[:k] for _ in range(n)]).astype(np.int32)
    items[rng.random((n, k)) < 0.2] = -1
    features = np.where(rng.random((n_items, 4)) < 0.4, rng.integers(1, 3, (n_items, 4)), 0)
    histories = np.where(rng.random((n, n_items)) < 0.4, rng.integers(1, 4, (n, n_items)), 0)
    return items, features, histories


@given(worlds())
def test_diversity_is_the_mean_over_pairs(world):
    items, features, _ = world
    slow = []
    for row in items:
        held = [features[i] for i in row if i >= 0 and features[i].any()]
        pairs = [1 - a @ b / math.sqrt((a @ a) * (b @ b)) for a, b in itertools.combinations(held, 2)]
        slow.append(sum(pairs) / len(pairs) if pairs else math.nan)
    np.testing.assert_allclose(m.diversity(items, sp.csr_array(features)), slow, atol=1e-12)


@given(worlds())
def test_calibration_is_the_divergence_spelt_out(world):
    items, features, histories = world

    def mix(weights):
        total = np.zeros(4)
        for item, weight in weights:
            if features[item].any():
                total += weight * features[item] / features[item].sum()
        return total / total.sum() if total.any() else None

    slow = []
    for row, history in zip(items, histories, strict=True):
        p, q = mix(list(enumerate(history))), mix([(i, 1) for i in row if i >= 0])
        if p is None or q is None:
            slow.append(math.nan)
            continue
        terms = [a * math.log(a / (0.99 * b + 0.01 * a)) for a, b in zip(p, q, strict=True) if a > 0]
        slow.append(sum(terms))
    np.testing.assert_allclose(m.calibration(items, histories, features), slow, atol=1e-12)


@given(worlds())
def test_gini_is_the_mean_difference_between_items(world):
    counts = np.bincount(world[0][world[0] >= 0], minlength=9)
    found = m.gini(world[0], 9)
    if not counts.sum():
        assert math.isnan(found)
        return
    assert found == pytest.approx(np.abs(np.subtract.outer(counts, counts)).sum() / (2 * 9 * counts.sum()))


@given(worlds())
def test_popularity_and_tail_are_means_over_filled_slots(world):
    items, _, histories = world
    support = (histories > 0).sum(axis=0)
    tail = m.long_tail(support)
    held = [[i for i in row if i >= 0] for row in items]
    slow = [np.mean(support[row]) if row else math.nan for row in held]
    np.testing.assert_allclose(m.arp(items, support), slow)
    np.testing.assert_allclose(m.aplt(items, tail), [np.mean(tail[row]) if row else math.nan for row in held])


@given(worlds(), st.integers(0, 1000))
def test_serendipity_is_right_and_unexpected(world, seed):
    items, _, histories = world
    rng = np.random.default_rng(seed)
    expected = rng.integers(-1, 9, (len(items), 3)).astype(np.int32)
    slow = [
        sum(i >= 0 and bool(had[i]) and i not in plain for i in row) / items.shape[1]
        for row, had, plain in zip(items, histories, expected.tolist(), strict=True)
    ]
    hits = np.take_along_axis(histories > 0, items.clip(0), axis=1) & (items >= 0)
    np.testing.assert_allclose(m.serendipity(hits, items, expected), slow)


def test_the_head_is_the_fewest_items_with_four_fifths():
    assert m.long_tail(np.array([1, 8, 1])).tolist() == [True, False, True]
    assert m.long_tail(np.array([5, 5, 5, 5])).tolist() == [False, False, False, False]  # three hold 75% only
    assert m.long_tail(np.array([4, 4, 4, 4, 4])).tolist() == [False, False, False, False, True]
    assert m.long_tail(np.zeros(3, int)).tolist() == [True, True, True]


def test_slates_of_nothing():
    features, histories = sp.csr_array(np.eye(4)), sp.csr_array(np.ones((2, 4)))
    none = np.zeros((2, 3), bool)
    assert math.isnan(m.gini(NOTHING, 4))
    assert m.serendipity(none, NOTHING, NOTHING).tolist() == [0.0, 0.0]
    for values in (
        m.arp(NOTHING, np.arange(4)),
        m.aplt(NOTHING, np.ones(4, bool)),
        m.diversity(NOTHING, features),
        m.calibration(NOTHING, histories, features),
    ):
        assert np.isnan(values).all()


def test_a_slate_with_the_mix_of_the_history_is_calibrated_and_the_opposite_is_not():
    features = np.eye(2)[[0, 0, 1, 1]]
    history = np.array([[3.0, 1.0, 4.0, 0.0]])
    assert m.calibration(np.int32([[1, 3]]), history, features)[0] == 0
    one_sided = m.calibration(np.int32([[0, 1]]), history, features)[0]
    assert one_sided == pytest.approx(0.5 * math.log(0.5 / 0.995) + 0.5 * math.log(1 / 0.01))
    assert m.calibration(np.int32([[0, 1]]), -history, features).tolist() == pytest.approx([math.nan], nan_ok=True)


def test_exposure_by_hand_and_parity():
    items = np.int32([[0, 1, -1], [0, 2, -1]])
    first, second = 2.0, 2 / math.log2(3)
    given = m.exposure(items, np.array([0, 1, -1]), 2)
    np.testing.assert_allclose(given, [first / (first + second / 2), second / 2 / (first + second / 2)])
    assert m.exposure_parity(items, np.array([0, 1, 1])) == pytest.approx((second / 2) / first)
    assert m.exposure_parity(items, np.array([0, 1, 1]), [first, second, 0]) == pytest.approx(1.0)
    assert m.exposure_parity(items, np.array([0, 0, 0, 1])) == 0.0
    assert math.isnan(m.exposure_parity(items, np.zeros(3, int)))
    assert math.isnan(m.exposure_parity(NOTHING, np.array([0, 1, 1])))


@given(worlds())
def test_parity_of_ndcg_is_that_of_plain_loops(world):
    items, _, histories = world
    wanted, groups = histories > 0, np.arange(9) % 3
    means = []
    for group in range(3):
        own = wanted & (groups == group)
        hits = np.take_along_axis(own, items.clip(0), axis=1) & (items >= 0)
        values = m.ndcg(hits, own.sum(axis=1))
        means.append(np.nanmean(values) if own.any() else math.nan)
    known = [mean for mean in means if not math.isnan(mean)]
    slow = min(known) / max(known) if len(known) > 1 and max(known) > 0 else math.nan
    assert m.ndcg_parity_of_providers(items, sp.csr_array(wanted), groups) == pytest.approx(slow, nan_ok=True)
    hits = np.take_along_axis(wanted, items.clip(0), axis=1) & (items >= 0)
    users = np.arange(len(items)) % 2
    values = m.ndcg(hits, wanted.sum(axis=1))
    sides = [values[users == side] for side in (0, 1)]
    slow = m.parity(np.array([side[~np.isnan(side)].mean() if (~np.isnan(side)).any() else math.nan for side in sides]))
    assert m.ndcg_parity(hits, wanted.sum(axis=1), users) == pytest.approx(slow, nan_ok=True)
