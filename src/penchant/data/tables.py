"""Named columns of any file or table, such as what is known of users, or a log of what was shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from penchant.core.errors import InputError, MissingColumn
from penchant.core.progress import SILENT, Progress
from penchant.data.columns import Mapping
from penchant.data.fields import numbers
from penchant.data.sources import Options, load

__all__ = ["read_columns"]


def read_columns(
    source: Any,
    columns: Sequence[str],
    *,
    separator: str | None = None,
    head: Sequence[str] | None = None,
    progress: Progress = SILENT,
) -> pl.DataFrame:
    """Return some columns of a file (CSV, Parquet, JSON Lines; gzip too) or of any table, one row a row.

    A column of text in which every cell that is not empty is a number comes back as numbers.

    >>> table = pl.DataFrame({"user": ["ann", "bob"], "age": ["31", None], "city": ["Umea", ""]})
    >>> read_columns(table, ["age", "user"]).to_dict(as_series=False)
    {'age': [31.0, None], 'user': ['ann', 'bob']}
    >>> read_columns(table, ["cty"])
    Traceback (most recent call last):
        ...
    penchant.core.errors.MissingColumn: the polars table has no column 'cty'; got user, age, city; \
allowed: any of these columns; next: did you mean 'city'?

    Args:
        source: a path or a table.
        columns: their names, in the order in which they come back.
        separator: what parts the fields of delimited text; found when None.
        head: the names of all columns of a file without a head.
        progress: where the reading shows that it is getting on.

    Raises:
        InputError: the file is not there or damaged, or a row cannot be taken apart.
        MissingColumn: a column is not there.
        EmptyData: there are no rows.
    """
    names = list(dict.fromkeys(columns))
    fields = {f"column {i}": name for i, name in enumerate(names)}
    try:
        raw = load(source, Mapping(fields, tuple(fields)), Options(separator, head, progress=progress))
    except MissingColumn as error:
        missing = fields[error.field or ""]
        what = error.what.replace(f" for {error.field}", "")
        near = (error.then or "").partition("=")[2]
        then = None if near in ("", "'<column>'") else f"did you mean {near}?"
        raise MissingColumn(what, got=error.got, allowed=error.allowed, then=then, field=missing) from error
    if raw.bad:
        line, reason, text = raw.bad[0]
        raise InputError(
            f"{raw.name} has rows that cannot be taken apart",
            got=f"{len(raw.bad):,}, the first in {raw.unit} {line}: {reason}: {text[:80]}",
            then="mend or take out these rows",
        )
    return pl.DataFrame([_typed(raw.frame[field]).alias(name) for field, name in fields.items()])


def _typed(column: pl.Series) -> pl.Series:
    if not isinstance(column.dtype, pl.String):
        return column
    text = column.str.strip_chars()
    text = text.set((text == "").fill_null(False), None)
    number, wrong = numbers(text, "value")
    return text if wrong.any() or number.null_count() == len(number) else number
