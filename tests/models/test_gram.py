"""The integer Gram matrix against dense ones, in both layouts."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from penchant.core.errors import InputError
from penchant.core.executor import LocalExecutor
from penchant.core.progress import SILENT
from penchant.kernels.layout import Likeness
from penchant.models.gram import Gram, count_gram
from penchant.models.neighbours import nearest

ONE = LocalExecutor(1)


def binary(seed: int, users: int, items: int, share: float) -> sp.csr_array:
    return sp.csr_array((np.random.default_rng(seed).random((users, items)) < share).astype(np.float32))


def dense(gram: Gram) -> np.ndarray:
    return gram.symmetric().toarray()


@given(st.integers(0, 10_000), st.integers(1, 15), st.integers(1, 15), st.sampled_from([0.05, 0.3, 0.9]))
def test_it_counts_who_holds_both(seed: int, users: int, items: int, share: float) -> None:
    x = binary(seed, users, items, share)
    wide = x.toarray().astype(np.int64)
    gram = count_gram(x, ONE, SILENT)
    np.testing.assert_array_equal(dense(gram), wide.T @ wide)
    np.testing.assert_array_equal(gram.diagonal(), wide.sum(axis=0))
    np.testing.assert_array_equal(np.triu(gram.spread(ONE)), np.triu(wide.T @ wide))


@given(st.integers(0, 10_000), st.integers(2, 12), st.integers(1, 12), st.sampled_from([0.05, 0.3, 0.9]))
def test_parts_add_up_to_the_whole_bit_for_bit(seed: int, users: int, items: int, share: float) -> None:
    x = binary(seed, users, items, share)
    weights = np.random.default_rng(seed).integers(1, 2**30, users).astype(np.int32)
    cut = users // 2
    whole, first, last = (
        count_gram(x[part], ONE, SILENT, weights[part]) for part in (slice(None), slice(cut), slice(cut, None))
    )
    for one, other in ((first.plus(last, 1), whole), (whole.plus(last, -1), first)):
        assert one.is_packed == other.is_packed
        assert one.counts.dtype == other.counts.dtype
        assert (one.counts.tobytes(), one.indices.tobytes(), one.indptr.tobytes()) == (
            other.counts.tobytes(),
            other.indices.tobytes(),
            other.indptr.tobytes(),
        )
    wide = x.toarray().astype(np.int64)
    np.testing.assert_array_equal(dense(whole), wide.T @ (weights[:, None] * wide))


def test_both_ways_of_counting_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    x = binary(3, 60, 40, 0.5)
    full = count_gram(x, ONE, SILENT)
    assert full.is_packed
    monkeypatch.setattr("penchant.models.gram._MOST", 0)
    np.testing.assert_array_equal(count_gram(x, ONE, SILENT).counts, full.counts)


def test_few_meetings_are_kept_sparse_and_many_packed() -> None:
    assert not count_gram(binary(0, 20, 200, 0.02), ONE, SILENT).is_packed
    assert count_gram(binary(0, 200, 20, 0.5), ONE, SILENT).is_packed


def test_items_are_taken_and_moved() -> None:
    x = binary(1, 30, 9, 0.4)
    wide = x.toarray().astype(np.int64)
    gram = count_gram(x, ONE, SILENT)
    some = np.int32([0, 3, 8])
    np.testing.assert_array_equal(dense(gram.take(some)), (wide.T @ wide)[np.ix_(some, some)])
    moved = dense(gram.over(np.arange(9, dtype=np.int32) + 2, 12))
    np.testing.assert_array_equal(moved[2:11, 2:11], wide.T @ wide)
    assert moved.sum() == (wide.T @ wide).sum()


def test_more_than_there_is_cannot_be_taken_away() -> None:
    gram = count_gram(binary(1, 30, 9, 0.4), ONE, SILENT)
    with pytest.raises(InputError, match="these people are not all in the model; got a count of -"):
        gram.plus(gram.plus(gram, 1), -1)


def test_it_unfolds_to_the_same_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    gram = count_gram(binary(0, 20, 200, 0.02), ONE, SILENT)
    assert not gram.is_packed
    assert gram.unfolded().is_packed
    np.testing.assert_array_equal(dense(gram.unfolded()), dense(gram))
    monkeypatch.setattr("penchant.models.gram._MOST", 0)
    assert gram.unfolded() is gram


@pytest.mark.parametrize("most", [0, 2**31])
def test_neighbours_are_the_same_in_both_layouts(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    gram = count_gram(binary(5, 60, 150, 0.03), ONE, SILENT)
    monkeypatch.setattr("penchant.models.gram._MOST", most)
    norms = np.sqrt(gram.diagonal().astype(np.float64))
    best = nearest(gram, Likeness(norms, norms, 1.0, False), 5, ONE, SILENT)
    wide = dense(gram) / (np.outer(norms, norms) + 1.0)
    np.fill_diagonal(wide, 0)
    wanted = -np.sort(-wide, axis=1)[:, :5]
    np.testing.assert_allclose(np.nan_to_num(best.scores), wanted, rtol=1e-6)
