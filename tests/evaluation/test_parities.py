"""Parity between groups inside an evaluation: the figures of the functions, with intervals and verdicts."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
import scipy.sparse as sp

from penchant.core.errors import InputError
from penchant.data.dataset import Dataset
from penchant.data.split import k_fold
from penchant.evaluation import metrics as m
from penchant.evaluation.cross import cross_evaluate
from penchant.evaluation.evaluate import evaluate
from penchant.evaluation.ranking import hits, rank, truth
from penchant.models.itemknn import ItemKNN
from penchant.models.popular import Popular

NAMES = ("ndcg_parity", "exposure_parity", "exposure_parity_by_merit", "ndcg_parity_of_providers")
BY = ["user.side", "item.brand"]


@pytest.fixture(scope="module")
def market():
    """200 people; those of the left side keep to their taste, those of the right take anything. Two brands."""
    rng = np.random.default_rng(1)
    user = np.repeat(np.arange(200), 12)
    own = rng.integers(0, 15, len(user)) * 2 + user // 2 % 2
    item = np.where((user % 2 == 0) | (rng.random(len(user)) < 0.5), own, rng.integers(0, 30, len(user)))
    events = pl.DataFrame({"user": user.astype(str), "item": item.astype(str), "at": np.arange(len(user)) * 10**6})
    shop = pl.DataFrame({"id": [str(i) for i in range(30)], "brand": ["Elm" if i < 20 else "Oak" for i in range(30)]})
    sides = pl.DataFrame({"user": [str(u) for u in range(200)], "side": ["left", "right"] * 100})
    return Dataset.from_events(events.sample(fraction=1.0, shuffle=True, seed=0), shop), sides


@pytest.fixture(scope="module")
def found(market):
    data, sides = market
    split = k_fold(data, 4)[0]
    scorers = {"popular": Popular().fit(split.train), "knn": ItemKNN().fit(split.train)}
    report = evaluate(scorers, split, ["ndcg@5", *(f"{name}@5" for name in NAMES)], by=BY, users=sides)
    return split, scorers, report


def test_values_are_those_of_the_functions(found):
    split, scorers, report = found
    asked = truth(split)
    wanted = sp.csr_array(
        (np.ones(len(asked.wanted.items)), asked.wanted.items, asked.wanted.indptr), shape=(len(asked.users), 30)
    )
    side = np.array([int(name) % 2 for name in split.train.users.ids(asked.users)])
    brand = np.array([int(name) >= 20 for name in split.train.items], np.int64)
    for name, scorer in scorers.items():
        slates = rank(scorer, split, asked, 5)
        value = {line.metric: line.value for line in report.lines if line.model == name and line.metric in NAMES}
        relevant = asked.wanted.counts
        assert value["ndcg_parity"] == pytest.approx(m.ndcg_parity(hits(asked, slates), relevant, side), abs=1e-12)
        assert value["exposure_parity"] == pytest.approx(m.exposure_parity(slates, brand), abs=1e-12)
        merit = wanted.sum(axis=0)
        by_merit = m.exposure_parity(slates, brand, merit)
        assert value["exposure_parity_by_merit"] == pytest.approx(by_merit, abs=1e-12)
        providers = m.ndcg_parity_of_providers(slates, wanted, brand)
        assert value["ndcg_parity_of_providers"] == pytest.approx(providers, abs=1e-12)


def test_each_has_an_interval_and_a_verdict_and_its_column(found):
    _, _, report = found
    lines = [line for line in report.lines if line.metric in NAMES]
    assert len(lines) == 8
    assert {line.slice for line in lines} == {"groups of user.side", "groups of item.brand"}
    assert all(0 <= line.low <= line.value <= line.high <= 1 for line in lines)
    knn = {line.metric: line for line in lines if line.model == "knn"}
    assert knn["ndcg_parity"].value < 0.8, "who keeps to a taste is served better by what sees tastes"
    assert knn["ndcg_parity"].high < 1
    assert {line.verdict for line in lines if line.model == "popular"} == {None}
    assert knn["ndcg_parity"].verdict in ("worse", "better", "cannot tell")
    assert knn["ndcg_parity"].label == "ndcg_parity@5 for groups of user.side"


def test_more_equal_exposure_is_better(market, ranker):
    data, _ = market
    split = k_fold(data, 4)[0]
    rng = np.random.default_rng(0)
    uneven = ranker(
        data.items, lambda dense: np.where(np.array([int(i) < 20 for i in data.items]), 2.0, 0.0) + np.arange(30) / 99
    )
    even = ranker(data.items, lambda dense: rng.random(dense.shape))
    report = evaluate({"uneven": uneven, "even": even}, split, ["exposure_parity@5"], by=["item.brand"], task="any")
    one, two = report.lines[:2]
    assert (one.value, one.why) == (0.0, "a group has next to nothing, so that its share has no interval")
    assert two.value > 0.9
    assert two.verdict == "better"
    assert report.verdicts()[0].startswith("even beats uneven on exposure_parity@5 for groups of item.brand by 0.9")


def test_small_groups_and_single_groups_have_no_interval(market):
    data, sides = market
    split = k_fold(data, 4)[0]
    few = sides.with_columns(
        side=pl.when(pl.col("user").cast(pl.Int64) < 10).then(pl.lit("few")).otherwise(pl.lit("many"))
    )
    same = sides.with_columns(side=pl.lit("all"))
    scorers = {"popular": Popular().fit(split.train)}
    told = [
        evaluate(scorers, split, ["ndcg_parity@5"], by=["user.side"], users=table).lines[0] for table in (few, same)
    ]
    assert [line.low for line in told] == [None, None]
    assert told[0].why == "a group has 7 users, too few to tell", "three of the ten did nothing new"
    assert (told[1].value, told[1].why) == (None, "there are not two groups to compare")


def test_who_is_not_known_is_in_no_group(market):
    data, sides = market
    split = k_fold(data, 4)[0]
    scorers = {"knn": ItemKNN().fit(split.train)}
    known = sides.filter(pl.col("user").cast(pl.Int64) < 150)
    line = evaluate(scorers, split, ["ndcg_parity@5"], by=["user.side"], users=known).lines[0]
    asked = truth(split)
    names = [int(name) for name in split.train.users.ids(asked.users)]
    side = np.array([each % 2 if each < 150 else -1 for each in names])
    slates = rank(scorers["knn"], split, asked, 5)
    assert line.value == pytest.approx(m.ndcg_parity(hits(asked, slates), asked.wanted.counts, side))


def test_several_splits_are_one_parity(market):
    data, sides = market
    learners = {"popular": Popular(), "knn": ItemKNN()}
    metrics = ["ndcg_parity@5", "exposure_parity@5", "ndcg@5"]
    report = cross_evaluate(learners, k_fold(data, 3), metrics, by=BY, users=sides)
    lines = {(line.model, line.metric): line for line in report.lines if (line.slice or "").startswith("groups")}
    assert len(lines) == 4
    assert all(line.low <= line.value <= line.high for line in lines.values())
    sliced = {line.slice: line.value for line in report.lines if (line.model, line.metric) == ("knn", "ndcg")}
    left, right = sliced["user.side = left"], sliced["user.side = right"]
    assert lines["knn", "ndcg_parity"].value == pytest.approx(min(left, right) / max(left, right))
    assert lines["knn", "ndcg_parity"].users == 200


def test_without_groups_a_parity_is_refused(found):
    split, scorers, _ = found
    with pytest.raises(InputError, match=r"ndcg_parity compares groups of users, and none are named; got item\.brand"):
        evaluate(scorers, split, ["ndcg_parity@5"], by=["item.brand"])
    with pytest.raises(InputError, match="exposure_parity compares groups of items, and none are named; got no column"):
        cross_evaluate({"popular": Popular()}, [split], ["exposure_parity@5"])
    with pytest.raises(InputError, match="a metric has no meaning on a sample of the catalogue; got exposure_parity@5"):
        evaluate(scorers, split, ["exposure_parity@5"], by=["item.brand"], negatives=5)
