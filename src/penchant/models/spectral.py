"""What spectral and graph filters share: normalized matrices, leading singular vectors, rows of filters pruned."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from scipy import linalg

from penchant.core.arrays import Float32, Float64, Int32, Int64
from penchant.core.blas import single_blas
from penchant.core.executor import Executor, blocks
from penchant.core.progress import Progress
from penchant.data.dataset import Dataset
from penchant.data.sparse import Matrix, row_numbers, rows_of, transposed
from penchant.kernels.filters import product_block, times
from penchant.models.interactions import liked

__all__ = ["Graph", "Pruned", "graph", "normalized", "pruned", "singular"]

ROUNDS = 8
"Most rounds of subspace iteration."
EXACT = 0.002
"The iteration ends when no residual is larger than this part of the smallest wanted eigenvalue."


class Graph(NamedTuple):
    """A normalized users x items matrix R, its transpose, and how many liked each item.

    >>> from penchant.core.executor import LOCAL
    >>> r, candidates = graph(Dataset.from_matrix([[1, 1], [0, 1]]), 0.5, 0.5)
    >>> r.matrix.toarray().round(3).tolist()  # 1 / sqrt(2 1), 1 / sqrt(2 2); 1 / sqrt(1 2)
    [[0.7070000171661377, 0.5], [0.0, 0.7070000171661377]]
    >>> r.product(0, 2).round(3).tolist()  # R'R
    [[0.5, 0.3540000021457672], [0.3540000021457672, 0.75]]
    >>> r.apply(np.eye(2, dtype=np.float32), LOCAL).round(3).tolist()
    [[0.5, 0.3540000021457672], [0.3540000021457672, 0.75]]
    """

    matrix: Matrix
    "CSR float32[users, n]; people who liked nothing have no row."
    other: Matrix
    "CSR float32[n, users], the transpose."
    degrees: Float64
    "float64[n]: how many liked each item; 0 only where a part of the likes was taken."

    def product(self, start: int, stop: int) -> Float32:
        """Return float32[b, n]: rows ``start`` to ``stop`` of R'R."""
        out = np.empty((stop - start, self.matrix.shape[1]), np.float32)
        product_block(start, rows_of(self.matrix), rows_of(self.other), out)
        return out

    def apply(self, dense: Float32, executor: Executor) -> Float32:
        """Return float32[n, d]: R'R times ``dense``; R'R itself is never made."""
        return _times(self.other, _times(self.matrix, dense, executor), executor)


class Pruned(NamedTuple):
    """The rows of a filter, each with its largest entries (CSR).

    >>> Pruned(np.int64([0, 1]), np.int32([0]), np.float32([0.5])).w_data.tolist()
    [0.5]
    """

    w_indptr: Int64
    "int64[n + 1]."
    w_indices: Int32
    "int32[nnz], ascending in a row."
    w_data: Float32
    "float32[nnz]."


def graph(data: Dataset, user: float, item: float) -> tuple[Graph, Int32]:
    """Return the likes divided by powers of the two degrees, x_ui / (d_u^user d_i^item), and the candidates' codes.

    >>> graph(Dataset.from_matrix([[1, 0, 1]]), 1.0, 0.0)[0].matrix.toarray().tolist()
    [[0.5, 0.5]]
    """
    matrix, candidates = liked(data)
    return normalized(matrix, user, item), candidates


def normalized(matrix: Matrix, user: float, item: float) -> Graph:
    """Return the entries of a matrix as likes divided by powers of the two degrees; rows without any are left out.

    >>> from penchant.data.sparse import matrix_of
    >>> normalized(matrix_of([7, 7], [0, 2], [1, 1], (2, 3)), 1.0, 0.0).matrix.toarray().tolist()
    [[0.5, 0.0, 0.5]]
    """
    matrix = matrix[np.diff(matrix.indptr) > 0]
    count = np.diff(matrix.indptr).astype(np.float64)
    degrees = np.bincount(matrix.indices, minlength=matrix.shape[1]).astype(np.float64)
    matrix.data = (count[row_numbers(matrix)] ** -user * degrees[matrix.indices] ** -item).astype(np.float32)
    return Graph(matrix, transposed(matrix), degrees)


def pruned(
    n: int, k: int | None, rows: Callable[[int, int], Float32], executor: Executor, advance: Callable[[int], None]
) -> Pruned:
    """Return the ``k`` largest entries by size of every row of an n x n filter, all that are not 0 when k is None.

    >>> from penchant.core.executor import LOCAL
    >>> filtered = np.float32([[0.5, -0.75, 0.25], [0, 0, 1], [0, 0, 0]])
    >>> kept = pruned(3, 2, lambda start, stop: filtered[start:stop], LOCAL, lambda done: None)
    >>> [part.tolist() for part in kept]
    [[0, 2, 3, 3], [0, 1, 2], [0.5, -0.75, 1.0]]

    Args:
        n: items.
        k: entries to keep; of equals any, always the same.
        rows: gives float32[stop - start, n], rows ``start`` to ``stop``; runs in threads.
        executor: where the work runs.
        advance: told how many rows are done.
    """

    def part(block: tuple[int, int]) -> tuple[Int64, Int32, Float32]:
        dense = rows(*block)
        kept = [_largest(row, n if k is None else k) for row in dense]
        values = [row[columns] for row, columns in zip(dense, kept, strict=True)]
        return np.array([len(each) for each in kept]), np.concatenate(kept), np.concatenate(values)

    found = []
    for each in executor.map(part, blocks(n, 64)):
        found.append(each)
        advance(len(each[0]))
    counts, columns, values = zip(*found, strict=True)
    indptr = np.concatenate([[0], np.cumsum(np.concatenate(counts))]).astype(np.int64)
    return Pruned(indptr, np.concatenate(columns), np.concatenate(values))


def _largest(row: Float32, k: int) -> Int32:
    """Return int32[at most k], ascending: where the largest entries by size are that are not 0."""
    columns = np.flatnonzero(row)
    if len(columns) > k:
        least = len(columns) - k
        columns = np.sort(columns[np.argpartition(np.abs(row[columns]), least)[least:]])
    return columns.astype(np.int32)


def singular(
    r: Graph, factors: int, rng: np.random.Generator, executor: Executor, progress: Progress
) -> tuple[Float32, Float64]:
    """Return the leading right singular vectors of R, float32[n, d], and the squares of the singular values.

    At most a quarter of the smaller side of R is taken (at least one): with all vectors their projector is the
    identity, which recommends nothing. Singular values of 0 are left out. The largest entry of each vector is positive.

    >>> from penchant.core.executor import LOCAL
    >>> from penchant.core.progress import SILENT
    >>> r, _ = graph(Dataset.from_matrix(np.ones((8, 4))), 0.5, 0.5)
    >>> vectors, squares = singular(r, 5, np.random.default_rng(0), LOCAL, SILENT)
    >>> vectors.tolist(), squares.round(6).tolist()
    ([[0.5], [0.5], [0.5], [0.5]], [1.0])

    Small matrices are solved whole; others by subspace iteration, each round of which amplifies what lies above the
    smallest value of the basis by a Chebyshev polynomial of R'R. Memory is 16 n b bytes with a basis of b = 9/8 d
    vectors, time a few dozen times b events + a few times n b^2.

    Source: Zhou, Saad, Tiago and Chelikowsky, "Self-consistent-field calculations using Chebyshev-filtered subspace
    iteration", J. Comput. Phys. 2006; here with a degree that float32 can bear.
    """
    n = r.matrix.shape[1]
    wanted = min(factors, max(min(r.matrix.shape) // 4, 1))
    basis = wanted + max(wanted // 8, 16)
    with single_blas(), progress.step("singular vectors", ROUNDS, "rounds") as advance:
        if n <= max(2 * basis, 500):
            squares, vectors = linalg.eigh(r.product(0, n).astype(np.float64))
            advance(ROUNDS)
        else:
            start = rng.standard_normal((n, basis)).astype(np.float32)
            squares, vectors = _iterated(r, start, wanted, executor, advance)
    order = np.argsort(-squares, kind="stable")[:wanted]
    order = order[squares[order] > 1e-6 * squares.max()]
    leading = np.asarray(vectors[:, order], np.float32)
    sign = np.sign(leading[np.abs(leading).argmax(axis=0), np.arange(leading.shape[1])])
    return np.ascontiguousarray(leading * sign), squares[order]


def _iterated(
    r: Graph, start: Float32, wanted: int, executor: Executor, advance: Callable[[int], None]
) -> tuple[Any, Any]:
    """Return Ritz values, descending, and vectors of R'R from a random start float32[n, b]."""
    basis = _orthonormal(r.apply(start, executor))
    for done in range(ROUNDS):
        image = r.apply(basis, executor)
        values, vectors = linalg.eigh((basis.T @ image).astype(np.float64))
        squares, turn = values[::-1], vectors[:, ::-1].astype(np.float32)
        basis, image = basis @ turn, image @ turn
        residual = np.linalg.norm((image - basis * squares.astype(np.float32))[:, :wanted], axis=0).max()
        if done == ROUNDS - 1 or residual <= EXACT * squares[wanted - 1]:
            advance(ROUNDS - done)
            break
        basis = _orthonormal(_amplified(r, basis, image, squares, executor))
        advance(1)
    return squares, basis


def _amplified(r: Graph, basis: Float32, image: Float32, squares: Float64, executor: Executor) -> Float32:
    """Return T_m(2 R'R / cut - 1) times the basis, m as high as keeps the columns apart in float32."""
    cut = max(squares[-1], 1e-3 * squares[0])
    top = max(2 * squares[0] / cut - 1, 1.0 + 1e-6)
    degree = int(np.clip(14.0 / np.arccosh(top), 2, 10))
    half = np.float32(cut / 2)
    before: Any = basis
    now: Any = image / half - basis
    for _ in range(degree - 1):
        before, now = now, (r.apply(now, executor) / half - now) * np.float32(2) - before
    amplified: Float32 = now
    return amplified


def _orthonormal(columns: Float32) -> Float32:
    norms = np.linalg.norm(columns, axis=0)
    q: Float32 = linalg.qr(columns / np.where(norms > 0, norms, 1), mode="economic", check_finite=False)[0]
    return np.ascontiguousarray(q, dtype=np.float32)


def _times(matrix: Matrix, dense: Float32, executor: Executor) -> Float32:
    """Return float32[rows, d]: a sparse matrix times a dense one, in blocks of rows."""
    out = np.empty((matrix.shape[0], dense.shape[1]), np.float32)
    dense = np.ascontiguousarray(dense)

    def part(block: tuple[int, int]) -> None:
        times(rows_of(matrix, *block), dense, out[slice(*block)])

    for _ in executor.map(part, blocks(matrix.shape[0], 2048)):
        pass
    return out
