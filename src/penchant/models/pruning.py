"""Keeping the strongest weights of a dense item-item matrix, and measuring what that costs."""

from __future__ import annotations

import logging

import numpy as np
from msgspec.structs import replace

from penchant.core.arrays import Float32
from penchant.core.executor import Executor, blocks
from penchant.core.nouns import TopK
from penchant.data.sparse import Matrix, matrix_of
from penchant.models.linear import DenseLinear, SparseLinear

__all__ = ["agreement", "pruned"]

log = logging.getLogger(__name__)

_ASKED = 1000
_N = 10


def pruned(dense: DenseLinear, k: int, executor: Executor) -> SparseLinear:
    """Return the scorer that keeps, for each candidate, the ``k`` weights of largest size.

    How far its ten best agree with those of the whole matrix is measured on made-up histories, logged, and kept
    among the facts as ``agreement``.

    >>> from penchant.core.executor import LOCAL
    >>> from penchant.models.ease import EASE
    >>> from penchant.testing import checkerboard
    >>> sparse = pruned(EASE(l2=1.0).fit(checkerboard(10)), 2, LOCAL)
    >>> sparse.w_indptr.tolist()[-1], 0 < sparse.facts["agreement"] <= 1
    (20, True)

    Args:
        dense: what to prune.
        k: weights kept per candidate.
        executor: where the work runs.
    """
    n = len(dense.weights)

    def strongest(block: tuple[int, int]) -> tuple[Float32, np.ndarray, np.ndarray]:
        part = np.ascontiguousarray(dense.weights[:, slice(*block)].T)
        keep = min(k, n)
        rows = (
            np.argpartition(-np.abs(part), keep - 1, axis=1)[:, :keep]
            if keep < n
            else np.tile(np.arange(n), (len(part), 1))
        )
        values = np.take_along_axis(part, rows, axis=1)
        column = np.repeat(np.arange(*block), rows.shape[1])
        return values.ravel(), rows.ravel(), column

    parts = list(executor.map(strongest, blocks(n, 256)))
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
    share = agreement(dense, sparse)
    log.info(
        "%s kept %s of %s weights; of the ten best of the whole matrix, its ten best hold %.1f%%",
        dense.learner.name,
        f"{matrix.nnz:,}",
        f"{n * n:,}",
        100 * share,
    )
    return replace(sparse, facts=sparse.facts | {"agreement": share})


def agreement(dense: DenseLinear, sparse: SparseLinear) -> float:
    """Return the mean share of the ten best of one scorer that are among the ten best of another.

    The histories asked are walks over the items: each begins at a candidate and goes on to what is strongest there.

    >>> from penchant.models.ease import EASE
    >>> from penchant.testing import checkerboard
    >>> scorer = EASE(l2=1.0).fit(checkerboard(10))
    >>> agreement(scorer, scorer)
    1.0
    """
    histories = _walks(dense)
    one, other = (scorer.score_batch(histories, _N) for scorer in (dense, sparse))
    return _shared(one, other)


def _walks(dense: DenseLinear) -> Matrix:
    n = len(dense.weights)
    begin = np.linspace(0, n - 1, min(_ASKED, n)).astype(np.int64)
    length = min(5, n)
    near = np.argsort(-dense.weights[begin], axis=1, kind="stable")[:, : 2 * length : 2]
    row = np.repeat(np.arange(len(begin)), near.shape[1] + 1)
    items = dense.candidates[np.concatenate([begin[:, None], near], axis=1).ravel()]
    histories = matrix_of(np.ones(len(row)), items, row, (len(begin), dense.n_items))
    histories.data[:] = 1
    return histories


def _shared(one: TopK, other: TopK) -> float:
    shares = [
        np.isin(mine[mine >= 0], theirs).mean()
        for mine, theirs in zip(one.items, other.items, strict=True)
        if (mine >= 0).any()
    ]
    return float(np.mean(shares)) if shares else 1.0
