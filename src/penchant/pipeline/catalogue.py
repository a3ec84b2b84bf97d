"""What the stages know of items: columns in the order of a vocabulary."""

from __future__ import annotations

from collections.abc import Iterable
from math import isnan
from typing import Generic, TypeVar

import numpy as np

from penchant.core.arrays import Bool, Float64, Int32
from penchant.core.nouns import Item
from penchant.data.vocabulary import Vocabulary

__all__ = ["Catalogue"]

T = TypeVar("T")


class Catalogue:
    """Titles, prices, categories and availability of the items of a vocabulary.

    Items the catalogue was never told of are available, have no price and no category, and their id for a title. It
    keeps columns, not items, for a server has one for every process: 100,000 items take about 20 MB.

    >>> catalogue = Catalogue(Vocabulary.of(["tea", "milk"]), [Item("tea", "Green tea", price=2.5)])
    >>> catalogue.title(1), catalogue.title(0), catalogue.price.tolist()
    ('Green tea', 'milk', [nan, 2.5])
    """

    def __init__(self, vocabulary: Vocabulary, items: Iterable[Item] = ()) -> None:
        self.vocabulary = vocabulary
        self.version = 0
        "Grows with every item that is put."
        self.available: Bool = np.ones(len(vocabulary), np.bool_)
        self.price: Float64 = np.full(len(vocabulary), np.nan)
        self._titles: list[str | None] = [None] * len(vocabulary)
        self._currency: Int32 = np.zeros(len(vocabulary), np.int32)
        self._currencies: _Table[str | None] = _Table(None)
        self._group: Int32 = np.zeros(len(vocabulary), np.int32)
        self._groups: _Table[tuple[str, ...]] = _Table(())
        self._groups_of: dict[str, list[int]] = {}
        self.put(items)

    def put(self, items: Iterable[Item]) -> None:
        """Take in new or changed items; those outside the vocabulary are left out."""
        for item in items:
            code = self.vocabulary.code(item.id)
            if code < 0:
                continue
            self._currency[code] = self._currencies.code(item.currency)
            self._group[code] = self._grouped(item.categories)
            self.available[code] = item.available
            self.price[code] = np.nan if item.price is None else item.price
            self._titles[code] = item.title
            self.version += 1

    def item(self, code: int, key: str | None = None) -> Item:
        """Return what is known of an item, all but its text, publication and attributes; its id may be given."""
        key = self.vocabulary.ids([code])[0] if key is None else key
        price = float(self.price[code])
        return Item(
            key,
            self._titles[code] or key,
            categories=self._groups.values[self._group[code]],
            price=None if isnan(price) else price,
            currency=self._currencies.values[self._currency[code]],
            available=bool(self.available[code]),
        )

    def title(self, code: int) -> str:
        """Return the title of an item, or its id when it has none."""
        return self._titles[code] or self.vocabulary.ids([code])[0]

    def members(self, categories: Iterable[str]) -> Int32:
        """Return int32: the codes of the items that have at least one of the categories, ascending."""
        wanted = np.zeros(len(self._groups.values), np.bool_)
        for category in categories:
            wanted[self._groups_of.get(category, [])] = True
        return np.flatnonzero(wanted[self._group]).astype(np.int32)

    def _grouped(self, categories: tuple[str, ...]) -> int:
        """Return the code of a set of categories that some items have together."""
        known = len(self._groups.values)
        code = self._groups.code(categories)
        if code == known:
            for category in dict.fromkeys(categories):
                self._groups_of.setdefault(category, []).append(code)
        return code


class _Table(Generic[T]):
    """Values that many items have, each kept once, by code; the first is what items have that nothing is known of."""

    def __init__(self, first: T) -> None:
        self.values: list[T] = [first]
        self._codes: dict[T, int] = {first: 0}

    def code(self, value: T) -> int:
        """Return the code of a value; a new one when it has none."""
        code = self._codes.setdefault(value, len(self.values))
        if code == len(self.values):
            self.values.append(value)
        return code
