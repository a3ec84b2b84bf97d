"""EDLAE, RLAE and RDLAE against their closed forms in float64, and what they have in common."""

from __future__ import annotations

import logging

import numpy as np
import pytest

from penchant.core.errors import RetrainNeeded
from penchant.data.dataset import Dataset
from penchant.models.autoencoder import Autoencoder
from penchant.models.ease import EASE
from penchant.models.edlae import EDLAE
from penchant.models.rdlae import RDLAE
from penchant.models.rlae import RLAE
from penchant.testing import bazaar


def taste(seed: int, users: int = 120, items: int = 15) -> np.ndarray:
    rng = np.random.default_rng(seed)
    binary = (rng.random((users, items)) < rng.random(items) * 0.5).astype(np.float64)
    binary[0] = 1
    return binary


def closed_form(x: np.ndarray, l2: float, p: float, xi: float) -> np.ndarray:
    """Return B of Moon, Kim and Lee, column by column, without its diagonal; xi = 0 is EASE or EDLAE."""
    gram = x.T @ x
    gamma = l2 + p / (1 - p) * np.diag(gram)
    inverse = np.linalg.inv(gram + np.diag(gamma))
    weights = np.empty_like(gram)
    for j in range(len(gram)):
        unbounded = 1 - gamma[j] * inverse[j, j]
        mu = (1 - xi) / inverse[j, j] - gamma[j] if unbounded > xi else 0.0
        weights[:, j] = -(gamma[j] + mu) * inverse[:, j]
    np.fill_diagonal(weights, 0)
    return weights


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("learner", "p", "xi"),
    [
        (EASE(l2=3.0), 0.0, 0.0),
        (EDLAE(l2=3.0, dropout=0.4), 0.4, 0.0),
        (RLAE(l2=3.0, xi=0.15), 0.0, 0.15),
        (RLAE(l2=3.0, xi=1.0), 0.0, 1.0),
        (RDLAE(l2=3.0, dropout=0.4, xi=0.15), 0.4, 0.15),
    ],
)
def test_weights_are_the_closed_form(seed: int, learner: Autoencoder, p: float, xi: float) -> None:
    x = taste(seed)
    np.testing.assert_allclose(
        learner.fit(Dataset.from_matrix(x)).weights, closed_form(x, 3.0, p, xi), rtol=2e-3, atol=2e-5
    )


def test_without_dropout_and_slack_they_are_ease() -> None:
    data = Dataset.from_matrix(taste(7))
    plain = EASE(l2=5.0).fit(data).weights
    for learner in (EDLAE(l2=5.0, dropout=0.0), RLAE(l2=5.0, xi=0.0), RDLAE(l2=5.0, dropout=0.0, xi=0.0)):
        np.testing.assert_allclose(learner.fit(data).weights, plain, rtol=1e-4, atol=1e-6)


def test_a_bounded_diagonal_is_what_the_bound_says() -> None:
    x, xi = taste(9), 0.05
    gram = x.T @ x
    inverse = np.linalg.inv(gram + 3.0 * np.eye(15))
    slopes = RLAE(l2=3.0, xi=xi).slopes(np.full(15, 3.0), np.diag(inverse).copy())
    diagonal = 1 + slopes * np.diag(inverse)
    assert (diagonal <= xi + 1e-12).all()
    assert (diagonal > xi - 1e-12).any()


@pytest.mark.parametrize("k", [1, 4, 15, 99])
def test_the_strongest_weights_of_each_candidate_stay(k: int, caplog: pytest.LogCaptureFixture) -> None:
    data = Dataset.from_matrix(taste(3))
    dense = EASE(l2=2.0).fit(data)
    with caplog.at_level(logging.INFO):
        sparse = EASE(l2=2.0, k=k).fit(data)
    kept = np.zeros_like(dense.weights)
    row = np.repeat(np.arange(15), np.diff(sparse.w_indptr))
    kept[row, sparse.w_indices] = sparse.w_data
    for j in range(15):
        strongest = np.sort(np.abs(dense.weights[:, j]))[::-1][: min(k, 14)]
        np.testing.assert_array_equal(np.sort(np.abs(kept[:, j][kept[:, j] != 0]))[::-1], strongest)
    found = sparse.facts["pruning"]
    assert 0 <= found["ndcg@10 after"] <= 1
    assert "NDCG@10 on its own data goes from" in caplog.text
    if k >= 15:
        assert found["ndcg@10 after"] == found["ndcg@10 before"]


def test_the_chosen_ridge_is_told() -> None:
    scorer = EASE().fit(Dataset.from_matrix(taste(0)))
    assert 50 < scorer.facts["l2"] < 50 * 120**0.25


def test_forgetting_that_brings_in_items_that_were_not_counted_is_refused() -> None:
    data = Dataset.from_matrix([[1, 1, 0], [1, 1, 0], [1, 0, 1], [0, 0, 1]])
    scorer = EASE(l2=1.0, max_items=2).fit(data)
    assert scorer.candidates.tolist() == [0, 1]
    gone = data.column("user") == 1
    with pytest.raises(RetrainNeeded, match="other items are now among the most frequent"):
        scorer.without(data.select(gone))


def test_a_model_without_counts_says_that_it_has_to_be_fitted_again() -> None:
    data = bazaar()
    scorer = EASE(forgetting="retrain").fit(data)
    assert scorer.forgetting == "retrain"
    with pytest.raises(
        RetrainNeeded, match="keeps no counts to change; got ease; next: fit again without these people"
    ):
        scorer.without(data)
