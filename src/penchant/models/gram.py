"""The integer Gram matrix of the items: how many people, or what weight of people, hold both items of a pair."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import scipy.sparse as sp
from msgspec import Struct
from numpy.typing import NDArray

from penchant.core.arrays import Float32, Int32, Int64
from penchant.core.errors import InputError
from penchant.core.executor import Executor, blocks
from penchant.core.progress import Progress
from penchant.data.sparse import Matrix
from penchant.kernels.cooccurrence import count_full, count_sparse, spread_full
from penchant.kernels.layout import Meets
from penchant.models.state import narrowed

__all__ = ["Gram", "count_gram", "expect_counts", "meets_of"]

_BLOCK = 256
_SHORT = 2**16
"Items that 16 bits tell apart."
_MOST = 2**31
"Bytes of a packed triangle beyond which work goes by sparse rows."

_Upper = sp.csr_array[Any, tuple[int, int]]


class Gram(Struct, frozen=True, eq=False):
    """A symmetric matrix of whole numbers of 0 or more, kept as its upper triangle in the smaller of two layouts.

    >>> gram = Gram.of(sp.csr_array(np.int64([[2, 1], [0, 3]])))
    >>> gram.size, gram.counts.tolist(), gram.counts.dtype  # packed: row by row, from the diagonal on
    (2, [2, 1, 3], dtype('uint16'))
    >>> gram.symmetric().data.tolist(), gram.diagonal().tolist()
    ([2, 1, 1, 3], [2, 3])
    """

    size: int
    "n, items."
    indptr: Int64
    "int64[n + 1] of the sparse layout; empty when packed."
    indices: Int32
    "int32[nnz], ascending columns of each row; empty when packed."
    counts: NDArray[Any]
    "The numbers, in the smallest type that holds them: n (n + 1) / 2 when packed, else nnz, none of them 0."

    @classmethod
    def of(cls, upper: Any) -> Self:
        """Return the Gram matrix of an upper triangle (CSR of whole numbers)."""
        upper = sp.csr_array(upper)
        upper.eliminate_zeros()
        upper.sort_indices()
        n = upper.shape[0]
        counts = narrowed(upper.data)
        if _packs(n, len(counts), counts.itemsize):
            full = np.zeros(n * (n + 1) // 2, counts.dtype)
            row = np.repeat(np.arange(n, dtype=np.int64), np.diff(upper.indptr))
            full[row * n - row * (row - 1) // 2 - row + upper.indices] = counts
            return cls(n, np.zeros(0, np.int64), np.zeros(0, np.int32), full)
        return cls(n, upper.indptr.astype(np.int64), upper.indices.astype(np.int32), counts)

    @classmethod
    def packed(cls, counts: NDArray[Any], n: int) -> Self:
        """Return the Gram matrix of a packed upper triangle, int[n (n + 1) / 2]."""
        full = narrowed(counts)
        if _packs(n, int(np.count_nonzero(full)), full.itemsize):
            return cls(n, np.zeros(0, np.int64), np.zeros(0, np.int32), full)
        return cls.of(_unpacked(full, n))

    def upper(self) -> _Upper:
        """Return CSR [n, n]: the upper triangle with the diagonal, in int64."""
        if self.is_packed:
            return _unpacked(self.counts.astype(np.int64), self.size)
        parts: Any = (self.counts.astype(np.int64), self.indices, self.indptr)
        return sp.csr_array(parts, shape=(self.size, self.size))

    @property
    def is_packed(self) -> bool:
        """Whether every cell of the triangle is stored."""
        return len(self.indptr) == 0

    def diagonal(self) -> Int64:
        """Return int64[n]."""
        i = np.arange(self.size, dtype=np.int64)
        if self.is_packed:
            return self.counts[i * self.size - i * (i - 1) // 2].astype(np.int64)
        return np.asarray(self.upper().diagonal(), np.int64)

    def spread(self, executor: Executor) -> Float32:
        """Return float32[n, n], C order, with the upper triangle filled in and the rest 0."""
        out = np.zeros((self.size, self.size), np.float32)

        def fill(block: tuple[int, int]) -> None:
            if self.is_packed:
                spread_full(*block, self.counts, out)
                return
            for i in range(*block):
                own = slice(self.indptr[i], self.indptr[i + 1])
                out[i, self.indices[own]] = self.counts[own]

        for _ in executor.map(fill, blocks(self.size, _BLOCK)):
            pass
        return out

    def unfolded(self) -> Gram:
        """Return the matrix to work with: packed where that takes at most 2 GiB, whatever takes less room at rest."""
        cells = self.size * (self.size + 1) // 2
        if self.is_packed or cells * self.counts.itemsize > _MOST:
            return self
        full = np.zeros(cells, self.counts.dtype)
        for i in range(self.size):
            own = slice(self.indptr[i], self.indptr[i + 1])
            full[i * self.size - i * (i - 1) // 2 - i + self.indices[own]] = self.counts[own]
        return Gram(self.size, np.zeros(0, np.int64), np.zeros(0, np.int32), full)

    def symmetric(self) -> _Upper:
        """Return CSR [n, n] of the whole matrix, in int64."""
        upper = self.upper()
        both: _Upper = (upper + sp.triu(upper, 1).T).tocsr()
        both.sort_indices()
        return both

    def take(self, places: Int32) -> Gram:
        """Return the Gram matrix of some of the items, ascending."""
        if len(places) == self.size:
            return self
        return Gram.of(self.upper()[places][:, places])

    def over(self, places: Int32, n: int) -> Gram:
        """Return the matrix among ``n`` items, with item i at ``places[i]`` (ascending)."""
        if n == self.size:
            return self
        upper = self.upper().tocoo()
        parts: Any = (upper.data, (places[upper.row], places[upper.col]))
        return Gram.of(sp.csr_array(parts, shape=(n, n)))

    def plus(self, other: Gram, sign: int) -> Gram:
        """Return the sum or difference of two matrices of one size.

        Raises:
            InputError: a count would fall below 0.
        """
        if self.is_packed and other.is_packed:
            total = self.counts.astype(np.int64) + sign * other.counts.astype(np.int64)
            expect_counts(total)
            return Gram.packed(total, self.size)
        both = self.upper() + sign * other.upper()
        expect_counts(both.data)
        return Gram.of(both)


def count_gram(matrix: Matrix, executor: Executor, progress: Progress, weights: Int32 | None = None) -> Gram:
    """Return the Gram matrix of the stored pattern of a matrix: people x items, whatever its values.

    >>> from penchant.core.executor import LOCAL
    >>> from penchant.core.progress import SILENT
    >>> matrix = sp.csr_array(np.float32([[1, 1], [0, 3]]))
    >>> count_gram(matrix, LOCAL, SILENT).counts.tolist()  # both items: one; item 1: two
    [1, 1, 2]

    Args:
        matrix: CSR [people, n], sorted columns.
        executor: where the work runs.
        progress: told how far it is.
        weights: int32[people], what each counts; None for 1.
    """
    n = matrix.shape[1]
    meets = meets_of(matrix, weights)
    length = np.diff(matrix.indptr).astype(np.int64)
    cells = n * (n + 1) // 2
    most = int(np.diff(meets.indptr).max(initial=0)) if weights is None else np.iinfo(np.int64).max
    kind = narrowed(np.array([most])).dtype  # no pair meets more often than one of its items is held
    full = cells * kind.itemsize <= _MOST and int((length * (length + 1)).sum()) > cells
    out = np.zeros(cells if full else 0, kind)

    def count(block: tuple[int, int]) -> tuple[tuple[int, int], Any]:
        if full:
            return block, count_full(*block, meets, out)
        lengths, indices, counts = count_sparse(*block, meets)
        return block, (lengths, indices, narrowed(counts))

    parts = []
    with progress.step("counting co-occurrences", n, "items") as advance:
        for (start, stop), part in executor.map(count, blocks(n, _BLOCK)):
            parts.append(part)
            advance(stop - start)
    if full:
        return Gram.packed(out, n)
    lengths, indices, counts = (np.concatenate(column) for column in zip(*parts, strict=True))
    upper: Any = (counts, indices, np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64))
    return Gram.of(sp.csr_array(upper, shape=(n, n)))


def meets_of(matrix: Matrix, weights: Int32 | None = None) -> Meets:
    """Return who holds each item of a matrix (CSR [people, n], sorted columns), as counting wants it.

    >>> meets = meets_of(sp.csr_array(np.float32([[1, 1], [0, 3]])))
    >>> meets.indptr.tolist(), meets.first.tolist(), meets.last.tolist(), meets.items.tolist()
    ([0, 1, 3], [0, 1, 2], [2, 2, 3], [0, 1, 1])
    """
    order: Any = (np.arange(matrix.nnz), matrix.indices, matrix.indptr)
    columns = sp.csr_array(order, shape=matrix.shape).T.tocsr()
    first, holder = columns.data, columns.indices
    last = matrix.indptr[1:].astype(np.int64)[holder]
    each = np.ones(matrix.nnz, np.int32) if weights is None else weights.astype(np.int32)[holder]
    items = matrix.indices.astype(np.uint16 if matrix.shape[1] <= _SHORT else np.int32)  # half of what is read
    return Meets(columns.indptr.astype(np.int64), first, last, items, each)


def _packs(n: int, nnz: int, width: int) -> bool:
    """Return whether all cells take less room than the stored ones with their columns; a rule of the counts alone."""
    return n * (n + 1) // 2 * width < nnz * (width + 4)


def _unpacked(full: NDArray[Any], n: int) -> _Upper:
    columns, counts, start = [np.zeros(0, np.int32)], [full[:0]], 0
    for i in range(n):
        row = full[start : start + n - i]
        found = np.flatnonzero(row)
        columns.append((found + i).astype(np.int32))
        counts.append(row[found])
        start += n - i
    indptr = np.concatenate([[0], np.cumsum([len(part) for part in columns[1:]], dtype=np.int64)])
    parts: Any = (np.concatenate(counts), np.concatenate(columns), indptr.astype(np.int64))
    return sp.csr_array(parts, shape=(n, n))


def expect_counts(values: NDArray[Any]) -> None:
    """Raise InputError when a count is below 0, since more was taken away than was there.

    >>> expect_counts(np.int64([0, 3]))
    """
    if values.size and int(values.min()) < 0:
        raise InputError(
            "these people are not all in the model",
            got=f"a count of {int(values.min())} without them",
            allowed="people it was trained with, with the events they had then",
            then="fit again",
        )
