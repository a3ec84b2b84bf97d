"""Where the good values of a hyper-parameter lie, said once beside the field itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, get_args, get_origin

import msgspec
from msgspec import Struct

from penchant.core.errors import InputError, UnknownName

__all__ = ["HALF_LIVES", "Tunable", "searched", "settled", "tunables", "whole"]


class Tunable(Struct, frozen=True):
    """Where tuning looks for one hyper-parameter: between two numbers, or among choices.

    It stands in the annotation of the field, beside the bounds that hold for everybody. Without ends and choices it
    means every value of a field that has few (``Literal`` or ``bool``).

    >>> from penchant.models.ease import EASE
    >>> tunables(EASE)["l2"].values()
    (1.0, 10000.0)

    Raises:
        InputError: one end is missing or not below the other, a logarithm of 0 or less would be taken, or there are
            ends and choices.
    """

    low: float | None = None
    "The least value."
    high: float | None = None
    "The greatest value."
    log: bool = False
    "Whether factors matter, not differences: 1 to 10 is as wide as 10 to 100."
    choices: tuple[Any, ...] = ()
    "The values, where they are few: texts, numbers, true and false, None."
    when: tuple[Any, ...] = ()
    "Another field and the values of it with which this one matters; empty: always."

    def __post_init__(self) -> None:
        """Refuse what names no space."""
        ends = [end for end in (self.low, self.high) if end is not None]
        if len(ends) == 1 or (ends and self.choices):
            raise InputError("a space has two ends, or choices", got=repr(self), then="write Tunable(1, 100)")
        if len(ends) == 2 and not ends[0] < ends[1]:
            raise InputError("a space is empty", got=f"{ends[0]} to {ends[1]}", allowed="low below high")
        if self.log and (not ends or ends[0] <= 0):
            raise InputError("a space on a logarithmic scale begins above 0", got=repr(self), then="raise low")

    def values(self) -> tuple[Any, ...]:
        """Return the choices, or else both ends.

        >>> Tunable(1, 8).values(), Tunable(choices=("cosine", "bm25")).values()
        ((1, 8), ('cosine', 'bm25'))
        """
        return self.choices or (self.low, self.high)


HALF_LIVES = Tunable(choices=(None, 14.0, 30.0, 90.0, 180.0, 365.0))
"Where the half-life of an asker's history lies, in days."


def tunables(kind: type[Struct]) -> dict[str, Tunable]:
    """Return the space of every field of a learner that declares one, in the order of the fields.

    >>> from penchant.models.itemknn import ItemKNN
    >>> tunables(ItemKNN)["k"], tunables(ItemKNN)["b"].when
    (Tunable(low=10, high=500, log=True, choices=(), when=()), ('similarity', 'bm25'))
    """
    found: dict[str, Tunable] = {}
    for field in msgspec.structs.fields(kind):
        space = next((each for each in _parts(field.type) if isinstance(each, Tunable)), None)
        if space is not None:
            found[field.name] = settled(kind, field.name, space)
    return found


def settled(kind: type[Struct], name: str, space: Tunable) -> Tunable:
    """Return the space of a field with what follows from its type: the choices where they are few, whole ends or not.

    >>> from penchant.models.turbocf import TurboCF
    >>> settled(TurboCF, "filter", Tunable()).choices
    (1, 2, 3)
    >>> settled(TurboCF, "s", Tunable(1, 2)).values()
    (1.0, 2.0)

    Raises:
        UnknownName: there is no such field, or none that ``when`` names.
        InputError: no choices follow, or an end is not whole where the field is.
    """
    types = {field.name: field.type for field in msgspec.structs.fields(kind)}
    for each in (name, *space.when[:1]):
        if each not in types:
            raise UnknownName.of(f"field of {kind.__name__}", each, types, field="space")
    if space.low is not None and space.high is not None:
        ends = (space.low, space.high)
        if not whole(kind, name):
            return msgspec.structs.replace(space, low=float(ends[0]), high=float(ends[1]))
        if any(end != int(end) for end in ends):
            raise InputError(f"{name} is a whole number", got=f"{ends[0]} to {ends[1]}", field="space")
        return msgspec.structs.replace(space, low=int(ends[0]), high=int(ends[1]))
    if space.choices:
        return space
    choices = tuple(_few(types[name]))
    if not choices:
        raise InputError(
            f"the space of {name} is empty", got=repr(space), then="write Tunable(low, high)", field="space"
        )
    return msgspec.structs.replace(space, choices=choices)


def searched(learner: Any, space: Mapping[str, Tunable] | Sequence[str] | None = None) -> dict[str, Tunable]:
    """Return where each field of a learner is searched: all that it declares, some of these, or spaces of one's own.

    A field that matters only with a value that another field does not have, and that is not searched, is left out.

    >>> from penchant.models.itemknn import ItemKNN
    >>> list(searched(ItemKNN(), ["k", "b"])), list(searched(ItemKNN(similarity="bm25"), ["k", "b"]))
    (['k'], ['k', 'b'])

    Raises:
        UnknownName: there is no such field.
        InputError: nothing is left to search, or a field may not have a value of its space.
    """
    kind = type(learner)
    declared, names = tunables(kind), [field.name for field in msgspec.structs.fields(kind)]
    asked = [space] if isinstance(space, str) else declared if space is None else space
    for name in asked:
        if name not in names:
            raise UnknownName.of(f"field of {kind.__name__}", name, names, field="space")
        if not isinstance(space, Mapping) and name not in declared:
            then = f"space={{{name!r}: Tunable(low, high)}}"
            allowed = ", ".join(declared) or "none"
            raise InputError(f"{name} declares no space", got=kind.__name__, allowed=allowed, then=then, field="space")
        if isinstance(space, Mapping) and not isinstance(space[name], Tunable):
            raise InputError(f"the space of {name} is none", got=repr(space[name]), then="write Tunable(1, 100)")
    own = space if isinstance(space, Mapping) else declared
    found = {name: settled(kind, name, own[name]) for name in names if name in asked}
    for name, each in tuple(found.items()):
        if each.when and each.when[0] not in found and getattr(learner, each.when[0]) not in each.when[1:]:
            del found[name]
    if not found:
        got = f"{kind.__name__}, {', '.join(asked) or 'no field'}"
        raise InputError("there is nothing to tune", got=got, then="name a field and its space", field="space")
    for name, each in found.items():
        for value in each.values():
            msgspec.structs.replace(learner, **{name: value}).check()
    return found


def whole(kind: type[Struct], name: str) -> bool:
    """Return whether a field holds whole numbers only.

    >>> from penchant.models.ease import EASE
    >>> whole(EASE, "max_items"), whole(EASE, "l2")
    (True, False)
    """
    types = {field.name: field.type for field in msgspec.structs.fields(kind)}
    parts = list(_parts(types[name]))
    return int in parts and float not in parts


def _parts(kind: Any) -> Iterator[Any]:
    """Yield a type, what it is made of, and what is annotated to any of it."""
    yield kind
    yield from getattr(kind, "__metadata__", ())
    inner = (kind.__origin__,) if hasattr(kind, "__metadata__") else get_args(kind)
    for each in inner if get_origin(kind) is not Literal else ():
        yield from _parts(each)


def _few(kind: Any) -> Iterator[Any]:
    """Yield the values of a type that has few."""
    for part in _parts(kind):
        if get_origin(part) is Literal:
            yield from get_args(part)
        elif part is bool:
            yield from (False, True)
