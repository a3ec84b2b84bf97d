"""The policy one asks about: the probability it gives to every action in every round."""

from __future__ import annotations

from typing import Any

import numpy as np
from msgspec import Struct

from penchant.core.arrays import Float64
from penchant.core.errors import InputError
from penchant.evaluation.offpolicy.logged import Logged

__all__ = ["Target"]

_CLOSE = 1e-4
"How far the probabilities of a round may be from 1 together; float32 needs so much."


class Target(Struct, frozen=True, eq=False):
    """Probabilities of a policy, checked against the rounds of a log.

    >>> logged = Logged([0, 1, 1], reward=[1, 0, 1], propensity=[0.5, 0.5, 0.5])
    >>> target = Target.of([[0.2, 0.8]], logged)  # looks at nothing
    >>> target.chosen.tolist(), target.share.tolist(), target.whole
    ([0.2, 0.8, 0.8], [0.2, 0.8], True)
    """

    chosen: Float64
    "float64[n], the probability of the action that was taken."
    matrix: Any = None
    "float[n, m] or [1, m], the probability of every action; None where only ``chosen`` is known."

    @classmethod
    def of(cls, values: Any, logged: Logged) -> Target:
        """Return the policy that an array stands for.

        Args:
            values: [n, m], a row a round; [1, m] for a policy that looks at nothing; or [n], of the actions taken only.
            logged: the rounds.

        Raises:
            InputError: the shape is another, a number is no probability, or a row does not add up to 1.
        """
        n, m = logged.rounds, logged.n_actions
        array = np.asarray(values)
        if array.dtype.kind not in "fiub":
            raise InputError("target holds something that is no number", got=array.dtype.name, field="target")
        if array.shape not in {(n, m), (1, m), (n,)}:
            raise InputError(
                "target has a shape that does not fit the log",
                got=array.shape,
                allowed=f"({n}, {m}), (1, {m}) for a policy that looks at nothing, or ({n},) for the actions taken",
                field="target",
            )
        # NaN compares as false, so that this refuses it too
        if not (array.min() >= -1e-9 and array.max() <= 1 + 1e-6):
            got = f"{array.min()} to {array.max()}"
            raise InputError("target holds what is no probability", got=got, allowed="0 to 1", field="target")
        if array.ndim == 1:
            return cls(array.astype(np.float64))
        total = array.sum(axis=1, dtype=np.float64)
        worst = int(np.abs(total - 1).argmax())
        if abs(total[worst] - 1) > _CLOSE:
            then = "divide every row by its sum"
            got = f"{total[worst]:.6g} in round {worst}"
            raise InputError("the probabilities of a round do not add up to 1", got=got, then=then, field="target")
        rows = np.arange(n) if len(array) == n else np.zeros(n, np.int64)
        return cls(array[rows, logged.action].astype(np.float64), array)

    @property
    def whole(self) -> bool:
        """Whether the probability of every action is known, as reward models need it."""
        return self.matrix is not None

    @property
    def share(self) -> Float64:
        """float64[m], the mean over rounds of the probability of every action."""
        mean: Float64 = self.matrix.mean(axis=0, dtype=np.float64)
        return mean

    def rows(self, which: Any) -> Float64:
        """Return float[k, m]: the probabilities in some rounds, given as a slice or as int64[k]."""
        if len(self.matrix) == len(self.chosen):
            part: Float64 = self.matrix[which]
            return part
        count = len(range(*which.indices(len(self.chosen)))) if isinstance(which, slice) else len(which)
        return np.broadcast_to(self.matrix, (count, self.matrix.shape[1]))
