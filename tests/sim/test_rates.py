"""How often the intervals of what was clicked and earned hold the truth, when people differ. `make sim`."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from penchant.evaluation.interval import Effect
from penchant.evaluation.rates import PEOPLE, Ratio, mean, share

pytestmark = pytest.mark.sim

RUNS = 2000
NOISE = 2 * np.sqrt(0.95 * 0.05 / RUNS)
"Two standard errors of a coverage that is 95% in truth: 1 point."

TASTES = {"8% click": (0.5, 6.0), "9%, alike": (2.0, 20.0), "3% click": (1.0, 30.0), "1 in 200 clicks": (0.5, 100.0)}
ORDER = 10 * np.exp(0.5)
"What a click earns on average: lognormal, of median 10."


def ratio(shown, came):
    return Ratio(
        len(shown),
        *(float(each.sum()) for each in (shown, came, shown * shown, came * came, shown * came)),
    )


@pytest.mark.parametrize("people", [PEOPLE, 200, 2000])
@pytest.mark.parametrize("taste", TASTES)
def test_intervals_cover_the_truth_as_often_as_they_say(taste, people):
    a, b = TASTES[taste]
    rng = np.random.default_rng([people, len(taste)])
    clicked, earned = [], []
    for _ in range(RUNS):
        shown = rng.integers(5, 60, people)
        clicks = rng.binomial(shown, rng.beta(a, b, people))
        who = np.repeat(np.arange(people), clicks)
        amounts = np.bincount(who, 10 * np.exp(rng.normal(0, 1, len(who))), minlength=people)
        rate, amount = share(ratio(shown, clicks)), mean(ratio(shown, amounts))
        clicked.append(rate.low <= a / (a + b) <= rate.high)
        if isinstance(amount, Effect):
            earned.append(amount.low <= ORDER * a / (a + b) <= amount.high)
    sys.stdout.write(f"\n{taste}, {people} people: share {np.mean(clicked):.3f}")
    assert 0.93 - NOISE <= np.mean(clicked) <= 0.97 + NOISE
    if len(earned) > RUNS / 2:  # else most logs are refused: few orders decide
        sys.stdout.write(f", amount {np.mean(earned):.3f} of the {len(earned) / RUNS:.0%} that have any")
        assert 0.93 - NOISE <= np.mean(earned) <= 0.97 + NOISE
