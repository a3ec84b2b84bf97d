"""What was read, what was refused and why."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import polars as pl
from msgspec import Struct

from penchant.core.errors import InputError

__all__ = ["REASONS", "Quality", "beside"]

REASONS = {
    "bad_encoding": "not UTF-8",
    "bad_row": "wrong number of fields, or not a JSON object",
    "missing_user": "no user",
    "missing_item": "no item",
    "missing_time": "no time",
    "bad_time": "a time that cannot be read",
    "future_time": "a time in the future",
    "bad_value": "a value that is not a number",
    "not_finite": "a value that is not finite",
    "bad_replaces": "a retraction that names no event, or an event that names itself",
    "duplicate_id": "an id that was there before",
    "missing_id": "no id",
    "bad_price": "a price that is not a finite number, or that of an item below 0",
    "bad_available": "an availability that is neither yes nor no",
    "bad_attributes": "attributes that are not a JSON object",
}
"Every code a row can be refused with, in words. A row with several faults is counted under the first of this order."

_ENDING = ".rejects.csv"


class Quality(Struct, frozen=True, eq=False):
    """The account of one reading: every row is either accepted or refused with a reason.

    >>> rejects = pl.DataFrame({"line": [3], "reason": ["missing_user"], "text": [",tea,2017-01-01"]})
    >>> print(Quality("orders.csv", 3, 2, rejects))
    orders.csv: 3 rows read, 2 accepted, 1 rejected
      1 missing_user (no user), first at line 3
    """

    source: str
    "The name of the file, or the type of the table."
    read: int
    "Rows read: records of a file without its header and blank lines, or rows of a table."
    accepted: int
    "Rows that became events or items."
    rejects: pl.DataFrame
    "line (Int64, from 1; the line of a text file, header included, or else the row), reason (code), text (cut)."
    notes: tuple[str, ...] = ()
    "What was assumed along the way, in sentences."
    unit: str = "line"
    "What `line` counts: line or row."
    written: str | None = None
    "The file the rejects were written to."

    @property
    def rejected(self) -> int:
        """Rows refused; ``read == accepted + rejected`` always."""
        return self.rejects.height

    @property
    def by_reason(self) -> dict[str, int]:
        """Reason code to the number of rows refused for it, most frequent first."""
        counts = self.rejects.group_by("reason").len().sort(["len", "reason"], descending=[True, False])
        return dict(counts.iter_rows())

    @property
    def line(self) -> str:
        """The account in one line, the reasons with their counts."""
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in self.by_reason.items())
        return self._head + (f" ({reasons})" if reasons else "")

    @property
    def _head(self) -> str:
        return f"{self.source}: {self.read:,} rows read, {self.accepted:,} accepted, {self.rejected:,} rejected"

    def __str__(self) -> str:
        lines = [self._head]
        first = dict(self.rejects.group_by("reason").agg(pl.col("line").min()).iter_rows())
        for reason, count in self.by_reason.items():
            lines.append(f"  {count:,} {reason} ({REASONS[reason]}), first at {self.unit} {first[reason]:,}")
        lines += [f"  note: {note}" for note in self.notes]
        if self.written:
            lines.append(f"  rejected rows are in {self.written}")
        return "\n".join(lines)

    def write(self, path: str | os.PathLike[str]) -> Path:
        """Write the rejects as CSV under a temporary name, rename it to ``path``, and return ``path``.

        Raises:
            InputError: the file cannot be written there.
        """
        target = Path(path)
        passing = target.with_name(f".{target.name}.{os.getpid()}.tmp")
        try:
            self.rejects.write_csv(passing)
            passing.replace(target)
        except OSError as error:
            passing.unlink(missing_ok=True)
            raise InputError(
                "the rejects cannot be written",
                got=f"{target}: {error.strerror or error}",
                allowed="a path in a directory that can be written to",
                then="pass rejects=<another path>",
                field="rejects",
            ) from error
        return target


def beside(source: Path | None, rejects: Any) -> Path | None:
    """Return where the rejects of a source go: nowhere for None and False, beside it for "beside", else the path given.

    >>> str(beside(Path("in/orders.csv"), "beside"))
    'in/orders.csv.rejects.csv'

    Raises:
        InputError: a table has no place beside it, or the path is the source itself.
    """
    if rejects is None or rejects is False:
        return None
    if rejects == "beside":
        if source is None:
            raise InputError("a table has no place beside it", got="beside", allowed="None or a path", field="rejects")
        return source.with_name(source.name + _ENDING)
    target = Path(rejects)
    if source is not None and target.resolve() == source.resolve():
        raise InputError(
            "the rejects would overwrite what is read",
            got=str(target),
            allowed="another path",
            then="pass rejects='beside'",
            field="rejects",
        )
    return target
