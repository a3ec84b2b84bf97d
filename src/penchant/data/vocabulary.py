"""The one place where ``str`` ids become ``int32`` codes and back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import polars as pl

from penchant.core.arrays import Int32
from penchant.core.errors import InputError

__all__ = ["Vocabulary"]

_FEW, _MANY = 64, 1000
"Codes up to which ids are taken one by one: a gather begins with a query plan."


class Vocabulary:
    """A set of ids in an order; an id's code is its place in it. Immutable.

    :meth:`of` sorts, so that the same ids get the same codes whatever the order of the events they came from.

    >>> v = Vocabulary.of(["pear", "apple", "pear"])
    >>> v.codes(["apple", "plum"]).tolist(), v.ids([1, 0])
    ([0, -1], ['pear', 'apple'])
    >>> len(v), "pear" in v, v[1]
    (2, True, 'pear')
    """

    __slots__ = ("_codes", "_ids", "_series", "_size")

    def __init__(self, series: pl.Series) -> None:
        """Take a distinct, non-null string series in code order; use :meth:`of` for anything else."""
        self._series = series.alias("id")
        self._size = len(series)  # asked for with every answer
        self._codes: dict[str, int] | None = None
        self._ids: list[str] = []

    @classmethod
    def of(cls, ids: Iterable[str] | pl.Series) -> Vocabulary:
        """Return the vocabulary of the distinct ids, in byte order.

        Raises:
            InputError: an id is not a string.
        """
        try:
            series = ids if isinstance(ids, pl.Series) else pl.Series(list(ids), dtype=pl.String, strict=True)
            return cls(series.cast(pl.String).unique().drop_nulls().sort())
        except TypeError as error:
            raise InputError(
                "an id is not a string", got=str(error), allowed="str", then="convert ids with str()"
            ) from error

    @property
    def series(self) -> pl.Series:
        """The ids as a polars series, in code order."""
        return self._series

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[str]:
        return iter(self._series)

    def __getitem__(self, code: int) -> str:
        """Return the id of one code; many at once are ``ids``.

        Raises:
            InputError: it is not one whole number.
            IndexError: the code lies outside the vocabulary.
        """
        if not isinstance(code, int | np.integer):
            then = "vocabulary.ids([...]) for several codes, vocabulary.code(id) for the code of an id"
            raise InputError("a vocabulary is asked for one code", got=repr(code), allowed="int", then=then)
        return self.ids([code])[0]

    def __contains__(self, item: object) -> bool:
        return item in self._lookup()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vocabulary) and self._series.equals(other._series)

    def __hash__(self) -> int:
        return hash((len(self), self._series[0] if len(self) else None))

    def __repr__(self) -> str:
        return f"Vocabulary({len(self):,} ids)"

    def code(self, item: str) -> int:
        """Return the code of one id, or -1 when it is not in the vocabulary."""
        return self._lookup().get(item, -1)

    def codes(self, ids: Iterable[str] | pl.Series) -> Int32:
        """Return int32[n]: the code of every id, -1 for those not in the vocabulary."""
        if isinstance(ids, pl.Series) and len(ids) > 1000:
            table = pl.DataFrame({"id": self._series, "code": np.arange(len(self), dtype=np.int32)})
            asked = pl.DataFrame({"id": ids.cast(pl.String)})
            found = asked.join(table, on="id", how="left", maintain_order="left")
            return found["code"].fill_null(-1).to_numpy().astype(np.int32)
        get = self._lookup().get
        return np.array([get(i, -1) for i in ids], dtype=np.int32)

    def ids(self, codes: Any) -> list[str]:
        """Return the id of every code.

        Raises:
            IndexError: a code lies outside the vocabulary.
        """
        index = np.asarray(codes, dtype=np.int64)
        if index.size <= (_MANY if self._ids else _FEW):
            return self._few(index.reshape(-1).tolist())
        if index.size and not (index.min() >= 0 and index.max() < len(self)):
            raise _outside(len(self), index.min(), index.max())
        return list(self._series.gather(index))

    def union(self, other: Vocabulary) -> Vocabulary:
        """Return the ids of both, the order of these kept: new ones in byte order where these are, else at the end.

        >>> Vocabulary.of(["a", "c"]).union(Vocabulary.of(["b"])).ids([0, 1, 2])
        ['a', 'b', 'c']
        """
        new = other.series.filter(pl.Series(self.codes(other.series) < 0))
        if new.is_empty():
            return self
        both = pl.concat([self._series, new.alias("id")])
        return Vocabulary.of(both) if self._series.is_sorted() else Vocabulary(both)

    def _few(self, codes: list[int]) -> list[str]:
        if codes and not (min(codes) >= 0 and max(codes) < len(self)):
            raise _outside(len(self), min(codes), max(codes))
        if self._ids:  # who looks codes up has the ids at hand
            ids = self._ids
            return [ids[code] for code in codes]
        return [self._series.item(code) for code in codes]

    def _lookup(self) -> dict[str, int]:
        if self._codes is None:
            self._ids = self._series.to_list()
            self._codes = {key: code for code, key in enumerate(self._ids)}
        return self._codes


def _outside(size: int, least: int, most: int) -> IndexError:
    return IndexError(f"codes must lie in [0, {size}), got {least} to {most}")
