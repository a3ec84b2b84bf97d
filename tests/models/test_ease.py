"""EASE against its closed form in float64."""

from __future__ import annotations

import logging

import numpy as np
import pytest

from penchant.core.errors import InputError
from penchant.core.nouns import History
from penchant.data.dataset import Dataset
from penchant.models.ease import EASE


def closed_form(binary: np.ndarray, l2: float) -> np.ndarray:
    """Return the item-item weights of Steck 2019, eq. 8, as it stands there."""
    inverse = np.linalg.inv(binary.T @ binary + l2 * np.eye(binary.shape[1]))
    weights = inverse / -np.diag(inverse)
    np.fill_diagonal(weights, 0.0)
    return weights


@pytest.mark.parametrize(("n_items", "l2"), [(1, 0.5), (2, 0.5), (13, 0.5), (13, 500.0), (520, 10.0)])
def test_weights_are_the_closed_form(n_items: int, l2: float) -> None:
    rng = np.random.default_rng(n_items)
    binary = (rng.random((200, n_items)) < 0.1).astype(np.float64)
    binary[0] = 1
    scorer = EASE(l2=l2).fit(Dataset.from_matrix(binary * rng.integers(1, 4, binary.shape)))
    np.testing.assert_allclose(scorer.weights, closed_form(binary, l2), rtol=2e-3, atol=2e-5)


def test_dislikes_are_not_learnt_from_but_count_in_a_history() -> None:
    rng = np.random.default_rng(1)
    binary = (rng.random((60, 8)) < 0.4).astype(np.float64)
    signs = np.where((rng.random((60, 8)) < 0.2) & (binary == 0), -1.0, binary)
    scorer = EASE(l2=3.0).fit(Dataset.from_matrix(signs))
    weights = closed_form(binary, 3.0)
    np.testing.assert_allclose(scorer.weights, weights, atol=1e-5)
    score = scorer.score(History.of([2, 5], [4.0, -0.5]))
    np.testing.assert_allclose(score, weights[2] - weights[5], atol=1e-5)


def test_only_the_most_frequent_items_are_modelled_and_it_is_said(caplog: pytest.LogCaptureFixture) -> None:
    data = Dataset.from_matrix([[1, 1, 0, 1], [0, 1, 1, 1], [0, 1, 0, 0]])
    with caplog.at_level(logging.WARNING):
        scorer = EASE(l2=1.0, max_items=3).fit(data)
    assert scorer.candidates.tolist() == [0, 1, 3]  # items 0 and 2 are liked by one each: the lower code stays
    assert "the 3 most frequent of 4 items are modelled" in caplog.text
    assert np.isnan(scorer.score(History.of([1]))).tolist() == [False, False, True, False]


def test_a_half_life_lets_the_history_fade() -> None:
    data = Dataset.from_matrix((np.random.default_rng(2).random((40, 6)) < 0.5).astype(float))
    scorer = EASE(l2=2.0, half_life=10.0).fit(data)
    day = 86_400_000_000
    score = scorer.score(History.of([0, 3], [5.0, 1.0], [0, 20 * day]))
    np.testing.assert_allclose(score, 0.25 * scorer.weights[0] + scorer.weights[3], rtol=1e-5)


def test_a_ridge_too_weak_for_float32_is_refused() -> None:
    twins = np.zeros((5000, 2))
    twins[:, :] = 1
    with pytest.raises(InputError, match=r"the ridge is too weak .* got l2=1e-09; next: raise l2"):
        EASE(l2=1e-9).fit(Dataset.from_matrix(twins))
