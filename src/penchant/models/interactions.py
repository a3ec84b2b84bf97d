"""The matrices learners start from."""

from __future__ import annotations

import logging
from typing import Any, cast

import numpy as np
import scipy.sparse as sp

from penchant.core.arrays import Float32, Int32, Int64
from penchant.data.dataset import Dataset
from penchant.data.sparse import Matrix

__all__ = ["liked", "most_liked", "rarest_first"]

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
    whole = data.matrix
    positive = whole.data > 0
    every = bool(positive.all())
    support = np.bincount(whole.indices if every else whole.indices[positive], minlength=data.n_items)
    candidates = most_liked(support, None)
    if max_items is not None and len(candidates) > max_items:
        log.warning(
            "the %s most frequent of %s items are modelled; the others get no score", max_items, len(candidates)
        )
        candidates = most_liked(support, max_items)
    if every and len(candidates) == data.n_items:
        return _csr(whole.data, whole.indices, whole.indptr, whole.shape), candidates
    places = np.full(data.n_items, -1, np.int32)
    places[candidates] = np.arange(len(candidates))
    kept = positive & (places[whole.indices] >= 0)
    before = np.concatenate([[0], np.cumsum(kept)])[whole.indptr].astype(np.int32)
    shape = (data.n_users, len(candidates))
    return _csr(whole.data[kept], places[whole.indices[kept]], before, shape), candidates


def _csr(data: Float32, indices: Int32, indptr: Int32, shape: tuple[int, int]) -> Matrix:
    """Return a matrix of these arrays, whose rows are sorted; nothing is copied."""
    parts: Any = (data, indices, indptr)
    return cast("Matrix", sp.csr_array(parts, shape=shape))


def most_liked(support: Int64, limit: int | None) -> Int32:
    """Return int32[n]: the items that somebody likes, or the ``limit`` of them that most do; of equals the lower code.

    >>> most_liked(np.int64([2, 0, 5, 2]), 2).tolist()
    [0, 2]
    """
    codes = np.flatnonzero(support > 0)
    if limit is not None and len(codes) > limit:
        codes = np.sort(codes[np.lexsort((codes, -support[codes]))[:limit]])
    return codes.astype(np.int32)


def rarest_first(support: Int64) -> Int32:
    """Return int32[n]: the items from the least liked to the most liked; of equals the higher code first.

    >>> rarest_first(np.int64([2, 9, 5, 2])).tolist()
    [3, 0, 2, 1]
    """
    return np.lexsort((-np.arange(len(support)), support)).astype(np.int32)
