"""Which column of a source feeds which field, and what a source hands over."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import polars as pl
from msgspec import Struct

from penchant.core.errors import InputError, MissingColumn

__all__ = ["Bad", "Mapping", "Raw"]

Bad = list[tuple[int, str, str]]
"Rows that could not be taken apart: line, reason, text."


class Mapping(Struct, frozen=True):
    """Field names to column names.

    >>> mapping = Mapping({"user": "CustomerID", "kind": "kind"}, required=("user",))
    >>> mapping.choose(["CustomerID", "Country"], "orders.csv")
    {'user': 'CustomerID'}
    """

    names: dict[str, str]
    "Field to the column that feeds it."
    required: tuple[str, ...]
    "Fields that must have a column."
    constants: tuple[str, ...] = ()
    "Fields that are the same for every row and need no column."

    def choose(self, have: Sequence[str], source: str) -> dict[str, str]:
        """Return field to column for the columns that are there.

        Raises:
            MissingColumn: a required column, or one that was named, is absent.
            InputError: a column that is needed is there twice.
        """
        chosen = {}
        for field, column in self.names.items():
            if field in self.constants:
                continue
            if column in have:
                chosen[field] = column
                if list(have).count(column) > 1:
                    raise InputError(
                        "a column is there more than once", got=column, allowed="one column of a name", field=field
                    )
            elif field in self.required or column != field:
                raise self.missing(field, have, source)
        return chosen

    def missing(self, field: str, have: Iterable[str], source: str) -> MissingColumn:
        """Return the error for a column that is not there, naming the nearest that is."""
        column, names = self.names[field], list(have)
        folded = {name.lower().replace("_", "").replace(" ", ""): name for name in names}
        near = difflib.get_close_matches(column.lower().replace("_", ""), folded, n=1, cutoff=0.5)
        guess = folded[near[0]] if near else "<column>"
        return MissingColumn(
            f"{source} has no column {column!r} for {field}",
            got=", ".join(names),
            allowed="any of these columns",
            then=f"say which one it is: {field}={guess!r}",
            field=field,
        )


class Raw(Struct, frozen=True, eq=False):
    """Rows taken apart but not yet understood.

    >>> frame = pl.DataFrame({"line": [2, 3], "user": ["ann", "bob"]})
    >>> Raw("events.csv", None, frame, [(4, "bad_row", "eve;tea")], lambda lines: {}).read
    3
    """

    name: str
    "What the source is called in messages."
    path: Path | None
    "The file, or None for a table."
    frame: pl.DataFrame
    "line (Int64) and one column a field that has one; text as it stands in a text file, typed otherwise."
    bad: Bad
    "Rows that could not be taken apart."
    text_of: Callable[[list[int]], dict[int, str]]
    "Looks up the text of rows by line, for the report."
    unit: str = "line"
    "What `line` counts: line or row."

    @property
    def read(self) -> int:
        """Rows in all."""
        return self.frame.height + len(self.bad)
