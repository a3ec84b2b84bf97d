"""What sequences are counted as: items that stand together, and items that follow on others."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Self

import numpy as np
import scipy.sparse as sp

from penchant.core.arrays import Int32, Int64
from penchant.core.executor import Executor, blocks
from penchant.core.progress import Progress
from penchant.data.dataset import Dataset
from penchant.data.sparse import matrix_of
from penchant.kernels.cooccurrence import multiply_sparse
from penchant.kernels.layout import Rows
from penchant.kernels.sequences import cut_sequences
from penchant.models.counting import Cooccurrence
from penchant.models.gram import Gram, count_gram, expect_counts
from penchant.models.state import narrowed

__all__ = ["UNIT", "Sequences", "count_sequences"]

UNIT = 2.0**15
"What the weight 1 at a cut is as a whole number, so that weights add up exactly."

_CHUNK = 2_000_000
"Events cut at once."

_Whole = sp.csr_array[Any, tuple[int, int]]


class Sequences(Cooccurrence, frozen=True, eq=False, kw_only=True):
    """How many people have both items of a pair, and how near to a cut items stand before it and after it.

    >>> from penchant.models.slist import SLIST
    >>> state = SLIST(delta=1.0).fit(Dataset.from_matrix([[1, 1], [0, 1]])).state  # one cut: item 0 | item 1
    >>> state.before.counts.tolist(), state.follow.toarray().tolist()  # in steps of 2^-30
    ([1073741824], [[0, 1073741824], [0, 0]])
    """

    before_indptr: Int64
    "The Gram matrix of the items before cuts, as in :class:`penchant.models.gram.Gram`."
    before_indices: Int32
    "As there."
    before_counts: Any
    "As there, in steps of 2^-30."
    follow_indptr: Int64
    "int64[n + 1], CSR [n, n]: item i before a cut, item j after it."
    follow_indices: Int32
    "int32[nnz]."
    follow_counts: Any
    "int[nnz], in steps of 2^-30."

    @classmethod
    def joined(cls, pairs: Cooccurrence, before: Gram, follow: _Whole) -> Self:
        """Return the state of its three parts."""
        follow = follow.copy()  # a loaded state cannot be written to
        follow.eliminate_zeros()
        follow.sort_indices()
        return cls(
            users=pairs.users,
            support=pairs.support,
            codes=pairs.codes,
            indptr=pairs.indptr,
            indices=pairs.indices,
            counts=pairs.counts,
            before_indptr=before.indptr,
            before_indices=before.indices,
            before_counts=before.counts,
            follow_indptr=follow.indptr.astype(np.int64),
            follow_indices=follow.indices.astype(np.int32),
            follow_counts=narrowed(follow.data),
        )

    @property
    def pairs(self) -> Cooccurrence:
        """How many people have both items of a pair."""
        return Cooccurrence.of(self.users, self.support, self.codes, self.gram)

    @property
    def before(self) -> Gram:
        """The Gram matrix of the items before cuts."""
        return Gram(len(self.codes), self.before_indptr, self.before_indices, self.before_counts)

    @property
    def follow(self) -> _Whole:
        """CSR int64[n, n]: what comes after a cut, by what came before it."""
        n = len(self.codes)
        parts: Any = (self.follow_counts.astype(np.int64), self.follow_indices, self.follow_indptr)
        return sp.csr_array(parts, shape=(n, n))

    def over(self, codes: Int32, n_items: int) -> Self:
        """Return the same counts in another vocabulary."""
        return self.joined(self.pairs.over(codes, n_items), self.before, self.follow)

    def plus(self, other: Self, sign: int) -> Self:
        """Return the counts with those of other people added or taken away.

        Raises:
            InputError: a count would fall below 0.
        """
        pairs = self.pairs.plus(other.pairs, sign)
        known = pairs.codes
        mine, theirs = (part.among(known) for part in (self, other))
        follow: _Whole = (mine[1] + sign * theirs[1]).tocsr()
        expect_counts(follow.data)
        return self.joined(pairs, mine[0].plus(theirs[0], sign), follow)

    def take(self, codes: Int32) -> Self:
        """Return the counts among those of the items that are counted."""
        pairs = self.pairs.take(codes)
        return self.joined(pairs, *self.among(pairs.codes))

    def among(self, known: Int32) -> tuple[Gram, _Whole]:
        """Return the parts about cuts among known items, ascending; what is not counted here is 0."""
        mine = np.flatnonzero(np.isin(self.codes, known)).astype(np.int32)
        places = np.searchsorted(known, self.codes[mine]).astype(np.int32)
        part = self.follow[mine][:, mine].tocoo()
        moved: Any = (part.data, (places[part.row], places[part.col]))
        follow: _Whole = sp.csr_array(moved, shape=(len(known), len(known)))
        return self.before.take(mine).over(places, len(known)), follow


def count_sequences(data: Dataset, delta: float, executor: Executor, progress: Progress) -> Sequences:
    """Return the counts of a dataset, whose users are sequences of what they liked, in time order.

    >>> from penchant.core.executor import LOCAL
    >>> from penchant.core.progress import SILENT
    >>> count_sequences(Dataset.from_matrix([[1, 1], [0, 1]]), 1.0, LOCAL, SILENT).gram.counts.tolist()
    [1, 1, 2]

    Args:
        data: the events.
        delta: distance from a cut at which an item counts 1/e.
        executor: where the work runs.
        progress: told how far it is.
    """
    said = data.column("weight") > 0
    user, item = data.column("user")[said], data.column("item")[said]
    support = np.bincount(item, minlength=data.n_items)
    codes = np.flatnonzero(support).astype(np.int32)
    places = np.searchsorted(codes, item).astype(np.int32)
    lengths = np.bincount(user, minlength=data.n_users)
    binary = matrix_of(np.ones(len(user)), places, user, (data.n_users, len(codes)))
    support[codes] = np.bincount(binary.indices, minlength=len(codes))
    pairs = Cooccurrence.of(
        int(np.count_nonzero(lengths)), support.astype(np.int64), codes, count_gram(binary, executor, progress)
    )
    indptr = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    weights = np.rint(UNIT * np.exp(-np.arange(max(2, int(12 * delta) + 2)) / delta)).astype(np.int32)
    before, follow = _cuts((indptr, places), weights[weights > 0], len(codes), executor, progress)
    return Sequences.joined(pairs, before, follow)


def _cuts(
    sequences: tuple[Int64, Int32], weights: Int32, n: int, executor: Executor, progress: Progress
) -> tuple[Gram, _Whole]:
    """Return the sums over all cuts, of so many events at a time that their rows stay small."""
    indptr, items = sequences
    before, follow = Gram.of(sp.csr_array((n, n), dtype=np.int64)), sp.csr_array((n, n), dtype=np.int64)
    edges = np.unique(np.searchsorted(indptr, np.arange(0, indptr[-1] + _CHUNK, _CHUNK)).clip(max=len(indptr) - 1))
    with progress.step("cutting sequences", int(indptr[-1]), "events") as advance:
        for first, last in pairwise(edges):
            own = indptr[first : last + 1]
            rows = cut_sequences(own - own[0], items[own[0] : own[-1]], weights)
            left = _turned(rows[0], n)
            products = [_product(left, right, n, executor) for right in rows]
            before = before.plus(Gram.of(sp.triu(products[0], format="csr")), 1)
            follow = (follow + products[1]).tocsr()
            advance(int(own[-1] - own[0]))
    return before, follow


def _turned(rows: Rows, n: int) -> Rows:
    parts: Any = (rows.data, rows.indices, rows.indptr)
    turned = sp.csr_array(parts, shape=(len(rows.indptr) - 1, n)).T.tocsr()
    return Rows(turned.indptr.astype(np.int64), turned.indices.astype(np.int32), turned.data)


def _product(left: Rows, right: Rows, n: int, executor: Executor) -> _Whole:
    parts = executor.map(lambda block: multiply_sparse(*block, left, right), blocks(n, 256))
    lengths, indices, data = (np.concatenate(column) for column in zip(*parts, strict=True))
    whole: Any = (data, indices, np.concatenate([[0], np.cumsum(lengths)]))
    return sp.csr_array(whole, shape=(n, n))
