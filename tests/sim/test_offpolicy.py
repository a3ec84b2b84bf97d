"""How often the intervals of off-policy evaluation hold the truth, over many logs of known worlds. `make sim`."""

from __future__ import annotations

import sys

import numpy as np
import pytest

import penchant as pt
from penchant.evaluation.offpolicy.slates import SLATE_ESTIMATORS
from penchant.testing import BanditWorld

pytestmark = pytest.mark.sim

LOGS = 1000
NOISE = 2 * np.sqrt(0.95 * 0.05 / LOGS)
"Two standard errors of a coverage that is 95% in truth: 1.4 points."

WORLDS = {
    "clicks": (BanditWorld(actions=6), 1000),
    "a policy far from the log": (BanditWorld(sharp=1.5, logging=0.5), 3000),
    "rare clicks": (BanditWorld(rate=0.02, actions=5), 3000),
    "near the limits, many actions": (BanditWorld(actions=15, rate=0.15, logging=0.7, sharp=1.3, seed=21), 2500),
    "near the limits, short": (BanditWorld(actions=4, dims=3, rate=0.3, logging=0.9, sharp=1.5, seed=22), 600),
    "near the limits, far": (BanditWorld(actions=9, dims=8, rate=0.1, logging=0.8, sharp=2.0, seed=23), 4000),
    "near the limits, long": (BanditWorld(actions=12, dims=4, rate=0.3, logging=0.9, sharp=1.0, seed=24), 10_000),
}
UNBIASED = ("ips", "snips", "dr", "sndr")
CLIPPED = ("clipped-ips", "switch-dr", "dros")


ANSWERED = {name: 0.35 if name.startswith("near the limits") else 0.5 for name in WORLDS}
"The least share of logs that have an interval; a log too short tells nothing, and those that tell must not mislead."


def covered(world: BanditWorld, rounds: int) -> dict[str, tuple[float, float, float]]:
    """Return, an estimator, the share of values and of differences in their intervals, and of logs that had any."""
    value, gain = world.value, world.value - world.logged_value
    rng = np.random.default_rng(17)
    seen: dict[str, list[tuple[bool, bool]]] = {name: [] for name in (*UNBIASED, *CLIPPED)}
    for _ in range(LOGS):
        draw = world.draw(rounds, rng)
        for line in pt.off_policy(draw.logged, draw.target, list(seen), rng=rng).lines:
            if line.low is not None and line.diff_low is not None:
                within = line.low <= value <= line.high, line.diff_low <= gain <= line.diff_high
                seen[line.estimator].append(within)
    return {name: (*np.mean(pairs, axis=0), len(pairs) / LOGS) for name, pairs in seen.items()}


@pytest.fixture(scope="module", params=list(WORLDS))
def coverage(request) -> dict[str, tuple[float, float]]:
    found = covered(*WORLDS[request.param])
    sys.stdout.write(f"\n{request.param}: value, difference, share of logs with an interval\n")
    for name, row in found.items():
        sys.stdout.write(f"  {name:12} {' '.join(f'{share:.3f}' for share in row)}\n")
    assert all(answered > ANSWERED[request.param] for _, _, answered in found.values())
    return {name: (value, difference) for name, (value, difference, _) in found.items()}


@pytest.mark.parametrize("name", UNBIASED)
def test_intervals_cover_the_truth_as_often_as_they_say(coverage, name):
    value, difference = coverage[name]
    assert 0.93 - NOISE <= value <= 0.97 + NOISE
    assert 0.93 - NOISE <= difference <= 0.97 + NOISE


@pytest.mark.parametrize("name", CLIPPED)
def test_intervals_that_allow_for_clipping_cover_at_least_as_often(coverage, name):
    value, difference = coverage[name]
    assert min(value, difference) >= 0.93 - NOISE


def test_intervals_of_slates_cover_the_truth_as_often_as_they_say():
    logging = np.array([[0.5, 0.3, 0.2], [0.3, 0.4, 0.3]])
    target = np.array([[0.3, 0.4, 0.3], [0.2, 0.4, 0.4]])
    own = np.array([[0.1, 0.3, 0.2], [0.3, 0.1, 0.4]])
    slot, rng = np.arange(2), np.random.default_rng(3)
    truth = float((target * own).sum())
    seen: dict[str, list[bool]] = {name: [] for name in SLATE_ESTIMATORS}
    for _ in range(LOGS):
        items = np.stack([rng.choice(3, 800, p=logging[k]) for k in slot], axis=1)
        reward = rng.random((800, 2)) < own[slot, items]
        logged = pt.LoggedSlates(reward=reward, propensity=logging[slot, items])
        for line in pt.off_policy_slates(logged, target[slot, items]).lines:
            if line.low is not None:
                seen[line.estimator].append(line.low <= truth <= line.high)
    for name, inside in seen.items():
        sys.stdout.write(f"\n  {name:18} {np.mean(inside):.3f}, of {len(inside)} logs with an interval")
        assert len(inside) >= 0.99 * LOGS, "a right log is refused once in 370 times, for its mean weight"
        assert 0.93 - NOISE <= np.mean(inside) <= 0.97 + NOISE, name


def test_intervals_cover_when_the_rounds_of_a_person_hang_together():
    """400 people of 1 to 29 rounds, some of whom click at everything; people are the unit."""
    rng, inside, alone = np.random.default_rng(13), [], []
    for _ in range(LOGS):
        person = np.repeat(np.arange(400), rng.integers(1, 30, 400))
        eager = rng.beta(0.4, 1.6, 400)[person]
        action = rng.integers(0, 3, len(person)).astype(np.int32)
        reward = (rng.random(len(person)) < eager * np.array([0.5, 0.8, 1.0])[action]).astype(float)
        target = np.array([[0.2, 0.3, 0.5]])
        truth = 0.2 * float(target[0] @ [0.5, 0.8, 1.0])
        for unit, held in ((person.astype(np.int32), inside), (None, alone)):
            logged = pt.Logged(action, reward=reward, propensity=np.full(len(person), 1 / 3), n_actions=3, unit=unit)
            line = pt.off_policy(logged, target, ["snips"]).lines[0]
            if line.low is not None:
                held.append(line.low <= truth <= line.high)
    assert len(inside) > 0.9 * LOGS
    sys.stdout.write(f"\n  people {np.mean(inside):.3f}, as if rounds were independent {np.mean(alone):.3f}\n")
    assert 0.93 - NOISE <= np.mean(inside) <= 0.97 + NOISE
    assert np.mean(alone) < 0.9
