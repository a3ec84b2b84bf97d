"""What a model that forgets exactly keeps beside its weights: integers that add up over people."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, Self

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from penchant.core.arrays import Int32

__all__ = ["STATE", "State", "narrowed"]

STATE = "state_"
"What the names of a saved model's count arrays begin with."


class State(Struct, frozen=True, eq=False, kw_only=True):
    """Counts from which a scorer is derived. Those of two groups of people add up to those of all of them.

    The same counts have the same arrays, bit for bit, however they came about.

    >>> from penchant.models.ease import EASE
    >>> from penchant.testing import checkerboard
    >>> state = EASE().fit(checkerboard(4)).state
    >>> state.plus(state, -1).users
    0
    """

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the arrays among the fields by name."""
        fields = {name: getattr(self, name) for name in self.__struct_fields__}
        return {name: value for name, value in fields.items() if isinstance(value, np.ndarray)}

    def values(self) -> dict[str, Any]:
        """Return the fields that are no arrays by name."""
        arrays = self.arrays()
        return {name: getattr(self, name) for name in self.__struct_fields__ if name not in arrays}

    @abstractmethod
    def plus(self, other: Self, sign: int) -> Self:
        """Return the counts with those of other people added (sign 1) or taken away (sign -1).

        Raises:
            InputError: more would be taken away than is there.
        """

    @abstractmethod
    def over(self, codes: Int32, n_items: int) -> Self:
        """Return the same counts in another vocabulary, where item ``i`` has the code ``codes[i]`` (ascending)."""


def narrowed(values: Any) -> NDArray[Any]:
    """Return whole numbers of 0 or more in the smallest of uint16, int32 and int64 that holds the largest.

    >>> narrowed(np.int64([1, 65_535])).dtype, narrowed(np.int64([70_000])).dtype
    (dtype('uint16'), dtype('int32'))
    """
    top = int(values.max(initial=0))
    kind = np.uint16 if top < 2**16 else np.int32 if top < 2**31 else np.int64
    return np.ascontiguousarray(values, dtype=kind)
