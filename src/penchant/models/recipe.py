"""What a scorer keeps of the learner that made it."""

from __future__ import annotations

from typing import ClassVar

from msgspec import Struct

__all__ = ["Recipe"]


class Recipe(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A named, frozen set of hyper-parameters; every learner is one.

    >>> from penchant.models.popular import Popular
    >>> isinstance(Popular(), Recipe), Popular().name
    (True, 'popular')
    """

    name: ClassVar[str]
    "What it is registered as."
