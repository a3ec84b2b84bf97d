"""How many people liked what when: counts that add up over people, from which every popularity is worked out."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import polars as pl

from penchant.core.arrays import Bool, Float64, Int32
from penchant.core.errors import EmptyData, InputError
from penchant.data.dataset import Dataset
from penchant.models.state import State, narrowed

__all__ = ["Groups", "Histogram"]


class Histogram(State, frozen=True, eq=False, kw_only=True):
    """How many likings each item had in each hour, or on each day.

    >>> both = Histogram.of(np.int32([1, 0, 1, 1]), np.int64([5, 5, 7, 5]))
    >>> both.items.tolist(), both.times.tolist(), both.counts.tolist()
    ([0, 1, 1], [5, 5, 7], [1, 2, 1])
    >>> both.plus(Histogram.of(np.int32([1]), np.int64([5])), -1).counts.tolist()
    [1, 1, 1]
    """

    items: Int32
    "int32[n], ascending."
    times: Int32
    "int32[n], hours or days since 1970 UTC, ascending an item."
    counts: Any
    "Whole numbers of 1 or more in the smallest type that holds them, n: likings."

    @classmethod
    def of(cls, items: Any, times: Any, counts: Any = None) -> Self:
        """Return the counts of likings (int[m] each); those of one item and time are added up, and 0 is left out."""
        how_many = np.ones(len(items), np.int64) if counts is None else np.asarray(counts, np.int64)
        order = np.lexsort((times, items))
        items, times, how_many = items[order], times[order], how_many[order]
        first = np.ones(len(items), np.bool_)
        first[1:] = (items[1:] != items[:-1]) | (times[1:] != times[:-1])
        total = np.add.reduceat(how_many, np.flatnonzero(first)) if len(items) else how_many
        if (total < 0).any():
            raise InputError(
                "more likings are to be forgotten than there are",
                got=f"{int(-total.min())} too many of one item at one time",
                allowed="whole people, with the events that the model learnt of them",
            )
        kept = total > 0
        return cls(
            items=items[first][kept].astype(np.int32),
            times=times[first][kept].astype(np.int32),
            counts=narrowed(total[kept]),
        )

    def over(self, codes: Int32, n_items: int) -> Self:
        """Return the same counts in another vocabulary."""
        return type(self)(items=codes[self.items], times=self.times, counts=self.counts)

    def plus(self, other: Self, sign: int) -> Self:
        """Return the counts with those of other people added or taken away.

        Raises:
            InputError: a count would fall below 0.
        """
        return self.of(
            np.concatenate([self.items, other.items]),
            np.concatenate([self.times, other.times]),
            np.concatenate([self.counts.astype(np.int64), sign * other.counts.astype(np.int64)]),
        )

    def expect_some(self) -> Self:
        """Return the counts.

        Raises:
            EmptyData: there are none.
        """
        if not len(self.items):
            raise EmptyData("nobody is left to learn from", got="no liking of any item")
        return self

    @property
    def age(self) -> Int32:
        """int32[n]: hours or days back from the latest liking."""
        return np.asarray(self.times.max() - self.times, np.int32)

    def totals(self, n_items: int, weights: Bool | Float64) -> Float64:
        """Return float64[n_items]: the likings of each item, each of n entries times its weight."""
        return np.bincount(self.items, weights=self.counts * weights, minlength=n_items).astype(np.float64)


class Groups(Histogram, frozen=True, eq=False, kw_only=True):
    """A histogram that knows the categories of the items beside: what a catalogue says of items, not of people.

    >>> hot = pl.DataFrame({"id": ["rye", "tea"], "categories": [[], ["hot", "drinks"]]})
    >>> events = pl.DataFrame({"user": ["a"], "item": ["tea"], "at": [0]})
    >>> groups = Groups.of(np.int32([1]), np.int64([0])).known(Dataset.from_events(events, hot))
    >>> groups.names, groups.members.tolist(), groups.member_groups.tolist()
    (['drinks', 'hot'], [1, 1], [0, 1])
    """

    members: Int32 = np.zeros(0, np.int32)
    "int32[m], an item for each category it is in, ascending."
    member_groups: Int32 = np.zeros(0, np.int32)
    "int32[m], the category, ascending an item."
    names: list[str] = []
    "The categories in byte order."

    def known(self, data: Dataset) -> Self:
        """Return the counts with the categories of a dataset's catalogue; none when it names none."""
        catalogue = data.catalogue
        if catalogue is None or not isinstance(catalogue.schema.get("categories"), pl.List):
            return self
        table = catalogue.select(pl.col("id").cast(pl.String), pl.col("categories").cast(pl.List(pl.String)))
        table = table.explode("categories").drop_nulls()
        return self._grouped(data.items.codes(table["id"]), table["categories"].to_list())

    def over(self, codes: Int32, n_items: int) -> Self:
        """Return the same counts in another vocabulary."""
        counts = Histogram.over(self, codes, n_items)
        return counts._grouped(codes[self.members], self._named())

    def plus(self, other: Self, sign: int) -> Self:
        """Return the counts with those of other people added or taken away; who comes may bring categories along."""
        counts = Histogram.plus(self, other, sign)
        if sign < 0:
            return counts._grouped(self.members, self._named())
        members = np.concatenate([self.members, other.members])
        return counts._grouped(members, self._named() + other._named())

    def _named(self) -> list[str]:
        return [self.names[group] for group in self.member_groups.tolist()]

    def _grouped(self, members: Int32, named: list[str]) -> Self:
        names = sorted(set(named))
        places = {name: place for place, name in enumerate(names)}
        pairs = sorted({(member, places[name]) for member, name in zip(members.tolist(), named, strict=True)})
        both = np.array(pairs, np.int32).reshape(-1, 2)
        return type(self)(
            items=self.items,
            times=self.times,
            counts=self.counts,
            members=np.ascontiguousarray(both[:, 0]),
            member_groups=np.ascontiguousarray(both[:, 1]),
            names=names,
        )
