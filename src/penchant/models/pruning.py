"""Keeping the strongest weights of a dense item-item matrix, and measuring what that costs."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
from msgspec.structs import replace

from penchant.core.arrays import Float32, Int32, Int64
from penchant.core.executor import Executor, blocks
from penchant.data.dataset import Dataset
from penchant.data.sparse import Matrix, matrix_of
from penchant.models.linear import DenseLinear, SparseLinear

__all__ = ["foresight", "pruned"]

log = logging.getLogger(__name__)

_ASKED = 2000
_N = 10


def pruned(dense: DenseLinear, k: int, data: Dataset | None, executor: Executor) -> SparseLinear:
    """Return the scorer that keeps, for each candidate, the ``k`` weights of largest size.

    Where the data it was fitted on is at hand, NDCG@10 before and after is measured with :func:`foresight`, logged,
    and kept among the facts.

    >>> from penchant.models.ease import EASE
    >>> from penchant.testing import checkerboard
    >>> sparse = EASE(l2=1.0, k=2).fit(checkerboard(10, missing=0.2))
    >>> sparse.w_indptr.tolist()[-1], sorted(sparse.facts["pruning"])
    (20, ['kept', 'ndcg@10 after', 'ndcg@10 before'])

    Args:
        dense: what to prune.
        k: weights kept per candidate.
        data: what it was fitted on; None measures nothing.
        executor: where the work runs.
    """
    n = len(dense.weights)
    parts = list(executor.map(lambda block: _strongest(dense.weights, k, block), blocks(n, 256)))
    values, rows, columns = (np.concatenate(part) for part in zip(*parts, strict=True))
    said = values != 0
    matrix = matrix_of(values[said], columns[said], rows[said], (n, n))
    sparse = SparseLinear(
        items=dense.items,
        learner=dense.learner,
        candidates=dense.candidates,
        w_indptr=matrix.indptr.astype(np.int64),
        w_indices=matrix.indices.astype(np.int32),
        w_data=matrix.data,
        half_life=dense.half_life,
        delta_inf=dense.delta_inf,
        facts=dense.facts,
    )
    if data is None:
        return sparse
    before, after = (foresight(scorer, data) for scorer in (dense, sparse))
    log.info(
        "%s keeps %s of %s weights; NDCG@10 on its own data goes from %.4f to %.4f",
        dense.learner.name,
        f"{matrix.nnz:,}",
        f"{n * n:,}",
        before,
        after,
    )
    pruning = {"kept": matrix.nnz / n**2, "ndcg@10 before": before, "ndcg@10 after": after}
    return replace(sparse, facts=sparse.facts | {"pruning": pruning})


def foresight(scorer: Any, data: Dataset) -> float:
    """Return NDCG@10 of each person's last liked item, hidden from their history; of at most 2,000 people.

    The model has learnt from these people, so the value flatters; two models fitted on the same data can be compared.

    >>> from penchant.models.ease import EASE
    >>> from penchant.testing import checkerboard
    >>> board = checkerboard(10)
    >>> 0.3 < foresight(EASE(l2=1.0).fit(board), board) <= 1.0
    True
    """
    rows, hidden = _hidden(scorer.rows(data), data)
    if not len(hidden):
        return float("nan")
    found = scorer.score_batch(rows, _N).items == hidden[:, None]
    return float((found / np.log2(np.arange(2, _N + 2))).sum(axis=1).mean())


def _hidden(rows: Matrix, data: Dataset) -> tuple[Matrix, Int32]:
    """Return histories without the item of each person's last liking, and that item; who has no other is left out."""
    liked = np.flatnonzero(data.column("weight") > 0)
    user = data.column("user")[liked]
    last = liked[np.flatnonzero(np.diff(user, append=-1) != 0)]
    asked, item = data.column("user")[last], data.column("item")[last]
    several = np.diff(rows.indptr)[asked] > 1
    asked, item = asked[several], item[several]
    some = np.unique(np.linspace(0, max(len(asked) - 1, 0), min(_ASKED, len(asked))).astype(np.int64))
    asked, item = asked[some], item[some]
    part = rows[asked].tocoo()
    kept = part.col != item[part.row]
    return matrix_of(part.data[kept], part.col[kept], part.row[kept], part.shape), item


def _strongest(weights: Float32, k: int, block: tuple[int, int]) -> tuple[Float32, Int64, Int64]:
    """Return the values, rows and columns of the ``k`` weights of largest size in each column of a block."""
    part = np.ascontiguousarray(weights[:, slice(*block)].T)
    n = part.shape[1]
    rows = np.tile(np.arange(n), (len(part), 1))
    if k < n:
        rows = np.argpartition(-np.abs(part), k - 1, axis=1)[:, :k]
    column = np.repeat(np.arange(*block), rows.shape[1])
    return np.take_along_axis(part, rows, axis=1).ravel(), rows.ravel(), column
