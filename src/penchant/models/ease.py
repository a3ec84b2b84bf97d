"""EASE: a ridge regression per item, all solved at once."""

from __future__ import annotations

import logging
from typing import Annotated, ClassVar

import numpy as np
from msgspec import Meta
from scipy.linalg.lapack import spotrf, spotri

from penchant.core.arrays import Float32
from penchant.core.errors import InputError
from penchant.core.executor import Executor
from penchant.core.progress import Progress
from penchant.data.dataset import Dataset
from penchant.models.interactions import gram, liked
from penchant.models.learner import Learner
from penchant.models.linear import DenseLinear

__all__ = ["EASE"]

log = logging.getLogger(__name__)


class EASE(Learner, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Embarrassingly shallow autoencoder: every item is predicted from all others by one ridge regression.

    >>> from penchant.testing import checkerboard
    >>> scorer = EASE(l2=1.0).fit(checkerboard(10))
    >>> scorer.recommend_one(["0", "2", "4"], n=2).ids  # the others of the even colour
    ('6', '8')

    Memory is 4 n^2 bytes for n candidates, time n^3 operations (3.6 s for n = 8,000 on two 2026 server cores).

    Source: Steck, "Embarrassingly Shallow Autoencoders for Sparse Data", WWW 2019, eq. 8.
    """

    name: ClassVar[str] = "ease"
    scorer: ClassVar[type[DenseLinear]] = DenseLinear

    l2: Annotated[float, Meta(gt=0)] = 500.0
    "Ridge strength. Larger values trust popular items more."
    max_items: Annotated[int, Meta(ge=1)] | None = 20_000
    "How many of the most frequent items are candidates; None for all. The others score NaN."
    half_life: Annotated[float, Meta(gt=0)] | None = None
    "Days after which an event of the asker's history counts half; None: all count alike."

    def _fit(self, data: Dataset, rng: np.random.Generator, executor: Executor, progress: Progress) -> DenseLinear:
        matrix, candidates = liked(data, self.max_items)
        counts = gram(matrix, executor, progress)
        with progress.step("EASE: inverting", 1, "matrix") as advance:
            weights = _inverse(counts.astype(np.float32), self.l2)
            diagonal = weights.diagonal().copy()
            weights /= -diagonal
            np.fill_diagonal(weights, 0)
            advance(1)
        return DenseLinear(
            items=data.items, learner=self, candidates=candidates, weights=weights, half_life=self.half_life
        )


def _inverse(matrix: Float32, l2: float) -> Float32:
    """Return (matrix + l2 I)^-1 in place, float32[n, n]; LAPACK works on the lower triangle of the transpose."""
    n = len(matrix)
    matrix[np.diag_indices(n)] += np.float32(l2)
    factor, failed = spotrf(matrix.T, lower=1, overwrite_a=1)
    if failed:
        raise InputError("the ridge is too weak for this data in float32", got=f"l2={l2}", then="raise l2")
    inverse, _ = spotri(factor, lower=1, overwrite_c=1)
    full = np.ascontiguousarray(inverse.T)
    for start in range(0, n, 512):
        stop = min(start + 512, n)
        full[start:stop, :start] = full[:start, start:stop].T
        square = full[start:stop, start:stop]
        rows, columns = np.tril_indices(stop - start, -1)
        square[rows, columns] = square.T[rows, columns]
    return full
