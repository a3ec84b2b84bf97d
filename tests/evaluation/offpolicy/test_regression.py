"""The model of rewards: asked only of rounds it has not learnt from."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from penchant.evaluation.offpolicy import regression
from penchant.evaluation.offpolicy.logged import Logged
from penchant.evaluation.offpolicy.regression import RewardModel, given
from penchant.evaluation.offpolicy.target import Target
from penchant.testing import BanditWorld


def test_without_a_context_it_is_the_shrunken_mean_of_the_other_folds():
    rng = np.random.default_rng(0)
    action = rng.integers(0, 3, 90)
    logged = Logged(action, reward=rng.random(90) + action, propensity=np.full(90, 1 / 3))
    target = Target.of([[0.2, 0.3, 0.5]], logged)
    said = RewardModel(folds=3, l2=(5.0,)).answers(logged, target, 7)
    fold = np.random.default_rng(7).permutation(90) % 3
    for i in range(90):
        others = fold != fold[i]
        common = logged.reward[others].mean()
        q = []
        for a in range(3):
            own = logged.reward[others & (action == a)]
            q.append(common + (own - common).sum() / (len(own) + 5.0))
        assert said.predicted[i] == pytest.approx(q[action[i]])
        assert said.expected[i] == pytest.approx(np.dot([0.2, 0.3, 0.5], q))


def test_it_follows_rewards_that_are_linear_in_the_context():
    rng = np.random.default_rng(1)
    context, action = rng.normal(size=(3000, 2)), rng.integers(0, 2, 3000)
    truth = np.stack([1 + context[:, 0], 2 - context[:, 1]], axis=1)
    reward = truth[np.arange(3000), action] + 0.1 * rng.normal(size=3000)
    logged = Logged(action, reward=reward, propensity=np.full(3000, 0.5), context=context)
    said = RewardModel().answers(logged, Target.of([[0.5, 0.5]], logged))
    assert np.abs(said.expected - truth.mean(axis=1)).mean() < 0.02
    assert np.abs(said.predicted - truth[np.arange(3000), action]).mean() < 0.02


def test_it_learns_what_the_slot_adds():
    rng = np.random.default_rng(2)
    action, slot = rng.integers(0, 2, 3000), rng.integers(0, 3, 3000)
    reward = 0.1 * slot + 0.05 * rng.random(3000)
    logged = Logged(action, reward=reward, propensity=np.full(3000, 0.5), position=slot)
    said = RewardModel().answers(logged, Target.of([[0.5, 0.5]], logged))
    assert np.abs(said.expected - 0.1 * slot - 0.025).max() < 0.01


def test_no_round_tells_the_model_that_is_asked_of_it_nor_does_its_unit():
    draw = BanditWorld(actions=3).draw(300, 0)
    unit = np.arange(300, dtype=np.int32) // 10
    logged = msgspec.structs.replace(draw.logged, unit=unit, reward=np.append(draw.logged.reward[:299], 0.0))
    changed = msgspec.structs.replace(logged, reward=np.append(draw.logged.reward[:299], 1.0))
    target = Target.of(draw.target, logged)
    one, two = (RewardModel(l2=(10.0,)).answers(each, target, 3) for each in (logged, changed))
    same = unit == unit[-1]
    np.testing.assert_array_equal(one.expected[same], two.expected[same])
    assert (one.expected[~same] != two.expected[~same]).any()


def test_it_never_leaves_the_rewards_there_were_and_knows_nothing_of_an_unseen_action():
    rng = np.random.default_rng(3)
    reward = (rng.random(500) < 0.1).astype(float)
    context = 10 * rng.normal(size=(500, 2))
    logged = Logged(np.zeros(500), reward=reward, propensity=np.ones(500), context=context, n_actions=2)
    said = RewardModel().answers(logged, Target.of([[0.0, 1.0]], logged))
    assert said.expected.min() >= 0
    assert said.expected.max() <= 1
    assert said.expected.mean() == pytest.approx(reward.mean(), abs=0.03)


def test_the_strength_is_chosen_by_what_was_not_learnt_from():
    rng = np.random.default_rng(4)
    action = rng.integers(0, 200, 600)  # three rounds an action, which all earn the same: best drawn all the way
    noise = Logged(action, reward=rng.normal(size=600), propensity=np.full(600, 1 / 200))
    target = Target.of(np.full((1, 200), 1 / 200), noise)
    best = RewardModel().answers(noise, target, 0)
    strong = RewardModel(l2=(1000.0,)).answers(noise, target, 0)
    np.testing.assert_array_equal(best.predicted, strong.predicted)


def test_blocks_do_not_change_what_it_says(monkeypatch):
    draw = BanditWorld().draw(500, 0)
    target = Target.of(draw.target, draw.logged)
    whole = RewardModel().answers(draw.logged, target), given(draw.truth, draw.logged, target)
    monkeypatch.setattr(regression, "_CELLS", 70)
    parts = RewardModel().answers(draw.logged, target), given(draw.truth, draw.logged, target)
    for one, other in zip(whole, parts, strict=True):
        np.testing.assert_allclose(one.expected, other.expected, rtol=1e-12)


def test_a_model_of_ones_own_is_read_as_it_is():
    draw = BanditWorld().draw(50, 0)
    said = given(draw.truth, draw.logged, Target.of(draw.target, draw.logged))
    np.testing.assert_allclose(said.expected, (draw.target * draw.truth).sum(axis=1))
    np.testing.assert_array_equal(said.predicted, draw.truth[np.arange(50), draw.logged.action])
