"""Where rows come from: files by their ending, and tables of any library."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import narwhals as nw
import polars as pl
from msgspec import Struct

from penchant.core.errors import EmptyData, InputError
from penchant.core.progress import SILENT, Progress
from penchant.data.columns import Mapping, Raw
from penchant.data.delimited import layout, read_delimited
from penchant.data.jsonlines import read_jsonlines
from penchant.data.textfile import LINE_LIMIT, SHOWN, lines_at, opened

__all__ = ["Options", "load"]

_DELIMITED = (".csv", ".tsv", ".txt")
_LINES = (".jsonl", ".ndjson", ".json")
_FAULTS = (TypeError, ValueError, pl.exceptions.PolarsError)


class Options(Struct, frozen=True):
    """How a source is to be taken apart.

    >>> Options(separator=";").line_limit
    16777216
    """

    separator: str | None = None
    "The character between fields; None finds it."
    columns: Sequence[str] | None = None
    "The names of the columns of a file without a header."
    nested: bool = False
    "Whether lists and objects may stand in JSON."
    line_limit: int = LINE_LIMIT
    "Bytes in one line."
    progress: Progress = SILENT
    "Where the reading shows that it is getting on."


def load(source: Any, mapping: Mapping, options: Options) -> Raw:
    """Return the rows of a file or a table, taken apart.

    >>> load(pl.DataFrame({"user": ["ann"]}), Mapping({"user": "user"}, ("user",)), Options()).frame.row(0)
    (1, 'ann')

    Raises:
        InputError: the source is neither, is damaged, or is of a kind that is not known.
        EmptyData: it has no rows.
        MissingColumn: a column that is needed is not there.
    """
    if not isinstance(source, str | os.PathLike):
        return _table(source, mapping)
    path = Path(source)
    if path.is_dir():
        raise InputError("a directory is not a file", got=str(path), allowed="a file", then="name one file in it")
    if not path.exists():
        raise InputError("there is no such file", got=str(path), then=f"look from here: {Path.cwd()}")
    ending = Path(path.name.lower().removesuffix(".gz")).suffix
    if ending == ".parquet":
        return _parquet(path, mapping)
    if ending in _LINES:
        frame, bad = read_jsonlines(
            path, mapping, nested=options.nested, limit=options.line_limit, progress=options.progress
        )
    elif ending in _DELIMITED or options.separator is not None:
        shape = layout(path, options.separator, options.columns)
        frame, bad = read_delimited(path, shape, mapping, limit=options.line_limit, progress=options.progress)
    else:
        raise InputError(
            "a file of a kind that is not known",
            got=path.name,
            allowed=", ".join((*_DELIMITED, ".parquet", *_LINES)) + ", each also with .gz",
            then="rename or convert it, or pass separator= for delimited text",
        )
    return Raw(path.name, path, frame, bad, lambda asked: lines_at(path, asked, options.line_limit))


def _parquet(path: Path, mapping: Mapping) -> Raw:
    with opened(path) as (stream, _):
        content = stream.read()
    if not content:
        raise EmptyData("the file is empty", got=path.name, then="check how it was exported")
    try:
        chosen = mapping.choose(list(pl.read_parquet_schema(io.BytesIO(content))), path.name)
        table = pl.read_parquet(io.BytesIO(content), columns=list(dict.fromkeys(chosen.values())))
    except pl.exceptions.PolarsError as error:
        raise InputError(
            "the parquet file is damaged or is not one", got=f"{path.name}: {error}", then="copy or write it again"
        ) from error
    columns = {field: table[column] for field, column in chosen.items()}
    return _rows(path.name, path, columns)


def _table(source: Any, mapping: Mapping) -> Raw:
    if isinstance(source, pl.LazyFrame):
        source = source.collect()
    try:
        frame = nw.from_native(source, eager_only=True)
    except TypeError as error:
        raise InputError(
            "not a file or a table",
            got=type(source).__name__,
            allowed="a path, or a pandas, polars or Arrow table",
        ) from error
    name = f"the {frame.implementation.name.lower()} table"
    chosen = mapping.choose(frame.columns, name)
    return _rows(name, None, {field: _series(frame, column, field) for field, column in chosen.items()})


def _series(frame: Any, column: str, field: str) -> pl.Series:
    """Return a column as a polars series; in pandas a missing float is NaN, and stays it."""
    native = frame[column]
    try:
        series: pl.Series = native.to_polars()
    except _FAULTS as error:
        raise InputError(
            f"the column {column!r} mixes types",
            got=str(error),
            allowed="one type in a column",
            then=f"convert it first: table[{column!r}].astype(str)",
            field=field,
        ) from error
    if native.implementation.is_pandas() and series.dtype.is_float():
        return series.fill_null(float("nan"))
    return series


def _rows(name: str, path: Path | None, columns: dict[str, pl.Series]) -> Raw:
    frame = pl.DataFrame([series.alias(field) for field, series in columns.items()])
    if frame.is_empty():
        raise EmptyData(f"{name} has no rows", then="check how it was made")
    frame = frame.select(pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias("line"), pl.all())

    def text_of(asked: list[int]) -> dict[int, str]:
        rows = frame[[line - 1 for line in asked]].to_dicts()
        return {row.pop("line"): ", ".join(f"{k}={v}" for k, v in row.items())[:SHOWN] for row in rows}

    return Raw(name, path, frame, [], text_of, "row")
