"""iALS against its objective and the equations of Hu, Koren and Volinsky, written out."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from msgspec.structs import replace

from penchant.core.errors import InputError
from penchant.core.executor import LOCAL, LocalExecutor
from penchant.core.nouns import History
from penchant.data.dataset import Dataset
from penchant.data.sparse import matrix_of, rows_of, transposed
from penchant.models.alternating import pieces
from penchant.models.ials import IALS
from penchant.models.interactions import liked
from penchant.testing import checkerboard


def ratings(seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    dense = rng.integers(1, 5, (20, 14)) * (rng.random((20, 14)) < 0.3)
    dense[np.arange(14), np.arange(14)] = 1
    dense[14:, 0] = 2
    return dense.astype(np.float64)


def objective(learner: IALS, r: np.ndarray, w: np.ndarray, h: np.ndarray) -> float:
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


SOLVERS = {
    "auto": IALS(),
    "exact": IALS(solver="exact"),
    "block of 1": IALS(solver="block", block=1),
    "block of 3": IALS(solver="block", block=3),
    "block of all": IALS(solver="block", block=64),
    "one cg step": IALS(solver="cg", steps=1),
    "three cg steps": IALS(solver="cg", steps=3),
}


@pytest.mark.parametrize("solver", SOLVERS.values(), ids=SOLVERS)
@pytest.mark.parametrize("scaling", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("unobserved", [0.05, 1.0])
def test_the_objective_never_rises_from_half_step_to_half_step(solver: IALS, unobserved: float, scaling: float) -> None:
    learner = replace(solver, factors=4, l2=0.05, alpha=1.5, unobserved=unobserved, frequency_scaling=scaling)
    r = ratings()
    matrix, _ = liked(Dataset.from_matrix(r))
    rng = np.random.default_rng(0)
    w, h = (rng.normal(0, 0.3, (n, 4)).astype(np.float32) for n in r.shape)
    losses = [objective(learner, r, w, h)]
    for _ in range(8):
        learner._half(matrix, h, w, LOCAL)
        losses.append(objective(learner, r, w, h))
        learner._half(transposed(matrix), w, h, LOCAL)
        losses.append(objective(learner, r, w, h))
    steps = np.diff(losses)
    assert (steps <= 1e-5 * losses[0]).all()
    assert losses[-1] < 0.5 * losses[0]
    assert learner.loss(matrix, w, h) == pytest.approx(losses[-1], rel=1e-5)


@pytest.mark.parametrize(
    "solver",
    [
        IALS(solver="exact"),
        IALS(solver="cg", steps=40),
        IALS(solver="block", block=20),
        IALS(solver="block", block=7, epochs=1),
    ],
    ids=["exact", "cg", "block", "blocks"],
)
@pytest.mark.parametrize("l2", [1e-30, 1e-6, 0.3])
def test_a_half_step_is_the_solution_of_numpy(solver: IALS, l2: float) -> None:
    """With rows of nothing, of one entry, of more entries than axes, and rows that are equal."""
    learner = replace(solver, factors=20, l2=l2, alpha=2.0, unobserved=0.1, frequency_scaling=0.5)
    rng = np.random.default_rng(4)
    r = rng.integers(1, 5, (30, 60)) * (rng.random((30, 60)) < rng.random((30, 1)))
    r[0], r[1], r[2:5], r[5] = 0, np.arange(60) == 7, r[6], 1
    h, w = (rng.normal(0, 0.3, (n, 20)).astype(np.float32) for n in (60, 30))
    start = h.astype(np.float64)
    for _ in range(200 if learner.block == 7 else 1):
        learner._half(liked(Dataset.from_matrix(r))[0], h, w, LOCAL)
    for u in range(30):
        seen = r[u] > 0
        c = 0.1 + 2.0 * r[u]
        ridge = l2 * (seen.sum() + 0.1 * 60) ** 0.5
        system = start.T @ np.diag(np.where(seen, c, 0.1)) @ start + ridge * np.eye(20)
        vector = np.linalg.solve(system, start.T @ (c * seen))
        np.testing.assert_allclose(h.astype(np.float64) @ w[u], start @ vector, atol=1e-3)
        assert seen.any() or not w[u].any()


@pytest.mark.parametrize("solver", SOLVERS.values(), ids=SOLVERS)
def test_more_threads_give_the_same_bits(solver: IALS) -> None:
    rng = np.random.default_rng(5)
    dense = sp.random_array((3000, 200), density=0.1, rng=rng, dtype=np.float32)
    matrix = matrix_of(1.0 + dense.data, dense.coords[1], dense.coords[0], dense.shape)
    assert len(pieces(matrix.indptr, 1 << 14)) > 1
    learner = replace(solver, factors=20, epochs=2)
    one, three = (learner.train(matrix, np.random.default_rng(1), LocalExecutor(n)) for n in (1, 3))
    for a, b in zip(one, three, strict=True):
        assert a.tobytes() == b.tobytes()


def test_the_weight_of_unobserved_pairs_is_settled_by_the_data_unless_it_is_given() -> None:
    sparse, dense = Dataset.from_matrix(np.tile(np.eye(100), (2, 1))), Dataset.from_matrix(np.ones((5, 7)))
    assert IALS(factors=2).fit(sparse).rule.unobserved == pytest.approx(9 * 0.01)
    assert IALS(factors=2).fit(dense).rule.unobserved == 9.0
    assert IALS().suited(matrix_of([1], [0], [0], (20, 50))).unobserved == 0.01
    assert IALS().suited(matrix_of([1], [0], [0], (500, 500))).unobserved == 20 / 500**2
    assert IALS(factors=2, unobserved=0.4).fit(dense).rule.unobserved == 0.4
    with pytest.raises(InputError, match="unobserved is not settled; allowed: a number"):
        IALS().ridge([1], 2)


def test_a_loss_is_told_for_vectors_that_are_given() -> None:
    learner = IALS(factors=4, l2=0.05, alpha=1.5, unobserved=0.2, frequency_scaling=0.7)
    r = ratings(3)
    w, h = (np.random.default_rng(2).normal(0, 0.5, (n, 4)).astype(np.float32) for n in r.shape)
    matrix, _ = liked(Dataset.from_matrix(r))
    assert learner.loss(matrix, w, h) == pytest.approx(objective(learner, r, w, h), rel=1e-5)


@pytest.mark.parametrize("alpha", [1.0, 10.0])
def test_three_steps_of_cg_end_no_worse_than_exact_solves(alpha: float) -> None:
    learner = IALS(factors=20, l2=0.05, alpha=alpha, frequency_scaling=0.0, epochs=16)
    matrix, _ = liked(checkerboard(60, missing=0.4))
    found = {}
    for solver in ("exact", "cg"):
        one = replace(learner, solver=solver)
        found[solver] = one.loss(matrix, *one.train(matrix, np.random.default_rng(0)))
    assert found["cg"] < 1.01 * found["exact"]


def test_pieces_cover_all_rows_once_and_are_small() -> None:
    indptr = np.cumsum(np.concatenate([[0], np.random.default_rng(0).integers(0, 50, 300), [900, 0, 0]]))
    found = pieces(indptr, 100)
    assert [row for start, stop in found for row in range(start, stop)] == list(range(303))
    for start, stop in found:
        assert indptr[stop] - indptr[start] + stop - start <= 100 or stop == start + 1


def test_it_is_hu_koren_volinsky_without_scaling_and_with_unobserved_weight_1() -> None:
    learner = IALS(factors=3, l2=0.7, alpha=4.0, unobserved=1.0, frequency_scaling=0.0, epochs=5)
    r = ratings(1)
    y = np.random.default_rng(11).normal(0.0, 0.1 / np.sqrt(3), (14, 3)).astype(np.float32).astype(np.float64)
    p = (r > 0).astype(float)
    for _ in range(5):
        x = np.array([_one(y, 1 + 4.0 * r[u], p[u], 0.7) for u in range(20)])
        y = np.array([_one(x, 1 + 4.0 * r[:, i], p[:, i], 0.7) for i in range(14)])
    scorer = learner.fit(Dataset.from_matrix(r), rng=11)
    products = scorer.factors.T @ scorer.factors  # the axes are turned, what the vectors say of each other is not
    np.testing.assert_allclose(products, y @ y.T, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(scorer.factors @ scorer.factors.T, np.diag(scorer.energy), atol=1e-5)


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


@pytest.mark.parametrize("unobserved", [1.0, 0.05, 1e-4])
@pytest.mark.parametrize("alpha", [1.0, 40.0])
def test_folding_in_is_the_exact_solution_however_hard_it_is(unobserved: float, alpha: float) -> None:
    rng = np.random.default_rng(5)
    data = Dataset.from_matrix((rng.random((300, 120)) < 0.1) * rng.integers(1, 4, (300, 120)))
    scorer = IALS(factors=24, alpha=alpha, unobserved=unobserved, l2=1e-3, epochs=3).fit(data)
    csr = data.matrix
    found = scorer._fold_in(rows_of(csr))
    h = scorer.vectors.astype(np.float64)
    for r in range(0, 300, 7):
        own = slice(csr.indptr[r], csr.indptr[r + 1])
        near, confidence = h[csr.indices[own]], alpha * csr.data[own].astype(np.float64)
        ridge = 1e-3 * (len(near) + unobserved * 120)
        system = unobserved * h.T @ h + (near.T * confidence) @ near + ridge * np.eye(24)
        wanted = np.linalg.solve(system, near.T @ (confidence + unobserved))
        np.testing.assert_allclose(h @ found[r], h @ wanted, atol=2e-5)
