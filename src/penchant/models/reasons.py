"""From addends to reasons."""

from __future__ import annotations

import numpy as np

from penchant.core.arrays import Float32
from penchant.core.nouns import History, Reason
from penchant.data.vocabulary import Vocabulary

__all__ = ["reasons_of", "strongest"]


def reasons_of(
    history: History, addends: Float32, base: float, items: Vocabulary, *, base_code: str = "popular"
) -> tuple[Reason, ...]:
    """Return the addends of one score as reasons, strongest first; entries of one item and kind are added up.

    >>> items = Vocabulary.of(["milk", "tea"])
    >>> history = History.of([1, 0, 1], kinds=("view", "purchase", "view"))
    >>> for reason in reasons_of(history, np.float32([0.25, 0.125, 0.5]), 1.0, items):
    ...     print(reason.code, reason.evidence, reason.weight)
    popular  1.0
    view tea 0.75
    purchase milk 0.125

    Args:
        history: m entries.
        addends: float32[m], what each entry adds.
        base: what the score holds before any history; no reason when 0.
        items: the vocabulary of the history's codes.
        base_code: what the base is called.
    """
    sums: dict[tuple[str, int], float] = {}
    for at in np.flatnonzero(addends):
        key = (history.kinds[at] if history.kinds else "history", int(history.items[at]))
        sums[key] = sums.get(key, 0.0) + float(addends[at])
    found = [Reason(code, items.ids([item])[0], weight) for (code, item), weight in sums.items()]
    if base:
        found.append(Reason(base_code, "", float(base)))
    return tuple(sorted(found, key=lambda r: (-abs(r.weight), r.code, r.evidence)))


def strongest(reasons: tuple[Reason, ...], n: int) -> tuple[Reason, ...]:
    """Return the first ``n`` reasons and one ``rest`` that adds up the others, so that the sum stays.

    >>> [r.weight for r in strongest((Reason("view", "a", 3.0), Reason("view", "b", 2.0), Reason("view", "c", 1.0)), 1)]
    [3.0, 3.0]
    """
    if len(reasons) <= n + 1:
        return reasons
    others = reasons[n:]
    return (*reasons[:n], Reason("rest", str(len(others)), sum(r.weight for r in others)))
