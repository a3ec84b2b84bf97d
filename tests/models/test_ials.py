"""iALS against its objective and the equations of Hu, Koren and Volinsky, written out."""

from __future__ import annotations

import numpy as np
import pytest

from penchant.core.executor import LOCAL
from penchant.core.nouns import History
from penchant.data.dataset import Dataset
from penchant.data.sparse import transposed
from penchant.models.ials import IALS
from penchant.models.interactions import liked


def ratings(seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    dense = rng.integers(1, 5, (20, 14)) * (rng.random((20, 14)) < 0.3)
    dense[np.arange(14), np.arange(14)] = 1
    dense[14:, 0] = 2
    return dense.astype(np.float64)


def loss(learner: IALS, r: np.ndarray, w: np.ndarray, h: np.ndarray) -> float:
    """Return the objective of the docstring, pair by pair."""
    total = 0.0
    for u in range(r.shape[0]):
        for i in range(r.shape[1]):
            score = float(w[u] @ h[i])
            if r[u, i] > 0:
                total += (learner.unobserved + learner.alpha * r[u, i]) * (score - 1.0) ** 2
            else:
                total += learner.unobserved * score**2
    for vectors, seen, others in ((w, (r > 0).sum(axis=1), r.shape[1]), (h, (r > 0).sum(axis=0), r.shape[0])):
        for vector, observed in zip(vectors, seen, strict=True):
            scale = (observed + learner.unobserved * others) ** learner.frequency_scaling
            total += learner.l2 * scale * float(vector @ vector)
    return total


@pytest.mark.parametrize("scaling", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("unobserved", [0.05, 1.0])
def test_the_objective_never_rises_from_half_step_to_half_step(unobserved: float, scaling: float) -> None:
    learner = IALS(factors=4, l2=0.05, alpha=1.5, unobserved=unobserved, frequency_scaling=scaling)
    r = ratings()
    matrix, _ = liked(Dataset.from_matrix(r))
    rng = np.random.default_rng(0)
    w, h = (rng.normal(0, 0.3, (n, 4)).astype(np.float32) for n in r.shape)
    losses = [loss(learner, r, w, h)]
    for _ in range(6):
        w = learner._half(matrix, h, LOCAL)
        losses.append(loss(learner, r, w, h))
        h = learner._half(transposed(matrix), w, LOCAL)
        losses.append(loss(learner, r, w, h))
    steps = np.diff(losses)
    assert (steps <= 1e-5 * losses[0]).all()
    assert losses[-1] < 0.5 * losses[0]


def test_it_is_hu_koren_volinsky_without_scaling_and_with_unobserved_weight_1() -> None:
    learner = IALS(factors=3, l2=0.7, alpha=4.0, unobserved=1.0, frequency_scaling=0.0, epochs=5)
    r = ratings(1)
    y = np.random.default_rng(11).normal(0.0, 0.1 / np.sqrt(3), (14, 3)).astype(np.float32).astype(np.float64)
    p = (r > 0).astype(float)
    for _ in range(5):
        x = np.array([_one(y, 1 + 4.0 * r[u], p[u], 0.7) for u in range(20)])
        y = np.array([_one(x, 1 + 4.0 * r[:, i], p[:, i], 0.7) for i in range(14)])
    scorer = learner.fit(Dataset.from_matrix(r), rng=11)
    np.testing.assert_allclose(scorer.factors.T, y, rtol=1e-3, atol=1e-4)


def _one(side: np.ndarray, c: np.ndarray, p: np.ndarray, l2: float) -> np.ndarray:
    """Return (Y'CY + l2 I)^-1 Y'C p: Hu, Koren and Volinsky, eq. 4."""
    return np.linalg.solve(side.T @ np.diag(c) @ side + l2 * np.eye(side.shape[1]), side.T @ np.diag(c) @ p)


def test_folding_in_is_the_users_half_step() -> None:
    learner = IALS(factors=4, l2=0.02, alpha=1.0, unobserved=0.3, epochs=4)
    r = ratings(2)
    data = Dataset.from_matrix(r)
    scorer = learner.fit(data)
    h = scorer.factors.T.astype(np.float64)
    for u in range(20):
        seen = r[u] > 0
        c = np.where(seen, 0.3 + r[u], 0.3)
        ridge = 0.02 * (seen.sum() + 0.3 * 14)
        vector = np.linalg.solve(h.T @ np.diag(c) @ h + ridge * np.eye(4), h.T @ (c * seen))
        np.testing.assert_allclose(scorer.score(data.history(str(u))), h @ vector, rtol=1e-3, atol=1e-5)


def test_a_history_of_dislikes_says_nothing() -> None:
    scorer = IALS(factors=2).fit(Dataset.from_matrix(ratings()))
    assert np.isnan(scorer.score(History.of([1, 2], [-1.0, 0.0]))).all()
