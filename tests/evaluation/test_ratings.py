"""Ratings, likes and AUC: by definition, and against scikit-learn and ranx where these are installed."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from penchant.core.errors import InputError
from penchant.evaluation import metrics as m
from penchant.evaluation.measure import measure


def slow_auc(scores, wanted):
    """Every pair, one after the other; no score is below every score."""
    scores = [-math.inf if math.isnan(score) else math.atan(score) for score in scores]
    pairs = [
        (a > b) + (a == b) / 2
        for a, good in zip(scores, wanted, strict=True)
        for b, bad in zip(scores, wanted, strict=True)
        if good and not bad
    ]
    return sum(pairs) / len(pairs) if pairs else math.nan


@given(st.integers(0, 10_000), st.integers(1, 8))
def test_auc_counts_pairs_and_ties_half(seed, width):
    rng = np.random.default_rng(seed)
    scores = rng.choice([-np.inf, -1, 0, 0.5, 2, np.inf, np.nan], (3, width))
    wanted = rng.random((3, width)) < 0.4
    slow = [slow_auc(*row) for row in zip(scores.tolist(), wanted.tolist(), strict=True)]
    np.testing.assert_allclose(m.auc(scores, wanted), slow)


def test_auc_where_all_tie_or_nothing_is_scored():
    wanted = np.array([[True, False, True]])
    assert m.auc(np.full((1, 3), 7.0), wanted).tolist() == [0.5]
    assert m.auc(np.full((1, 3), np.nan), wanted).tolist() == [0.5]


@given(st.integers(0, 10_000))
def test_limited_auc_of_the_whole_catalogue_is_auc_and_of_less_a_tie_of_the_rest(seed):
    rng = np.random.default_rng(seed)
    wanted = rng.random((4, 7)) < 0.4
    order = np.stack([rng.permutation(7) for _ in range(4)]).astype(np.int32)
    k = int(rng.integers(1, 8))
    scores = np.zeros((4, 7))
    np.put_along_axis(scores, order[:, :k].astype(np.int64), np.arange(7.0, 7 - k, -1)[None, :], axis=1)
    hits = np.take_along_axis(wanted, order[:, :k], axis=1)
    limited = m.auc_limited(hits, wanted.sum(axis=1), np.cumsum(~hits, axis=1), np.full(4, 7))
    np.testing.assert_allclose(limited, m.auc(scores, wanted))


def test_ratings_by_hand():
    said, true = [3.0, 5.0, np.nan, 2.0], [4.0, 5.0, 1.0, np.nan]
    assert (m.rmse(said, true), m.mae(said, true)) == (math.sqrt(0.5), 0.5)
    assert m.answered(said, true) == pytest.approx(2 / 3)
    assert m.rmse([1.0], [1.0]) == 0.0


@pytest.mark.parametrize("metric", [m.rmse, m.mae, m.accuracy, m.f1])
def test_nothing_to_compare_is_nan_and_other_lengths_are_refused(metric):
    assert math.isnan(metric([], []))
    assert math.isnan(metric([np.nan, 1.0], [1.0, np.nan]))
    with pytest.raises(InputError) as error:
        metric([1.0, 2.0], [1.0])
    assert str(error.value) == (
        "predictions and answers do not pair up; got shapes (2,) and (1,); allowed: two arrays of one length"
    )


def test_likes_by_hand():
    scores, liked = [0.9, 0.2, -0.3, -0.4, np.nan], [True, False, True, False, True]
    assert (m.accuracy(scores, liked), m.f1(scores, liked)) == (0.5, 0.5)
    assert m.accuracy(scores, liked, threshold=0.5) == 0.75
    assert m.accuracy([0.0], [False]) == 1.0  # as high as the threshold is no like
    assert math.isnan(m.f1([-1.0], [False]))
    assert m.f1([1.0], [False]) == 0.0


def test_scikit_learn_agrees():
    theirs = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(0)
    scores, wanted = rng.integers(0, 9, (20, 30)) / 8.0, rng.random((20, 30)) < 0.3
    expected = [theirs.roc_auc_score(good, row) for good, row in zip(wanted, scores, strict=True)]
    np.testing.assert_allclose(m.auc(scores, wanted), expected, atol=1e-9)
    said, true = rng.random(500), rng.random(500)
    assert m.rmse(said, true) == pytest.approx(theirs.root_mean_squared_error(true, said), abs=1e-9)
    assert m.mae(said, true) == pytest.approx(theirs.mean_absolute_error(true, said), abs=1e-9)
    liked = rng.random(500) < 0.4
    assert m.accuracy(said - 0.5, liked) == pytest.approx(theirs.accuracy_score(liked, said > 0.5), abs=1e-9)
    assert m.f1(said - 0.5, liked) == pytest.approx(theirs.f1_score(liked, said > 0.5), abs=1e-9)
    distinct = rng.permutation(600).reshape(20, 30).astype(float)
    order = np.argsort(-distinct, axis=1)[:, :10]
    hits = np.take_along_axis(wanted, order, axis=1)
    mean = float(m.ndcg(hits, wanted.sum(axis=1)).mean())
    assert mean == pytest.approx(theirs.ndcg_score(wanted, distinct, k=10), abs=1e-9)


@pytest.mark.filterwarnings("ignore:.*unsafe cast from uint64 to int64")  # of its kernels
def test_ranx_agrees():
    ranx = pytest.importorskip("ranx")
    rng = np.random.default_rng(1)
    slates = np.stack([rng.permutation(60)[:30] for _ in range(50)]).astype(np.int32)
    wanted = rng.random((50, 60)) < 0.15
    wanted[:, 0] = True
    qrels = ranx.Qrels({f"u{u:02}": {f"i{i}": 1 for i in np.flatnonzero(row)} for u, row in enumerate(wanted)})
    lists = {f"u{u:02}": {f"i{i}": 100.0 - r for r, i in enumerate(row)} for u, row in enumerate(slates)}
    names = {name: name for name in ("recall", "precision", "ndcg", "mrr", "map")} | {"hit": "hit_rate"}
    for k in (5, 30):
        theirs = ranx.evaluate(qrels, ranx.Run(lists), [f"{name}@{k}" for name in names.values()], return_mean=False)
        ours = measure(slates, sp.csr_array(wanted), [f"{name}@{k}" for name in names], resamples=0)
        relevant = wanted.sum(axis=1)
        for our, their in names.items():
            values = theirs[f"{their}@{k}"]
            if our == "map":  # theirs divides by all that is wanted
                values = values * relevant / np.minimum(relevant, k)
            assert ours[f"{our}@{k}"].value == pytest.approx(values.mean(), abs=1e-9), (our, k)
