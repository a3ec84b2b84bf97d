"""The matrices learners start from."""

from __future__ import annotations

import logging

import numpy as np

from penchant.core.arrays import Int32
from penchant.core.executor import Executor, blocks
from penchant.core.progress import Progress
from penchant.data.dataset import Dataset
from penchant.data.sparse import Matrix, matrix_of, row_numbers, rows_of, transposed
from penchant.kernels.cooccurrence import gram_block

__all__ = ["gram", "liked"]

log = logging.getLogger(__name__)


def liked(data: Dataset, max_items: int | None = None) -> tuple[Matrix, Int32]:
    """Return the positive part of the matrix over the items somebody liked, and the codes of those items.

    >>> matrix, codes = liked(Dataset.from_matrix([[1, 0, 2], [-1, 0, 1]]))
    >>> matrix.toarray().tolist(), codes.tolist()
    ([[1.0, 2.0], [0.0, 1.0]], [0, 2])

    Args:
        data: the events.
        max_items: keep only this many items, those that most users liked; of equals the lower code.

    Returns:
        CSR float32[n_users, n] of positive weights, and int32[n] ascending codes.
    """
    positive = data.matrix.data > 0
    row, column = row_numbers(data.matrix)[positive], data.matrix.indices[positive]
    support = np.bincount(column, minlength=data.n_items)
    candidates = np.flatnonzero(support)
    if max_items is not None and len(candidates) > max_items:
        log.warning(
            "the %s most frequent of %s items are modelled; the others get no score", max_items, len(candidates)
        )
        order = np.lexsort((candidates, -support[candidates]))
        candidates = np.sort(candidates[order[:max_items]])
    places = np.full(data.n_items, -1, np.int32)
    places[candidates] = np.arange(len(candidates))
    kept = places[column] >= 0
    shape = (data.n_users, len(candidates))
    matrix = matrix_of(data.matrix.data[positive][kept], places[column[kept]], row[kept], shape)
    return matrix, candidates.astype(np.int32)


def gram(matrix: Matrix, executor: Executor, progress: Progress) -> Int32:
    """Return int32[n, n]: how many rows hold both items of a pair. Exact, whatever the order of the work.

    >>> from penchant.core.executor import LOCAL
    >>> from penchant.core.progress import SILENT
    >>> gram(liked(Dataset.from_matrix([[1, 1], [0, 3]]))[0], LOCAL, SILENT).tolist()
    [[1, 1], [1, 2]]
    """
    n = matrix.shape[1]
    counts = np.empty((n, n), np.int32)
    rows, columns = rows_of(matrix), rows_of(transposed(matrix))

    def count(block: tuple[int, int]) -> int:
        gram_block(block[0], rows, columns, counts[slice(*block)])
        return block[1] - block[0]

    with progress.step("counting co-occurrences", n, "items") as advance:
        for done in executor.map(count, blocks(n, 256)):
            advance(done)
    return counts
