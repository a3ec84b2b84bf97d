"""RLAE: EASE whose diagonal may be a little more than 0."""

from __future__ import annotations

from typing import Annotated, ClassVar

import numpy as np
from msgspec import Meta

from penchant.core.arrays import Float64
from penchant.models.autoencoder import Autoencoder
from penchant.models.tunable import Tunable

__all__ = ["RLAE", "relaxed"]


class RLAE(Autoencoder, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Relaxed linear autoencoder: an item may predict itself, but not by more than xi.

    >>> from penchant.testing import checkerboard
    >>> RLAE(l2=1.0, xi=0.1).fit(checkerboard(10)).recommend_one(["0", "2", "4"], n=2).ids
    ('6', '8')

    With xi = 0 it is EASE, with xi = 1 ridge regression. The diagonal itself is left out of the weights: what is in
    the history is seldom asked for, and counts for nothing there.

    Memory is 4 n^2 bytes for n candidates, and n^2 to 2 n^2 more for the counts that exact forgetting needs; time is
    n^3 operations.

    Source: Moon, Kim and Lee, "It's Enough: Relaxing Diagonal Constraints in Linear Autoencoders for Recommendation",
    SIGIR 2023.
    """

    name: ClassVar[str] = "rlae"

    xi: Annotated[float, Meta(ge=0, le=1), Tunable(0, 0.5)] = 0.1
    "The most that an item may predict itself."

    def slopes(self, gammas: Float64, diagonal: Float64) -> Float64:
        """Return -(gamma_j + mu_j) with mu_j from the bound on the diagonal."""
        return relaxed(gammas, diagonal, self.xi)


def relaxed(gammas: Float64, diagonal: Float64, xi: float) -> Float64:
    """Return float64[n]: what column j of the inverse P is multiplied by when B_jj may be at most ``xi``.

    Unbounded, B_jj is 1 - gamma_j P_jj. Where that exceeds xi, mu_j is added to gamma_j so that it is xi.

    >>> [relaxed(np.array([2.0]), np.array([0.25]), xi).tolist() for xi in (0.75, 0.0)]
    [[-2.0], [-4.0]]
    """
    bounded = 1.0 - gammas * diagonal > xi
    return -np.where(bounded, (1.0 - xi) / diagonal, gammas)
