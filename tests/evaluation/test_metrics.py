"""Metrics against loops that anyone can check, and answers worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penchant.core.errors import EmptyData, InputError, UnknownName
from penchant.evaluation import metrics as m

ALLOWED = (
    "accuracy, answered, aplt, arp, auc, calibration, coverage, diversity, exposure_parity, exposure_parity_by_merit, "
    "f1, gini, hit, mae, map, mrr, ndcg, ndcg_parity, ndcg_parity_of_providers, novelty, precision, recall, "
    "recall_capped, rmse, serendipity"
)

# One user: hits, relevant -> value. Each is the definition, spelt out.


def slow_recall(hits, relevant):
    return sum(hits) / relevant if relevant else math.nan


def slow_recall_capped(hits, relevant):
    return sum(hits) / min(len(hits), relevant) if relevant else math.nan


def slow_precision(hits, relevant):
    return sum(hits) / len(hits)


def slow_hit(hits, relevant):
    return 1.0 if any(hits) else 0.0


def slow_ndcg(hits, relevant):
    if not relevant:
        return math.nan
    gain = sum(1 / math.log2(rank + 1) for rank, good in enumerate(hits, 1) if good)
    best = sum(1 / math.log2(rank + 1) for rank in range(1, min(len(hits), relevant) + 1))
    return gain / best


def slow_map(hits, relevant):
    if not relevant:
        return math.nan
    total = 0.0
    for rank, good in enumerate(hits, 1):
        if good:
            total += sum(hits[:rank]) / rank
    return total / min(len(hits), relevant)


def slow_mrr(hits, relevant):
    return next((1 / rank for rank, good in enumerate(hits, 1) if good), 0.0)


SLOW = {
    "recall": slow_recall,
    "recall_capped": slow_recall_capped,
    "precision": slow_precision,
    "hit": slow_hit,
    "ndcg": slow_ndcg,
    "map": slow_map,
    "mrr": slow_mrr,
}


@st.composite
def outcomes(draw):
    k = draw(st.integers(1, 8))
    rows = draw(st.lists(st.lists(st.booleans(), min_size=k, max_size=k), min_size=1, max_size=6))
    relevant = [sum(row) + draw(st.integers(0, 5)) for row in rows]
    return np.array(rows), np.array(relevant)


def test_every_metric_has_an_oracle():
    assert set(SLOW) == set(m.USER_METRICS)


@pytest.mark.parametrize("name", sorted(SLOW))
@given(case=outcomes())
def test_metric_equals_its_loop(name, case):
    hits, relevant = case
    slow = [SLOW[name](row.tolist(), int(wanted)) for row, wanted in zip(hits, relevant, strict=True)]
    np.testing.assert_allclose(m.USER_METRICS[name](hits, relevant), slow, rtol=1e-12)


@given(case=outcomes())
def test_metrics_lie_between_0_and_1_and_a_perfect_slate_has_1(case):
    hits, relevant = case
    perfect = np.arange(hits.shape[1]) < relevant[:, None]
    for name, metric in m.USER_METRICS.items():
        values = metric(hits, relevant)
        assert ((values >= 0) & (values <= 1 + 1e-12) | (relevant == 0)).all(), name
    for name in ("recall_capped", "ndcg", "map"):
        np.testing.assert_allclose(m.USER_METRICS[name](perfect, relevant)[relevant > 0], 1.0)


def test_by_hand():
    hits = np.array([[False, True, False, True, False]])
    relevant = np.array([3])
    expected = {
        "recall": 2 / 3,
        "recall_capped": 2 / 3,
        "precision": 2 / 5,
        "hit": 1.0,
        "ndcg": (1 / math.log2(3) + 1 / math.log2(5)) / (1 + 1 / math.log2(3) + 1 / 2),
        "map": (1 / 2 + 2 / 4) / 3,
        "mrr": 1 / 2,
    }
    for name, value in expected.items():
        assert m.USER_METRICS[name](hits, relevant)[0] == pytest.approx(value), name


def test_recall_and_capped_recall_part_when_more_is_wanted_than_fits():
    hits, relevant = np.array([[True, True]]), np.array([8])
    assert m.recall(hits, relevant).tolist() == [0.25]
    assert m.recall_capped(hits, relevant).tolist() == [1.0]


def test_coverage_counts_items_once_over_the_whole_vocabulary():
    assert m.coverage(np.int32([[0, 1], [1, 2], [-1, -1]]), 12) == 0.25
    assert m.coverage(np.int32([[-1, -1]]), 12) == 0.0


def test_novelty_is_bits_and_finite_for_what_nobody_touched():
    information = m.self_information(np.array([7, 1, 0]), 7)
    assert information.tolist() == [0.0, 2.0, 3.0]
    assert m.novelty(np.int32([[1, 2], [2, -1]]), information) == pytest.approx(8 / 3)
    assert math.isnan(m.novelty(np.int32([[-1]]), information))


def test_default_metrics_are_all_at_5_10_20():
    assert len(m.DEFAULT_METRICS) == 3 * (len(m.USER_METRICS) + len(m.LIST_METRICS))
    assert [str(metric) for metric in m.parse_metrics(None)] == list(m.DEFAULT_METRICS)


def test_duplicated_metrics_are_computed_once_in_order():
    assert [str(x) for x in m.parse_metrics(["map@3", "hit@1", "map@3"])] == ["map@3", "hit@1"]


def test_unknown_metric_names_the_nearest():
    with pytest.raises(UnknownName) as error:
        m.parse_metrics(["ndgc@10"])
    assert str(error.value) == (f"unknown metric; got ndgc; allowed: {ALLOWED}; next: did you mean 'ndcg'?")


@pytest.mark.parametrize("text", ["ndcg", "ndcg@", "ndcg@0", "ndcg@-1", "ndcg@ten", "ndcg@1.5", "ndcg@10@20"])
def test_a_metric_needs_a_k(text):
    with pytest.raises(InputError) as error:
        m.Metric.parse(text)
    assert str(error.value) == (
        f"a metric needs the length of the slate; got {text}; allowed: a whole number from 1 up after an @; "
        "next: write ndcg@10"
    )


def test_a_text_in_place_of_a_list_and_no_metric_at_all():
    with pytest.raises(InputError, match=r"metrics is a text; got ndcg@10; allowed: a list; next: write \['ndcg@10'\]"):
        m.parse_metrics("ndcg@10")
    with pytest.raises(EmptyData, match="there is no metric to compute; next: name some, or pass None for all"):
        m.parse_metrics([])


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("hit_rate", "hit"),
        ("Hit-Rate", "hit"),
        ("hr", "hit"),
        ("average_precision", "map"),
        ("mean_reciprocal_rank", "mrr"),
    ],
)
def test_a_name_from_elsewhere_is_told_the_one_here(theirs, ours):
    with pytest.raises(UnknownName) as caught:
        m.parse_metrics([f"{theirs}@10"])
    assert str(caught.value) == (f"unknown metric; got {theirs}; allowed: {ALLOWED}; next: did you mean {ours!r}?")
