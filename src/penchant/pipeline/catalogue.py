"""What the stages know of items: arrays in the order of a vocabulary."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from penchant.core.arrays import Bool, Float64, Int32
from penchant.core.nouns import Item
from penchant.data.vocabulary import Vocabulary

__all__ = ["Catalogue"]


class Catalogue:
    """Titles, prices, categories and availability of the items of a vocabulary.

    Items the catalogue was never told of are available, have no price and no category, and their id for a title.

    >>> catalogue = Catalogue(Vocabulary.of(["tea", "milk"]), [Item("tea", "Green tea", price=2.5)])
    >>> catalogue.title(1), catalogue.title(0), catalogue.price.tolist()
    ('Green tea', 'milk', [nan, 2.5])
    """

    def __init__(self, vocabulary: Vocabulary, items: Iterable[Item] = ()) -> None:
        self.vocabulary = vocabulary
        self.available: Bool = np.ones(len(vocabulary), np.bool_)
        self.price: Float64 = np.full(len(vocabulary), np.nan)
        self.version = 0
        self._items: dict[int, Item] = {}
        self._members: dict[str, set[int]] = {}
        self.put(items)

    def put(self, items: Iterable[Item]) -> None:
        """Take in new or changed items; those outside the vocabulary are left out."""
        for item in items:
            code = self.vocabulary.code(item.id)
            if code < 0:
                continue
            for category in self._items[code].categories if code in self._items else ():
                self._members[category].discard(code)
            for category in item.categories:
                self._members.setdefault(category, set()).add(code)
            self._items[code] = item
            self.version += 1
            self.available[code] = item.available
            self.price[code] = np.nan if item.price is None else item.price

    def item(self, code: int) -> Item:
        """Return what is known of an item."""
        found = self._items.get(code)
        if found is None:
            key = self.vocabulary.ids([code])[0]
            return Item(key, key)
        return found

    def known(self) -> list[Item]:
        """Return all items of the vocabulary that the catalogue was told of."""
        return list(self._items.values())

    def title(self, code: int) -> str:
        """Return the title of an item, or its id when it has none."""
        return self.item(code).title

    def members(self, categories: Iterable[str]) -> Int32:
        """Return int32: the codes of the items that have at least one of the categories."""
        found: set[int] = set().union(*(self._members.get(c, ()) for c in categories))
        return np.fromiter(sorted(found), np.int32, len(found))
