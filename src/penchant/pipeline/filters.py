"""What may be in a slate. Each filter keeps some items and changes nothing else."""

from __future__ import annotations

import numpy as np
from msgspec import Struct

from penchant.core.nouns import Query, Slate
from penchant.pipeline.catalogue import Catalogue

__all__ = ["Available", "Categories", "Disliked", "Given", "Price", "Seen"]


class Seen(Struct, frozen=True):
    """Leave out what is in the history, whatever was done with it."""

    def __call__(self, query: Query, slate: Slate, /) -> Slate:
        """Return the items that are not in the history."""
        return slate.take(~np.isin(slate.items, query.history.items))


class Disliked(Struct, frozen=True):
    """Leave out what the person turned down: items whose events weigh less than nothing together."""

    def __call__(self, query: Query, slate: Slate, /) -> Slate:
        """Return the items that were not turned down."""
        known = query.history.items >= 0
        codes, place = np.unique(query.history.items[known], return_inverse=True)
        weights = np.bincount(place, weights=query.history.weights[known], minlength=len(codes))
        return slate.take(~np.isin(slate.items, codes[weights < 0]))


class Available(Struct, frozen=True, eq=False):
    """Leave out what cannot be had."""

    catalogue: Catalogue
    "Knows what is available."

    def __call__(self, query: Query, slate: Slate, /) -> Slate:
        """Return the items that are available."""
        return slate.take(self.catalogue.available[slate.items])


class Categories(Struct, frozen=True, eq=False):
    """Keep the categories asked for and leave out those excluded."""

    catalogue: Catalogue
    "Knows the categories."

    def __call__(self, query: Query, slate: Slate, /) -> Slate:
        """Return the items the query's categories allow."""
        if query.filters.categories:
            slate = slate.take(np.isin(slate.items, self.catalogue.members(query.filters.categories)))
        if query.filters.exclude_categories:
            slate = slate.take(~np.isin(slate.items, self.catalogue.members(query.filters.exclude_categories)))
        return slate


class Price(Struct, frozen=True, eq=False):
    """Keep the price range asked for; an unknown price is outside every range."""

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
    """Keep only the ids asked for, if any, and leave out those excluded."""

    catalogue: Catalogue
    "Brings the vocabulary."

    def __call__(self, query: Query, slate: Slate, /) -> Slate:
        """Return the items the query's ids allow."""
        codes = self.catalogue.vocabulary.codes
        if query.filters.include:
            slate = slate.take(np.isin(slate.items, codes(query.filters.include)))
        if query.filters.exclude:
            slate = slate.take(~np.isin(slate.items, codes(query.filters.exclude)))
        return slate
