"""How often intervals hold the truth where most people find nothing, and of every metric of slates. `make sim`."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import scipy.sparse as sp

from penchant.evaluation import metrics as m
from penchant.evaluation.effects import Chance, effects
from penchant.evaluation.interval import FEWEST, Effect
from penchant.evaluation.slices import LEAST

pytestmark = pytest.mark.sim

RUNS = 1000
NOISE = 3.3 * np.sqrt(0.95 * 0.05 / RUNS)
"Binomial(1000, 0.95) / 1000 strays by as much once in a thousand; the claim itself is 93% to 97%."
PEOPLE = 100_000
K, ITEMS = 10, 200


def say(title, rows):
    sys.stdout.write(f"\n{title}\n")
    for name, told in rows.items():
        sys.stdout.write(f"  {name:16} {told}\n")


def finds(rng, rate):
    """Return NDCG@10, reciprocal rank and serendipity of two models; so many people find anything, some oftener."""
    often = rng.beta(0.5, 0.5 / rate - 0.5, PEOPLE)

    def one():
        found, rank = rng.random(PEOPLE) < often, rng.integers(1, K + 1, PEOPLE)
        gain = rng.choice([1.0, 0.6, 0.4], PEOPLE) / np.log2(rank + 1)
        return np.stack([gain, 1 / rank, rng.choice([1, 1, 2, 3], PEOPLE) / K], axis=1) * found[:, None]

    base, other = one(), one()
    return base, np.where(rng.random((PEOPLE, 1)) < 0.5, base, other)


@pytest.mark.parametrize("rate", [0.3, 0.1, 0.05, 0.02])
def test_intervals_cover_where_few_people_find_anything(rate):
    """Of every 100 people 30 to 2 find anything; told where two or more of those asked may be expected to."""
    rng = np.random.default_rng(int(100 * rate))
    base, other = finds(rng, rate)
    truth, apart = base.mean(axis=0), (other - base).mean(axis=0)
    for people in (FEWEST, LEAST, 60, 120, 300, 1000):
        if rate * people < 2:
            continue
        held, asked = np.zeros((2, 3)), np.zeros((2, 3))
        for _ in range(RUNS):
            drawn = rng.integers(0, PEOPLE, people)
            chance = Chance("base", 400, rng, FEWEST)
            found = effects([{"base": base[drawn], "other": other[drawn]}], chance)[0]
            for row, (true, told) in enumerate(((truth, found["base"][0]), (apart, found["other"][1]))):
                for column, effect in enumerate(told):
                    if isinstance(effect, Effect):
                        asked[row, column] += 1
                        held[row, column] += effect.low <= true[column] <= effect.high
        for title, row, few in (("value", held[0], asked[0]), ("difference", held[1], asked[1])):
            shares = np.divide(row, few, out=np.full(3, np.nan), where=few > 0)
            say(f"{rate:.0%} of {people} find anything, {title}", {"covered": shares.round(3), "asked": few / RUNS})
            assert ((few - row) / RUNS <= 0.07 + NOISE).all(), "of all samples, told or not, so many mislead"
            told = shares[few > RUNS / 2]
            assert (told >= 0.93 - NOISE).all(), (people, title, shares)
            # Of a difference that hardly half of the samples tell, those that do hold it oftener than they say.
            assert (shares[few > 0.99 * RUNS] <= 0.97 + NOISE).all(), (people, title, shares)


def test_intervals_of_what_slates_are_like_cover():
    """recall_capped, serendipity, diversity, arp, aplt and calibration: of people drawn from very many."""
    rng = np.random.default_rng(11)
    popular = 1 / np.arange(1, ITEMS + 1)
    features = sp.csr_array(rng.random((ITEMS, 12)) < 0.15)
    support = (3000 * popular).astype(np.int64)
    taste = rng.gamma(0.5, 1.0, (20_000, 1))
    order = np.argsort(-(np.log(popular) * taste + rng.gumbel(size=(20_000, ITEMS))), axis=1).astype(np.int32)
    slates, wanted = order[:, :K], rng.random((20_000, K)) < 0.08
    slates = np.where(rng.random(slates.shape) < 0.1, -1, slates).astype(np.int32)
    history = sp.csr_array(rng.random((20_000, ITEMS)) < 4 * popular / popular.sum())
    hits = wanted & (slates >= 0)
    expected = np.broadcast_to(np.arange(K, dtype=np.int32), slates.shape)
    values = {
        "recall_capped": m.recall_capped(hits, hits.sum(axis=1) + 1),
        "serendipity": m.serendipity(hits, slates, expected),
        "diversity": m.diversity(slates, features),
        "arp": m.arp(slates, support),
        "aplt": m.aplt(slates, m.long_tail(support)),
        "calibration": m.calibration(slates, history, features),
    }
    everybody = np.stack(list(values.values()), axis=1)
    truth = np.nanmean(everybody, axis=0)
    for people in (FEWEST, LEAST, 120, 1000):
        held, asked = np.zeros(len(values)), np.zeros(len(values))
        for _ in range(RUNS):
            chance = Chance("one", 400, rng, FEWEST)
            drawn = everybody[rng.integers(0, len(everybody), people)]
            means = effects([{"one": drawn}], chance)[0]["one"][0]
            for column, effect in enumerate(means):
                if isinstance(effect, Effect):  # not of fewer people than FEWEST who have a value
                    asked[column] += 1
                    held[column] += effect.low <= truth[column] <= effect.high
        shares = held / asked
        say(f"{people} users", dict(zip(values, shares, strict=True)))
        assert ((shares >= 0.93 - NOISE) & (shares <= 0.97 + NOISE)).all(), (people, shares)
