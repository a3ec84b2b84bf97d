"""Rates of what hangs together: the linearization beside a bootstrap of whole people, and the ends of a share."""

from __future__ import annotations

import numpy as np
import pytest

from penchant.evaluation.interval import Effect, Inconclusive
from penchant.evaluation.rates import Ratio, mean, share


def ratio_of(shown: np.ndarray, came: np.ndarray) -> Ratio:
    x, y = shown.astype(float), came.astype(float)
    return Ratio(len(x), x.sum(), y.sum(), (x * x).sum(), (y * y).sum(), (x * y).sum())


@pytest.fixture
def people() -> tuple[np.ndarray, np.ndarray]:
    """Return what 400 people were shown, and what they clicked: each has a taste for clicking of their own."""
    rng = np.random.default_rng(5)
    shown = rng.integers(5, 60, 400)
    return shown, rng.binomial(shown, rng.beta(0.5, 6.0, 400))


def test_the_interval_is_that_of_a_bootstrap_of_people(people: tuple[np.ndarray, np.ndarray]) -> None:
    shown, clicks = people
    rng = np.random.default_rng(6)
    draws = rng.integers(0, 400, (4000, 400))
    means = clicks[draws].sum(axis=1) / shown[draws].sum(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    for found in (share(ratio_of(shown, clicks)), mean(ratio_of(shown, clicks))):
        assert isinstance(found, Effect)
        assert found.value == clicks.sum() / shown.sum()
        assert found.low == pytest.approx(low, rel=0.03)
        assert found.high == pytest.approx(high, rel=0.03)
    alone = share(ratio_of(np.ones(shown.sum()), np.repeat([1, 0], [clicks.sum(), (shown - clicks).sum()])))
    assert isinstance(alone, Effect)
    assert alone.high - alone.low < (high - low) / 1.5, "as if all impressions were independent: far too sure"


@pytest.mark.parametrize("came", [0, 1])
def test_where_nothing_varies_every_person_counts_once(came: int) -> None:
    found = share(ratio_of(np.full(50, 20), np.full(50, 20 * came)))
    alone = share(ratio_of(np.ones(50), np.full(50, came)))
    assert isinstance(found, Effect)
    assert found == alone
    assert (found.low, found.high) == (
        (0.0, pytest.approx(0.0747, abs=1e-3)) if not came else (pytest.approx(0.9253, abs=1e-3), 1.0)
    )


@pytest.mark.parametrize(
    ("people", "why"), [(1, "1 person or slate was counted"), (49, "49 people or slates were counted")]
)
def test_too_few_people_say_nothing_beyond_the_value(people: int, why: str) -> None:
    few = ratio_of(np.full(people, 10), np.full(people, 3))
    assert share(few) == mean(few) == Inconclusive(0.3, f"{why}, and 50 are needed")


def test_a_mean_that_few_people_decide_has_no_interval() -> None:
    amounts = np.zeros(400)
    amounts[:30] = [100.0, *[1.0] * 29]
    found = mean(ratio_of(np.full(400, 10), amounts))
    assert isinstance(found, Inconclusive)
    assert found.why == "about 2 people decide it, and 25 are needed"
    assert mean(ratio_of(np.full(400, 10), np.zeros(400))) == Inconclusive(
        0.0, "about 0 people decide it, and 25 are needed"
    )
