"""What a policy did, with what chance, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import msgspec
import narwhals as nw
import numpy as np
from msgspec import Struct

from penchant.core.arrays import Float32, Float64, Int32
from penchant.core.errors import EmptyData, InputError, MissingColumn
from penchant.data.vocabulary import Vocabulary

__all__ = ["Logged", "checked", "column", "probabilities"]


class Logged(Struct, frozen=True, eq=False):
    """Rounds in which one action was drawn, each with the probability it had, and its reward.

    >>> logged = Logged([0, 1, 1], reward=[1, 0, 1], propensity=[0.5, 0.25, 0.25])
    >>> logged.rounds, logged.n_actions, logged.reward.mean().round(3)
    (3, 2, np.float64(0.667))
    >>> Logged([0], reward=[1], propensity=[0.0])
    Traceback (most recent call last):
    penchant.core.errors.InputError: a propensity is no probability of something that happened; ...

    Raises:
        EmptyData: there is no round.
        InputError: the arrays differ in length, hold NaN or infinity, a propensity is not in (0, 1], an action is
            negative or not below ``n_actions``.
    """

    action: Int32
    "int32[n], codes of what was done."
    reward: Float64
    "float64[n], what came of it: a click, a price, a rating."
    propensity: Float64
    "float64[n], the probability with which the logging policy drew the action, in (0, 1]."
    context: Float32 | None = None
    "float32[n, d], what was known before the draw; only the reward model reads it."
    position: Int32 | None = None
    "int32[n], codes of the slot the action was shown in; only the reward model reads it."
    unit: Int32 | None = None
    "int32[n], codes of the person or session a round belongs to; intervals then take these as the unit of chance."
    n_actions: int = 0
    "How many actions there are; 0 for one more than the largest code."
    items: Vocabulary | None = None
    "The ids of the actions, where they have any."

    def __post_init__(self) -> None:
        put = msgspec.structs.force_setattr
        reward = checked(self.reward, "reward", np.float64)
        n = len(reward)
        if not n:
            raise EmptyData("the log has no rounds", then="check where it was exported", field="reward")
        put(self, "reward", reward)
        put(self, "propensity", probabilities(column(self.propensity, "propensity", n), "propensity"))
        for name in ("action", "position", "unit"):
            if getattr(self, name) is not None:
                put(self, name, column(getattr(self, name), name, n, np.int32))
        if self.context is not None:
            put(self, "context", _context(self.context, n))
        put(self, "n_actions", self.n_actions or (len(self.items) if self.items else int(self.action.max()) + 1))
        if self.action.min() < 0 or self.action.max() >= self.n_actions:
            got = int(self.action.min() if self.action.min() < 0 else self.action.max())
            raise InputError(
                "an action does not exist", got=got, allowed=f"codes 0 to {self.n_actions - 1}", field="action"
            )

    @property
    def rounds(self) -> int:
        """How many rounds there are."""
        return len(self.reward)

    @classmethod
    def from_frame(
        cls,
        frame: Any,
        *,
        action: str = "action",
        reward: str = "reward",
        propensity: str = "propensity",
        position: str | None = None,
        unit: str | None = None,
        context: Sequence[str] = (),
    ) -> Self:
        """Return the rounds of a table: pandas, polars or Arrow, one row a round.

        >>> import polars as pl
        >>> frame = pl.DataFrame({"item": ["pear", "fig"], "click": [1, 0], "p": [0.5, 0.5], "slot": [3, 1]})
        >>> logged = Logged.from_frame(frame, action="item", reward="click", propensity="p", position="slot")
        >>> logged.action.tolist(), logged.items.ids([0, 1]), logged.position.tolist()
        ([1, 0], ['fig', 'pear'], [1, 0])

        Args:
            frame: the table.
            action: column of ids, coded in byte order; a policy's columns are in the order of ``items``.
            reward: column of numbers.
            propensity: column of probabilities.
            position: column of slots, of any type.
            unit: column of persons or sessions, of any type.
            context: columns of numbers.

        Raises:
            MissingColumn: a column is not there.
            InputError: it is no table, or what it holds cannot be a log.
        """
        try:
            table = nw.from_native(frame, eager_only=True)
        except TypeError as error:
            allowed = "a pandas, polars or Arrow table"
            raise InputError("not a table", got=type(frame).__name__, allowed=allowed, field="frame") from error
        asked = [action, reward, propensity, *filter(None, (position, unit)), *context]
        for name in asked:
            if name not in table.columns:
                raise MissingColumn("a column is missing", got=name, allowed=", ".join(table.columns), field="frame")
        ids = table[action].cast(nw.String).to_polars()
        if ids.null_count():
            raise InputError("an action is missing", got=f"{ids.null_count()} empty ids", field=action)
        items = Vocabulary.of(ids)
        slots, units = (
            np.unique(table[name].to_numpy(), return_inverse=True)[1].astype(np.int32) if name else None
            for name in (position, unit)
        )
        wide = np.stack([table[name].to_numpy() for name in context], axis=1) if context else None
        return cls(
            items.codes(ids),
            reward=table[reward].to_numpy(),
            propensity=table[propensity].to_numpy(),
            context=wide,
            position=slots,
            unit=units,
            items=items,
        )


def checked(values: Any, name: str, kind: type[np.generic]) -> Any:
    """Return the values as an array of a kind, all of them finite.

    >>> checked([1, 2], "reward", np.float64).tolist()
    [1.0, 2.0]

    Raises:
        InputError: they are no numbers, not finite, or not whole where they should be.
    """
    try:
        array = np.asarray(values)
        result = np.ascontiguousarray(array.astype(kind, casting="unsafe"))
    except (TypeError, ValueError) as error:
        raise InputError(f"{name} holds something that is no number", got=str(error), field=name) from error
    floats = np.issubdtype(array.dtype, np.floating)
    if floats and not np.isfinite(array).all():
        at = np.argwhere(~np.isfinite(array))[0].tolist()
        then = "leave such rounds out, or find out why they are so"
        raise InputError(f"{name} is not finite", got=f"{array[tuple(at)]} in round {at[0]}", then=then, field=name)
    if np.issubdtype(kind, np.integer) and array.size and not (result == array).all():
        raise InputError(f"{name} has to hold whole numbers", got=array.dtype.name, field=name)
    return result


def column(values: Any, name: str, n: int, kind: type[np.generic] = np.float64) -> Any:
    """Return :func:`checked` values, one a round.

    >>> column([1, 0], "action", 2, np.int32).dtype
    dtype('int32')

    Raises:
        InputError: there are not ``n`` of them.
    """
    array = checked(values, name, kind)
    if array.shape != (n,):
        raise InputError(f"{name} has another shape than reward", got=array.shape, allowed=f"({n},)", field=name)
    return array


def probabilities(values: Float64, name: str) -> Float64:
    """Return the probabilities as they are, when each lies in (0, 1].

    >>> probabilities(np.array([0.5, 1.0]), "propensity").tolist()
    [0.5, 1.0]

    Raises:
        InputError: one does not.
    """
    bad = np.argwhere(~((values > 0) & (values <= 1)))
    if len(bad):
        raise InputError(
            f"a {name} is no probability of something that happened",
            got=f"{values[tuple(bad[0])]} in round {bad[0][0]}, {len(bad):,} such in all",
            allowed="more than 0, at most 1",
            then="log the probability with which the action was drawn, at the time it was drawn",
            field=name,
        )
    return values


def _context(values: Any, n: int) -> Float32:
    wide: Float32 = checked(values, "context", np.float32)
    if wide.ndim != 2 or len(wide) != n:
        raise InputError("context has another shape than reward", got=wide.shape, allowed=f"({n}, d)", field="context")
    return wide
