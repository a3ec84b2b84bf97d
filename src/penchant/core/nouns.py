"""The nouns. Ids are ``str`` outside and ``int32`` inside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
from msgspec import Struct, field

from penchant.core.arrays import Float32, Int32, Int64
from penchant.core.errors import InputError

if TYPE_CHECKING:
    import polars as pl

__all__ = ["RETRACT", "Event", "Filters", "History", "Item", "Part", "Query", "Reason", "Slate", "TopK"]


RETRACT = "retract"
"The kind of an event that takes back another and puts nothing in its place."

_LINES = 20
"Items of a slate that its repr shows."


class Event(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Something a person did with an item at a moment.

    >>> Event("900", "1095275", "purchase", datetime(2017, 1, 1, 11, 53, 26)).value
    1.0
    """

    user: str
    "Who did it; empty for somebody who is not known, who then needs a `session`."
    item: str
    "To which item."
    kind: str
    "What they did: view, add_to_cart, purchase, rating, dislike, or a kind of your own."
    at: datetime
    "When. A time without a zone is UTC."
    value: float = 1.0
    "How much: the quantity of a purchase, the stars of a rating. Negative takes back (a return)."
    id: str | None = None
    "Makes a retry harmless: a second event with the same id is not counted. Derived from the content when absent."
    session: str | None = None
    "The visit it belongs to."
    channel: str = "web"
    "Where it happened."
    context: dict[str, str] = field(default_factory=dict)
    "Anything else worth keeping, as text."
    replaces: str | None = None
    """The id of the event of this person in whose place it stands: a correction. With the kind retract, nothing stands
    there any more. It may arrive before the event that it names."""
    slate: str | None = None
    "The slate it was done with: which answer showed the item."
    price: float | None = None
    "What one unit cost, for revenue; the catalogue's price when absent."


class Item(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Something that can be recommended.

    >>> Item("1095275", "Bananas", categories=("produce",), price=0.5).available
    True
    """

    id: str
    "Unique in the catalogue."
    title: str
    "What a person reads."
    text: str = ""
    "A longer description."
    categories: tuple[str, ...] = ()
    "The groups it belongs to."
    price: float | None = None
    "In `currency`; None when not known."
    currency: str | None = None
    "ISO 4217."
    available: bool = True
    "False keeps it out of every slate."
    published: datetime | None = None
    "When it entered the catalogue."
    attributes: dict[str, Any] = field(default_factory=dict)
    "Anything else: brand, size, colour."


class History(Struct, frozen=True, eq=False):
    """What one person did, in time order; one entry an event, so an item may stand in it more than once.

    >>> h = History.of([4, 2, 4])
    >>> len(h), h.items.tolist(), h.weights.tolist()
    (3, [4, 2, 4], [1.0, 1.0, 1.0])
    """

    items: Int32
    "int32[m], codes in the vocabulary of the scorer that is asked; -1 for an item it does not know."
    weights: Float32
    "float32[m], the kind's weight (times the value where the kind is a rating); below 0 is a dislike."
    at: Int64
    "int64[m], microseconds since 1970 UTC, ascending."
    kinds: tuple[str, ...] = ()
    "The kind of each entry, or empty when all are unknown."

    def __len__(self) -> int:
        return len(self.items)

    @classmethod
    def of(cls, items: Any, weights: Any = None, at: Any = None, kinds: tuple[str, ...] = ()) -> History:
        """Return a history from sequences; weights default to 1 and times to one second apart."""
        codes = np.asarray(items, dtype=np.int32).reshape(-1)
        ones = np.ones(len(codes), np.float32)
        seconds = np.arange(len(codes), dtype=np.int64) * 1_000_000
        return cls(
            codes,
            ones if weights is None else np.asarray(weights, dtype=np.float32),
            seconds if at is None else np.asarray(at, dtype=np.int64),
            kinds,
        )


class Filters(Struct, frozen=True, forbid_unknown_fields=True):
    """What a slate may hold. Empty means no restriction.

    >>> Filters(categories=("produce",), price_max=5.0).exclude
    ()
    """

    categories: tuple[str, ...] = ()
    "Keep items that have at least one of these."
    exclude_categories: tuple[str, ...] = ()
    "Drop items that have any of these."
    price_min: float | None = None
    "Keep items that cost at least this; an unknown price is dropped."
    price_max: float | None = None
    "Keep items that cost at most this; an unknown price is dropped."
    include: tuple[str, ...] = ()
    "Keep only these item ids."
    exclude: tuple[str, ...] = ()
    "Drop these item ids."


class Query(Struct, frozen=True, eq=False):
    """One question to the pipeline.

    >>> query = Query(10, "for-you", History.of([4, 2]), datetime(2017, 12, 31), filters=Filters(price_max=5.0))
    >>> query.n, len(query.history), query.filters.price_max
    (10, 2, 5.0)
    """

    n: int
    "How many items are wanted."
    placement: str
    "Where they will be shown; names the settings that answer."
    history: History
    "What the asker did, so far as it may be used."
    now: datetime
    "The moment of asking."
    context: Mapping[str, str] = field(default_factory=dict)
    "Device, page, hour... as text."
    filters: Filters = Filters()
    "What the slate may hold."


class Reason(Struct, frozen=True):
    """One addend of a score, and what it stands for.

    >>> Reason("purchase", "1095275", 0.4).text
    ''
    """

    code: str
    "The kind of event behind it (purchase, view, dislike...), or popular, repeat, rest."
    evidence: str
    "The id of the item behind it, or what else it rests on."
    weight: float
    "What it adds to the score."
    text: str = ""
    "The same in words, once titles are known."


class Part(Struct, frozen=True):
    """How much one source counts in a slate's scores.

    >>> Part("ease", 0.5)
    Part(source='ease', factor=0.5)
    """

    source: str
    "The name of the scorer."
    factor: float
    "What its scores were multiplied by before they were added up."


class Slate(Struct, frozen=True, eq=False):
    """The items that answer a question, best first, with their scores and the addends of each.

    >>> slate = Slate(np.int32([3, 1]), np.float32([0.9, 0.25]), ids=("tea", "jam"))
    >>> slate  # rank, id, score and, once explained, the strongest reason
     1  tea  0.9000
     2  jam  0.2500
    >>> len(slate), list(slate)[1]
    (2, ('jam', 0.25))
    """

    items: Int32
    "int32[n]"
    scores: Float32
    "float32[n], descending once ranked."
    reasons: tuple[tuple[Reason, ...], ...] = ()
    "n tuples, strongest first, each summing to its score; empty until explained."
    parts: tuple[Part, ...] = ()
    "The sources behind the scores."
    ids: tuple[str, ...] = ()
    "The n item ids as the outside knows them; empty until the slate leaves."

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[tuple[str, float]]:
        """Yield the id and the score of each item, best first."""
        self._need_ids("cannot be iterated over")
        return zip(self.ids, self.scores.tolist(), strict=True)

    def __repr__(self) -> str:
        shown = range(min(len(self), _LINES))
        names = [self.ids[i] if self.ids else f"item {self.items[i]}" for i in shown]
        width = max(map(len, names), default=0)
        rows = zip(names, self.scores.tolist(), self.reasons or ((),) * len(self), strict=False)
        lines = [
            f"{rank:>2}  {name:<{width}}  {score:.4f}" + (f"  {_said(reasons[0])}" if reasons else "")
            for rank, (name, score, reasons) in enumerate(rows, start=1)
        ]
        if len(self) > _LINES:
            lines.append(f"... and {len(self) - _LINES:,} more")
        return "\n".join(lines) or "an empty slate"

    @classmethod
    def of(cls, items: Any = (), scores: Any = (), *, parts: tuple[Part, ...] = ()) -> Slate:
        """Return a slate from sequences of codes and scores of one length."""
        return cls(np.asarray(items, dtype=np.int32), np.asarray(scores, dtype=np.float32), parts=parts)

    def take(self, rows: Any) -> Slate:
        """Return the slate of the given rows (int indices or a boolean mask, length n)."""
        if not self.reasons and not self.ids:  # all of a catalogue, mostly
            return Slate(self.items[rows], self.scores[rows], parts=self.parts)
        index = np.arange(len(self))[rows]
        return Slate(
            self.items[index],
            self.scores[index],
            tuple(self.reasons[i] for i in index) if self.reasons else (),
            self.parts,
            tuple(self.ids[i] for i in index) if self.ids else (),
        )

    def table(self) -> pl.DataFrame:
        """Return a polars table: item (str), score (Float32), rank (Int32, from 1)."""
        import polars as pl

        self._need_ids("has no table")
        ranks = np.arange(1, len(self) + 1, dtype=np.int32)
        columns = {"item": pl.Series(self.ids, dtype=pl.String), "score": self.scores, "rank": ranks}
        return pl.DataFrame(columns)

    def _need_ids(self, lack: str) -> None:
        if len(self.ids) != len(self):
            raise InputError(f"a slate without ids {lack}", got=f"{len(self)} codes", then="explain it first")


class TopK(Struct, frozen=True, eq=False):
    """The best k items of many histories at once.

    >>> top = TopK(np.int32([[2, 0], [1, -1]]), np.float32([[0.9, 0.2], [0.7, np.nan]]))
    >>> [row[row >= 0].tolist() for row in top.items]  # for the second history only one item could be scored
    [[2, 0], [1]]
    """

    items: Int32
    "int32[n, k]; -1 only where fewer than k items can be scored."
    scores: Float32
    "float32[n, k], descending along a row; NaN where the item is -1."


def _said(reason: Reason) -> str:
    """Return a reason in words, or else as its code, evidence and weight."""
    return reason.text or " ".join(filter(None, (reason.code, reason.evidence, f"{reason.weight:+.4f}")))
