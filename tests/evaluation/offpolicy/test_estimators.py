"""Estimators: beside a slow version, in cases with an exact answer, and on average over many logs of a known world."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penchant.core.arrays import Float64
from penchant.evaluation.offpolicy import estimators as by
from penchant.testing import BanditWorld

N = 40


@pytest.fixture(scope="module")
def rounds() -> tuple[Float64, ...]:
    rng = np.random.default_rng(3)
    return rng.random(N), rng.exponential(size=N), rng.random(N), rng.random(N)


def test_each_estimator_is_what_its_formula_says_round_by_round(rounds):
    reward, weight, predicted, expected = rounds
    r, w, q, e = (values.tolist() for values in rounds)
    each = range(N)
    mean_weight = sum(w) / N
    slow = {
        "ips": sum(w[i] * r[i] for i in each) / N,
        "clipped": sum(min(w[i], 1.2) * r[i] for i in each) / N,
        "snips": sum(w[i] * r[i] for i in each) / sum(w),
        "dm": sum(e) / N,
        "dr": sum(e[i] + w[i] * (r[i] - q[i]) for i in each) / N,
        "sndr": sum(e) / N + sum(w[i] * (r[i] - q[i]) for i in each) / N / mean_weight,
        "switch": sum(e[i] + (w[i] if w[i] <= 1.2 else 0) * (r[i] - q[i]) for i in each) / N,
        "dros": sum(e[i] + 2.5 * w[i] / (w[i] ** 2 + 2.5) * (r[i] - q[i]) for i in each) / N,
    }
    fast = {
        "ips": by.ips(reward, weight),
        "clipped": by.clipped_ips(reward, weight, 1.2),
        "snips": by.snips(reward, weight),
        "dm": by.dm(expected),
        "dr": by.dr(reward, weight, predicted, expected),
        "sndr": by.sndr(reward, weight, predicted, expected),
        "switch": by.switch_dr(reward, weight, predicted, expected, 1.2),
        "dros": by.dros(reward, weight, predicted, expected, 2.5),
    }
    assert {name: values.shape for name, values in fast.items()} == dict.fromkeys(slow, (N,))
    assert {name: values.mean() for name, values in fast.items()} == pytest.approx(slow, rel=1e-12)


@pytest.mark.parametrize("estimator", ["snips", "sndr"])
def test_the_spread_of_a_ratio_is_that_of_the_delta_method(rounds, estimator):
    """Beside the jackknife, which knows nothing of derivatives: they agree to a few percent at 40 rounds."""
    reward, weight, predicted, expected = rounds
    how = {
        "snips": lambda keep: by.snips(reward[keep], weight[keep]),
        "sndr": lambda keep: by.sndr(reward[keep], weight[keep], predicted[keep], expected[keep]),
    }[estimator]
    without = np.array([how(np.arange(N) != i).mean() for i in range(N)])
    jackknife = math.sqrt((N - 1) / N * ((without - without.mean()) ** 2).sum())
    assert how(np.arange(N)).std() / math.sqrt(N) == pytest.approx(jackknife, rel=0.08)


def test_asked_for_the_logging_policy_itself_every_weighted_estimate_is_the_mean_reward(rounds):
    reward, _, _, _ = rounds
    ones = np.ones(N)
    for values in (by.ips(reward, ones), by.snips(reward, ones), by.clipped_ips(reward, ones, 1.0)):
        np.testing.assert_allclose(values, reward)


@given(st.floats(-5, 5), st.integers(0, 100))
def test_snips_moves_with_a_constant_and_stays_within_the_rewards_and_ips_does_not(constant, seed):
    rng = np.random.default_rng(seed)
    reward, weight = rng.random(30), rng.exponential(size=30) + 0.01
    value = by.snips(reward, weight).mean()
    assert by.snips(reward + constant, weight).mean() == pytest.approx(value + constant)
    assert reward.min() <= value <= reward.max()
    moved = by.ips(reward + constant, weight).mean() - by.ips(reward, weight).mean()
    assert moved == pytest.approx(constant * weight.mean())


def test_a_model_that_is_right_in_every_round_makes_the_weights_not_matter(rounds):
    reward, weight, _, expected = rounds
    for how in (by.dr, by.sndr):
        np.testing.assert_allclose(how(reward, weight, reward, expected), expected)


def test_clipping_shrinking_and_switching_run_from_nothing_to_all(rounds):
    reward, weight, predicted, expected = rounds
    whole = by.dr(reward, weight, predicted, expected)
    np.testing.assert_allclose(by.switch_dr(reward, weight, predicted, expected, weight.max()), whole)
    np.testing.assert_allclose(by.switch_dr(reward, weight, predicted, expected, 0.0), expected)
    np.testing.assert_allclose(by.dros(reward, weight, predicted, expected, np.inf), whole)
    np.testing.assert_allclose(by.dros(reward, weight, predicted, expected, 1e12), whole, atol=1e-9)
    np.testing.assert_allclose(by.dros(reward, weight, predicted, expected, 0.0), expected)
    np.testing.assert_allclose(by.clipped_ips(reward, weight, weight.max()), by.ips(reward, weight))


def test_no_shrunken_weight_is_above_its_bound():
    weight = np.geomspace(1e-3, 1e6, 500)
    small = by.shrunk(weight, 9.0)
    assert small.max() <= 1.5 + 1e-12
    assert (small <= weight).all()


def test_where_nothing_has_weight_a_ratio_is_not_a_number():
    assert np.isnan(by.snips(np.ones(3), np.zeros(3))).all()


@pytest.fixture(scope="module")
def errors() -> dict[str, Float64]:
    """Estimates less the truth, over 400 logs of 600 rounds, with what models and propensities there may be."""
    world = BanditWorld(actions=6, sharp=0.7, logging=0.5)
    value, rng = world.value, np.random.default_rng(5)
    found: dict[str, list[float]] = {}
    for _ in range(400):
        draw = world.draw(600, rng)
        reward, action, i = draw.logged.reward, draw.logged.action, np.arange(600)
        weight = draw.target[i, action] / draw.logged.propensity
        wrong_weight = draw.target[i, action] * 6  # as if the logging policy had drawn evenly
        wrong = 1 - draw.truth
        right_said, wrong_said = ((q[i, action], (draw.target * q).sum(axis=1)) for q in (draw.truth, wrong))
        for name, values in {
            "ips": by.ips(reward, weight),
            "snips": by.snips(reward, weight),
            "dm, right model": by.dm(right_said[1]),
            "dr, right model": by.dr(reward, weight, *right_said),
            "dr, wrong model": by.dr(reward, weight, *wrong_said),
            "dr, wrong propensities": by.dr(reward, wrong_weight, *right_said),
            "sndr, right model": by.sndr(reward, weight, *right_said),
            "ips, wrong propensities": by.ips(reward, wrong_weight),
            "dm, wrong model": by.dm(wrong_said[1]),
            "dr, both wrong": by.dr(reward, wrong_weight, *wrong_said),
            "clipped-ips": by.clipped_ips(reward, weight, 1.0),
        }.items():
            found.setdefault(name, []).append(values.mean() - value)
    return {name: np.array(values) for name, values in found.items()}


@pytest.mark.parametrize(
    "name",
    ["ips", "dm, right model", "dr, right model", "dr, wrong model", "dr, wrong propensities", "sndr, right model"],
)
def test_what_should_have_no_bias_has_none(errors, name):
    noise = errors[name].std() / math.sqrt(400)
    # 3.5 standard errors, and 0.0005 for what the truth itself is known to
    assert abs(errors[name].mean()) < 3.5 * noise + 0.0005


def test_snips_has_a_bias_of_the_order_of_one_over_n(errors):
    assert abs(errors["snips"].mean()) < 3.5 * errors["snips"].std() / math.sqrt(400) + 0.0005 + 1 / 600


@pytest.mark.parametrize("name", ["ips, wrong propensities", "dm, wrong model", "dr, both wrong", "clipped-ips"])
def test_what_should_be_biased_is_so_that_these_tests_can_fail(errors, name):
    assert abs(errors[name].mean()) > 5 * errors[name].std() / math.sqrt(400) + 0.0005


def test_the_right_model_and_ratios_lessen_the_spread(errors):
    assert errors["dr, right model"].std() < errors["ips"].std()
    assert errors["snips"].std() < errors["ips"].std()
    assert errors["dm, right model"].std() < errors["dr, right model"].std()
