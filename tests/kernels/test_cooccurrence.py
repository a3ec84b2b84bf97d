"""Counting and neighbours against dense matrices."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from penchant.core.arrays import Float32
from penchant.data.sparse import rows_of, transposed
from penchant.kernels.cooccurrence import multiply_sparse, neighbours_block
from penchant.kernels.layout import Best, Rows, Scale


def table(seed: int, users: int, items: int) -> Float32:
    rng = np.random.default_rng(seed)
    dense = rng.integers(1, 5, (users, items)) * (rng.random((users, items)) < 0.4)
    return dense.astype(np.float32)


@given(st.integers(0, 10_000), st.integers(1, 12), st.integers(1, 12), st.integers(1, 5))
def test_products_are_those_of_dense_matrices(seed: int, users: int, items: int, block: int) -> None:
    left, right = (sp.csr_array(table(seed + n, users, items).astype(np.int32)) for n in (0, 1))
    rows = []
    for start in range(0, items, block):
        stop = min(start + block, items)
        lengths, indices, values = multiply_sparse(start, stop, whole(left.T.tocsr()), whole(right))
        indptr = np.concatenate([[0], np.cumsum(lengths)])
        rows.append(sp.csr_array((values, indices, indptr), shape=(stop - start, items)).toarray())
    np.testing.assert_array_equal(np.concatenate(rows), left.toarray().T @ right.toarray())


def whole(matrix: sp.csr_array) -> Rows:
    matrix.sort_indices()
    return Rows(matrix.indptr.astype(np.int64), matrix.indices.astype(np.int32), matrix.data)


@pytest.mark.parametrize("shrinkage", [0.0, 2.5])
@pytest.mark.parametrize("seed", range(5))
def test_neighbours_are_the_largest_cosines(seed: int, shrinkage: float) -> None:
    dense = table(seed, 25, 14)
    csr = sp.csr_array(dense)
    norms = np.sqrt((dense**2).sum(axis=0))
    best = Best(np.empty((14, 4), np.int32), np.empty((14, 4), np.float32))
    for start in (0, 5, 10):
        part = slice(start, start + 5)
        scale = Scale(norms, shrinkage)
        neighbours_block(
            start, rows_of(csr), rows_of(transposed(csr)), scale, Best(best.items[part], best.scores[part])
        )
    for j in range(14):
        similar = [
            (-float(dense[:, i] @ dense[:, j]) / (float(norms[i]) * float(norms[j]) + shrinkage), i)
            for i in range(14)
            if i != j and dense[:, i] @ dense[:, j] > 0
        ]
        similar.sort()
        np.testing.assert_allclose(best.scores[j][: len(similar)], [-s for s, _ in similar[:4]], rtol=1e-5)
        assert best.items[j].tolist() == ([i for _, i in similar[:4]] + [-1] * 4)[:4]


def test_an_item_alone_has_no_neighbour() -> None:
    csr = sp.csr_array(np.float32([[1, 0, 0], [0, 1, 1]]))
    best = Best(np.empty((3, 2), np.int32), np.empty((3, 2), np.float32))
    neighbours_block(0, rows_of(csr), rows_of(transposed(csr)), Scale(np.ones(3, np.float32), 0.0), best)
    assert best.items.tolist() == [[-1, -1], [2, -1], [1, -1]]
    assert np.isnan(best.scores[0]).all()
