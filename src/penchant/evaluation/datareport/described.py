"""What the catalogue says of the items, and what it leaves out."""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec
import polars as pl
from msgspec import Struct

from penchant.data.vocabulary import Vocabulary

__all__ = ["Described", "Missing"]

_ATTRIBUTES = 20
"Attributes told of, the most frequent first."


class Missing(Struct, frozen=True):
    """How many items lack a field.

    >>> Missing("price", 2, 0.5).share
    0.5
    """

    field: str
    "A field of items, or attributes.<name>."
    missing: int
    "Items without it. A title that is the id, an empty text and no category count as missing."
    share: float
    "Of all items of the catalogue."


class Described(Struct, frozen=True):
    """What the catalogue says.

    >>> from penchant.data.readers import read_items
    >>> items = read_items(pl.DataFrame({"id": ["tea", "milk"], "title": ["Tea", ""], "price": [2.5, None]})).table
    >>> found = Described.of(items, Vocabulary.of(["jam", "tea"]), pl.Series([0, 1, 1]))
    >>> found.untouched, found.unknown, found.fields[0]
    (1, 1, Missing(field='title', missing=1, share=0.5))
    """

    items: int
    "Items in the catalogue."
    untouched: int
    "Items of the catalogue without any event."
    unknown: int
    "Items with events that the catalogue lacks."
    unknown_events: float
    "Share of the events that are about those."
    unavailable: int
    "Items that are marked as not available."
    fields: tuple[Missing, ...]
    "What is missing: title, text, categories, price, currency, published, then up to 20 attributes."

    @classmethod
    def of(cls, table: pl.DataFrame, items: Vocabulary, touched: pl.Series) -> Described:
        """Return what is found in a table of items as :func:`penchant.read_items` returns it.

        Args:
            table: the catalogue.
            items: the vocabulary of the events.
            touched: the item's code of every event.
        """
        counts = touched.value_counts(name="events")
        known = pl.Series(items.codes(table["id"]))
        told = counts.filter(counts[touched.name].is_in(known.implode()))
        n, events = table.height, len(touched)
        return cls(
            items=n,
            untouched=n - told.height,
            unknown=counts.height - told.height,
            unknown_events=(events - int(told["events"].sum())) / events,
            unavailable=int((~table["available"]).sum()),
            fields=tuple(Missing(field, missing, missing / n if n else 0.0) for field, missing in _missing(table)),
        )


def _missing(table: pl.DataFrame) -> list[tuple[str, int]]:
    absent = table.select(
        title=(pl.col("title") == pl.col("id")).sum(),
        text=(pl.col("text") == "").sum(),
        categories=(pl.col("categories").list.len() == 0).sum(),
        price=pl.col("price").null_count(),
        currency=pl.col("currency").null_count(),
        published=pl.col("published").null_count(),
    )
    has: Counter[str] = Counter()
    decode = msgspec.json.Decoder(dict[str, Any]).decode
    for text, n in table["attributes"].value_counts().iter_rows():
        for name, value in decode(text).items():
            has[name] += n * (value not in (None, "", [], {}))
    several = sorted(has.items(), key=lambda pair: (-pair[1], pair[0]))[:_ATTRIBUTES]
    return [*absent.row(0, named=True).items(), *((f"attributes.{name}", table.height - n) for name, n in several)]
