"""The least-squares kernel against numpy.linalg.solve."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from penchant.data.sparse import rows_of
from penchant.kernels.als import solve_rows
from penchant.kernels.layout import Side


@given(st.integers(0, 10_000), st.integers(1, 9), st.integers(1, 10), st.integers(0, 6))
def test_solve_rows_is_the_solution_of_the_normal_equations(seed: int, d: int, items: int, rows: int) -> None:
    rng = np.random.default_rng(seed)
    h = rng.normal(size=(items, d)).astype(np.float32)
    gram = 0.3 * (h.T.astype(np.float64) @ h)
    dense = rng.integers(1, 4, (rows, items)) * (rng.random((rows, items)) < 0.5)
    csr = sp.csr_array(dense.astype(np.float32), shape=(rows, items))
    target = rng.normal(size=csr.nnz).astype(np.float32)
    ridge = rng.uniform(0.1, 2.0, rows)
    out = np.full((rows, d), np.nan, np.float32)
    solve_rows(rows_of(csr), target, Side(h, gram), ridge, out)
    for r in range(rows):
        own, part = dense[r] > 0, slice(csr.indptr[r], csr.indptr[r + 1])
        wide = h[own].astype(np.float64)
        system = gram + (wide.T * dense[r][own]) @ wide + ridge[r] * np.eye(d)
        np.testing.assert_allclose(out[r], np.linalg.solve(system, wide.T @ target[part]), rtol=2e-4, atol=2e-5)


def test_a_row_without_entries_is_zero() -> None:
    csr = sp.csr_array((1, 3), dtype=np.float32)
    out = np.ones((1, 2), np.float32)
    side = Side(np.ones((3, 2), np.float32), np.eye(2))
    solve_rows(rows_of(csr), np.zeros(0, np.float32), side, np.ones(1), out)
    assert out.tolist() == [[0.0, 0.0]]
