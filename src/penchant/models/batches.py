"""Many histories at once: checked, cut into blocks, ranked over all threads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse as sp

from penchant.core.errors import InputError
from penchant.core.executor import LOCAL, blocks
from penchant.core.nouns import TopK
from penchant.kernels.layout import Best

__all__ = ["canonical", "expect_histories", "in_blocks", "ranked"]

BLOCK = 128
"Histories ranked together: enough to share the work, few enough that a block's scores stay small."


def canonical(histories: Any) -> sp.csr_array[Any, tuple[int, int]]:
    """Return CSR with sorted columns and no column twice in a row; what was given stays as it is.

    >>> canonical(sp.csr_array(([1.0, 2.0], [1, 1], [0, 2]), shape=(1, 2))).toarray().tolist()
    [[0.0, 3.0]]
    """
    csr = sp.csr_array(histories)
    if csr.ndim != 2:
        raise InputError("the histories are not a matrix", got=f"{csr.ndim} dimension", allowed="CSR [n, n_items]")
    if not csr.has_canonical_format:
        csr = csr.copy()
        csr.sum_duplicates()
    return csr


def expect_histories(histories: Any, n_items: int) -> sp.csr_array[Any, tuple[int, int]]:
    """Return histories as canonical CSR.

    >>> from penchant.data.sparse import matrix_of
    >>> expect_histories(matrix_of([1], [2], [0], (1, 3)), 3).shape
    (1, 3)

    Raises:
        InputError: the width of the matrix is not the number of items.
    """
    csr = canonical(histories)
    if csr.shape[1] != n_items:
        raise InputError(
            "the histories have another number of items than the model",
            got=f"{csr.shape[1]}",
            allowed=f"{n_items}",
            then="build them with scorer.rows(data)",
        )
    return csr


def in_blocks(total: int, work: Callable[[tuple[int, int]], None]) -> None:
    """Do work for every block of ``range(total)``, over all threads.

    >>> done = []
    >>> in_blocks(200, done.append)
    >>> sorted(done)
    [(0, 128), (128, 200)]
    """
    for _ in LOCAL.map(work, blocks(total, BLOCK)):
        pass


def ranked(total: int, k: int, rank: Callable[[tuple[int, int], Best], None]) -> TopK:
    """Return the lists of ``total`` histories; ``rank`` writes those of a block.

    >>> ranked(1, 2, lambda block, best: best.items.fill(7)).items.tolist()
    [[7, 7]]

    Raises:
        InputError: k is not positive.
    """
    if k < 1:
        raise InputError("k is out of range", got=k, allowed="1 or more", field="k")
    top = TopK(np.empty((total, k), np.int32), np.empty((total, k), np.float32))
    in_blocks(total, lambda block: rank(block, Best(top.items[slice(*block)], top.scores[slice(*block)])))
    return top
