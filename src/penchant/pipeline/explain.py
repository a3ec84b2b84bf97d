"""Reasons: the addends of the scores, as they are, and then in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np
from msgspec import Struct, field

from penchant.core.nouns import History, Query, Reason, Slate
from penchant.core.protocols import Scorer
from penchant.models.reasons import Base, reasons_of
from penchant.pipeline.catalogue import Catalogue

__all__ = ["ALIKE", "Explain", "Words"]


class Explain(Struct, frozen=True, eq=False):
    """Give every item the addends of its score, strongest first; they sum to the score.

    >>> from datetime import datetime
    >>> from penchant.core.nouns import Item
    >>> from penchant.models.itemknn import ItemKNN
    >>> from penchant.pipeline.retrieve import Retrieve
    >>> from penchant.testing import checkerboard
    >>> board = checkerboard(6)
    >>> scorer, catalogue = ItemKNN().fit(board), Catalogue(board.items, [Item("0", "Green tea")])
    >>> query = Query(1, "for-you", History.of([0, 2], kinds=("purchase", "view")), datetime(2017, 12, 31))
    >>> slate = Retrieve("item-knn", scorer)(query, Slate.of()).take([2])
    >>> explained = Explain({"item-knn": scorer}, catalogue)(query, slate)
    >>> [(reason.code, reason.evidence) for reason in explained.reasons[0]]
    [('purchase', '0'), ('view', '2')]
    >>> bool(np.isclose(sum(reason.weight for reason in explained.reasons[0]), slate.scores[0]))
    True
    """

    scorers: Mapping[str, Scorer]
    "The sources that the slate's parts name."
    catalogue: Catalogue
    "Brings the vocabulary."
    limit: int | None = None
    "Reasons an item; the others are added up in one. None gives all."

    def __call__(self, query: Query, slate: Slate, /) -> Slate:
        """Return the slate with reasons and item ids."""
        addends = np.zeros((len(slate), len(query.history)))
        bases: list[Base] = []
        for part in slate.parts:
            scorer = self.scorers[part.source]
            if getattr(scorer, "personal", True):  # of the others no entry of a history adds anything
                addends += part.factor * _numbers(scorer.contributions(query.history, slate.items))
            base = _numbers(part.factor * scorer.base(slate.items)).astype(np.float32)
            if base.any():
                bases.append((scorer.base_code, part.source, base))
        reasons = reasons_of(query.history, addends, bases, self.catalogue.vocabulary, self.limit)
        ids = tuple(self.catalogue.vocabulary.ids(slate.items))
        return msgspec.structs.replace(slate, reasons=reasons, ids=ids)


def _numbers(addends: Any) -> Any:
    """Return what is given with 0 in place of NaN: a source that cannot score an item adds nothing to it."""
    return np.where(np.isnan(addends), 0.0, addends)


_BECAUSE = {
    "purchase": "Because you bought {title}",
    "view": "Because you looked at {title}",
    "add_to_cart": "Because you put {title} in your cart",
    "rating": "Because of your rating of {title}",
    "page": "Often chosen together with {title}",
    "history": "Because of {title} in your history",
    "dislike": "You were not interested in {title}",
}
ALIKE = {
    "purchase": "Like {title}, which you bought",
    "view": "Like {title}, which you looked at",
    "add_to_cart": "Like {title}, which you put in your cart",
    "rating": "Like {title}, which you rated",
    "page": "Like {title}",
    "history": "Like {title}, from your history",
    "dislike": "You were not interested in {title}",
}
"What is said where items were compared by what they are, not by who chose them."

_ITSELF = {
    "purchase": "You bought this {times}",
    "view": "You looked at this {times}",
    "add_to_cart": "You put this in your cart {times}",
    "rating": "You rated this",
}
_AGAINST = "Held back because you chose {title}"
_RATED_AGAINST = "Held back because of your rating of {title}"


class Words(Struct, frozen=True, eq=False):
    """Say every reason in plain words.

    >>> from datetime import datetime
    >>> from penchant.core.nouns import Item
    >>> from penchant.models.itemknn import ItemKNN
    >>> from penchant.pipeline.retrieve import Retrieve
    >>> from penchant.testing import checkerboard
    >>> board = checkerboard(6)
    >>> scorer, catalogue = ItemKNN().fit(board), Catalogue(board.items, [Item("0", "Green tea")])
    >>> query = Query(1, "for-you", History.of([0, 2], kinds=("purchase", "view")), datetime(2017, 12, 31))
    >>> slate = Retrieve("item-knn", scorer)(query, Slate.of()).take([2])
    >>> said = Words(catalogue)(query, Explain({"item-knn": scorer}, catalogue)(query, slate))
    >>> [reason.text for reason in said.reasons[0]]
    ['Because you bought Green tea', 'Because you looked at 2']
    """

    catalogue: Catalogue
    "Knows the titles."
    because: Mapping[str, str] = field(default_factory=lambda: _BECAUSE)
    "Code of a reason to what is said of it."

    def __call__(self, query: Query, slate: Slate, /) -> Slate:
        """Return the slate with the text of every reason."""
        counts = _counts(query.history)
        said: dict[tuple[str, str, bool], str] = {}  # many items of a slate rest on the same
        return msgspec.structs.replace(
            slate,
            reasons=tuple(
                tuple([Reason(r.code, r.evidence, r.weight, self._text(r, item, counts, said)) for r in reasons])
                for item, reasons in zip(slate.ids, slate.reasons, strict=True)
            ),
        )

    def _text(
        self, reason: Reason, item: str, counts: Mapping[tuple[str, int], int], said: dict[tuple[str, str, bool], str]
    ) -> str:
        if reason.evidence == item and reason.code in _ITSELF:
            n = counts.get((reason.code, self.catalogue.vocabulary.code(item)), 1)
            return _ITSELF[reason.code].format(times="once" if n == 1 else f"{n} times")
        key = (reason.code, reason.evidence, reason.weight < 0)
        if key not in said:
            said[key] = self._because(*key)
        return said[key]

    def _because(self, code: str, evidence: str, against: bool) -> str:
        if code == "popular":
            return _popular(evidence, against)
        if code == "average":
            return "What it is rated on average"
        if code == "rest":
            return f"{evidence} other things in the history together"
        item = self.catalogue.vocabulary.code(evidence)
        if item < 0:
            return code.capitalize()
        held_back = against and code != "dislike"
        against_it = _RATED_AGAINST if code == "rating" else _AGAINST
        words = against_it if held_back else self.because.get(code, "Because of your " + code + " of {title}")
        return words.format(title=self.catalogue.title(item))


def _popular(evidence: str, against: bool) -> str:
    if against:
        return "Less common than what it resembles"
    return "Popular right now" if evidence == "trending" else "Popular with other customers"


def _counts(history: History) -> Counter[tuple[str, int]]:
    return Counter(zip(history.kinds, history.items.tolist(), strict=False))
