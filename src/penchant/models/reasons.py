"""From addends to reasons."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from penchant.core.arrays import Float32, Float64
from penchant.core.nouns import History, Reason
from penchant.data.vocabulary import Vocabulary

__all__ = ["Base", "reasons_of"]

Base = tuple[str, str, Float32]
"The code and evidence of an addend that no event is behind, and float32[n]: what it adds to each item."


def reasons_of(
    history: History, addends: Float64, bases: Sequence[Base], items: Vocabulary, limit: int | None = None
) -> tuple[tuple[Reason, ...], ...]:
    """Return the addends of n scores as reasons, strongest first; entries of one item and kind are added up.

    >>> items = Vocabulary.of(["milk", "tea"])
    >>> history = History.of([1, 0, 1], kinds=("view", "purchase", "view"))
    >>> for reason in reasons_of(history, np.array([[0.25, 0.125, 0.5]]), [("popular", "", np.float32([1]))], items)[0]:
    ...     print(reason.code, reason.evidence, reason.weight)
    popular  1.0
    view tea 0.75
    purchase milk 0.125

    Args:
        history: m entries; an entry of unknown kind has the code ``history``.
        addends: float64[n, m], what each entry adds to each score.
        bases: addends that no event is behind.
        items: the vocabulary of the history's codes.
        limit: keep this many reasons a score, bases first of all, and add up the other events' in one of code
            ``rest``, whose evidence is their number; the sum stays the same.
    """
    active = np.flatnonzero(addends.any(axis=0))
    keys: dict[tuple[str, int], int] = {}
    kinds = history.kinds or ("history",) * len(history)
    codes = history.items.tolist()
    place = [keys.setdefault((kinds[at], codes[at]), len(keys)) for at in active.tolist()]
    names = list(zip([code for code, _ in keys], items.ids([item for _, item in keys]), strict=True))
    names += [(code, evidence) for code, evidence, _ in bases]
    table = np.zeros((len(names), len(addends)))
    if len(keys) == len(place):  # mostly: an item counts once, at its latest entry
        table[: len(keys)] = addends.T[active]
    else:
        np.add.at(table, place, addends.T[active])
    for row, (_, _, base) in enumerate(bases, start=len(keys)):
        table[row] = base
    order = np.argsort(-np.abs(table.T), axis=1, kind="stable")
    if limit is not None:
        order = order[:, : limit + 1 + len(bases)]  # no more can be told, and it is Python that goes through them
    rows = zip(table.T.tolist(), order.tolist(), strict=True)
    return tuple([_strongest(names, weights, best, len(keys), limit) for weights, best in rows])


def _strongest(
    names: list[tuple[str, str]], weights: list[float], order: list[int], events: int, limit: int | None
) -> tuple[Reason, ...]:
    """Return the reasons of one score, whose strongest addends come in an order; events stand before the bases.

    What is not told is summed up as what all events add, less what is told: exactly, for ``fsum`` rounds once.
    """
    count = len(weights) - weights.count(0.0)
    if limit is None or count <= limit + 1:
        return tuple([Reason(*names[i], weights[i]) for i in order[:count]])
    bases = [i for i in range(events, len(names)) if weights[i]]
    kept = [i for i in order if i < events][: max(limit - len(bases), 0)]
    reasons = [Reason(*names[i], weights[i]) for i in sorted(kept + bases, key=lambda i: (-abs(weights[i]), i))]
    others = count - len(bases) - len(kept)
    if others:
        rest = math.fsum([*weights[:events], *[-weights[i] for i in kept]])
        reasons.append(Reason("rest", str(others), rest))
    return tuple(reasons)
