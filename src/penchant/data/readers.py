"""Tables and files of events, read into one shape with an account of every row that was refused."""

from __future__ import annotations

import os
from collections.abc import Mapping as Map
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Literal

import polars as pl
from msgspec import Struct

from penchant.core.clock import utc
from penchant.core.errors import UnknownName
from penchant.core.nouns import RETRACT
from penchant.core.progress import SILENT, Progress
from penchant.data.catalogue import Items, read_items
from penchant.data.columns import Mapping, Raw
from penchant.data.fields import ids, numbers, words
from penchant.data.judge import first_reason, judged, warn
from penchant.data.moments import moments
from penchant.data.quality import Quality
from penchant.data.sources import Options, load
from penchant.data.textfile import LINE_LIMIT

__all__ = ["Events", "Items", "read_events", "read_items"]

_REQUIRED = ("user", "item", "at")
_OPTIONAL = ("kind", "value", "id", "session", "channel", "replaces", "slate", "price")
_CONSTANT = ("kind", "value", "session", "channel")
_END = datetime(2100, 1, 1, tzinfo=UTC)


class Events(Struct, frozen=True, eq=False):
    """Events as a table, and the account of how they were read.

    >>> events = read_events(pl.DataFrame({"user": ["ann", ""], "item": ["tea", "tea"], "at": ["2017-01-01"] * 2}))
    >>> events.table.height, events.quality.by_reason
    (1, {'missing_user': 1})
    """

    table: pl.DataFrame
    """user, item, kind (String), at (Datetime us UTC), value (Float64), id, session, channel, replaces, slate (String
    or null), price (Float64 or null)."""
    quality: Quality
    "Rows read, accepted and rejected."


def read_events(
    source: Any,
    *,
    user: str = "user",
    item: str = "item",
    at: str = "at",
    kind: str = "kind",
    value: str = "value",
    id: str = "id",
    session: str = "session",
    channel: str = "channel",
    replaces: str = "replaces",
    slate: str = "slate",
    price: str = "price",
    constants: Map[str, Any] | None = None,
    columns: Sequence[str] | None = None,
    separator: str | None = None,
    time_format: str | None = None,
    now: datetime | None = None,
    rejects: Literal["beside", False] | str | os.PathLike[str] | None = None,
    line_limit: int = LINE_LIMIT,
    progress: Progress = SILENT,
) -> Events:
    """Read events from a file (CSV, Parquet, JSON Lines; gzip too) or any pandas, polars or Arrow table.

    Each field is given by the name of its column. Kind defaults to purchase and value to 1, also where a cell is empty.
    Rows that cannot be used are refused and listed in ``quality``; when ``rejects`` names no place for them, a warning
    is logged, which ``rejects=False`` leaves out. A time after ``now`` is refused; without ``now`` every time before
    the year 2100 is accepted.

    >>> orders = pl.DataFrame({"CustomerID": [17850.0], "StockCode": ["85123A"], "Date": ["2010-12-01 08:26:00"]})
    >>> read_events(orders, user="CustomerID", item="StockCode", at="Date").table["user"].to_list()
    ['17850']
    """
    names = {"user": user, "item": item, "at": at, "kind": kind, "value": value}
    names |= {"id": id, "session": session, "channel": channel, "replaces": replaces, "slate": slate, "price": price}
    fixed = dict(constants or {})
    for name in fixed:
        if name not in _CONSTANT:
            raise UnknownName.of("constant", name, _CONSTANT, field="constants")
    options = Options(separator, columns, line_limit=line_limit, progress=progress)
    raw = load(source, Mapping(names, _REQUIRED, tuple(fixed)), options)
    bound = _END if now is None else utc(now)
    table, notes = _understood(raw, fixed, bound, time_format)
    table, quality = judged(raw, table, notes, rejects)
    warn(quality, "events", rejects)
    return Events(table, quality)


def _understood(
    raw: Raw, fixed: dict[str, Any], bound: datetime, time_format: str | None
) -> tuple[pl.DataFrame, list[str]]:
    """Return line, reason and the columns of events, and notes on what was assumed."""
    frame, notes = raw.frame, []
    for name, constant in fixed.items():
        frame = frame.with_columns(pl.lit(str(constant)).alias(name))
    optional = pl.Series([None], dtype=pl.String).new_from_index(0, frame.height)
    column = {name: frame[name] if name in frame.columns else optional for name in (*_REQUIRED, *_OPTIONAL)}
    told = moments(column["at"], time_format)
    value, unread = numbers(column["value"], "value")
    price, unpriced = numbers(column["price"], "price")
    kind = words(column["kind"], "kind")
    for name, series, default in (("kind", kind, "purchase"), ("value", value.set(unread, 1.0), "1")):
        if name in frame.columns and series.null_count():
            notes.append(f"{name} was empty in {series.null_count():,} rows and taken as {default}")
    table = pl.DataFrame(
        {
            "line": frame["line"],
            "user": ids(column["user"], "user"),
            "item": ids(column["item"], "item"),
            "kind": kind.fill_null("purchase"),
            "at": told,
            "value": value.fill_null(1.0),
            "id": ids(column["id"], "id"),
            "session": ids(column["session"], "session"),
            "channel": words(column["channel"], "channel"),
            "replaces": ids(column["replaces"], "replaces"),
            "slate": ids(column["slate"], "slate"),
            "price": price,
        }
    )
    faults = {
        "missing_user": table["user"].is_null(),
        "missing_item": table["item"].is_null(),
        "missing_time": _empty(column["at"]),
        "bad_time": told.is_null(),
        "future_time": told > bound,
        "bad_value": unread,
        "not_finite": ~table["value"].is_finite(),
        "bad_price": unpriced | ~table["price"].is_finite().fill_null(value=True),
        "bad_replaces": (table["kind"].eq(RETRACT) & table["replaces"].is_null())
        | table["replaces"].eq(table["id"]).fill_null(value=False),
    }
    return _without_repeats(first_reason(table, faults)), notes


def _empty(at: pl.Series) -> pl.Series:
    return at.is_null() | (at.str.strip_chars() == "") if isinstance(at.dtype, pl.String) else at.is_null()


def _without_repeats(table: pl.DataFrame) -> pl.DataFrame:
    """Refuse rows whose id an accepted row above has already."""
    if table["id"].null_count() == table.height:
        return table
    fresh = pl.col("reason").is_null() & pl.col("id").is_not_null()
    again = fresh & ~pl.struct(pl.when(fresh).then("id"), fresh.alias("fresh")).is_first_distinct()
    return table.with_columns(reason=pl.when(again).then(pl.lit("duplicate_id")).otherwise("reason"))
