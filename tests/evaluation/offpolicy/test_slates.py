"""Slates: each estimator beside a slow version, and unbiased where its assumption holds and not where it fails."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

import penchant as pt
from penchant.core.errors import EmptyData, InputError, UnknownName
from penchant.evaluation.offpolicy import slates as by

LOGGING = np.array([[0.5, 0.3, 0.2], [0.2, 0.5, 0.3], [0.4, 0.3, 0.3]])  # slot by item, drawn independently
TARGET = np.array([[0.2, 0.5, 0.3], [0.3, 0.3, 0.4], [0.2, 0.3, 0.5]])
OWN = np.array([[0.1, 0.4, 0.2], [0.3, 0.1, 0.5], [0.2, 0.2, 0.6]])  # reward of an item in a slot
ALL = np.array(list(itertools.product(range(3), repeat=3)))


def rewards(items: np.ndarray, kind: str) -> np.ndarray:
    """Return the mean reward of every slot: of its own item, also of those above, or of all."""
    own = OWN[np.arange(3), items]
    if kind == "own":
        return own
    factor = 0.5 + items
    if kind == "above":
        return own * np.concatenate([np.ones((len(items), 1)), np.cumprod(factor, axis=1)[:, :-1]], axis=1)
    return own * factor.prod(axis=1, keepdims=True)


def chance(policy: np.ndarray, items: np.ndarray) -> np.ndarray:
    return policy[np.arange(3), items]


def exact(estimator, kind: str) -> float:
    """Return the mean of an estimator over all slates the logging policy may draw, less the target's value."""
    reward, weight = rewards(ALL, kind), chance(TARGET, ALL) / chance(LOGGING, ALL)
    mean = chance(LOGGING, ALL).prod(axis=1) @ estimator(reward, weight)
    return float(mean - chance(TARGET, ALL).prod(axis=1) @ reward.sum(axis=1))


@pytest.mark.parametrize(
    ("estimator", "right", "wrong"),
    [
        (by.independent, ["own"], ["above", "all"]),
        (by.reward_interaction, ["own", "above"], ["all"]),
        (by.pseudo_inverse, ["own"], ["above", "all"]),
        (by.whole_slate, ["own", "above", "all"], []),
    ],
)
def test_over_all_slates_it_is_exact_where_its_assumption_holds_and_only_there(estimator, right, wrong):
    assert [exact(estimator, kind) for kind in right] == pytest.approx([0.0] * len(right), abs=1e-12)
    assert all(abs(exact(estimator, kind)) > 0.01 for kind in wrong)


def test_pseudo_inverse_needs_only_the_reward_of_the_whole_slate():
    def lumped(reward, weight):
        return by.pseudo_inverse(np.stack([0 * reward[:, 0], 0 * reward[:, 0], reward.sum(axis=1)], axis=1), weight)

    assert exact(lumped, "own") == pytest.approx(0, abs=1e-12)

    def credited_to_the_last(reward, weight):
        return by.independent(np.stack([0 * reward[:, 0], 0 * reward[:, 0], reward.sum(axis=1)], axis=1), weight)

    assert abs(exact(credited_to_the_last, "own")) > 0.01


def test_each_is_what_its_formula_says():
    rng = np.random.default_rng(0)
    reward, weight = rng.random((7, 3)), rng.exponential(size=(7, 3))
    for i in range(7):
        r, w = reward[i].tolist(), weight[i].tolist()
        assert by.independent(reward, weight)[i] == pytest.approx(sum(w[k] * r[k] for k in range(3)))
        chained = sum(math.prod(w[: k + 1]) * r[k] for k in range(3))
        assert by.reward_interaction(reward, weight)[i] == pytest.approx(chained)
        assert by.whole_slate(reward, weight)[i] == pytest.approx(math.prod(w) * sum(r))
        assert by.pseudo_inverse(reward, weight)[i] == pytest.approx((sum(w) - 3 + 1) * sum(r))


def test_normalized_each_slot_has_its_own_ratio():
    rng = np.random.default_rng(1)
    reward, weight = rng.random((50, 3)), rng.exponential(size=(50, 3))
    slow = sum((weight[:, k] * reward[:, k]).sum() / weight[:, k].sum() for k in range(3))
    assert by.independent(reward, weight, normalized=True).mean() == pytest.approx(slow)
    product = weight.cumprod(axis=1)
    slow = sum((product[:, k] * reward[:, k]).sum() / product[:, k].sum() for k in range(3))
    assert by.reward_interaction(reward, weight, normalized=True).mean() == pytest.approx(slow)
    whole = weight.sum(axis=1) - 2
    slow = (whole * reward.sum(axis=1)).sum() / whole.sum()
    assert by.pseudo_inverse(reward, weight, normalized=True).mean() == pytest.approx(slow)


def test_slot_weights_of_independent_slots_are_the_closed_form():
    weights = by.slot_weights(ALL, TARGET, ALL, chance(LOGGING, ALL).prod(axis=1))
    closed = 1 + (chance(TARGET, ALL) / chance(LOGGING, ALL) - 1).sum(axis=1)
    np.testing.assert_allclose(weights, closed, atol=1e-10)


def test_slot_weights_of_slates_without_repeats_are_exact_for_rewards_that_add_up():
    """A log that orders four items into two slots evenly, no item twice; the target prefers low codes, then high."""
    slates = np.array(list(itertools.permutations(range(4), 2)))
    even, liked = np.full(12, 1 / 12), np.array([math.exp(-a + 0.5 * b) for a, b in slates])
    liked /= liked.sum()
    marginals = np.zeros((2, 4))
    for (a, b), p in zip(slates, liked, strict=True):
        marginals[0, a] += p
        marginals[1, b] += p
    own = np.array([[0.1, 0.5, 0.3, 0.2], [0.4, 0.1, 0.2, 0.6]])
    reward = own[np.arange(2), slates]
    weight = by.slot_weights(slates.astype(np.int32), marginals, slates, even)
    assert even @ by.pseudo_inverse(reward, weight) == pytest.approx(liked @ reward.sum(axis=1))
    assert even @ weight == pytest.approx(1)
    wrong = 1 + (marginals[np.arange(2), slates] * 4 - 1).sum(axis=1)  # the closed form would not do
    assert even @ by.pseudo_inverse(reward, wrong) != pytest.approx(liked @ reward.sum(axis=1), abs=1e-3)
    each = by.slot_weights(slates, np.broadcast_to(marginals, (12, 2, 4)), slates, even)
    np.testing.assert_allclose(each, weight)


def drawn(n: int, seed: int, kind: str = "above") -> tuple[pt.LoggedSlates, np.ndarray, float]:
    rng = np.random.default_rng(seed)
    items = np.stack([rng.choice(3, n, p=LOGGING[k]) for k in range(3)], axis=1)
    reward = (rng.random((n, 3)) < rewards(items, kind) / 4).astype(float)
    truth = chance(TARGET, ALL).prod(axis=1) @ rewards(ALL, kind).sum(axis=1) / 4
    return pt.LoggedSlates(reward=reward, propensity=chance(LOGGING, items)), chance(TARGET, items), float(truth)


def test_many_logs_average_to_the_truth_where_the_assumption_holds():
    errors = []
    for seed in range(300):
        logged, target, truth = drawn(2000, seed)
        report = pt.off_policy_slates(logged, target, ["reward-interaction"], normalized=False)
        errors.append(report.lines[0].value - truth)
    assert abs(np.mean(errors)) < 3.5 * np.std(errors) / math.sqrt(300)


def test_the_report_has_a_line_for_each_and_goes_by_the_mildest_that_tells():
    logged, target, truth = drawn(5000, 0)
    report = pt.off_policy_slates(logged, target)
    assert [line.estimator for line in report.lines] == list(by.SLATE_ESTIMATORS)
    assert report.best.estimator == "reward-interaction"
    assert report.best.low < truth < report.best.high
    assert report.logged == pytest.approx(logged.reward.sum(axis=1).mean())
    assert report.lines[0].ess > report.lines[1].ess  # a product of ratios is worth less than one


def test_chances_given_the_slots_above_are_used_where_they_are_known():
    logged, target, _ = drawn(5000, 1)
    chained = pt.LoggedSlates(reward=logged.reward, propensity=logged.propensity, chained=logged.propensity)
    assert pt.off_policy_slates(chained, target, chained=target).lines == pt.off_policy_slates(logged, target).lines
    with pytest.raises(InputError, match="one policy has probabilities given the slots above, and the other has not"):
        pt.off_policy_slates(chained, target)


def test_a_weight_of_ones_own_is_the_pseudo_inverses():
    logged, target, _ = drawn(2000, 2)
    whole = 1 + (target / logged.propensity - 1).sum(axis=1)
    same = pt.off_policy_slates(logged, target, ["pseudo-inverse"], slate_weight=whole)
    assert same.lines == pt.off_policy_slates(logged, target, ["pseudo-inverse"]).lines


def test_one_bad_slot_is_enough_to_refuse():
    logged, target, _ = drawn(3000, 3)
    bad = target.copy()
    bad[:, 1] = np.where(np.arange(3000) < 20, 1.0, 1e-6)  # nearly all weight on 20 slates
    lines = {line.estimator: line for line in pt.off_policy_slates(logged, bad).lines}
    assert lines["independent"].value is None
    assert lines["whole-slate"].value is None
    assert "rounds to this policy and 100 are needed" in lines["independent"].why


@pytest.mark.parametrize(
    ("how", "kind", "text"),
    [
        ({"reward": [], "propensity": []}, EmptyData, "the log has no slates"),
        ({"reward": [[1, 0]], "propensity": [[0.5, 0.0]]}, InputError, "a propensity is no probability of something"),
        ({"reward": [[1, 0]], "propensity": [[0.5, 1.1]]}, InputError, "propensity holds what is no probability"),
        (
            {"reward": [[1, 0]], "propensity": [[0.5]]},
            InputError,
            "propensity has another shape than reward; got (1, 1)",
        ),
        ({"reward": [[1, np.nan]], "propensity": [[0.5, 0.5]]}, InputError, "reward is not finite; got nan in round 0"),
        ({"reward": [[1]], "propensity": [[0.5]], "unit": [1, 2]}, InputError, "unit has another shape than reward"),
    ],
)
def test_a_log_that_cannot_be_says_what_is_wrong(how, kind, text):
    with pytest.raises(kind) as error:
        pt.LoggedSlates(**how)
    assert str(error.value).startswith(text)


def test_what_cannot_be_asked_is_refused():
    logged, target, _ = drawn(50, 4)
    with pytest.raises(UnknownName, match="unknown estimator; got cascade"):
        pt.off_policy_slates(logged, target, ["cascade"])
    with pytest.raises(InputError, match="target has another shape than reward"):
        pt.off_policy_slates(logged, target[:, :2])
    with pytest.raises(InputError, match="slate_weight has another shape"):
        pt.off_policy_slates(logged, target, slate_weight=np.ones(3))
