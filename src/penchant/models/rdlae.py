"""RDLAE: dropout and a relaxed diagonal together."""

from __future__ import annotations

from typing import Annotated, ClassVar

import numpy as np
from msgspec import Meta

from penchant.core.arrays import Float64, Int64
from penchant.models.autoencoder import Autoencoder
from penchant.models.rlae import relaxed
from penchant.models.tunable import Tunable

__all__ = ["RDLAE"]


class RDLAE(Autoencoder, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Relaxed linear autoencoder with dropout: popular items are regularized more, and may predict themselves a little.

    >>> from penchant.testing import checkerboard
    >>> RDLAE(l2=1.0, dropout=0.3, xi=0.1).fit(checkerboard(10)).recommend_one(["0", "2", "4"], n=2).ids
    ('6', '8')

    Memory is 4 n^2 bytes for n candidates, and n^2 to 2 n^2 more for the counts that exact forgetting needs; time is
    n^3 operations.

    Source: Moon, Kim and Lee, "It's Enough: Relaxing Diagonal Constraints in Linear Autoencoders for Recommendation",
    SIGIR 2023.
    """

    name: ClassVar[str] = "rdlae"

    dropout: Annotated[float, Meta(ge=0, lt=1), Tunable(0, 0.9)] = 0.5
    "Share p of the inputs that drop out; 0 gives RLAE."
    xi: Annotated[float, Meta(ge=0, le=1), Tunable(0, 0.5)] = 0.1
    "The most that an item may predict itself."

    def gammas(self, support: Int64, l2: float) -> Float64:
        """Return l2 + p / (1 - p) times how many people like each item."""
        return l2 + self.dropout / (1.0 - self.dropout) * support.astype(np.float64)

    def slopes(self, gammas: Float64, diagonal: Float64) -> Float64:
        """Return -(gamma_j + mu_j) with mu_j from the bound on the diagonal."""
        return relaxed(gammas, diagonal, self.xi)
