"""How often the interval of a preference holds the truth, over many made-up tests. `make sim`."""

from __future__ import annotations

import numpy as np
import pytest

from penchant.evaluation.interleaving import team_draft
from penchant.evaluation.preference import preference

pytestmark = pytest.mark.sim

TESTS = 4000
NOISE = 2 * np.sqrt(0.95 * 0.05 / TESTS)
"Two standard errors of a coverage that is 95% in truth: 0.7 points."


@pytest.mark.parametrize("people", [50, 100, 300, 1000])
@pytest.mark.parametrize("share", [0.5, 0.54, 0.65, 0.8])
def test_intervals_cover_the_truth_as_often_as_they_say(people, share):
    rng = np.random.default_rng(people)
    wins = rng.binomial(people, share, TESTS)
    found = {k: preference(np.repeat([1, -1], [k, people - k])) for k in np.unique(wins)}
    inside = np.mean([found[k].low <= 2 * share - 1 <= found[k].high for k in wins])
    assert 0.93 - NOISE <= inside <= 0.97 + NOISE


@pytest.mark.parametrize("ties", [0.2, 0.8])
def test_intervals_cover_when_many_prefer_neither(ties):
    rng = np.random.default_rng(7)
    inside = []
    for _ in range(TESTS):
        lead = preference(rng.choice([0, 1, -1], 400, p=[ties, 0.56 * (1 - ties), 0.44 * (1 - ties)]))
        inside.append(lead.low <= 0.12 <= lead.high)
    assert 0.93 - NOISE <= np.mean(inside) <= 0.97 + NOISE


def test_equal_rankers_are_told_apart_no_more_often_than_chance_may():
    """Whole tests: two rankings of one world, as good as each other; 5% may be called different."""
    rng, told = np.random.default_rng(11), []
    for _ in range(400):
        outcomes = []
        for _ in range(120):
            a, b = rng.permutation(20)[:6], rng.permutation(20)[:6]
            slate = team_draft(a.tolist(), b.tolist(), 6, rng)
            outcomes.append(slate.credit([item for item in slate.items if rng.random() < 0.2]))
        told.append(preference(outcomes).verdict != "cannot tell")
    assert np.mean(told) < 0.05 + 2 * np.sqrt(0.05 * 0.95 / 400)
