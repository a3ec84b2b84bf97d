"""EASE: a ridge regression per item, all solved at once."""

from __future__ import annotations

from typing import ClassVar

from penchant.core.arrays import Float64
from penchant.models.autoencoder import Autoencoder

__all__ = ["EASE"]


class EASE(Autoencoder, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Embarrassingly shallow autoencoder: every item is predicted from all others by one ridge regression.

    >>> from penchant.testing import checkerboard
    >>> scorer = EASE(l2=1.0).fit(checkerboard(10))
    >>> scorer.recommend_one(["0", "2", "4"], n=2).ids  # the others of the even colour
    ('6', '8')

    With ``delta_inf`` or ``half_life`` the latest events of the asker count most: a next-item model.

    Memory is 4 n^2 bytes for n candidates, and n^2 to 2 n^2 more for the counts that exact forgetting needs; time is
    n^3 operations (3.6 s for n = 8,000 on two 2026 server cores).

    Source: Steck, "Embarrassingly Shallow Autoencoders for Sparse Data", WWW 2019, sec. 3.1.
    """

    name: ClassVar[str] = "ease"

    def slopes(self, gammas: Float64, diagonal: Float64) -> Float64:
        """Return -1 / P_jj: the diagonal of B is 0."""
        return -1.0 / diagonal
