"""How much there is, of what kinds, and when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import polars as pl
from msgspec import Struct

from penchant.core.errors import InputError
from penchant.evaluation.datareport.thresholds import RECENT

__all__ = ["Kind", "Size", "Timeline", "stamp"]

_DAY = 86_400_000_000
_FIRST, _LAST = -62_135_596_800_000_000, 253_402_300_799_999_999
"The years 1 to 9999 in microseconds since 1970."

_UNITS = (("hour", "1h", 2), ("day", "1d", 62), ("week", "1w", 434), ("month", "1mo", 3660))
"Name, step, and the days up to which it is used; above that years."


class Size(Struct, frozen=True):
    """How much there is.

    >>> frame = pl.DataFrame({"user": [0, 0, 1], "item": [0, 1, 1], "at": [0, 5, 86_400_000_000]})
    >>> size = Size.of(frame, 2)
    >>> size.events, size.users, size.items, size.pairs, size.density, size.days, size.moments
    (3, 2, 2, 3, 0.75, 1.0, 3)
    """

    events: int
    users: int
    "Users with events."
    items: int
    "Items with events."
    pairs: int
    "Different pairs of a user and an item."
    density: float
    "pairs / (users * items); the sparsity is 1 less this."
    first: str
    "Moment of the first event, UTC, ISO 8601."
    last: str
    "Moment of the last event."
    days: float
    "Between the two."
    moments: int
    "Different times."
    recent: int
    "Users with an event in the last fifth of the time."
    returning: int
    "Those of them who have one before it too."

    @classmethod
    def of(cls, frame: pl.DataFrame, n_items: int) -> Size:
        """Return the size of a frame (user, item, at), whose item codes are below ``n_items``.

        Raises:
            InputError: a time is not of the years 1 to 9999.
        """
        first, last = (int(at) for at in frame.select(pl.col("at").min(), last=pl.col("at").max()).row(0))
        if not _FIRST <= first <= last <= _LAST:
            got = f"{first if first < _FIRST else last} microseconds since 1970"
            raise InputError(
                "a time is beyond the years 1 to 9999",
                got=got,
                allowed="microseconds since 1970 UTC",
                then="let read_events understand the times",
                field="at",
            )
        bound = last - RECENT * (last - first)
        ends = frame.group_by("user").agg(low=pl.col("at").min(), high=pl.col("at").max())
        recent = ends.filter(pl.col("high") > bound)
        users, items = ends.height, frame["item"].n_unique()
        pairs = (frame["user"].cast(pl.Int64) * n_items + frame["item"]).n_unique()
        return cls(
            events=frame.height,
            users=users,
            items=items,
            pairs=pairs,
            density=pairs / (users * items),
            first=stamp(first),
            last=stamp(last),
            days=(last - first) / _DAY,
            moments=frame["at"].n_unique(),
            recent=recent.height,
            returning=recent.filter(pl.col("low") <= bound).height,
        )


class Kind(Struct, frozen=True):
    """What there is of one kind of event.

    >>> frame = pl.DataFrame({"user": [0, 0], "item": [0, 1], "kind": ["rating"] * 2, "value": [4.0, -1.0]})
    >>> (kind,) = Kind.all(frame, {"rating": 1.0}, ["rating"])
    >>> kind.name, kind.events, kind.distinct, kind.below, kind.known
    ('rating', 2, 2, 1, True)
    """

    name: str
    events: int
    share: float
    "Of all events."
    users: int
    items: int
    low: float
    "The smallest value."
    mean: float
    "The mean value."
    high: float
    "The largest value."
    distinct: int
    "Different values."
    below: int
    "Events with a value of 0 or less, which say no."
    weight: float
    "What one event weighs."
    known: bool
    "Whether the weights name it; a kind that is not named weighs 1."
    valued: bool
    "Whether its value multiplies the weight; of the others only the sign of the value counts."

    @classmethod
    def all(cls, frame: pl.DataFrame, weights: Mapping[str, float], valued: Sequence[str]) -> tuple[Kind, ...]:
        """Return the kinds of a frame (user, item, kind, value), most frequent first."""
        value = pl.col("value")
        rows = frame.group_by("kind").agg(
            events=pl.len(),
            users=pl.col("user").n_unique(),
            items=pl.col("item").n_unique(),
            low=value.min(),
            mean=value.mean(),
            high=value.max(),
            distinct=value.n_unique(),
            below=(value <= 0).sum(),
        )
        ordered = rows.with_columns(pl.col("kind").cast(pl.String)).sort(["events", "kind"], descending=[True, False])
        return tuple(
            cls(
                name=row.pop("kind"),
                share=row["events"] / frame.height,
                weight=weights.get(name, 1.0),
                known=name in weights,
                valued=name in valued,
                **row,
            )
            for row in ordered.iter_rows(named=True)
            for name in [row["kind"]]
        )


class Timeline(Struct, frozen=True):
    """Events in each part of the time, by kind.

    >>> frame = pl.DataFrame({"at": [0, 3_600_000_000, 7_300_000_000], "kind": ["view", "view", "purchase"]})
    >>> line = Timeline.of(frame)
    >>> line.unit, line.starts[0], line.counts
    ('hour', '1970-01-01 00:00', {'purchase': (0, 0, 1), 'view': (1, 1, 0)})
    """

    unit: str
    "hour, day, week (from Monday), month or year."
    starts: tuple[str, ...]
    "When each part begins, UTC; parts without events are there too."
    counts: dict[str, tuple[int, ...]]
    "Kind to events in each part."
    empty: int
    "Parts in which nothing happened."

    @classmethod
    def of(cls, frame: pl.DataFrame) -> Timeline:
        """Return the line of a frame (at, kind), kinds in alphabetical order."""
        at = frame["at"].cast(pl.Datetime("us"))
        first, last = int(frame["at"].min()), int(frame["at"].max())  # type: ignore[arg-type]
        unit, step = next(((u, s) for u, s, most in _UNITS if last - first <= most * _DAY), ("year", "1y"))
        part = at.dt.truncate(step)
        every = pl.datetime_range(pl.col("part").min(), pl.col("part").max(), step)
        starts = pl.DataFrame({"part": part}).select(every.alias("part"))["part"]
        found = pl.DataFrame({"part": part, "kind": frame["kind"].cast(pl.String)}).group_by("part", "kind").len()
        counts = {
            kind: tuple(
                pl.DataFrame({"part": starts})
                .join(found.filter(pl.col("kind") == kind), on="part", how="left", maintain_order="left")["len"]
                .fill_null(0)
            )
            for kind in found["kind"].unique().sort()
        }
        form = {"hour": "%Y-%m-%d %H:%M", "month": "%Y-%m", "year": "%Y"}.get(unit, "%Y-%m-%d")
        empty = sum(not any(column) for column in zip(*counts.values(), strict=True))
        return cls(unit, tuple(starts.dt.strftime(form)), counts, empty)


def stamp(micros: int) -> str:
    """Return a moment as text.

    >>> stamp(1_000_000)
    '1970-01-01T00:00:01+00:00'
    """
    return datetime.fromtimestamp(micros // 1_000_000, UTC).isoformat()
