"""Tables and files of items: the catalogue."""

from __future__ import annotations

import os
from collections.abc import Mapping as Map
from collections.abc import Sequence
from typing import Any, Literal

import msgspec
import polars as pl
from msgspec import Struct
from msgspec.structs import replace

from penchant.core.errors import UnknownName
from penchant.core.progress import SILENT, Progress
from penchant.data.columns import Mapping, Raw
from penchant.data.fields import flags, ids, numbers, objects, words
from penchant.data.judge import first_reason, judged, warn
from penchant.data.moments import moments
from penchant.data.quality import Quality
from penchant.data.sources import Options, load

__all__ = ["Items", "read_items"]

_OPTIONAL = ("title", "text", "categories", "price", "currency", "available", "published")
_EXTRA = "attribute:"


class Items(Struct, frozen=True, eq=False):
    """Items as a table, and the account of how they were read.

    >>> items = read_items(pl.DataFrame({"id": ["tea"], "title": ["Green tea"], "price": ["2.50"]}))
    >>> items.table.select("title", "price").row(0)
    ('Green tea', 2.5)
    """

    table: pl.DataFrame
    """id, title, text (String), categories (List of String), price (Float64 or null), currency (String or null),
    available (Boolean), published (Datetime us UTC or null), attributes (String: a JSON object)."""
    quality: Quality
    "Rows read, accepted and rejected."


def read_items(
    source: Any,
    *,
    id: str = "id",
    title: str = "title",
    text: str = "text",
    categories: str = "categories",
    price: str = "price",
    currency: str = "currency",
    available: str = "available",
    published: str = "published",
    attributes: str | Sequence[str] = "attributes",
    constants: Map[str, Any] | None = None,
    columns: Sequence[str] | None = None,
    separator: str | None = None,
    time_format: str | None = None,
    rejects: Literal["beside", False] | str | os.PathLike[str] | None = None,
    progress: Progress = SILENT,
) -> Items:
    """Read items from a file (CSV, Parquet, JSON Lines; gzip too) or any pandas, polars or Arrow table.

    ``attributes`` is a column of JSON objects, or several columns that are gathered into one; so is a single column of
    another name that holds no JSON object. Of an id that is there twice the last row counts. An item without
    a title is called by its id. Rows that cannot be used are refused and
    listed in ``quality``; when ``rejects`` names no place for them, a warning is logged.

    >>> table = pl.DataFrame({"sku": ["tea"], "group": ["drinks|hot"], "size": ["20 bags"]})
    >>> read_items(table, id="sku", categories="group", attributes=["size"]).table["attributes"].to_list()
    ['{"size":"20 bags"}']
    """
    names = {"id": id, "title": title, "text": text, "categories": categories, "price": price}
    names |= {"currency": currency, "available": available, "published": published}
    several = () if isinstance(attributes, str) else tuple(attributes)
    names |= {_EXTRA + name: name for name in several} if several else {"attributes": str(attributes)}
    fixed = dict(constants or {})
    for name in fixed:
        if name not in _OPTIONAL:
            raise UnknownName.of("constant", name, _OPTIONAL, field="constants")
    mapping = Mapping(names, ("id",), tuple(fixed))
    raw = load(source, mapping, Options(separator, columns, nested=True, progress=progress))
    if not several and attributes != "attributes" and _plain(raw.frame):
        several = (str(attributes),)
        raw = replace(raw, frame=raw.frame.rename({"attributes": _EXTRA + several[0]}))
    table, notes = _understood(raw, fixed, several, time_format)
    table, quality = judged(raw, table, notes, rejects)
    warn(quality, "items", rejects)
    return Items(table, quality)


def _understood(
    raw: Raw, fixed: dict[str, Any], several: tuple[str, ...], time_format: str | None
) -> tuple[pl.DataFrame, list[str]]:
    frame = raw.frame.with_columns(**{name: pl.lit(str(value)) for name, value in fixed.items()})
    absent = pl.Series([None], dtype=pl.String).new_from_index(0, frame.height)
    column = {name: frame[name] if name in frame.columns else absent for name in (*_OPTIONAL, "attributes")}
    code, title = ids(frame["id"], "id"), words(column["title"], "title")
    price, unread = numbers(column["price"], "price")
    available, unclear = flags(column["available"], "available")
    published = moments(column["published"], time_format)
    attributes, broken = _gathered(frame, several) if several else _attributes(column["attributes"])
    table = pl.DataFrame(
        {
            "line": frame["line"],
            "id": code,
            "title": title.fill_null(code),
            "text": words(column["text"], "text").fill_null(""),
            "categories": _categories(column["categories"]),
            "price": price,
            "currency": words(column["currency"], "currency"),
            "available": available.fill_null(True),
            "published": published,
            "attributes": attributes,
        }
    )
    faults = {
        "missing_id": code.is_null(),
        "bad_price": unread | (price.is_not_null() & ~(price.is_finite() & (price >= 0))).fill_null(False),
        "bad_available": unclear,
        "bad_time": published.is_null() & _present(column["published"]),
        "bad_attributes": broken,
    }
    notes = []
    if nameless := (title.is_null() & code.is_not_null()).sum():
        notes.append(f"{nameless:,} items have no title and are called by their id")
    return _last_counts(first_reason(table, faults)), notes


def _present(column: pl.Series) -> pl.Series:
    text = column if not isinstance(column.dtype, pl.String) else words(column, "published")
    return text.is_not_null()


def _last_counts(table: pl.DataFrame) -> pl.DataFrame:
    """Refuse rows whose id an accepted row below has."""
    good = pl.col("reason").is_null()
    earlier = good & ~pl.struct(pl.when(good).then("id"), good.alias("good")).is_last_distinct()
    return table.with_columns(reason=pl.when(earlier).then(pl.lit("duplicate_id")).otherwise("reason"))


def _categories(column: pl.Series) -> pl.Series:
    """Return lists of groups; text is a JSON list or parted by ``|``."""
    if isinstance(column.dtype, pl.List):
        parts = column.cast(pl.List(pl.String))
    else:
        text = words(column, "categories").fill_null("")
        parts = text.str.split("|")
        if text.str.starts_with("[").any():
            parts = _json_lists(parts, text)
    tidy = parts.list.eval(pl.element().str.strip_chars())
    return tidy.list.eval(pl.element().filter(pl.element().is_not_null() & (pl.element() != ""))).fill_null([])


def _json_lists(parts: pl.Series, text: pl.Series) -> pl.Series:
    return pl.Series(
        [_json_list(whole, split) for whole, split in zip(text, parts, strict=True)], dtype=pl.List(pl.String)
    )


def _json_list(text: str, otherwise: list[str]) -> list[str]:
    try:
        return msgspec.json.decode(text, type=list[str]) if text.startswith("[") else list(otherwise)
    except msgspec.DecodeError:
        return list(otherwise)


def _plain(frame: pl.DataFrame) -> bool:
    """Return whether what was named for attributes holds values, and no JSON object among them."""
    if "attributes" not in frame.columns or isinstance(frame["attributes"].dtype, pl.Struct):
        return False
    text = words(frame["attributes"], "attributes").drop_nulls()
    return bool(len(text)) and not text.str.starts_with("{").any()


def _gathered(frame: pl.DataFrame, several: tuple[str, ...]) -> tuple[pl.Series, pl.Series]:
    """Return several columns as one JSON object a row."""
    columns = (pl.col(_EXTRA + name).alias(name) for name in several)
    return objects(frame.select(columns)), pl.Series([False]).new_from_index(0, frame.height)


def _attributes(column: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Return JSON objects, and where something stood that is none."""
    if isinstance(column.dtype, pl.Struct):
        texts = [msgspec.json.encode(value or {}).decode() for value in column]
        return pl.Series(texts, dtype=pl.String), pl.Series([False]).new_from_index(0, len(texts))
    text = words(column, "attributes").fill_null("{}")
    broken = [not _is_object(value) for value in text]
    return text, pl.Series(broken, dtype=pl.Boolean)


def _is_object(text: str) -> bool:
    if text == "{}":
        return True
    try:
        msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.DecodeError:
        return False
    return True
