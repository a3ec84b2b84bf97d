"""The sparse LDL of an inverse beside dense linear algebra."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from penchant.kernels.layout import Rows
from penchant.kernels.ldl import factor_block, factor_ldl, solve_ldl, strongest_block, weigh_block


def spd(m: int, rng: int) -> np.ndarray:
    """Return a positive definite matrix with ones on its diagonal."""
    random = np.random.default_rng(rng).normal(size=(m, 3 * m))
    matrix = random @ random.T
    scale = 1.0 / np.sqrt(matrix.diagonal())
    return matrix * scale[:, None] * scale


def rows_of(matrix: np.ndarray) -> Rows:
    csr = sp.csr_array(matrix)
    csr.sort_indices()
    return Rows(csr.indptr.astype(np.int64), csr.indices.astype(np.int32), csr.data.astype(np.float32))


def dense(lengths: np.ndarray, indices: np.ndarray, values: np.ndarray, n: int) -> np.ndarray:
    out = np.zeros((len(lengths), n))
    out[np.repeat(np.arange(len(lengths)), lengths), indices] = values
    return out


@pytest.mark.parametrize("m", [0, 1, 2, 17, 60])
def test_the_factor_is_that_of_numpy(m: int) -> None:
    matrix, right = spd(m, m) if m else np.zeros((0, 0)), np.arange(m) + 1.0
    factor, solved = matrix.copy(), right.copy()
    assert factor_ldl(factor)
    solve_ldl(factor, solved)
    if m:
        lower, pivots = np.tril(factor, -1) + np.eye(m), factor.diagonal()
        np.testing.assert_allclose(lower * np.sqrt(pivots), np.linalg.cholesky(matrix), atol=1e-12)
        np.testing.assert_allclose(solved, np.linalg.solve(matrix, right), rtol=1e-9)


@pytest.mark.parametrize("pivot", [0.0, -0.5, 1e-7])
def test_a_matrix_that_is_not_positive_definite_is_said(pivot: float) -> None:
    matrix = spd(6, 0)
    lower = np.linalg.cholesky(matrix)
    matrix[5, 5] += pivot - lower[5, 5] ** 2
    assert not factor_ldl(matrix)


def test_the_strongest_are_kept_and_of_equals_the_later() -> None:
    counts = np.int64([[9, 3, 1, 3, 3, 2], [0, 9, 0, 0, 8, 4]])
    scale = np.float64([0.5, 1, 1, 1, 1, 2])
    got = strongest_block(0, rows_of(counts)._replace(data=sp.csr_array(counts).data), scale, 2)
    assert [part.tolist() for part in got] == [[2, 2], [4, 5, 4, 5], [1.5, 2.0, 8.0, 8.0]]
    none = strongest_block(1, Rows(np.int64([0, 1]), np.int32([1]), np.int64([4])), scale, 2)
    assert [part.tolist() for part in none] == [[0], [], []]


def test_with_every_predecessor_the_inverse_is_exact() -> None:
    n = 23
    matrix = spd(n, 4)
    near, floor = rows_of(np.triu(matrix, 1)), np.full(n, 1e-9)
    parts = [factor_block(a, b, near, n, floor) for a, b in ((0, 9), (9, n))]
    factor = np.concatenate([dense(*part[:3], n) for part in parts])
    np.testing.assert_allclose(factor.T @ factor, np.linalg.inv(matrix), atol=2e-6)
    assert sum(part[3] for part in parts) == 0
    weights = dense(*weigh_block(0, n, rows_of(factor), rows_of(factor.T.copy()), n), n)
    inverse = np.linalg.inv(matrix)
    expected = -inverse / inverse.diagonal()[:, None]
    np.fill_diagonal(expected, 0)
    np.testing.assert_allclose(weights, expected, atol=5e-6)
    few = dense(*weigh_block(0, n, rows_of(factor), rows_of(factor.T.copy()), 3), n)
    for row, kept in zip(weights, few, strict=True):
        best = np.argsort(-abs(row), kind="stable")[:3]
        assert set(np.flatnonzero(kept)) == set(best)
        assert kept[best].tolist() == row[best].tolist()


def test_each_row_is_a_regression_on_its_strongest_predecessors() -> None:
    n, wanted = 15, 4
    matrix = abs(spd(n, 7))
    matrix += np.eye(n) * (1e-9 + max(0.0, -np.linalg.eigvalsh(matrix)[0]))
    scale = 1.0 / np.sqrt(matrix.diagonal())
    matrix = matrix * scale[:, None] * scale
    near = rows_of(np.triu(matrix, 1))
    rows = dense(*factor_block(0, n, near, wanted, np.full(n, 1e-9))[:3], n)
    for j in range(n - wanted):
        chosen = np.sort(j + 1 + np.argsort(-matrix[j, j + 1 :])[:wanted])
        share = np.linalg.solve(matrix[np.ix_(chosen, chosen)], matrix[chosen, j])
        norm = 1.0 / np.sqrt(1.0 - share @ matrix[chosen, j])
        np.testing.assert_allclose(rows[j, chosen], -share * norm, rtol=1e-4, atol=1e-6)
        assert rows[j, j] == pytest.approx(norm, rel=1e-5)
        assert np.count_nonzero(rows[j]) == wanted + 1


@pytest.mark.parametrize(("entry", "times"), [(1.0, 1), (1.005, 1), (1.02, 3), (1.5, 7)])
def test_an_indefinite_matrix_has_its_diagonal_raised(entry: float, times: int) -> None:
    """Items 1 and 2 have an entry of 1 or more: raised by .01, .02, .04, ... until 1 + shift is above it."""
    near = rows_of(np.array([[0, 0.3, 0.2], [0, 0, entry], [0, 0, 0]]))
    lengths, indices, values, raised = factor_block(0, 1, near, 2, np.full(3, 0.05))
    shift = 0.01 * 2 ** (times - 1)
    share = np.linalg.solve([[1 + shift, entry], [entry, 1 + shift]], [0.3, 0.2])
    norm = 1.0 / np.sqrt(max(1.0 - share @ [0.3, 0.2], 0.05))
    assert (raised, lengths.tolist(), indices.tolist()) == (times, [3], [0, 1, 2])
    np.testing.assert_allclose(values, [norm, *(-share * norm)], rtol=1e-4)
    assert 1 + shift > entry >= 1 + shift / 2 or times == 1


def test_what_is_left_is_never_below_the_floor() -> None:
    near = rows_of(np.array([[0, 0.999], [0, 0]]))
    _, _, values, raised = factor_block(0, 1, near, 1, np.full(2, 0.25))
    np.testing.assert_allclose(values, [2.0, -1.998], rtol=1e-5)
    assert raised == 0
