"""Small worlds whose right answers are known by construction."""

from __future__ import annotations

import numpy as np

from penchant.data.dataset import Dataset

__all__ = ["checkerboard"]


def checkerboard(n: int = 50, *, missing: float = 0.0, rng: int = 0) -> Dataset:
    """Return n users x n items in which even users like even items and odd users odd ones.

    Whatever is recommended to a user must have the user's colour.

    >>> checkerboard(4).matrix.toarray().tolist()[:2]
    [[1.0, 0.0, 1.0, 0.0], [0.0, 1.0, 0.0, 1.0]]

    Args:
        n: users and items.
        missing: share of the likes left out at random.
        rng: seed of what is left out.
    """
    board = np.equal.outer(np.arange(n) % 2, np.arange(n) % 2).astype(np.float32)
    board *= np.random.default_rng(rng).random((n, n)) >= missing
    return Dataset.from_matrix(board)
