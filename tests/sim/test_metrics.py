"""How often the intervals of metrics hold the truth: users drawn one by one and in bundles, alone and in pairs."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import scipy.sparse as sp

from penchant.evaluation import sample
from penchant.evaluation.effects import Chance, effects
from penchant.evaluation.interval import FEWEST, Effect, resample_means
from penchant.evaluation.measure import measure
from penchant.evaluation.slices import LEAST

pytestmark = pytest.mark.sim

RUNS = 1000
NOISE = 3.3 * np.sqrt(0.95 * 0.05 / RUNS)
"Binomial(1000, 0.95) / 1000 strays by as much once in a thousand; the claim itself is 93% to 97%."

METRICS = ("recall@20", "precision@5", "hit@1", "hit@10", "ndcg@10", "map@20", "mrr@10", "auc@20")
N_ITEMS, K = 40, 20


def world(rng, users):
    """Return slates and wanted items: each wants 1 to 6 items, and some are easier to serve than others."""
    strength = rng.gamma(0.7, 1.0, (users, 1))
    wanted = np.zeros((users, N_ITEMS), np.bool_)
    order = np.argsort(rng.random((users, N_ITEMS)), axis=1)
    amount = rng.integers(1, 7, (users, 1))
    np.put_along_axis(wanted, order, np.broadcast_to(np.arange(N_ITEMS) < amount, wanted.shape), axis=1)
    scores = rng.gumbel(size=(users, N_ITEMS)) + strength * wanted
    return np.argsort(-scores, axis=1)[:, :K].astype(np.int32), sp.csr_array(wanted)


def say(title, rows):
    sys.stdout.write(f"\n{title}\n")
    for name, share in rows.items():
        sys.stdout.write(f"  {name:14} {share:.3f}\n")


@pytest.fixture(scope="module")
def truth():
    rng = np.random.default_rng(99)
    values = [measure(*world(rng, 50_000), METRICS, resamples=0) for _ in range(20)]
    return {name: float(np.mean([found[name].value for found in values])) for name in METRICS}


@pytest.mark.parametrize(
    ("users", "singly", "bundles"), [(300, 10**9, 0), (4000, 3000, 1500)], ids=["users", "bundles"]
)
def test_intervals_of_every_metric_cover(truth, users, singly, bundles, monkeypatch):
    # Bundles are 11 times smaller than those that ship: what is lost by bundling is 3.3 times as large.
    monkeypatch.setattr(sample, "SINGLY", singly)
    monkeypatch.setattr(sample, "BUNDLES", bundles)
    rng = np.random.default_rng(1)
    held = dict.fromkeys(METRICS, 0)
    for _ in range(RUNS):
        found = measure(*world(rng, users), METRICS, resamples=1000, rng=rng)
        for name, effect in found.items():
            assert isinstance(effect, Effect)
            held[name] += effect.low <= truth[name] <= effect.high
    shares = {name: count / RUNS for name, count in held.items()}
    say(f"{users} users{f' in {bundles} bundles' if bundles else ''}", shares)
    assert all(0.93 - NOISE <= share <= 0.97 + NOISE for share in shares.values()), shares
    assert 0.93 <= np.mean(list(shares.values())) <= 0.97


def test_intervals_of_every_metric_cover_in_the_smallest_evaluations_and_slices(truth):
    rng = np.random.default_rng(4)
    for users in (FEWEST, LEAST, 60, 120):
        held, asked = dict.fromkeys(METRICS, 0), dict.fromkeys(METRICS, 0)
        for _ in range(RUNS):
            for name, effect in measure(*world(rng, users), METRICS, resamples=1000, rng=rng).items():
                if isinstance(effect, Effect):  # where all users are alike there is none
                    asked[name] += 1
                    held[name] += effect.low <= truth[name] <= effect.high
        shares = {name: held[name] / asked[name] for name in METRICS}
        say(f"{users} users", shares)
        assert all(0.93 - NOISE <= share <= 0.97 + NOISE for share in shares.values()), shares
        assert 0.93 <= np.mean(list(shares.values())) <= 0.97


def test_people_of_several_rows_are_drawn_whole():
    """80 people with 1 to 9 rows each, which have much in common, as in several splits together."""
    rng, held, apart = np.random.default_rng(6), [0, 0], 0
    for _ in range(RUNS):
        people = np.repeat(np.arange(80), rng.integers(1, 10, 80))
        common = rng.beta(0.5, 2.0, 80)[people]
        base = np.clip(common + rng.normal(0, 0.05, len(people)), -1, 2)[:, None]
        other = base + rng.normal(0.01, 0.1, 80)[people][:, None] + rng.normal(0, 0.05, (len(people), 1))
        found = effects([{"base": base, "other": other}], Chance("base", 1000, rng), [people])[0]
        mean, difference = found["base"][0][0], found["other"][1][0]
        held[0] += mean.low <= 0.2 <= mean.high
        held[1] += difference.low <= 0.01 <= difference.high
        apart += mean.high - mean.low > 1.5 * 3.92 * base.std() / np.sqrt(len(base))
    shares = {"means": held[0] / RUNS, "differences": held[1] / RUNS}
    say("80 people of 400 rows", shares)
    assert all(0.93 - NOISE <= share <= 0.97 + NOISE for share in shares.values()), shares
    assert apart > 0.9 * RUNS  # wider than if every row were another person


@pytest.mark.parametrize(
    ("users", "singly", "bundles"),
    [(30, 10**9, 0), (200, 10**9, 0), (3000, 2000, 1000)],
    ids=["few", "users", "bundles"],
)
def test_intervals_of_paired_differences_cover_and_sign_flips_reject_as_seldom_as_they_say(
    users, singly, bundles, monkeypatch
):
    """Two models with much in common, where some users have no value; the second is better by 0.02 on one column."""
    monkeypatch.setattr(sample, "SINGLY", singly)
    monkeypatch.setattr(sample, "BUNDLES", bundles)
    rng = np.random.default_rng(2)
    held, apart, rejected = [0, 0], 0, 0
    for _ in range(RUNS):
        common = rng.beta(0.5, 2.0, (users, 1))
        base = common + rng.normal(0, 0.05, (users, 2))
        other = common + rng.normal(0, 0.05, (users, 2)) + [0.0, 0.02]
        base[rng.random((users, 2)) < 0.2] = np.nan
        found = effects([{"base": base, "other": other}], Chance("base", 1000, rng))[0]
        none, some = found["other"][1]
        held[0] += none.low <= 0.0 <= none.high
        held[1] += some.low <= 0.02 <= some.high
        rejected += none.p <= 0.05
        apart += none.high - none.low < 0.5 * (found["base"][0][0].high - found["base"][0][0].low)
    shares = {"no difference": held[0] / RUNS, "0.02": held[1] / RUNS, "p <= 0.05": rejected / RUNS}
    say(f"differences, {users} users{f' in {bundles} bundles' if bundles else ''}", shares)
    assert all(0.93 - NOISE <= share <= 0.97 + NOISE for share in list(shares.values())[:2]), shares
    assert 0.05 - NOISE <= shares["p <= 0.05"] <= 0.05 + NOISE
    assert apart >= (0.9 if users < 100 else 1.0) * RUNS  # paired: a third of the width of either mean's


def test_bundles_are_as_wide_as_the_exact_bootstrap():
    rng = np.random.default_rng(3)
    values = rng.beta(0.3, 3.0, (60_000, 1))
    exact = sample.Sample(values, np.ones((len(values), 1)))
    widths = []
    for drawn in (exact, sample.Bundles.of(len(values), 4).sample(values)):
        widths.append(float(resample_means(drawn, resamples=4000, rng=5).std()))
    # 4000 resamples: 1.1% of noise in each; bundling adds 0.55%.
    assert widths[1] / widths[0] == pytest.approx(1, abs=4 * np.hypot(0.016, 0.0055))
