"""How often the interval of a rating's difference holds the truth, over many made-up studies. `make sim`."""

from __future__ import annotations

import numpy as np
import pytest

from penchant.evaluation.interval import Effect
from penchant.evaluation.study import mean_difference

pytestmark = pytest.mark.sim

STUDIES = 4000
NOISE = 2 * np.sqrt(0.95 * 0.05 / STUDIES)
"Two standard errors of a coverage that is 95% in truth: 0.7 points."

TASTES = {
    "as good": (np.array([0.1, 0.2, 0.3, 0.25, 0.15]), np.array([0.1, 0.2, 0.3, 0.25, 0.15])),
    "better": (np.array([0.05, 0.1, 0.2, 0.35, 0.3]), np.array([0.1, 0.2, 0.3, 0.25, 0.15])),
    "much better, most at the end": (np.array([0.0, 0.02, 0.08, 0.3, 0.6]), np.array([0.2, 0.3, 0.3, 0.15, 0.05])),
}


def held(taste, people):
    """Return, a study that has an interval, whether it holds the truth, and how many studies have none."""
    a, b = TASTES[taste]
    points, rng = np.arange(1, 6), np.random.default_rng(people)
    truth = float(points @ a - points @ b)
    found = [
        mean_difference((rng.choice(points, people, p=a) - rng.choice(points, people, p=b)).astype(float))
        for _ in range(STUDIES)
    ]
    inside = [each.low <= truth <= each.high for each in found if isinstance(each, Effect)]
    return inside, STUDIES - len(inside)


@pytest.mark.parametrize("taste", TASTES)
@pytest.mark.parametrize("people", [12, 30, 100, 400])
def test_intervals_cover_the_truth_as_often_as_they_say(taste, people):
    inside, _ = held(taste, people)
    share = sum(inside) / STUDIES  # a study without an interval holds nothing
    assert 0.93 - NOISE <= share <= 0.97 + NOISE


@pytest.mark.parametrize("taste", TASTES)
@pytest.mark.parametrize("people", [3, 5, 8])
def test_intervals_of_very_few_people_cover_at_least_as_often(taste, people):
    """Of so few, whose ratings are whole numbers, no interval can do it exactly; some samples have none."""
    inside, none = held(taste, people)
    assert none < STUDIES / 2
    assert np.mean(inside) >= 0.93 - NOISE
