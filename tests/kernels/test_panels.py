"""Ranking by panels against a full scan: the same items and the same bits, whatever the numbers are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numba import njit

from penchant.core.arrays import Float32, Int32
from penchant.kernels.lanes import above_four, above_one, lowest
from penchant.kernels.layout import Best, Rows, Space
from penchant.kernels.panels import multiply, panels_of
from penchant.kernels.search import rank_panels

FEW = st.sampled_from([0.0, -0.0, 1.0, -1.0, 2.5, 1e-30, -1e-42, 3e38, -3e38, np.inf, -np.inf, np.nan])
"Few values, so that ties are many; some products overflow, some vanish, some are not numbers."


def ranked(vectors: Float32, factors: Float32, k: int, seen: list[list[int]] | None = None) -> Best:
    """Rank with codes 0, 3, 6, ... so that places and codes are different things."""
    codes = np.arange(0, 3 * len(factors), 3, dtype=np.int32)
    positions = np.full(3 * len(factors) + 1, -1, np.int32)
    positions[codes] = np.arange(len(factors))
    own = [sorted(3 * place for place in row) for row in seen or [[]] * len(vectors)]
    indptr = np.concatenate([[0], np.cumsum([len(row) for row in own])]).astype(np.int64)
    rows = Rows(indptr, np.array([code for row in own for code in row], np.int32), vectors)
    best = Best(np.empty((len(vectors), k), np.int32), np.empty((len(vectors), k), np.float32))
    rank_panels(rows, panels_of(factors), Space(codes, positions), seen is not None, best)
    return best


def scanned(vector: Float32, factors: Float32, k: int, seen: list[int]) -> tuple[list[int], Float32]:
    """Multiply out everything and sort it all."""
    scores = np.empty(len(factors), np.float32)
    multiply(vector, factors, scores)
    scores[seen] = np.nan
    order = sorted((-float(s), 3 * place) for place, s in enumerate(scores) if not np.isnan(s))[:k]
    empty = k - len(order)
    return [code for _, code in order] + [-1] * empty, np.float32([-s for s, _ in order] + [np.nan] * empty)


def check(best: Best, vectors: Float32, factors: Float32, seen: list[list[int]] | None = None) -> None:
    for r, vector in enumerate(vectors):
        items, scores = scanned(vector, factors, best.items.shape[1], seen[r] if seen else [])
        assert best.items[r].tolist() == items
        np.testing.assert_array_equal(best.scores[r], scores)


@settings(max_examples=150)
@given(st.data())
def test_any_numbers_are_ranked_as_by_a_full_scan(data: st.DataObject) -> None:
    n, d, b = data.draw(st.integers(1, 60)), data.draw(st.integers(1, 11)), data.draw(st.integers(1, 6))
    factors = data.draw(hnp.arrays(np.float32, (n, d), elements=FEW))
    vectors = data.draw(hnp.arrays(np.float32, (b, d), elements=FEW))
    seen = [data.draw(st.lists(st.integers(0, n - 1), unique=True, max_size=n)) for _ in range(b)]
    k = data.draw(st.integers(1, n + 2))
    check(ranked(vectors, factors, k, seen), vectors, factors, seen)


@pytest.mark.parametrize("kind", ["even", "popular", "few", "wild"])
@pytest.mark.parametrize("d", [7, 64])
@pytest.mark.parametrize("k", [1, 10, 70])
def test_many_items_over_several_tiles(kind: str, d: int, k: int) -> None:
    rng = np.random.default_rng([d, k])
    factors, vectors = rng.normal(size=(5000, d)), rng.normal(size=(13, d)).astype(np.float32)
    if kind == "popular":  # lengths fall, as those of learnt items do
        factors /= rng.permutation(np.arange(1, 5001))[:, None] ** 0.7
    if kind == "few":  # ties everywhere
        factors, vectors = np.rint(factors), np.rint(vectors).astype(np.float32)
    if kind == "wild":  # a model that went astray
        factors[::7] = np.nan
        factors[1::11] *= 1e30
        vectors[3], vectors[4] = np.inf, 0
    factors = factors.astype(np.float32)
    seen = [rng.choice(5000, 40, replace=False).tolist() for _ in vectors]
    seen[5] = list(range(5000))
    check(ranked(vectors, factors, k, seen), vectors, factors, seen)
    check(ranked(vectors, factors, k), vectors, factors)


def test_a_row_is_ranked_alone_as_it_is_among_others() -> None:
    rng = np.random.default_rng(1)
    factors, vectors = rng.normal(size=(3000, 16)).astype(np.float32), rng.normal(size=(9, 16)).astype(np.float32)
    together = ranked(vectors, factors, 20)
    for r in range(9):
        alone = ranked(vectors[r : r + 1], factors, 20)
        np.testing.assert_array_equal(alone.items[0], together.items[r])
        np.testing.assert_array_equal(alone.scores[0], together.scores[r])


@pytest.mark.parametrize("d", [1, 5, 8, 64, 130])
def test_multiply_is_an_inner_product(d: int) -> None:
    rng = np.random.default_rng(d)
    vector, vectors = rng.normal(size=d).astype(np.float32), rng.normal(size=(20, d)).astype(np.float32)
    out = np.empty(20, np.float32)
    multiply(vector, vectors, out)
    np.testing.assert_allclose(out, vectors.astype(np.float64) @ vector, rtol=1e-4, atol=1e-5)
    multiply(np.zeros(d, np.float32), vectors, out)
    assert np.isnan(out).all()


@njit
def masks(panels: Int32, panel: int, first: int, asked: tuple[Int32, Int32, Int32, Int32]) -> tuple[int, int]:
    four = above_four(panels, panel, first, asked)
    return four, above_one(panels, panel, first + 1, (*asked[:3], asked[3][64:]))


@pytest.mark.parametrize("pairs", [1, 7, 32])
def test_masks_say_which_integer_products_are_above_the_limits(pairs: int) -> None:
    rng = np.random.default_rng(pairs)
    panels = rng.integers(-127, 128, (5, pairs, 32)).astype(np.int8)
    vectors = rng.integers(-32767, 32768, (9, 2 * pairs)).astype(np.int16)
    items = panels.reshape(5, pairs, 16, 2).transpose(0, 2, 1, 3).reshape(5, 16, 2 * pairs).astype(np.int64)
    products = np.einsum("pid,bd->bpi", items, vectors.astype(np.int64))
    limits = np.quantile(products, 0.7, axis=(1, 2)).astype(np.int32)
    rows = rng.permutation(9).astype(np.int32)
    found = np.zeros(80, np.int32)
    four, one = masks(panels, 3, 2, (vectors.view(np.int32), limits, rows, found))
    wanted = [int(r) for r in rows[2:6]]
    np.testing.assert_array_equal(found[:64].reshape(4, 16), products[wanted, 3])
    np.testing.assert_array_equal(found[64:], products[wanted[1], 3])
    bits = [[bool((four >> (16 * u + i)) & 1) for i in range(16)] for u in range(4)]
    np.testing.assert_array_equal(bits, products[wanted, 3] > limits[wanted][:, None])
    assert one == (four >> 16) & 65535


def test_lowest_is_the_place_of_the_lowest_bit() -> None:
    @njit
    def places(bits: int) -> int:
        return lowest(bits)

    assert [places(bits) for bits in (1, 6, 1 << 15, 48)] == [0, 1, 15, 4]
