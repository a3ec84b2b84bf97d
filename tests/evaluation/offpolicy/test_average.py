"""The mean of contributions and its interval."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import stdtrit

from penchant.evaluation.interval import Effect, Inconclusive
from penchant.evaluation.offpolicy.average import average, by_unit, deciding


def test_without_skewness_it_is_the_interval_of_students_t():
    values = np.tile([0.0, 1.0], 50)
    effect = average(values)
    half = 1.9842169515 * values.std(ddof=1) / 10  # the 97.5% quantile of t with 99 degrees of freedom
    assert isinstance(effect, Effect)
    assert (effect.low, effect.high) == pytest.approx((0.5 - half, 0.5 + half), rel=1e-9)


def test_rare_rewards_stretch_it_upwards_and_mirrored_ones_downwards():
    rare = np.repeat([0.0, 1.0], [980, 20])
    effect, mirrored = average(rare), average(-rare)
    assert isinstance(effect, Effect)
    assert isinstance(mirrored, Effect)
    assert effect.high - effect.value > 1.2 * (effect.value - effect.low)
    assert (mirrored.low, mirrored.high) == pytest.approx((-effect.high, -effect.low))


def test_its_ends_are_where_the_transform_of_hall_has_the_quantiles_of_t():
    values = np.random.default_rng(0).exponential(size=500)
    effect = average(values)
    assert isinstance(effect, Effect)
    g = ((values - values.mean()) ** 3).mean() / values.std() ** 3
    n, student = 500, float(stdtrit(deciding(values), 0.975))  # as many degrees of freedom as decide
    assert 1.98 < student < 2.05
    for end, quantile in ((effect.low, student), (effect.high, -student)):
        t = (values.mean() - end) / (values.std(ddof=1) / math.sqrt(n))
        turned = t + g * t**2 / (3 * math.sqrt(n)) + g**2 * t**3 / (27 * n) + g / (6 * math.sqrt(n))
        assert turned == pytest.approx(quantile, abs=1e-3)


def test_what_too_few_rounds_decide_has_no_interval():
    clicks = np.repeat([0.0, 1.0], [991, 9])
    effect = average(clicks)
    assert isinstance(effect, Inconclusive)
    assert effect.value == pytest.approx(0.009)
    assert effect.why == "only about 9.2 rounds decide it, and 10 are needed: log more of them"
    assert isinstance(average(np.repeat([0.0, 1.0], [990, 10])), Effect)


def test_what_does_not_vary_has_no_interval():
    for values in (np.full(100, 0.3), np.zeros(5), np.ones(1)):
        assert average(values) == Inconclusive(pytest.approx(values[0]), "every round contributes the same")


def test_deciding_counts_the_heavy_ones():
    heavy = np.zeros(10_000)
    heavy[:3] = 50.0
    assert deciding(heavy) == pytest.approx(3, rel=0.01)
    assert deciding(np.zeros(4)) == 0


def test_rounds_told_twice_tell_no_more_when_their_unit_is_named():
    values = np.random.default_rng(1).random(200)
    twice, unit = np.repeat(values, 2), np.repeat(np.arange(200), 2).astype(np.int32)
    np.testing.assert_allclose(np.sort(by_unit(twice, unit)), np.sort(values))
    assert by_unit(values, None) is values


def test_units_of_unequal_size_keep_the_mean_over_rounds():
    rng = np.random.default_rng(2)
    values, unit = rng.random(300), rng.integers(0, 40, 300).astype(np.int32)
    assert by_unit(values, unit).mean() == pytest.approx(values.mean())
    assert len(by_unit(values, unit)) == len(np.unique(unit))
