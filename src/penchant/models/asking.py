"""What people hand to a model beside arrays: ids of items and how many they want; checked, or refused in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from penchant.core.arrays import Int32
from penchant.core.errors import InputError
from penchant.data.vocabulary import Vocabulary

__all__ = ["check_n", "item_id", "known_codes"]

_SHOWN = 3


def check_n(n: Any) -> None:
    """Raise InputError when ``n`` is not a whole number from 1 up.

    >>> check_n("a")
    Traceback (most recent call last):
        ...
    penchant.core.errors.InputError: n is not a whole number; got 'a'; allowed: 1 or more; next: write n=10
    """
    if not isinstance(n, int | np.integer):
        raise InputError("n is not a whole number", got=repr(n), allowed="1 or more", then="write n=10", field="n")
    if n < 1:
        raise InputError("n is out of range", got=n, allowed="1 or more", then="ask for one item", field="n")


def item_id(item: Any) -> str:
    """Return the id of one item, as it is.

    >>> item_id(22423)
    Traceback (most recent call last):
        ...
    penchant.core.errors.InputError: item ids are str; got int 22423; \
allowed: ids as text, as in the data it was fitted on; next: write '22423'
    """
    if not isinstance(item, str):
        raise _not_text(item, repr(str(item)))
    return item


def known_codes(items: Sequence[str], vocabulary: Vocabulary, *, personal: bool) -> Int32:
    """Return int32[n]: the codes of a history of item ids, oldest first; -1 for an id that is not known.

    >>> known_codes(["tea", "jam"], Vocabulary.of(["milk", "tea"]), personal=True).tolist()
    [1, -1]

    Args:
        items: the ids.
        vocabulary: the items the model knows.
        personal: whether the model's answer depends on the history; then one that it knows nothing of is refused.

    Raises:
        InputError: it is not a sequence of str, or nothing in it is known to a personal model.
    """
    ids = _listed(items)
    wrong = next((item for item in ids if not isinstance(item, str)), None)
    if wrong is not None or None in ids:
        raise _not_text(wrong, f"[{', '.join(repr(str(i)) for i in ids[:_SHOWN])}{', ...' * (len(ids) > _SHOWN)}]")
    codes = vocabulary.codes(ids)
    if personal and len(codes) and (codes < 0).all():
        raise InputError(
            "no item of the history is known to the model",
            got=", ".join(ids[:_SHOWN]) + ", ..." * (len(ids) > _SHOWN),
            allowed=f"at least one of its {len(vocabulary):,} items",
            then="use ids of the data it was fitted on; scorer.items lists them",
            field="items",
        )
    return codes


def _listed(items: Any) -> list[Any]:
    if isinstance(items, str):
        raise InputError(
            "a history is a sequence of item ids", got=items, allowed="a list of str", then=f"write [{items!r}]"
        )
    if not isinstance(items, Iterable):
        raise InputError(
            "a history is a sequence of item ids",
            got=type(items).__name__,
            allowed="a list of str",
            then="write ['id of an item']; a History is for scorer.score",
            field="items",
        )
    return list(items)


def _not_text(item: Any, written: str) -> InputError:
    plain = isinstance(item, int | float | np.number)
    return InputError(
        "item ids are str",
        got=f"{type(item).__name__} {item}" if plain else type(item).__name__,
        allowed="ids as text, as in the data it was fitted on",
        then=f"write {written}" if plain else "give the ids as str",
        field="item",
    )
