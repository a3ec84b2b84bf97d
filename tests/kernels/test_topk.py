"""The ranking kernels against a plain sort and dense products."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from penchant.core.arrays import Float32, Int32
from penchant.data.sparse import rows_of
from penchant.kernels.heap import floor_of
from penchant.kernels.layout import Best, Linear, Rows, Space
from penchant.kernels.topk import add_dense, add_sparse, rank_dense, rank_scores, rank_sparse, top_k

FEW = st.sampled_from([-np.inf, -2.0, -0.5, 0.0, 1.0, 1.5, np.inf, np.nan])
"Few values, so that ties are many."
FINITE = st.floats(-(2.0**100), 2.0**100, width=32) | st.sampled_from([0.0, 1.0, 1.5])
"All sizes, and some ties."


def best_by_sort(scores: Float32, codes: Int32, k: int) -> tuple[list[int], Float32]:
    """Return what top_k has to give: by falling score, then rising code; -1 and NaN behind."""
    ranked = sorted((-float(s), int(c)) for s, c in zip(scores, codes, strict=True) if not np.isnan(s))[:k]
    empty = k - len(ranked)
    values = np.float32([-s for s, _ in ranked] + [np.nan] * empty)
    return [c for _, c in ranked] + [-1] * empty, values


@given(hnp.arrays(np.float32, st.integers(0, 40), elements=FEW), st.integers(1, 50), st.integers(0, 9))
def test_top_k_is_a_sort_cut_short(scores: Float32, k: int, first: int) -> None:
    codes = np.arange(first, first + 3 * len(scores), 3, dtype=np.int32)
    items, values = np.empty(k, np.int32), np.empty(k, np.float32)
    top_k(scores, codes, items, values)
    wanted, numbers = best_by_sort(scores, codes, k)
    assert items.tolist() == wanted
    np.testing.assert_array_equal(values, numbers)


@given(hnp.arrays(np.float32, st.integers(1, 300), elements=FINITE), st.data())
def test_the_floor_lets_k_pass_and_no_others_but_those_hardly_less(values: Float32, data: st.DataObject) -> None:
    k = data.draw(st.integers(1, len(values)))
    kth, spread = np.sort(values)[-k], np.float64(values.max()) - np.float64(values.min())
    floor = floor_of(values, k)
    assert floor <= kth
    assert np.count_nonzero(values >= floor) == k or floor >= kth - spread / 2**10


def test_top_k_of_many_different_numbers() -> None:
    scores = np.random.default_rng(0).normal(size=5000).astype(np.float32)
    items, values = np.empty(100, np.int32), np.empty(100, np.float32)
    top_k(scores, np.arange(5000, dtype=np.int32), items, values)
    assert items.tolist() == np.argsort(-scores, kind="stable")[:100].tolist()
    np.testing.assert_array_equal(values, scores[items])


class World:
    """Histories over 12 items of which 9 can be scored; stored zeros, dislikes, an empty row, a row of strangers."""

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self.codes = np.sort(rng.choice(12, 9, replace=False)).astype(np.int32)
        positions = np.full(12, -1, np.int32)
        positions[self.codes] = np.arange(9)
        self.space = Space(self.codes, positions)
        mask = rng.random((8, 12)) < 0.3
        mask[0], mask[1] = False, False
        mask[1, np.setdiff1d(np.arange(12), self.codes)] = True
        row, column = np.nonzero(mask)
        self.signal = rng.integers(-1, 3, len(row)).astype(np.float32)
        self.csr = sp.csr_array((self.signal, (row, column)), shape=mask.shape)
        self.seen = mask
        self.dense = np.zeros(mask.shape, np.float32)
        self.dense[row, column] = self.signal
        self.weights = rng.integers(-3, 4, (9, 9)).astype(np.float32)
        self.best = Best(np.empty((8, 6), np.int32), np.empty((8, 6), np.float32))

    @property
    def rows(self) -> Rows:
        return rows_of(self.csr)

    def check(self, scores: Float32, exclude_seen: bool) -> None:
        """Compare what was ranked with float32[8, 9] scores computed plainly."""
        wanted = scores.copy()
        if exclude_seen:
            wanted[self.seen[:, self.codes]] = np.nan
        for r in range(8):
            items, values = best_by_sort(wanted[r], self.codes, 6)
            assert self.best.items[r].tolist() == items
            np.testing.assert_array_equal(self.best.scores[r], values)


@pytest.mark.parametrize("exclude_seen", [True, False])
@pytest.mark.parametrize("seed", range(8))
def test_rank_dense_is_a_dense_product(seed: int, exclude_seen: bool) -> None:
    world = World(seed)
    known = world.dense[:, world.codes]
    scores = known @ world.weights
    scores[(known == 0).all(axis=1)] = np.nan
    rank_dense(world.rows, world.weights, world.space, exclude_seen, world.best)
    world.check(scores, exclude_seen)
    for r in range(8):
        out = np.empty(9, np.float32)
        own = world.csr.indices[world.csr.indptr[r] : world.csr.indptr[r + 1]]
        add_dense(
            world.space.positions[own],
            world.csr.data[world.csr.indptr[r] : world.csr.indptr[r + 1]],
            world.weights,
            out,
        )
        np.testing.assert_array_equal(out, scores[r])


@pytest.mark.parametrize("exclude_seen", [True, False])
@pytest.mark.parametrize("seed", range(8))
def test_rank_sparse_is_a_dense_product_where_something_reaches(seed: int, exclude_seen: bool) -> None:
    world = World(seed)
    links = np.random.default_rng(seed).random((9, 9)) < 0.4
    row, column = np.nonzero(links)
    postings = rows_of(sp.csr_array((world.weights[links], (row, column)), shape=(9, 9)))
    base = np.arange(9, dtype=np.float32)
    known = world.dense[:, world.codes]
    scores = base + known @ np.where(links, world.weights, 0).astype(np.float32)
    scores[((known != 0).astype(int) @ links.astype(int)) == 0] = np.nan
    rank_sparse(world.rows, Linear(postings, base), world.space, exclude_seen, world.best)
    world.check(scores, exclude_seen)
    for r in range(8):
        out = np.zeros(9, np.float32)
        part = slice(world.csr.indptr[r], world.csr.indptr[r + 1])
        places = world.space.positions[world.csr.indices[part]]
        add_sparse(places, world.csr.data[part], Linear(postings, base), out)
        np.testing.assert_array_equal(out, scores[r])


@pytest.mark.parametrize("exclude_seen", [True, False])
def test_rank_scores_takes_scores_as_they_are(exclude_seen: bool) -> None:
    world = World(4)
    scores = np.random.default_rng(4).choice(np.float32([0, 1, 2, np.nan]), (8, 9))
    rank_scores(scores.copy(), world.rows, world.space, exclude_seen, world.best)
    world.check(scores, exclude_seen)


@given(hnp.arrays(np.float32, st.integers(60, 300), elements=FEW), st.integers(1, 70), st.integers(0, 3))
def test_top_k_of_several_chunks_is_a_sort_cut_short(scores: Float32, k: int, first: int) -> None:
    codes = np.arange(first, first + len(scores), dtype=np.int32)
    items, values = np.empty(k, np.int32), np.empty(k, np.float32)
    top_k(scores, codes, items, values)
    wanted, numbers = best_by_sort(scores, codes, k)
    assert items.tolist() == wanted
    np.testing.assert_array_equal(values, numbers)


@pytest.mark.parametrize("exclude_seen", [True, False])
@pytest.mark.parametrize("k", [1, 7, 1500])
def test_dense_and_sparse_over_several_tiles_of_columns(k: int, exclude_seen: bool) -> None:
    rng = np.random.default_rng(k)
    n, b = 1300, 11
    table = np.where(rng.random((n, n)) < 0.02, rng.integers(-3, 4, (n, n)), 0).astype(np.float32)
    histories = sp.csr_array(np.where(rng.random((b, n)) < 0.02, rng.integers(-1, 3, (b, n)), 0).astype(np.float32))
    codes = np.arange(n, dtype=np.int32)
    scores, seen = histories @ table, histories.toarray() != 0
    reached = (abs(histories).toarray() @ abs(table)) > 0
    links = sp.csr_array(table)
    for sparse in (False, True):
        best = Best(np.empty((b, k), np.int32), np.empty((b, k), np.float32))
        if sparse:
            linear = Linear(rows_of(links), np.zeros(n, np.float32))
            rank_sparse(rows_of(histories), linear, Space(codes, codes), exclude_seen, best)
        else:
            rank_dense(rows_of(histories), table, Space(codes, codes), exclude_seen, best)
        for r in range(b):
            wanted = np.where((exclude_seen & seen[r]) | (sparse & ~reached[r]), np.nan, scores[r]).astype(np.float32)
            items, values = best_by_sort(wanted, codes, k)
            assert best.items[r].tolist() == items
            np.testing.assert_array_equal(best.scores[r], values)
