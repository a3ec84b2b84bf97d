"""EDLAE: EASE that was trained as if items dropped out of the histories."""

from __future__ import annotations

from typing import Annotated, ClassVar

import numpy as np
from msgspec import Meta

from penchant.core.arrays import Float64, Int64
from penchant.models.autoencoder import Autoencoder
from penchant.models.tunable import Tunable

__all__ = ["EDLAE"]


class EDLAE(Autoencoder, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Linear autoencoder with emphasized dropout: popular items are regularized more, in closed form.

    >>> from penchant.testing import checkerboard
    >>> EDLAE(l2=1.0, dropout=0.3).fit(checkerboard(10)).recommend_one(["0", "2", "4"], n=2).ids
    ('6', '8')

    Dropping every input with probability p is, in expectation, a ridge of p / (1 - p) times each item's count.

    Memory is 4 n^2 bytes for n candidates, and n^2 to 2 n^2 more for the counts that exact forgetting needs; time is
    n^3 operations.

    Source: Steck, "Autoencoders that don't overfit towards the Identity", NeurIPS 2020.
    """

    name: ClassVar[str] = "edlae"

    dropout: Annotated[float, Meta(ge=0, lt=1), Tunable(0, 0.9)] = 0.5
    "Share p of the inputs that drop out; 0 gives EASE."

    def gammas(self, support: Int64, l2: float) -> Float64:
        """Return l2 + p / (1 - p) times how many people like each item."""
        return l2 + self.dropout / (1.0 - self.dropout) * support.astype(np.float64)

    def slopes(self, gammas: Float64, diagonal: Float64) -> Float64:
        """Return -1 / P_jj: the diagonal of B is 0."""
        return -1.0 / diagonal
