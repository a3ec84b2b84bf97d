"""Times as people and machines write them, as moments in UTC."""

from __future__ import annotations

from itertools import product

import polars as pl

from penchant.core.errors import InputError

__all__ = ["moments"]

UTC_MICROS = pl.Datetime("us", "UTC")

_SAMPLE = 64
"Rows that tell which way of reading to try first."

_NUMBER = r"^[+-]?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?$"
_SLASHED = (
    r"^(?<a>\d{1,2})(?<mark>[/.-])(?<b>\d{1,2})[/.-](?<year>\d{4}|\d{2})"
    r"(?:,?[ ]+(?<clock>\d{1,2}:\d{2})(?<seconds>:\d{2})?(?:\.\d+)?[ ]*(?<half>[AaPp][Mm])?)?$"
)
_ISO = ("%Y-%m-%d %H:%M:%S%.f%z", "%Y-%m-%d %H:%M%z", "%Y-%m-%d %H:%M", "%Y-%m-%d", "%Y%m%d %H%M%S", "%Y%m%d %H%M%S%z")
_DAYS, _CLOCKS = ("%d-%b-%Y", "%d %b %Y", "%b %d, %Y"), (" %H:%M:%S", " %H:%M", "")
_NAMED = (*map("".join, product(_DAYS, _CLOCKS)), "%a, %d %b %Y %H:%M:%S%z")


def moments(column: pl.Series, time_format: str | None = None) -> pl.Series:
    """Return the moments a column tells, null where it tells none; a time without a zone is UTC.

    Understood: dates and datetimes; ISO 8601 with or without a zone; Unix time in seconds, milliseconds, microseconds
    or nanoseconds, told apart by size; month names; and 01/12/2010 08:26 where another row shows which of the first
    two numbers is the day.

    >>> moments(pl.Series(["2010-12-01T08:26:00+01:00", "1291191960", "soon"])).dt.to_string().to_list()
    ['2010-12-01 07:26:00.000000+00:00', '2010-12-01 08:26:00.000000+00:00', None]

    Raises:
        InputError: the order of day and month cannot be told, the format is not one, or the type holds no times.
    """
    dtype = column.dtype
    if isinstance(dtype, pl.Datetime):
        aware = column.dt.replace_time_zone("UTC") if dtype.time_zone is None else column.dt.convert_time_zone("UTC")
        return aware.cast(UTC_MICROS)
    if dtype == pl.Date:
        return column.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    if dtype.is_numeric():
        return _unix(column)
    if dtype == pl.Null:
        return column.cast(UTC_MICROS)
    if not isinstance(dtype, pl.String | pl.Categorical | pl.Enum):
        raise InputError(
            "a column of times has a type that cannot be used",
            got=str(dtype),
            allowed="a datetime, a date, text or a number",
            field="at",
        )
    text = column.cast(pl.String).str.strip_chars()
    return _formatted(text, time_format) if time_format else _text(text)


def _formatted(text: pl.Series, time_format: str) -> pl.Series:
    try:
        told = text.str.to_datetime(time_format, strict=False, time_unit="us")
    except pl.exceptions.PolarsError as error:
        raise InputError(
            "not a time format",
            got=time_format,
            allowed="a format such as '%d/%m/%Y %H:%M'",
            then="see the strftime table of Python",
            field="time_format",
        ) from error
    return moments(told)


def _text(text: pl.Series) -> pl.Series:
    told = _nothing(len(text))
    sample = text.drop_nulls().head(_SAMPLE)
    likely = sorted((_plain, _unix_text, _iso), key=lambda way: way(sample).null_count())
    for way in (*likely, _slashed, _named):
        left = (told.is_null() & text.is_not_null()).arg_true()
        if not len(left):
            break
        told = way(text) if len(left) == len(text) else told.scatter(left, way(text.gather(left)))
    return told


def _plain(text: pl.Series) -> pl.Series:
    return _filled(text.str.replace("T", " ", literal=True), ("%Y-%m-%d %H:%M:%S%.f",))


def _nothing(n: int) -> pl.Series:
    return pl.Series([None], dtype=UTC_MICROS).new_from_index(0, n)


def _filled(text: pl.Series, formats: tuple[str, ...]) -> pl.Series:
    """Return each text read by the first of the formats that fits."""
    told = _nothing(len(text))
    sample = text.drop_nulls().head(_SAMPLE)
    for form in sorted(formats, key=lambda form: _read(sample, form).null_count()):
        left = (told.is_null() & text.is_not_null()).arg_true()
        if not len(left):
            break
        told = _read(text, form) if len(left) == len(text) else told.scatter(left, _read(text.gather(left), form))
    return told


def _read(text: pl.Series, form: str) -> pl.Series:
    return moments(text.str.to_datetime(form, strict=False, time_unit="us"))


def _iso(text: pl.Series) -> pl.Series:
    plain = (
        text.str.replace(r"^(\d{4})/(\d{1,2})/(\d{1,2})", "$1-$2-$3")
        .str.replace(r"^(\S+)T(\d)", "$1 $2")
        .str.replace(r"(\d)\s*(?:Z|z|UTC|GMT)$", "$1+00:00")
        .str.replace(r"(:\d{2}(?:\.\d+)?)\s*([+-]\d{2})$", "$1$2:00")
        .str.replace(r"(:\d{2}(?:\.\d+)?)\s+([+-]\d{2}:?\d{2})$", "$1$2")
    )
    return _filled(plain, _ISO)


def _named(text: pl.Series) -> pl.Series:
    return _filled(text.str.replace(r"\s*(?:GMT|UTC|Z)$", "+00:00").str.replace(r"(:\d{2})\s+([+-])", "$1$2"), _NAMED)


def _slashed(text: pl.Series) -> pl.Series:
    """Read 01/12/2010 08:26 and its relatives; the order of day and month is that of the rows where only one fits."""
    parts = text.str.extract_groups(_SLASHED).struct.unnest()
    first, second = parts["a"].cast(pl.Int64), parts["b"].cast(pl.Int64)
    if not first.is_not_null().any():
        return _filled(text, ())
    day_first = ((first > 12) & (second <= 12)).any() or (parts["mark"].drop_nulls() == ".").all()
    month_first = ((second > 12) & (first <= 12)).any()
    if day_first == month_first:
        raise InputError(
            "the times mix day/month and month/day" if day_first else "the times can be read as day/month or month/day",
            got=str(text.filter(first.is_not_null())[0]),
            allowed="an order that can be told",
            then="say it: time_format='%d/%m/%Y %H:%M' or '%m/%d/%Y %H:%M'",
            field="time_format",
        )
    day, month = ("a", "b") if day_first else ("b", "a")
    year = pl.when(pl.col("year").str.len_bytes() == 4).then("year")
    short = pl.when(pl.col("year") < "70").then(pl.lit("20")).otherwise(pl.lit("19")) + pl.col("year")
    date = pl.concat_str(year.otherwise(short), pl.lit("-"), month, pl.lit("-"), day)
    clock = pl.col("clock").fill_null("00:00") + pl.col("seconds").fill_null(":00")
    half = pl.col("half").str.to_uppercase()
    whole = pl.when(half.is_null()).then(date + " " + clock).otherwise(date + " " + clock + " " + half)
    return _filled(parts.select(whole).to_series(), ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %I:%M:%S %p"))


def _unix_text(text: pl.Series) -> pl.Series:
    """Read the texts that are numbers; eight digits that are a date in every row are dates."""
    text = text.set(~text.str.contains(_NUMBER), None)
    dates = text.str.to_datetime("%Y%m%d", strict=False, time_unit="us")
    compact = (text.str.len_bytes() == 8).all() and dates.null_count() == text.null_count()
    if compact and dates.dt.year().is_between(1900, 2100).all():
        return moments(dates)
    whole = text.cast(pl.Int64, strict=False)
    exact = _unix(whole)
    left = (exact.is_null() & text.is_not_null()).arg_true()
    return exact.scatter(left, _unix(text.gather(left).cast(pl.Float64, strict=False))) if len(left) else exact


def _unix(number: pl.Series) -> pl.Series:
    """Read Unix time: below 1e11 seconds, 1e14 milliseconds, 1e17 microseconds, 1e20 nanoseconds."""
    integer = number.dtype.is_integer()
    n = pl.col("n") if integer else pl.when(pl.col("n").is_finite()).then(pl.col("n"))
    size = pl.col("n").cast(pl.Float64).abs()
    micros = (
        pl.when(size < 1e11)
        .then((n * 1_000_000) if integer else (n * 1e6).round())
        .when(size < 1e14)
        .then((n * 1000) if integer else (n * 1e3).round())
        .when(size < 1e17)
        .then(n)
        .when(size < 1e20)
        .then((n // 1000) if integer else (n / 1e3).round())
    )
    frame = number.cast(pl.Int64 if integer else pl.Float64, strict=False).alias("n").to_frame()
    return frame.select(micros.cast(pl.Int64, strict=False).cast(UTC_MICROS)).to_series().alias(number.name)
