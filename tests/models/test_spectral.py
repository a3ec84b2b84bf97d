"""Spectral and graph filters against their formulas, written out over dense matrices."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from penchant.core.executor import LOCAL, LocalExecutor
from penchant.core.progress import SILENT
from penchant.data.dataset import Dataset
from penchant.models import spectral
from penchant.models.chebycf import ChebyCF
from penchant.models.gfcf import GFCF
from penchant.models.heldout import best_rank, hold_out, ranks
from penchant.models.interactions import liked
from penchant.models.learner import Learner
from penchant.models.puresvd import PureSVD
from penchant.models.spectral import graph, pruned, singular
from penchant.models.turbocf import TurboCF
from penchant.testing import generated


def likes(seed: int = 0, users: int = 40, items: int = 24) -> np.ndarray:
    rng = np.random.default_rng(seed)
    dense = rng.random((users, items)) < 0.25
    dense[np.arange(items), np.arange(items)] = True  # nobody without a like, no item without one
    dense[items:, 0] = True
    return dense.astype(np.float64)


def scores(learner: Learner, x: np.ndarray) -> np.ndarray:
    """Return what the fitted learner gives every user for every item."""
    scorer = learner.fit(Dataset.from_matrix(x))
    top = scorer.score_batch(sp.csr_array(x), x.shape[1], exclude_seen=False)
    found = np.zeros(x.shape)
    for row, items, values in zip(found, top.items, top.scores, strict=True):
        row[items[items >= 0]] = values[items >= 0]
    return found


def normalized(x: np.ndarray, user: float, item: float) -> np.ndarray:
    return x / x.sum(axis=1, keepdims=True) ** user / x.sum(axis=0) ** item


def leading(r: np.ndarray, factors: int) -> np.ndarray:
    return np.linalg.svd(r)[2][:factors].T


def test_pure_svd_projects_the_history() -> None:
    x = likes()
    v = leading(x, 5)
    np.testing.assert_allclose(scores(PureSVD(factors=5), x), x @ v @ v.T, atol=1e-5)


@pytest.mark.parametrize("k", [None, 24, 1000])
def test_gf_cf_is_a_smooth_step_and_a_low_pass(k: int | None) -> None:
    x = likes(1)
    r, root = normalized(x, 0.5, 0.5), np.sqrt(x.sum(axis=0))
    v = leading(r, 4)
    wanted = x @ (r.T @ r) + 0.7 * (x / root) @ v @ v.T * root
    np.testing.assert_allclose(scores(GFCF(factors=4, alpha=0.7, k=k), x), wanted, atol=1e-5)


@pytest.mark.parametrize("k", [None, 1000])
@pytest.mark.parametrize("form", [1, 2, 3])
def test_turbo_cf_is_a_polynomial_of_powered_products(form: int, k: int | None) -> None:
    x = likes(2)
    r = normalized(x, 0.6, 0.4)
    p = (r.T @ r) ** 0.7
    f = {1: p, 2: 2 * p - p @ p, 3: p + 0.01 * (-p @ p @ p + 10 * p @ p - 29 * p)}[form]
    np.testing.assert_allclose(scores(TurboCF(filter=form, k=k, a=0.6, s=0.7), x), x @ f, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("k", [None, 1000])
@pytest.mark.parametrize(("degree", "phi", "beta"), [(8, 1.5, 0.4), (1, 1.0, 0.0), (5, 10.0, 0.5)])
def test_cheby_cf_is_the_recursion_of_its_paper(degree: int, phi: float, beta: float, k: int | None) -> None:
    x = likes(3)
    r, scale = normalized(x, 0.5, 0.5), x.sum(axis=0) ** beta
    v = leading(r, 6)
    height = []
    for i in range(degree + 1):
        at = np.cos((degree - i) * np.pi / degree)
        height.append(round(0.5 + 0.5 * (-at) ** phi if at < 0 else 0.5 - 0.5 * at**phi, 3))
    n = degree + 1
    nodes = [np.cos((n + 0.5 - j) * np.pi / n) for j in range(1, n + 1)]
    c = [2 / n * sum(h * np.cos(m * np.arccos(y)) for h, y in zip(height, nodes, strict=True)) for m in range(n)]
    c[0] /= 2
    s = x / scale
    terms = [s, s - 2 * s @ r.T @ r]
    while len(terms) < n:
        terms.append(2 * (terms[-1] - 2 * terms[-1] @ r.T @ r) - terms[-2])
    out = sum(weight * term for weight, term in zip(c, terms, strict=True)) + 0.3 * s @ v @ v.T
    learner = ChebyCF(factors=6, degree=degree, phi=phi, alpha=0.3, beta=beta, k=k)
    np.testing.assert_allclose(scores(learner, x), out * scale, atol=2e-5)


def test_pruning_keeps_the_largest_of_each_row_and_nothing_else() -> None:
    dense = np.random.default_rng(4).normal(size=(150, 150)).astype(np.float32)
    kept = pruned(150, 9, lambda start, stop: dense[start:stop], LOCAL, lambda done: None)
    found = sp.csr_array((kept.w_data, kept.w_indices, kept.w_indptr), shape=(150, 150)).toarray()
    bound = np.sort(np.abs(dense), axis=1)[:, -9:-8]
    np.testing.assert_array_equal(found, np.where(np.abs(dense) >= bound, dense, 0))


def test_large_matrices_are_iterated_to_the_same_subspace(monkeypatch: pytest.MonkeyPatch) -> None:
    """900 users x 700 items, more than are solved whole; the iteration against LAPACK."""
    rng = np.random.default_rng(5)
    taste = rng.random((900, 12)) ** 3 @ rng.random((12, 700)) ** 3
    x = (rng.random((900, 700)) < 0.4 * taste / taste.max()).astype(np.float64)
    x[np.arange(900), np.arange(900) % 700] = 1
    r, _ = graph(Dataset.from_matrix(x), 0.5, 0.5)
    called = []
    iterated = spectral._iterated
    monkeypatch.setattr(spectral, "_iterated", lambda *given: called.append(1) or iterated(*given))
    vectors, squares = singular(r, 10, np.random.default_rng(0), LOCAL, SILENT)
    assert called
    values = np.linalg.svd(r.matrix.toarray(), compute_uv=False)
    np.testing.assert_allclose(squares, values[:10] ** 2, rtol=1e-3)
    np.testing.assert_allclose(vectors.T @ vectors, np.eye(10), atol=1e-5)
    image = r.apply(vectors, LOCAL)
    assert np.linalg.norm(image - vectors * squares, axis=0).max() < 3 * spectral.EXACT * squares[-1]
    assert (vectors[np.abs(vectors).argmax(axis=0), np.arange(10)] > 0).all()
    one, two = (singular(r, 10, np.random.default_rng(0), LocalExecutor(w), SILENT)[0] for w in (1, 2))
    assert one.tobytes() == two.tobytes()


@pytest.mark.parametrize("make", [lambda: np.ones((700, 600)), lambda: np.eye(600), lambda: np.eye(700, 600)])
def test_large_matrices_of_hardly_any_rank_are_borne(make: object) -> None:
    """All alike, and all different: the iteration meets singular values that are all 0, or all 1."""
    r, _ = graph(Dataset.from_matrix(make()), 0.5, 0.5)
    vectors, squares = singular(r, 20, np.random.default_rng(0), LOCAL, SILENT)
    assert np.isfinite(vectors).all()
    np.testing.assert_allclose(squares, 1, rtol=1e-4)
    np.testing.assert_allclose(vectors.T @ vectors, np.eye(len(squares)), atol=1e-4)


@given(st.integers(0, 2**32 - 1), st.integers(1, 9), st.integers(1, 9))
@settings(max_examples=25, deadline=None)
def test_small_matrices_give_vectors_of_their_rank(seed: int, users: int, items: int) -> None:
    dense = (np.random.default_rng(seed).random((users, items)) < 0.5).astype(float)
    dense[0, 0] = 1
    r, _ = graph(Dataset.from_matrix(dense), 0.5, 0.5)
    vectors, squares = singular(r, 100, np.random.default_rng(0), LOCAL, SILENT)
    assert vectors.shape == (r.matrix.shape[1], len(squares))
    assert 1 <= len(squares) <= max(min(r.matrix.shape) // 4, 1)
    np.testing.assert_allclose(r.apply(vectors, LOCAL), vectors * squares, atol=1e-5)


def test_the_plateau_passes_all_below_half_in_the_middle_and_nothing_above() -> None:
    c = ChebyCF(degree=30, phi=8.0).coefficients()
    found = np.polynomial.chebyshev.chebval([-1.0, -0.3, 0.0, 0.3, 1.0], c)
    np.testing.assert_allclose(found, [1, 0.5, 0.5, 0.5, 0], atol=0.02)


def test_without_exponents_given_turbo_cf_takes_them_from_what_people_share_by_chance() -> None:
    data = generated(300, 200, 1500)
    dense = data.matrix.toarray() > 0
    x = np.log10(dense.sum(axis=1).mean() ** 2 / dense.any(axis=0).sum())
    a, s = 0.35 - 0.3 * x, 1.06 + 0.32 * x
    assert 0.4 < a < 0.7
    assert 0.5 < s < 1.0
    scorer = TurboCF().fit(data)
    assert (scorer.facts["a"], scorer.facts["s"]) == pytest.approx((a, s), abs=1e-6)
    given = TurboCF(a=scorer.facts["a"], s=scorer.facts["s"]).fit(data)
    assert given.w_data.tobytes() == scorer.w_data.tobytes()
    assert TurboCF().suited(1e-9) == (0.65, 0.5)
    assert TurboCF().suited(100.0) == (0.4, 1.0)


def test_without_factors_given_it_takes_as_many_as_there_are_tastes() -> None:
    rng = np.random.default_rng(3)
    own = np.arange(600)[:, None] % 6 == np.arange(240) % 6  # six kinds of people, six kinds of items
    x = rng.random((600, 240)) < np.where(own, 0.3, 0.01)
    assert 6 <= PureSVD().fit(Dataset.from_matrix(x.astype(np.float32))).facts["factors"] <= 11


@pytest.mark.parametrize("learner", [PureSVD(), GFCF()])
def test_where_nobody_can_be_asked_it_takes_what_there_is(learner: Learner) -> None:
    assert learner.fit(Dataset.from_matrix(np.eye(5))).facts["factors"] == 1


def test_a_number_of_factors_that_is_given_is_taken() -> None:
    assert GFCF(factors=7).fit(generated(900, 600, 18_000)).facts["factors"] == 7


def test_the_ranking_of_what_was_held_out_is_that_of_the_whole_scores() -> None:
    rng = np.random.default_rng(0)
    held = hold_out(liked(Dataset.from_matrix((rng.random((80, 30)) < 0.3).astype(np.float32)))[0], rng)
    left, right = rng.normal(size=(30, 16)).astype(np.float32), rng.normal(size=(16, 30)).astype(np.float32)
    means = {}
    for rank in ranks(16):
        scores = np.where(held.learn.toarray() > 0, -np.inf, held.learn.toarray() @ (left[:, :rank] @ right[:rank]))
        order, wanted = np.argsort(-scores, axis=1)[:, :20], held.wanted.toarray() > 0
        gain = 1 / np.log2(np.arange(20) + 2)
        most = np.cumsum(gain)[np.maximum(wanted.sum(axis=1), 1) - 1]
        each = (np.take_along_axis(wanted, order, axis=1) * gain).sum(axis=1) / most
        means[rank] = each[held.people].mean()
    assert best_rank(held, (left, right), None, LOCAL) == max(means, key=lambda rank: means[rank])
