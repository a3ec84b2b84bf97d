"""How often the intervals of ratings, likes and parities hold the truth, and how often equals are told apart."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from penchant.evaluation import sample
from penchant.evaluation.answers import ROOT_LEAST, Answers
from penchant.evaluation.effects import Chance
from penchant.evaluation.metrics.names import Metric
from penchant.evaluation.ratios import Part, Tally, compared

pytestmark = pytest.mark.sim

RUNS = 1000
NOISE = 3.3 * np.sqrt(0.95 * 0.05 / RUNS)
PARITIES = 2000
FEW = np.sqrt(0.95 * 0.05 / PARITIES)
"One standard error of a coverage that is 95% in truth: 0.5 points."
METRICS = [Metric(name) for name in ("rmse", "mae", "accuracy", "f1", "answered")]


def world(rng, users):
    """Return answers of two models that err alike: some users are harder than others, and have more ratings."""
    units = np.repeat(np.arange(users), rng.integers(1, 12, users))
    hard = rng.gamma(2.0, 0.3, users)[units]
    actual = rng.integers(1, 6, len(units)).astype(float)
    common = rng.normal(0, 0.5, users)[units]
    foreseen = {}
    for name in ("base", "other"):
        foreseen[name] = actual + common + hard * rng.normal(0, 1.0, len(units))
        foreseen[name][rng.random(len(units)) < 0.1 + 0.1 * (hard > 0.6)] = np.nan
    return Answers(units, np.zeros(len(units), np.int32), actual, foreseen)


def say(title, rows):
    sys.stdout.write(f"\n{title}\n")
    for name, share in rows.items():
        sys.stdout.write(f"  {name:24} {share:.3f}\n")


@pytest.fixture(scope="module")
def truth():
    rng = np.random.default_rng(99)
    none = Chance("base", 0, rng)
    found = [[line.value for line in world(rng, 20_000).lines(METRICS, none, 3.0)[: len(METRICS)]] for _ in range(30)]
    return dict(zip([metric.name for metric in METRICS], np.mean(found, axis=0), strict=True))


@pytest.mark.parametrize(
    ("users", "singly", "bundles"),
    [(ROOT_LEAST + 20, 10**9, 0), (200, 10**9, 0), (3000, 2000, 1000)],
    ids=["few", "users", "bundles"],
)
def test_intervals_of_ratings_and_likes_cover_and_equals_are_seldom_told_apart(
    truth, users, singly, bundles, monkeypatch
):
    monkeypatch.setattr(sample, "SINGLY", singly)
    monkeypatch.setattr(sample, "BUNDLES", bundles)
    rng = np.random.default_rng(1)
    held, same, apart = (dict.fromkeys(truth, 0) for _ in range(3))
    for _ in range(RUNS):
        for line in world(rng, users).lines(METRICS, Chance("base", 1000, rng), 3.0):
            if line.model == "base":
                held[line.metric] += line.low <= truth[line.metric] <= line.high
            else:
                same[line.metric] += line.diff_low <= 0 <= line.diff_high
                apart[line.metric] += line.p <= 0.05
    for title, counts in (("figures", held), ("differences", same), ("p <= 0.05", apart)):
        say(f"{title}, {users} users", {name: count / RUNS for name, count in counts.items()})
    for counts in (held, same):
        assert all(0.93 - NOISE <= count / RUNS <= 0.97 + NOISE for count in counts.values()), counts
    assert all(count / RUNS <= 0.05 + NOISE for count in apart.values()), apart


FARING = {
    "two alike": (0.4, 0.4),
    "two apart": (0.4, 0.3),
    "four alike": (0.4, 0.4, 0.4, 0.4),
    "one worse": (0.4, 0.4, 0.4, 0.3),
    "best and worst stand out": (0.5, 0.4, 0.4, 0.25),
    "two and two": (0.45, 0.45, 0.3, 0.3),
    "a ladder of small steps": (0.4, 0.39, 0.38, 0.37),
    "a ladder of large steps": (0.6, 0.5, 0.4, 0.3),
    "seven alike": (0.3,) * 7,
    "one of seven better": (0.4, *(0.3,) * 6),
}
"What groups of 80, 160, ... users reach on average."


def groups(rng, means, models=1):
    """Return tallies of models that do as well, in groups that fare as told."""
    group = np.repeat(np.arange(len(means)), [80 * (i + 1) for i in range(len(means))])
    member = np.equal.outer(group, np.arange(len(means))).astype(float)
    share = np.array(means)[group]
    return [Tally(rng.beta(3 * share, 3 * (1 - share))[:, None] * member, member) for _ in range(models)]


@pytest.mark.parametrize("name", FARING)
def test_intervals_of_parities_cover(name):
    means = FARING[name]
    rng = np.random.default_rng([8, len(name)])
    low = high = 0
    for _ in range(PARITIES):
        found = compared([Part({"base": groups(rng, means)[0]}, {})], Chance("base", 1000, rng), "parity")[0]["base"][0]
        low += min(means) / max(means) < found.low
        high += min(means) / max(means) > found.high
    say(f"parity, {name}", {"held": 1 - (low + high) / PARITIES, "below": low / PARITIES, "above": high / PARITIES})
    assert 0.93 - 2 * FEW <= 1 - (low + high) / PARITIES <= 0.97 + 2 * FEW


@pytest.mark.parametrize("name", ["two alike", "two apart", "four alike", "best and worst stand out"])
def test_models_of_one_parity_are_told_apart_as_seldom_as_they_say(name):
    rng, apart = np.random.default_rng(len(name)), 0
    for _ in range(RUNS):
        base, other = groups(rng, FARING[name], 2)
        part = Part({"base": base, "other": other}, {"other": (other, base)})
        apart += compared([part], Chance("base", 1000, rng), "parity")[0]["other"][1].verdict != "cannot tell"
    say(f"parities of equals, {name}", {"told apart": apart / RUNS})
    assert apart / RUNS <= 0.05 + NOISE
