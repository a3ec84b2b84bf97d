"""The k items most similar to each item, from the counts of their meetings."""

from __future__ import annotations

import numpy as np

from penchant.core.arrays import Float64
from penchant.core.executor import Executor, blocks
from penchant.core.progress import Progress
from penchant.kernels.layout import Best, Likeness, Rows
from penchant.kernels.similarity import similar_full, similar_sparse
from penchant.models.gram import Gram

__all__ = ["nearest", "postings"]

_BLOCK = 128


def nearest(gram: Gram, likeness: Likeness, k: int, executor: Executor, progress: Progress) -> Best:
    """Return the ``k`` items most similar to each item, of those that ever met it: int32[n, k] and float32[n, k].

    >>> import scipy.sparse as sp
    >>> from penchant.core.executor import LOCAL
    >>> from penchant.core.progress import SILENT
    >>> norms = np.sqrt([2.0, 2.0])
    >>> best = nearest(Gram.of(sp.csr_array([[2, 1], [0, 2]])), Likeness(norms, norms, 0.0, False), 5, LOCAL, SILENT)
    >>> best.items.tolist(), best.scores.round(2).tolist()
    ([[1, -1], [0, -1]], [[0.5, nan], [0.5, nan]])
    """
    gram, n = gram.unfolded(), gram.size
    k = min(k, n)
    best = Best(np.empty((n, k), np.int32), np.empty((n, k), np.float32))
    whole = None if gram.is_packed else gram.symmetric()
    rows = None if whole is None else Rows(whole.indptr.astype(np.int64), whole.indices.astype(np.int32), whole.data)

    def find(block: tuple[int, int]) -> int:
        part = Best(best.items[slice(*block)], best.scores[slice(*block)])
        if rows is None:
            similar_full(*block, gram.counts, likeness, part)
        else:
            similar_sparse(block[0], rows, likeness, part)
        return block[1] - block[0]

    with progress.step("finding neighbours", n, "items") as advance:
        for done in executor.map(find, blocks(n, _BLOCK)):
            advance(done)
    return best


def postings(best: Best, factors: Float64 | None = None) -> Rows:
    """Return neighbours as rows, empty slots left out; each weight times the factor of its row, where there are any.

    >>> best = Best(np.int32([[1, -1], [0, -1]]), np.float32([[0.5, np.nan], [0.25, np.nan]]))
    >>> [part.tolist() for part in postings(best, np.array([2.0, 1.0]))]
    [[0, 1, 2], [1, 0], [1.0, 0.25]]
    """
    reached = best.items >= 0
    scores = best.scores if factors is None else (best.scores * factors[:, None]).astype(np.float32)
    indptr = np.concatenate([[0], np.cumsum(reached.sum(axis=1))]).astype(np.int64)
    return Rows(indptr, best.items[reached], scores[reached])
