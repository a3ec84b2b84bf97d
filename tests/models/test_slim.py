"""SLIM against plain coordinate descent over people, and against what its optimum must fulfil."""

from __future__ import annotations

import logging

import numpy as np
import pytest
from scipy.optimize import nnls

from penchant.core.executor import LOCAL, LocalExecutor
from penchant.core.progress import SILENT
from penchant.data.dataset import Dataset
from penchant.models.ease import EASE
from penchant.models.linear import SparseLinear
from penchant.models.slim import SLIM


def likes(users: int, items: int, share: float, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    taste = rng.random((users, 3)) @ rng.random((3, items))
    table = (rng.random((users, items)) < share * taste / taste.mean()).astype(np.float64)
    table[0] = 1
    return table


def dense(scorer: SparseLinear) -> np.ndarray:
    n = len(scorer.candidates)
    out = np.zeros((n, n))
    out[np.repeat(np.arange(n), np.diff(scorer.w_indptr)), scorer.w_indices] = scorer.w_data
    return out


def descend(x: np.ndarray, l1: float, l2: float) -> np.ndarray:
    """Return the weights by the textbook: one item after the other against the residual of all people."""
    n = x.shape[1]
    weights = np.zeros((n, n))
    for j in range(n):
        residual = x[:, j].copy()
        for _ in range(3000):
            before = weights[:, j].copy()
            for i in range(n):
                if i != j:
                    rho = x[:, i] @ residual + (x[:, i] @ x[:, i]) * weights[i, j]
                    after = max(0.0, rho - l1) / (x[:, i] @ x[:, i] + l2)
                    residual -= x[:, i] * (after - weights[i, j])
                    weights[i, j] = after
            if abs(weights[:, j] - before).max() < 1e-10:
                break
    return weights


def violation(x: np.ndarray, weights: np.ndarray, l1: float, l2: float) -> float:
    """Return by how much the optimum is missed: the largest slope left, as a share of the column's largest count."""
    gram = x.T @ x
    slopes = gram - gram @ weights - l2 * weights - l1
    wrong = np.where(weights > 0, abs(slopes), np.maximum(slopes, 0))
    np.fill_diagonal(wrong, 0)
    np.fill_diagonal(gram, 0)
    return float((wrong.max(axis=0) / np.maximum(gram.max(axis=0), 1)).max())


@pytest.mark.parametrize(("l1", "l2"), [(0.0, 1.0), (2.0, 0.5), (0.5, 30.0), (5.0, 0.0)])
@pytest.mark.parametrize("share", [0.15, 0.4])
def test_weights_are_those_of_plain_coordinate_descent(l1: float, l2: float, share: float) -> None:
    x = likes(80, 14, share, seed=1)
    scorer = SLIM(l1=l1, l2=l2, tolerance=1e-6).fit(Dataset.from_matrix(x))
    weights = dense(scorer)
    np.testing.assert_allclose(weights, descend(x, l1, l2), atol=2e-4)
    assert (weights >= 0).all()
    assert not weights.diagonal().any()
    assert 0 < np.count_nonzero(weights) < weights.size


def test_without_a_penalty_on_the_sum_it_is_non_negative_least_squares() -> None:
    x = likes(60, 12, 0.3, seed=2)
    scorer = SLIM(l1=0.0, l2=2.0, tolerance=1e-6).fit(Dataset.from_matrix(x))
    for j, column in enumerate(dense(scorer).T):
        others = np.delete(np.arange(12), j)
        rows = np.vstack([x[:, others], np.sqrt(2.0) * np.eye(11)])
        wanted, _ = nnls(rows, np.concatenate([x[:, j], np.zeros(11)]))
        np.testing.assert_allclose(column[others], wanted, atol=1e-4)


@pytest.mark.parametrize(
    ("users", "items", "share", "l1"), [(900, 300, 0.2, 0.0), (300, 700, 0.01, 0.0), (300, 700, 0.01, 0.5)]
)
def test_no_slope_calls_for_another_weight(users: int, items: int, share: float, l1: float) -> None:
    """Packed counts and sparse rows, more neighbours than are admitted at first, and few or most of them kept."""
    x = likes(users, items, share, seed=3)
    x[0] = np.random.default_rng(4).random(items) < 0.5
    x = x[:, x.any(axis=0)]
    scorer = SLIM(l1=l1, l2=5.0, tolerance=1e-3).fit(Dataset.from_matrix(x))
    assert scorer.state is not None
    assert scorer.state.gram.is_packed == (share > 0.1)
    assert np.diff(scorer.state.gram.symmetric().indptr).max() > 64
    assert violation(x, dense(scorer), l1, 5.0) <= 1.1e-3
    loose = SLIM(l1=l1, l2=5.0, tolerance=0.3).fit(Dataset.from_matrix(x))
    assert violation(x, dense(loose), l1, 5.0) > 1.1e-3


def test_packed_counts_and_sparse_rows_say_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    data = Dataset.from_matrix(likes(300, 200, 0.2, seed=5))
    learner = SLIM(l1=1.0, l2=5.0, tolerance=1e-5)
    packed = learner.fit(data)
    monkeypatch.setattr("penchant.models.slim._MOST", 0)
    assert packed.state is not None
    assert packed.state.gram.is_packed
    np.testing.assert_allclose(dense(learner.fit(data)), dense(packed), atol=1e-4)


@pytest.mark.parametrize("share", [0.01, 0.2])
def test_one_worker_and_four_give_the_same_bits(share: float) -> None:
    data = Dataset.from_matrix(likes(400, 500, share, seed=6))
    one, four = (SLIM().fit(data, executor=LocalExecutor(workers)) for workers in (1, 4))
    np.testing.assert_array_equal(one.w_data, four.w_data)
    np.testing.assert_array_equal(one.w_indices, four.w_indices)


def test_k_keeps_the_strongest_weights_of_each_candidate() -> None:
    data = Dataset.from_matrix(likes(200, 40, 0.3, seed=7))
    every, few = (dense(SLIM(l1=0.0, l2=3.0, k=k).fit(data)) for k in (None, 4))
    kept = np.sort(every, axis=0)[-4:].min(axis=0)
    np.testing.assert_array_equal(few, np.where(every >= kept, every, 0))
    assert (np.count_nonzero(few, axis=0) == 4).all()


def test_who_has_not_settled_is_said(caplog: pytest.LogCaptureFixture) -> None:
    data = Dataset.from_matrix(likes(200, 40, 0.5, seed=8))
    with caplog.at_level(logging.WARNING):
        SLIM(l1=0.0, l2=0.1, epochs=1, tolerance=1e-6).fit(data)
    assert "of 40 items have not settled after 1 epochs" in caplog.text
    caplog.clear()
    SLIM(l1=0.0, l2=0.1, tolerance=1e-5, epochs=5000).fit(data)
    assert not caplog.records


def test_penalties_are_chosen_from_the_data_and_kept_among_the_facts() -> None:
    small, large = (SLIM().fit(Dataset.from_matrix(likes(users, 30, 0.3, seed=9))) for users in (50, 5000))
    assert 0 < small.facts["l2"] < large.facts["l2"]
    state = large.state
    again = SLIM().derive(large.items, state, LOCAL, SILENT)
    np.testing.assert_array_equal(again.w_data, large.w_data)


def test_without_costs_given_they_follow_from_the_data() -> None:
    data = Dataset.from_matrix(likes(200, 30, 0.3, seed=4))
    scorer = SLIM().fit(data)
    assert scorer.facts["l1"] == 0.5
    assert scorer.facts["l2"] == 0.5 * EASE().fit(data).facts["l2"]
    given = SLIM(l1=0.5, l2=scorer.facts["l2"]).fit(data)
    assert given.w_data.tobytes() == scorer.w_data.tobytes()
