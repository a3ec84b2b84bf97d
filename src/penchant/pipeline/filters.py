"""What may be in a slate. Each filter keeps some items and changes nothing else."""

from __future__ import annotations

import numpy as np
from msgspec import Struct

from penchant.core.arrays import Bool, Int32
from penchant.core.nouns import Query, Slate
from penchant.pipeline.catalogue import Catalogue

__all__ = ["Available", "Categories", "Disliked", "Given", "Price", "Seen"]


class Seen(Struct, frozen=True):
    """Leave out what is in the history, whatever was done with it.

    >>> from datetime import datetime
    >>> from penchant.core.nouns import History
    >>> query = Query(3, "for-you", History.of([5]), datetime(2017, 12, 31))
    >>> Seen()(query, Slate.of([4, 5, 6], [0.9, 0.8, 0.7])).items.tolist()
    [4, 6]
    """

    def __call__(self, query: Query, slate: Slate, /) -> Slate:
        """Return the items that are not in the history."""
        return slate.take(~_among(slate.items, query.history.items))


class Disliked(Struct, frozen=True):
    """Leave out what the person turned down: items whose events weigh less than nothing together.

    >>> from datetime import datetime
    >>> from penchant.core.nouns import History
    >>> history = History.of([4, 5, 5], [-5, -5, 10])  # of item 5 the purchase outweighs the dislike
    >>> query = Query(3, "for-you", history, datetime(2017, 12, 31))
    >>> Disliked()(query, Slate.of([4, 5, 6], [0.9, 0.8, 0.7])).items.tolist()
    [5, 6]
    """

    def __call__(self, query: Query, slate: Slate, /) -> Slate:
        """Return the items that were not turned down."""
        if not (query.history.weights < 0).any():
            return slate
        known = query.history.items >= 0
        codes, place = np.unique(query.history.items[known], return_inverse=True)
        weights = np.bincount(place, weights=query.history.weights[known], minlength=len(codes))
        return slate.take(~_among(slate.items, codes[weights < 0]))


class Available(Struct, frozen=True, eq=False):
    """Leave out what cannot be had.

    >>> from datetime import datetime
    >>> from penchant.core.nouns import Filters, History, Item
    >>> from penchant.data.vocabulary import Vocabulary
    >>> catalogue = Catalogue(Vocabulary.of(["bread", "milk", "tea"]), [Item("milk", "Milk", available=False)])
    >>> query = Query(3, "for-you", History.of([]), datetime(2017, 12, 31))
    >>> Available(catalogue)(query, Slate.of([0, 1, 2], [0.9, 0.8, 0.7])).items.tolist()
    [0, 2]
    """

    catalogue: Catalogue
    "Knows what is available."

    def __call__(self, query: Query, slate: Slate, /) -> Slate:
        """Return the items that are available."""
        return slate.take(self.catalogue.available[slate.items])


class Categories(Struct, frozen=True, eq=False):
    """Keep the categories asked for and leave out those excluded.

    >>> from datetime import datetime
    >>> from penchant.core.nouns import Filters, History, Item
    >>> from penchant.data.vocabulary import Vocabulary
    >>> items = [Item("milk", "Milk", categories=("dairy",)), Item("tea", "Tea", categories=("drinks", "tea"))]
    >>> catalogue = Catalogue(Vocabulary.of(["bread", "milk", "tea"]), items)
    >>> wanted = Filters(categories=("dairy", "drinks"), exclude_categories=("tea",))
    >>> query = Query(3, "for-you", History.of([]), datetime(2017, 12, 31), filters=wanted)
    >>> Categories(catalogue)(query, Slate.of([0, 1, 2], [0.9, 0.8, 0.7])).items.tolist()
    [1]
    """

    catalogue: Catalogue
    "Knows the categories."

    def __call__(self, query: Query, slate: Slate, /) -> Slate:
        """Return the items the query's categories allow."""
        if query.filters.categories:
            slate = slate.take(_among(slate.items, self.catalogue.members(query.filters.categories)))
        if query.filters.exclude_categories:
            slate = slate.take(~_among(slate.items, self.catalogue.members(query.filters.exclude_categories)))
        return slate


class Price(Struct, frozen=True, eq=False):
    """Keep the price range asked for; an unknown price is outside every range.

    >>> from datetime import datetime
    >>> from penchant.core.nouns import Filters, History, Item
    >>> from penchant.data.vocabulary import Vocabulary
    >>> items = [Item("milk", "Milk", price=1.2), Item("tea", "Tea", price=2.5)]
    >>> catalogue = Catalogue(Vocabulary.of(["bread", "milk", "tea"]), items)
    >>> query = Query(3, "for-you", History.of([]), datetime(2017, 12, 31), filters=Filters(price_max=2.0))
    >>> Price(catalogue)(query, Slate.of([0, 1, 2], [0.9, 0.8, 0.7])).items.tolist()
    [1]
    """

    catalogue: Catalogue
    "Knows the prices."

    def __call__(self, query: Query, slate: Slate, /) -> Slate:
        """Return the items whose price lies in the query's range, its ends included."""
        low, high = query.filters.price_min, query.filters.price_max
        if low is not None:
            slate = slate.take(self.catalogue.price[slate.items] >= low)
        if high is not None:
            slate = slate.take(self.catalogue.price[slate.items] <= high)
        return slate


class Given(Struct, frozen=True, eq=False):
    """Keep only the ids asked for, if any, and leave out those excluded.

    >>> from datetime import datetime
    >>> from penchant.core.nouns import Filters, History
    >>> from penchant.data.vocabulary import Vocabulary
    >>> catalogue = Catalogue(Vocabulary.of(["bread", "milk", "tea"]))
    >>> wanted = Filters(include=("milk", "tea"), exclude=("tea",))
    >>> query = Query(3, "for-you", History.of([]), datetime(2017, 12, 31), filters=wanted)
    >>> Given(catalogue)(query, Slate.of([0, 1, 2], [0.9, 0.8, 0.7])).items.tolist()
    [1]
    """

    catalogue: Catalogue
    "Brings the vocabulary."

    def __call__(self, query: Query, slate: Slate, /) -> Slate:
        """Return the items the query's ids allow."""
        codes = self.catalogue.vocabulary.codes
        if query.filters.include:
            slate = slate.take(_among(slate.items, codes(query.filters.include)))
        if query.filters.exclude:
            slate = slate.take(~_among(slate.items, codes(query.filters.exclude)))
        return slate


def _among(items: Int32, others: Int32) -> Bool:
    """Return bool[n]: which items are among others."""
    if not len(others):
        return np.zeros(len(items), np.bool_)
    ordered = np.sort(others)
    place = np.minimum(np.searchsorted(ordered, items), len(ordered) - 1)
    return np.asarray(ordered[place] == items)
