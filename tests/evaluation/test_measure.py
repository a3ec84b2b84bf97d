"""The one pass over slates: against the metrics themselves, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from penchant.core.errors import InputError
from penchant.core.executor import LocalExecutor
from penchant.evaluation import measure as module
from penchant.evaluation import metrics as m
from penchant.evaluation.interval import Effect, Inconclusive
from penchant.evaluation.measure import RANKING, measure, per_user
from penchant.evaluation.metrics import USER_METRICS, Metric
from penchant.evaluation.pairs import Pairs


@given(st.integers(0, 100_000))
def test_one_pass_equals_every_metric_at_every_length(seed):
    rng = np.random.default_rng(seed)
    n, k, n_items = int(rng.integers(1, 6)), int(rng.integers(1, 12)), int(rng.choice([12, 64, 65, 130]))
    slates = np.stack([rng.permutation(n_items)[:k] for _ in range(n)]).astype(np.int32)
    slates[rng.random(slates.shape) < 0.2] = -1
    wanted = rng.random((n, n_items)) < rng.choice([0.02, 0.3, 1.0])
    cuts = sorted({1, 3, k, k + 4})
    asked = [Metric(name, cut) for cut in cuts for name in RANKING]
    rng.shuffle(asked)
    found = per_user(slates, Pairs(sp.csr_array(wanted)), asked, np.full(n, n_items))
    hits = np.take_along_axis(wanted, slates.clip(0), axis=1) & (slates >= 0)
    relevant = wanted.sum(axis=1)
    for column, metric in enumerate(asked):
        cut = np.zeros((n, metric.k), bool)
        cut[:, :k] = hits[:, : metric.k]
        if metric.name == "auc":
            filled = np.zeros((n, metric.k), bool)
            filled[:, :k] = (slates >= 0)[:, : metric.k]
            slow = m.auc_limited(cut, relevant, np.cumsum(filled & ~cut, axis=1), np.full(n, n_items))
        else:
            slow = USER_METRICS[metric.name](cut, relevant)
        np.testing.assert_allclose(found[:, column], slow, rtol=1e-12, atol=1e-15, err_msg=str(metric))


def test_an_item_that_stands_twice_is_a_hit_once():
    found = measure(np.int32([[1, 1, 2]]), sp.csr_array(np.array([[0, 1, 1]])), ["recall@2", "recall@3"], resamples=0)
    assert [effect.value for effect in found.values()] == [0.5, 1.0]


def test_users_who_wanted_nothing_do_not_count():
    wanted = sp.csr_array(np.array([[0, 1], [0, 0], [1, 0]]))
    found = measure(np.int32([[1], [1], [1]]), wanted, ["hit@1", "precision@1"])
    hit = found["hit@1"]
    assert isinstance(hit, Effect)
    assert (hit.value, hit.low, hit.high) == pytest.approx((0.5, 0.0945, 0.9055), abs=1e-4)  # one in two, after Wilson
    nobody = measure(np.int32([[1]]), sp.csr_array((1, 2)), ["hit@1"])["hit@1"]
    assert (np.isnan(nobody.value), nobody.why) == (True, "no user has a value")


def test_one_user_and_everyone_alike_have_no_interval():
    wanted = sp.csr_array(np.ones((3, 2)))
    slates = np.int32([[1], [1], [1]])
    assert measure(slates[:1], wanted[:1], ["mrr@1"])["mrr@1"] == Inconclusive(1.0, "there is only one user")
    assert measure(slates, wanted, ["mrr@1"])["mrr@1"] == Inconclusive(1.0, "all users have the same value")
    assert measure(slates, wanted, ["auc@1"])["auc@1"].why == "no user has a value"  # all items are wanted


@pytest.mark.parametrize(
    ("slates", "metric", "text"),
    [
        (np.int32([[5]]), "hit@1", "a slate holds an item that does not exist; allowed: -1 to 1"),
        (np.int32([[-2]]), "hit@1", "a slate holds an item that does not exist; allowed: -1 to 1"),
        (np.float32([[1]]), "hit@1", "slates and wanted items do not fit; got slates float32 (1, 1), wanted (1, 2)"),
        (np.int32([[1], [0]]), "hit@1", "slates and wanted items do not fit; got slates int32 (2, 1), wanted (1, 2)"),
        (np.int32([[1]]), "arp@1", "a metric needs more than slates; got arp@1"),
    ],
)
def test_what_cannot_be_is_refused(slates, metric, text):
    with pytest.raises(InputError) as error:
        measure(slates, sp.csr_array(np.array([[1, 0]])), [metric])
    assert text in str(error.value)


def test_the_number_of_workers_changes_nothing(monkeypatch):
    rng = np.random.default_rng(0)
    slates = rng.integers(0, 50, (20_000, 10)).astype(np.int32)
    wanted = sp.csr_array(rng.random((20_000, 50)) < 0.1)
    two = measure(slates, wanted, ["ndcg@10", "map@5"], resamples=100)
    monkeypatch.setattr(module, "LOCAL", LocalExecutor(1))
    assert measure(slates, wanted, ["ndcg@10", "map@5"], resamples=100) == two
