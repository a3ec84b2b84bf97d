"""Chance is an argument: a seed or a generator."""

from __future__ import annotations

from typing import Any

import numpy as np

from penchant.core.errors import InputError

__all__ = ["generator"]


def generator(rng: Any) -> np.random.Generator:
    """Return the generator that a seed stands for; a generator is returned as it is.

    >>> generator(7).integers(100) == generator(7).integers(100)
    np.True_

    Raises:
        InputError: it is neither a generator nor something NumPy takes as a seed.
    """
    try:
        return np.random.default_rng(rng)
    except (TypeError, ValueError) as error:
        allowed = "a whole number of 0 or more, or a numpy.random.Generator"
        raise InputError(
            "rng is not a seed", got=repr(rng), allowed=allowed, then="write rng=0", field="rng"
        ) from error
