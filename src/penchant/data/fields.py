"""What stands in a column, as ids, numbers, words and yes or no."""

from __future__ import annotations

import msgspec
import polars as pl

from penchant.core.errors import InputError

__all__ = ["flags", "ids", "numbers", "objects", "words"]

_YES = ["true", "t", "yes", "y", "1", "1.0", "in stock", "in_stock", "available"]
_NO = ["false", "f", "no", "n", "0", "0.0", "out of stock", "out_of_stock", "unavailable", "discontinued"]
_POINT_ZERO = r"^-?\d+\.0$"


def ids(column: pl.Series, field: str) -> pl.Series:
    """Return ids as text: outer spaces dropped, empty is null, and whole numbers without ``.0``.

    >>> ids(pl.Series([17850.0, None, float("nan")]), "user").to_list()
    ['17850', None, None]

    Raises:
        InputError: the type holds no ids.
    """
    dtype = column.dtype
    if dtype.is_float():
        whole = column.fill_nan(None)
        whole = whole.set(whole.is_infinite().fill_null(False), None)
        plain = bool((whole.drop_nulls() % 1 == 0).all()) and bool((whole.drop_nulls().abs() < 2**53).all())
        return whole.cast(pl.Int64).cast(pl.String) if plain else whole.cast(pl.String)
    text = words(column, field)
    if isinstance(dtype, pl.String) and len(text) > text.null_count() and text.str.contains(_POINT_ZERO).all():
        return text.str.strip_suffix(".0")
    return text


def words(column: pl.Series, field: str) -> pl.Series:
    """Return text with outer spaces dropped; empty is null.

    >>> words(pl.Series([" view", ""]), "kind").to_list()
    ['view', None]

    Raises:
        InputError: the type is not text, a number or a category.
    """
    dtype = column.dtype
    if not (dtype.is_numeric() or isinstance(dtype, pl.String | pl.Categorical | pl.Enum | pl.Boolean | pl.Null)):
        raise InputError(
            f"the column of {field} has a type that cannot be used",
            got=str(dtype),
            allowed="text or numbers",
            then="convert it to text",
            field=field,
        )
    text = column.cast(pl.String)
    if dtype.is_numeric():
        return text
    text = text.str.strip_chars()
    return text.set((text == "").fill_null(False), None)


def numbers(column: pl.Series, field: str) -> tuple[pl.Series, pl.Series]:
    """Return the numbers (Float64) and where something stood that is not one; empty is null and no fault.

    >>> [part.to_list() for part in numbers(pl.Series(["2.5", "two", None]), "value")]
    [[2.5, None, None], [False, True, False]]

    Raises:
        InputError: the type holds no numbers.
    """
    if column.dtype.is_numeric() or isinstance(column.dtype, pl.Boolean):
        number = column.cast(pl.Float64)
        return number, pl.Series([False]).new_from_index(0, len(column))
    text = words(column, field)
    number = text.cast(pl.Float64, strict=False)
    return number, number.is_null() & text.is_not_null()


def objects(frame: pl.DataFrame) -> pl.Series:
    """Return one JSON object a row as text, without the fields that are empty.

    >>> objects(pl.DataFrame({"brand": ["Ours", None], "size": ["1 lb", "2 lb"]})).to_list()
    ['{"brand":"Ours","size":"1 lb"}', '{"size":"2 lb"}']
    """
    encode = msgspec.json.Encoder().encode
    rows = frame.iter_rows(named=True)
    texts = [encode({name: value for name, value in row.items() if value not in (None, "")}).decode() for row in rows]
    return pl.Series(texts, dtype=pl.String)


def flags(column: pl.Series, field: str) -> tuple[pl.Series, pl.Series]:
    """Return yes or no (Boolean) and where something stood that is neither; empty is null and no fault.

    >>> [part.to_list() for part in flags(pl.Series(["yes", "0", "soon"]), "available")]
    [[True, False, None], [False, False, True]]

    Raises:
        InputError: the type holds neither.
    """
    text = words(column, field).str.to_lowercase()
    flag = pl.select(pl.when(text.is_in(_YES)).then(True).when(text.is_in(_NO)).then(False)).to_series()
    return flag, flag.is_null() & text.is_not_null()
