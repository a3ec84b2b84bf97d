"""When a log cannot speak for a policy, it is said, and why."""

from __future__ import annotations

import math

import numpy as np
import pytest

import penchant as pt
from penchant.evaluation.offpolicy.diagnostics import Overlap, ess, tail, unsupported


def test_effective_rounds_are_those_of_the_definition_and_the_extremes():
    weight = np.random.default_rng(0).exponential(size=50)
    assert ess(weight) == pytest.approx(sum(weight) ** 2 / sum(w * w for w in weight))
    assert ess(np.full(50, 0.3)) == pytest.approx(50)
    assert ess(np.eye(50)[3]) == pytest.approx(1)
    assert ess(np.zeros(50)) == 0


@pytest.mark.parametrize("shape", [0.1, 0.3, 0.5, 0.8, 1.2])
def test_the_tail_of_a_generalized_pareto_is_found(shape):
    rng = np.random.default_rng(4)
    found = [tail((rng.random(20_000) ** -shape - 1) / shape) for _ in range(20)]
    assert np.mean(found) == pytest.approx(shape, abs=0.06)


def test_a_tail_that_ends_or_is_not_there_is_light():
    assert tail(np.random.default_rng(0).random(5000)) < 0
    for weight in (np.ones(1000), np.repeat([0.5, 1.5], 500), np.ones(1), np.zeros(7)):
        assert tail(weight) == -math.inf


def test_weights_that_are_good_are_not_refused():
    rng = np.random.default_rng(0)
    assert Overlap.of(rng.exponential(size=3000)).refusal is None
    assert Overlap.of(np.ones(100), 0.05).refusal is None


def test_the_worst_of_many_slots_may_lie_farther_from_its_mean_than_one_alone():
    weight = np.random.default_rng(0).exponential(size=3000)
    weight += 1 + 3.4 * weight.std() / math.sqrt(3000) - weight.mean()
    assert Overlap.of(weight).off == pytest.approx(3.4)
    assert Overlap.of(weight).refusal is not None
    assert Overlap.of(weight, among=20).refusal is None
    assert Overlap.of(weight + 0.02, among=20).refusal is not None


def test_right_slates_are_refused_no_more_often_the_longer_they_are():
    rng, refused = np.random.default_rng(1), 0
    for _ in range(100):
        weight = rng.choice([0.5, 1.5], (500, 40))
        logged = pt.LoggedSlates(reward=np.ones((500, 40)), propensity=0.5 / weight)
        line = pt.off_policy_slates(logged, np.full((500, 40), 0.5), ["independent"]).lines[0]
        refused += line.value is None
    assert refused < 5, "1 - (1 - 1 / 370) ** 40 would be 10 of them"


@pytest.mark.parametrize(
    ("weight", "nothing", "text"),
    [
        (
            np.ones(99),
            0.0,
            "the log is worth 99 rounds to this policy and 100 are needed: log more rounds, or evaluate a",
        ),
        (np.zeros(500), 0.0, "the log is worth 0 rounds to this policy and 100 are needed"),
        (np.ones(500), 0.06, "6% of the policy is on actions that the log says nothing of (at most 5% may be): give"),
        (np.repeat([1.0, 1.4], 500), None, "the weights average 1.2 where 1 is due, which is hardly chance: the pro"),
        (np.full(500, 0.5), None, "the weights average 0.5 where 1 is due, which is hardly chance: the propensities"),
        (np.append(np.ones(1900), 110.0), None, "one round has 5% of all weight (at most 2% may be)"),
        (
            ((np.arange(90_000) + 0.5) / 90_000) ** -0.6 * 0.4,
            None,
            "the weights have too heavy a tail (0.60, at most 0.4",
        ),
    ],
)
def test_a_refusal_says_what_is_wrong_and_what_to_do(weight, nothing, text):
    refusal = Overlap.of(weight, nothing).refusal
    assert refusal is not None
    assert refusal.startswith(text)
    assert ": " in refusal or ";" in refusal


def test_the_mean_of_clipped_weights_is_judged_before_clipping():
    weight = np.random.default_rng(0).exponential(size=4000)
    clipped = np.minimum(weight, 0.5)
    assert "average" in (Overlap.of(clipped).refusal or "")
    assert Overlap.of(clipped, whole=weight).refusal is None


def test_what_a_log_says_nothing_of():
    action = np.int32([0] * 50 + [1] * 4 + [2] * 46)
    share = np.array([0.2, 0.3, 0.4, 0.1])  # action 1 was taken 4 times, action 3 never
    half = np.full(100, 0.5)
    assert unsupported(action, half, share[action], share) == pytest.approx(0.4)
    sure = np.where(np.arange(100) < 50, 1.0, 0.5)  # in half of the rounds nothing was left to chance
    assert unsupported(action, sure, share[action], share) == pytest.approx(0.4)
    assert unsupported(action, np.ones(100), share[action], share) == pytest.approx(1 - share[action].mean())


def test_weights_of_few_values_have_a_tail_too():
    """100 of the largest 116 are alike, and one of the curves that are tried is a straight line."""
    weight = np.repeat([0.5, 1.0, 2.0], [1384, 16, 100])
    assert np.isfinite(tail(weight))
    assert tail(weight) < 0
