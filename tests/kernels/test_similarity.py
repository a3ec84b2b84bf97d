"""The most similar items against all similarities, computed one by one."""

from __future__ import annotations

import numpy as np
import pytest

from penchant.core.arrays import Int64
from penchant.kernels.layout import Best, Likeness, Rows
from penchant.kernels.similarity import similar_full, similar_sparse

N = 300
"Items: more than a strip, and with blocks that end within one."


def counted(seed: int, scale: int) -> Int64:
    rng = np.random.default_rng(seed)
    counts = rng.integers(0, 9, (N, N)) ** 3 * scale * (rng.random((N, N)) < 0.5)
    counts[: N // 10] *= rng.random((N // 10, N)) < 0.05  # some meet fewer than are asked for
    counts = np.triu(counts, 1)
    counts += counts.T
    return counts + np.diag(counts.sum(axis=1) + 1)


def wanted(counts: Int64, likeness: Likeness, k: int) -> Best:
    best = Best(np.full((N, k), -1, np.int32), np.full((N, k), np.nan, np.float32))
    for i in range(N):
        found = []
        for j in range(N):
            if j != i and counts[i, j] > 0:
                left, right, count = float(likeness.left[i]), float(likeness.right[j]), float(counts[i, j])
                below = left + right - count if likeness.union else left * right
                found.append((-np.float32(count / (below + likeness.shrinkage)), j))
        for at, (score, j) in enumerate(sorted(found)[:k]):
            best.items[i, at], best.scores[i, at] = j, -score
    return best


@pytest.mark.parametrize("k", [1, 7, 100, N])
@pytest.mark.parametrize("union", [False, True])
@pytest.mark.parametrize(("kind", "scale"), [(np.uint16, 1), (np.int32, 1000), (np.int64, 10**12)])
@pytest.mark.parametrize("shrinkage", [0.0, 300.0])
def test_they_are_the_largest_bit_for_bit_in_blocks_of_any_size(
    k: int, union: bool, kind: type, scale: int, shrinkage: float
) -> None:
    counts = counted(k, scale)
    whole = counts.diagonal().astype(np.float64)
    likeness = Likeness(whole, whole, shrinkage, True) if union else Likeness(whole**0.3, whole**0.7, shrinkage, False)
    best = Best(np.empty((N, k), np.int32), np.empty((N, k), np.float32))
    packed = counts[np.triu_indices(N)].astype(kind)
    for start, stop in ((0, 5), (5, 130), (130, 256), (256, N)):
        similar_full(start, stop, packed, likeness, Best(best.items[start:stop], best.scores[start:stop]))
    expected = wanted(counts, likeness, k)
    np.testing.assert_array_equal(best.items, expected.items)
    np.testing.assert_array_equal(best.scores, expected.scores)


@pytest.mark.parametrize("union", [False, True])
def test_sparse_rows_give_the_same(union: bool) -> None:
    counts = counted(3, 1)
    norms = counts.diagonal().astype(np.float64)
    likeness = Likeness(norms, norms, 0.0, union)
    row, column = np.nonzero(counts)
    indptr = np.searchsorted(row, np.arange(N + 1)).astype(np.int64)
    best = Best(np.empty((N, 9), np.int32), np.empty((N, 9), np.float32))
    similar_sparse(0, Rows(indptr, column.astype(np.int32), counts[row, column]), likeness, best)
    expected = wanted(counts, likeness, 9)
    np.testing.assert_array_equal(best.items, expected.items)
    np.testing.assert_array_equal(best.scores, expected.scores)
