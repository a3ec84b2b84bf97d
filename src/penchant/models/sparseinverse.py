"""The sparse approximate inverse of a Gram matrix with a ridge, from counts that come in blocks of rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

import numpy as np
import scipy.sparse as sp
from msgspec import Struct

from penchant.core.arrays import Float64, Int32, Int64
from penchant.core.executor import Executor, blocks
from penchant.core.progress import Progress
from penchant.data.sparse import Matrix, matrix_of, rows_of, transposed
from penchant.kernels.cooccurrence import count_sparse
from penchant.kernels.layout import Rows
from penchant.kernels.ldl import factor_block, strongest_block, weigh_block
from penchant.models.gram import Gram, meets_of
from penchant.models.interactions import rarest_first

__all__ = ["Counted", "Inverse", "counted_in", "counted_of"]

_BLOCK = 256
_SPARE = 4
"Entries of the Gram matrix kept for each entry of the factor, so that most pairs of predecessors are known."


class Counted(Struct, frozen=True, eq=False):
    """A Gram matrix given row by row: how many people like each item and one that is more popular.

    >>> counted = counted_of(sp.csr_array(np.float32([[1, 1], [0, 1]])))
    >>> counted.order.tolist(), counted.rows((0, 2)).data.tolist()  # (0, 0), (0, 1), (1, 1)
    ([0, 1], [1, 1, 2])
    """

    support: Int64
    "int64[n], how many people like each item."
    order: Int32
    "int32[n], the items from the least to the most liked; rows and columns have this order."
    rows: Callable[[tuple[int, int]], Rows]
    "From a block of rows to its entries on and after the diagonal, ascending, data whole numbers."


class Inverse(Struct, frozen=True, eq=False):
    """The approximate inverse W'W of a Gram matrix with a ridge on its diagonal.

    >>> from penchant.core.executor import LOCAL
    >>> from penchant.core.progress import SILENT
    >>> likes = sp.csr_array(np.float32([[1, 1], [0, 1]]))
    >>> inverse = Inverse.of(counted_of(likes), np.float64([1, 1]), 1, LOCAL, SILENT)
    >>> inverse.weights(1, LOCAL, SILENT).toarray().round(3).astype(str).tolist()  # 1 / (2 + 1) and 1 / (1 + 1)
    [['0.0', '0.5'], ['0.333', '0.0']]
    """

    order: Int32
    "int32[n], the items from the least to the most liked; rows and columns of W have this order."
    factor: Rows
    "W, upper triangular, float32."
    raised: int
    "How often a small matrix had to be made positive definite."

    @classmethod
    def of(cls, counted: Counted, gammas: Float64, wanted: int, executor: Executor, progress: Progress) -> Self:
        """Return the approximate inverse of a Gram matrix plus a diagonal.

        Args:
            counted: the Gram matrix.
            gammas: float64[n], the ridge of each item.
            wanted: predecessors an item, at most; with n - 1 also those it never met, and the inverse is exact.
            executor: where the work runs.
            progress: told how far it is.
        """
        n, ridge = len(counted.order), gammas[counted.order]
        scale = 1.0 / np.sqrt(counted.support[counted.order] + ridge)
        floor = ridge * scale**2

        def count(block: tuple[int, int]) -> tuple[Any, ...]:
            rows = counted.rows(block) if wanted < n - 1 else _with_zeros(counted.rows(block), n)
            return strongest_block(block[0], rows, scale, _SPARE * wanted)

        with progress.step("counting co-occurrences", n, "items") as advance:
            near, _ = _gathered(count, n, executor, advance)
        with progress.step("factoring the inverse", n, "items") as advance:
            factor, raised = _gathered(lambda block: factor_block(*block, near, wanted, floor), n, executor, advance)
        factor.data[:] *= scale[factor.indices]
        return cls(counted.order, factor, raised)

    def weights(self, keep: int, executor: Executor, progress: Progress) -> Matrix:
        """Return CSR float32[n, n] by code: what item i adds to the score of j, for each j the largest ``keep``."""
        n = len(self.order)
        parts: Any = (self.factor.data, self.factor.indices, self.factor.indptr)
        columns = rows_of(transposed(sp.csr_array(parts, shape=(n, n))))
        with progress.step("weighing", n, "items") as advance:
            found, _ = _gathered(lambda block: weigh_block(*block, self.factor, columns, keep), n, executor, advance)
        candidate = np.repeat(np.arange(n, dtype=np.int32), np.diff(found.indptr))
        return matrix_of(found.data, self.order[candidate], self.order[found.indices], (n, n))


def counted_of(matrix: Matrix) -> Counted:
    """Return the Gram matrix of the stored pattern of a matrix (CSR [people, n]), counted when it is asked for.

    >>> counted_of(sp.csr_array(np.float32([[1, 2], [0, 1]]))).support.tolist()
    [1, 2]
    """
    support = np.bincount(matrix.indices, minlength=matrix.shape[1]).astype(np.int64)
    order = rarest_first(support)
    relabelled: Any = (matrix.data, _places(order)[matrix.indices], matrix.indptr)
    ordered = sp.csr_array(relabelled, shape=matrix.shape)
    ordered.sort_indices()
    meets = meets_of(ordered)

    def rows(block: tuple[int, int]) -> Rows:
        lengths, indices, counts = count_sparse(*block, meets)
        return Rows(_pointers(lengths), indices, counts)

    return Counted(support, order, rows)


def counted_in(gram: Gram, support: Int64) -> Counted:
    """Return a Gram matrix that is there already, of items that so many people like (int64[n]).

    >>> gram = Gram.of(sp.csr_array(np.int64([[2, 1], [0, 1]])))
    >>> counted_in(gram, np.int64([2, 1])).rows((0, 2)).data.tolist()
    [1, 1, 2]
    """
    order = rarest_first(support)
    place, upper = _places(order), gram.upper().tocoo()
    one, other = place[upper.row], place[upper.col]
    parts: Any = (upper.data, (np.minimum(one, other), np.maximum(one, other)))
    facing = sp.csr_array(parts, shape=(gram.size, gram.size))
    facing.sort_indices()

    def rows(block: tuple[int, int]) -> Rows:
        start, stop = facing.indptr[block[0]], facing.indptr[block[1]]
        indptr = facing.indptr[block[0] : block[1] + 1].astype(np.int64) - start
        return Rows(indptr, facing.indices[start:stop].astype(np.int32), facing.data[start:stop])

    return Counted(support, order, rows)


def _gathered(
    fn: Callable[[tuple[int, int]], tuple[Any, ...]], n: int, executor: Executor, advance: Callable[[int], None]
) -> tuple[Rows, int]:
    """Return the rows that a function gives block by block as lengths, columns and values; and the sum of the rest."""
    parts, rest = [], 0
    spans = blocks(n, _BLOCK)
    for (start, stop), (lengths, indices, values, *more) in zip(spans, executor.map(fn, spans), strict=True):
        parts.append((lengths, indices, values))
        rest += sum(more)
        advance(stop - start)
    lengths, indices, values = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Rows(_pointers(lengths), indices, values), rest


def _with_zeros(rows: Rows, n: int) -> Rows:
    """Return the rows with every column stored."""
    parts: Any = (rows.data, rows.indices, rows.indptr)
    full = sp.csr_array(parts, shape=(len(rows.indptr) - 1, n)).toarray()
    every = np.tile(np.arange(n, dtype=np.int32), len(full))
    return Rows(np.arange(len(full) + 1, dtype=np.int64) * n, every, full.ravel())


def _pointers(lengths: Int64) -> Int64:
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)


def _places(order: Int32) -> Int32:
    places = np.empty(len(order), np.int32)
    places[order] = np.arange(len(order), dtype=np.int32)
    return places
