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
    apart = truth - float((logging * own).sum())
    seen: dict[str, list[tuple[bool, bool]]] = {name: [] for name in SLATE_ESTIMATORS}
    for _ in range(LOGS):
        items = np.stack([rng.choice(3, 800, p=logging[k]) for k in slot], axis=1)
        reward = rng.random((800, 2)) < own[slot, items]
        logged = pt.LoggedSlates(reward=reward, propensity=logging[slot, items])
        for line in pt.off_policy_slates(logged, target[slot, items]).lines:
            if line.low is not None:
                seen[line.estimator].append((line.low <= truth <= line.high, line.diff_low <= apart <= line.diff_high))
    for name, inside in seen.items():
        value, difference = np.mean(inside, axis=0)
        sys.stdout.write(f"\n  {name:18} {value:.3f} {difference:.3f}, of {len(inside)} logs with an interval")
        assert len(inside) >= 0.99 * LOGS, "a right log is refused once in 370 times, for its mean weight"
        assert min(value, difference) >= 0.93 - NOISE, name
        assert max(value, difference) <= 0.97 + NOISE, name


@pytest.mark.parametrize("slates", [1, 6])
def test_intervals_of_slates_that_show_nothing_twice_and_of_people_who_see_several(slates):
    """Three items, two slots drawn one after the other without repeating; a click above bears on the one below.

    With ``slates`` above 1 each of 400 people sees as many, and some click far oftener than others.
    """
    rng = np.random.default_rng(5 + slates)
    pairs = np.array([(a, b) for a in range(3) for b in range(3) if a != b])

    def chances(first):
        return np.array([first[a] * first[b] / (1 - first[a]) for a, b in pairs])

    logging, target = np.array([0.4, 0.35, 0.25]), np.array([0.3, 0.35, 0.35])
    lure, n = np.array([0.15, 0.3, 0.45]), 800 if slates == 1 else 400 * slates
    clicks = lure[pairs] * np.array([1.0, 0.6]) + 0.15 * (pairs[:, :1] == 2) * np.array([0, 1])
    truth = float(chances(target) @ clicks.sum(axis=1))
    apart = truth - float(chances(logging) @ clicks.sum(axis=1))
    below = {name: {(a, b): p[b] / (1 - p[a]) for a, b in pairs} for name, p in (("old", logging), ("new", target))}
    held: dict[str, list[tuple[bool, bool]]] = {"reward-interaction": [], "whole-slate": []}
    for _ in range(LOGS):
        unit = np.repeat(np.arange(n // slates), slates).astype(np.int32)
        eager = np.ones(n) if slates == 1 else (2 * rng.beta(0.6, 0.6, n // slates))[unit]
        which = rng.choice(len(pairs), n, p=chances(logging))
        reward = rng.random((n, 2)) < clicks[which] * eager[:, None]
        a, b = pairs[which].T
        step = {name: np.array([below[name][pair] for pair in zip(a, b, strict=True)]) for name in below}
        logged = pt.LoggedSlates(
            reward=reward,
            propensity=np.stack([logging[a], _second(logging)[b]], axis=1),
            chained=np.stack([logging[a], step["old"]], axis=1),
            unit=unit if slates > 1 else None,
        )
        own = np.stack([target[a], _second(target)[b]], axis=1)
        chained = np.stack([target[a], step["new"]], axis=1)
        for line in pt.off_policy_slates(logged, own, list(held), chained=chained).lines:
            if line.low is not None:
                inside = line.low <= truth <= line.high, line.diff_low <= apart <= line.diff_high
                held[line.estimator].append(inside)
    for name, inside in held.items():
        value, difference = np.mean(inside, axis=0)
        sys.stdout.write(f"\n  {slates} a person, {name:18} {value:.3f} {difference:.3f}, of {len(inside)} logs")
        assert len(inside) >= 0.99 * LOGS
        assert min(value, difference) >= 0.93 - NOISE, name
        assert max(value, difference) <= 0.97 + NOISE, name


def _second(first):
    """Return the chance of each item in the second slot, whatever stands in the first."""
    return np.array([sum(first[a] * first[b] / (1 - first[a]) for a in range(3) if a != b) for b in range(3)])


@pytest.mark.parametrize("level", [0.8, 0.99])
def test_other_levels_cover_as_often_as_they_say(level):
    world, rng, inside = BanditWorld(actions=6), np.random.default_rng(8), []
    for _ in range(LOGS):
        draw = world.draw(1000, rng)
        line = pt.off_policy(draw.logged, draw.target, ["snips"], level=level, rng=rng).lines[0]
        if line.low is not None:
            inside.append(line.low <= world.value <= line.high)
    noise = 2 * np.sqrt(level * (1 - level) / len(inside))
    sys.stdout.write(f"\n  level {level}: {np.mean(inside):.3f}, of {len(inside)} logs\n")
    assert len(inside) > 0.9 * LOGS
    assert level - 0.02 - noise <= np.mean(inside) <= level + 0.02 + noise


@pytest.mark.parametrize("name", ["clicks", "a policy far from the log", "near the limits, far"])
def test_intervals_after_slope_cover_at_least_as_often(name):
    world, rounds = WORLDS[name]
    rng = np.random.default_rng(19)
    held: dict[str, list[bool]] = {each: [] for each in CLIPPED}
    for _ in range(LOGS // 2):
        draw = world.draw(rounds, rng)
        for line in pt.off_policy(draw.logged, draw.target, list(CLIPPED), tuning="slope", rng=rng).lines:
            if line.low is not None:
                held[line.estimator].append(line.low <= world.value <= line.high)
    for each, inside in held.items():
        sys.stdout.write(f"\n  {name}, slope, {each:12} {np.mean(inside):.3f}, of {len(inside)} logs")
        assert len(inside) > ANSWERED[name] * LOGS // 2
        assert np.mean(inside) >= 0.93 - 1.5 * NOISE


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
