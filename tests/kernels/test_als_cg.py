"""The steps of alternating least squares against numpy.linalg.solve."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penchant.kernels.als import solve_spd
from penchant.kernels.als_cg import TILE, Axes, Walk, block_rows, descend_rows
from penchant.kernels.layout import Rows


def system(seed: int, d: int, lengths: list[int], m: int = 11) -> tuple[Any, ...]:
    """Return what the kernels are given, in their order, and the solutions."""
    rng = np.random.default_rng(seed)
    h, energy = rng.normal(0, 0.5, (m, d)).astype(np.float32), rng.uniform(0, 3, d).astype(np.float32)
    indptr = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    rows = Rows(indptr, rng.integers(0, m, indptr[-1]).astype(np.int32), rng.uniform(0.1, 2, indptr[-1]).astype("f4"))
    target, ridge = rng.normal(size=indptr[-1]).astype(np.float32), rng.uniform(0.1, 1, len(lengths)).astype("f4")
    wanted = []
    for r in range(len(lengths)):
        own = slice(indptr[r], indptr[r + 1])
        wide = h[rows.indices[own]].astype(np.float64)
        left = np.diag(energy + ridge[r]) + (wide.T * rows.data[own]) @ wide
        wanted.append(np.linalg.solve(left, wide.T @ target[own]))
    return rows, target, Axes(h, energy), ridge, np.reshape(wanted, (len(lengths), d))


def start(wanted: np.ndarray, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=wanted.shape).astype(np.float32)


KERNELS = [(descend_rows, 40), (block_rows, 64)]


@pytest.mark.parametrize(("kernel", "reach"), KERNELS, ids=["cg", "block"])
@given(st.integers(0, 10_000), st.integers(1, 9), st.lists(st.integers(0, 13), max_size=4))
def test_with_reach_enough_it_is_the_solution(
    kernel: Callable[..., None], reach: int, seed: int, d: int, lengths: list[int]
) -> None:
    *given_, wanted = system(seed, d, lengths)
    x = start(wanted, seed)
    kernel(*given_, Walk(x, reach))
    np.testing.assert_allclose(x, wanted, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(("kernel", "reach"), KERNELS, ids=["cg", "block"])
def test_rows_longer_than_a_tile_and_rows_of_nothing(kernel: Callable[..., None], reach: int) -> None:
    *given_, wanted = system(3, 6, [0, TILE + 1, 1, TILE, 0])
    x = start(wanted, 0)
    kernel(*given_, Walk(x, reach))
    np.testing.assert_allclose(x, wanted, atol=1e-4)
    assert not x[[0, 4]].any()


@pytest.mark.parametrize(("kernel", "reach"), [(descend_rows, 1), (descend_rows, 2), (block_rows, 1), (block_rows, 4)])
def test_every_step_brings_it_nearer_and_at_the_solution_it_stays(kernel: Callable[..., None], reach: int) -> None:
    rows, target, axes, ridge, wanted = system(9, 9, [30])
    wide = axes.vectors[rows.indices].astype(np.float64)
    left = np.diag(axes.energy + ridge[0]) + (wide.T * rows.data) @ wide
    x, before = start(wanted, 1), np.inf
    for _ in range(200):
        kernel(rows, target, axes, ridge, Walk(x, reach))
        error = float((x[0] - wanted[0]) @ left @ (x[0] - wanted[0]))
        assert error <= before * 1.0001 + 1e-9
        before = error
    np.testing.assert_allclose(x, wanted, atol=1e-4)


@given(st.integers(0, 10_000), st.integers(1, 23))
def test_solve_spd_is_numpys(seed: int, d: int) -> None:
    rng = np.random.default_rng(seed)
    half, b = rng.normal(size=(d, d)), rng.normal(size=d)
    a = half @ half.T + np.eye(d)
    wanted = np.linalg.solve(a, b)
    upper = np.triu(a) + np.tril(np.full((d, d), np.nan), -1)
    solve_spd(upper, b)
    np.testing.assert_allclose(b, wanted, rtol=1e-8, atol=1e-10)
