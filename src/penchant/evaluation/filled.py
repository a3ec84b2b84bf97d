"""How full slates are, and how often it was not the model that ordered them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from msgspec import Struct

from penchant.core.arrays import Int32, Int64

__all__ = ["Filled", "Ranked", "pooled"]


class Filled(Struct, frozen=True):
    """How full the slates of a model were.

    >>> Filled(users=60, empty=2, short=5, tied=0.25).short
    5
    """

    users: int
    "How many were asked about."
    empty: int
    "Of these, users it recommended nothing to: it had a score (other than NaN) for no item."
    short: int
    "Of these, users who got fewer items than the slate has slots and the task has items, nothing among them."
    tied: float | None
    """Share of neighbouring slots whose scores are equal, so that the order of the catalogue decided; None where it is
    not known: when slates hold only some of the items that a model ranked."""


class Ranked(Struct, frozen=True, eq=False):
    """The slates of a model.

    >>> Ranked(np.int32([[1, -1], [2, 0]]), 0.0).filled(np.array([1, 2])).short
    0
    """

    slates: Int32
    "int32[m, k], -1 in slots it leaves empty."
    tied: float | None
    "Share of neighbouring slots with equal scores, where that is known."

    def filled(self, candidates: Int64) -> Filled:
        """Return how full they are, when each user might have been shown so many items (int64[m])."""
        held = (self.slates >= 0).sum(axis=1)
        short = held < np.minimum(candidates, self.slates.shape[1])
        return Filled(len(held), int((short & (held == 0)).sum()), int(short.sum()), self.tied)


def pooled(parts: Sequence[Filled]) -> Filled:
    """Return how full the slates of several splits were together.

    >>> pooled([Filled(30, 1, 2, 0.5), Filled(10, 0, 0, 0.1)])
    Filled(users=40, empty=1, short=2, tied=0.4)
    """
    users, empty, short = (sum(getattr(part, name) for part in parts) for name in ("users", "empty", "short"))
    known = [(part.users, part.tied) for part in parts if part.tied is not None]
    weight = sum(n for n, _ in known)
    return Filled(users, empty, short, sum(n * tied for n, tied in known) / weight if weight else None)
