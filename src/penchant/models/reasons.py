"""From addends to reasons."""

from __future__ import annotations

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
    place = [
        keys.setdefault((history.kinds[at] if history.kinds else "history", int(history.items[at])), len(keys))
        for at in active
    ]
    names = list(zip([code for code, _ in keys], items.ids([item for _, item in keys]), strict=True))
    names += [(code, evidence) for code, evidence, _ in bases]
    table = np.zeros((len(addends), len(names)))
    for column, at in zip(place, active, strict=True):
        table[:, column] += addends[:, at]
    for column, (_, _, base) in enumerate(bases, start=len(keys)):
        table[:, column] = base
    return tuple(_strongest(names, row, len(keys), limit) for row in table)


def _strongest(names: list[tuple[str, str]], row: Float64, events: int, limit: int | None) -> tuple[Reason, ...]:
    """Return the reasons of one score; the first ``events`` columns are events, the others bases."""
    order = np.lexsort((np.arange(len(row)), -np.abs(row)))
    order = order[row[order] != 0]
    others = order[:0]
    if limit is not None and len(order) > limit + 1:
        base = order >= events
        kept = base | (np.cumsum(~base) <= limit - np.count_nonzero(base))
        order, others = order[kept], np.sort(order[~kept])
    reasons = [Reason(names[i][0], names[i][1], float(row[i])) for i in order]
    if len(others):
        reasons.append(Reason("rest", str(len(others)), float(row[others].sum())))
    return tuple(reasons)
