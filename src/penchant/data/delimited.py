"""CSV and its relatives: the delimiter, the header, and fields of every row with the line it stands on."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
from msgspec import Struct
from numpy.typing import NDArray

from penchant.core.arrays import Int64
from penchant.core.errors import EmptyData, InputError
from penchant.core.progress import SILENT, Progress
from penchant.data.columns import Bad, Mapping
from penchant.data.textfile import LINE_LIMIT, blocks, cut, head

__all__ = ["Layout", "layout", "read_delimited"]

_DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}
_END, _QUOTE = 10, 34
_FILLED = pl.when(pl.col(pl.String) != "").then(pl.col(pl.String))
_SPAN = 100
"Lines that one quoted record may span."


class Layout(Struct, frozen=True):
    """How a delimited file is laid out.

    >>> Layout(",", ("user", "item", "at"), True).columns
    ('user', 'item', 'at')
    """

    separator: str
    "One character."
    columns: tuple[str, ...]
    "Column names, in the order of the file."
    header: bool
    "Whether the first line names the columns."


def layout(path: Path, separator: str | None = None, columns: Sequence[str] | None = None) -> Layout:
    r"""Find the delimiter and the columns of a file from its beginning.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "events.csv")
    ...     _ = path.write_text("user;item;at\nann;tea;2017-01-01\n")
    ...     layout(path)
    Layout(separator=';', columns=('user', 'item', 'at'), header=True)

    Raises:
        EmptyData: the file is empty.
        InputError: no delimiter makes more than one column of it, the columns do not fit, or it is not UTF-8 text.
    """
    if separator is not None and len(separator) != 1:
        raise InputError("not a separator", got=separator, allowed="one character", field="separator")
    sample = [line for line in head(path).decode("utf-8", "replace").split("\n") if line.strip()][:20]
    chosen = separator or _sniff(sample)
    found = _fields(sample[0].rstrip("\r"), chosen)
    names = tuple(columns) if columns else tuple(name.strip() for name in found)
    if len(found) == 1:
        raise _one_column(sample, chosen)
    if len(found) != len(names):
        raise InputError(
            "the columns do not fit the file",
            got=f"{len(names)} columns for {len(found)} fields in the first line {sample[0]!r}",
            allowed="a name for each field",
            then="name every column, also those that are not needed",
            field="columns",
        )
    return Layout(chosen, names, columns is None)


def read_delimited(
    path: Path, shape: Layout, mapping: Mapping, *, limit: int = LINE_LIMIT, progress: Progress = SILENT
) -> tuple[pl.DataFrame, Bad]:
    r"""Return the fields of every good row as text (empty is null) with its line, and the rows that are not good.

    A row is refused when it is not UTF-8 or has not as many fields as there are columns. Blank lines are not rows.

    >>> from tempfile import TemporaryDirectory
    >>> mapping = Mapping({"user": "user", "item": "item"}, ("user", "item"))
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "events.csv")
    ...     _ = path.write_text("user;item;at\nann;tea;2017-01-01\nbob;tea\n")
    ...     frame, bad = read_delimited(path, layout(path), mapping)
    >>> frame.rows(), bad
    ([(2, 'ann', 'tea')], [(3, 'bad_row', 'bob;tea')])

    Raises:
        EmptyData: there is nothing below the header.
        MissingColumn: a column that is needed is not there.
    """
    chosen = mapping.choose(shape.columns, path.name)
    places = [shape.columns.index(column) for column in chosen.values()]
    rows = _Rows(shape, places, limit)
    frames: list[pl.DataFrame] = []
    for first, block, last in blocks(path, limit, progress):
        frames += rows.feed(first, block, last)
    schema = {"line": pl.Int64, **dict.fromkeys(map(str, sorted(set(places))), pl.String)}
    whole = pl.concat([pl.DataFrame(schema=schema), *frames], how="vertical")
    if whole.is_empty() and not rows.bad:
        raise EmptyData("the file has a header but no rows", got=path.name, then="check how it was exported")
    fields = [pl.col(str(place)).alias(field) for field, place in zip(chosen, places, strict=True)]
    return whole.select("line", *fields), rows.bad


class _Rows:
    """Takes blocks of lines apart: clean blocks at once through polars, others row by row."""

    def __init__(self, shape: Layout, places: list[int], limit: int) -> None:
        self._shape = shape
        self._width = len(shape.columns)
        self._places = sorted(set(places))
        self._limit = limit
        self._skip = shape.header
        self._pending: list[bytes] = []
        self.bad: Bad = []

    def feed(self, first: int, block: bytes, last: bool) -> list[pl.DataFrame]:
        """Return the good rows of a block whose first line is ``first``."""
        if b"\r\n" in block:
            block = block.replace(b"\r\n", b"\n")
        if not self._skip and not self._pending and self._clean(block):
            return [self._at_once(first, block)]
        lines = self._pending + block.split(b"\n")
        first -= len(self._pending)
        after = lines.pop()
        self._pending = []
        if last and after:
            lines.append(after)
        start = 0
        while self._skip and start < len(lines):
            self._skip = not lines[start].strip()
            start += 1
        regular = self._regular(lines[start:])
        if regular is not None:
            return [self._frame(range(first + start, first + len(lines)), regular)]
        return [self._one_by_one(first, lines, start, last)]

    def _regular(self, lines: list[bytes]) -> list[tuple[str, ...]] | None:
        """Return the columns wanted when every line is one good record, else None."""
        try:
            text = [line.decode() for line in lines]
            rows = list(csv.reader(text, delimiter=self._shape.separator, strict=True))
        except (UnicodeDecodeError, csv.Error):
            return None
        if not rows or len(rows) != len(lines) or set(map(len, rows)) != {self._width}:
            return None
        columns = list(zip(*rows, strict=True))
        return [columns[place] for place in self._places]

    def _frame(self, lines: Sequence[int], columns: Sequence[Sequence[str]]) -> pl.DataFrame:
        named = {
            str(place): pl.Series(column, dtype=pl.String) for place, column in zip(self._places, columns, strict=True)
        }
        frame = pl.DataFrame({"line": pl.Series(lines, dtype=pl.Int64), **named})
        return frame.with_columns(_FILLED)

    def _clean(self, block: bytes) -> bool:
        """Say whether every line is one UTF-8 record of the right number of fields, in the plainest form of quoting."""
        separator = self._shape.separator.encode()
        if len(separator) > 1 or not block.endswith(b"\n") or b"\n\n" in block or b"\r" in block:
            return False
        if not (block.isascii() or _is_utf8(block)):
            return False
        codes = np.frombuffer(block, np.uint8)
        ends, marks = np.flatnonzero(codes == _END), np.flatnonzero(codes == separator[0])
        if b'"' in block:
            quotes = np.flatnonzero(codes == _QUOTE)
            if not _plainly_quoted(codes, quotes, separator[0]):
                return False
            if (np.searchsorted(quotes, ends) % 2).any():
                return False
            marks = marks[np.searchsorted(quotes, marks) % 2 == 0]
        before = np.searchsorted(marks, ends)
        return bool((np.diff(before, prepend=0) == self._width - 1).all())

    def _at_once(self, first: int, block: bytes) -> pl.DataFrame:
        frame = pl.read_csv(
            block,
            has_header=False,
            columns=self._places,
            new_columns=[str(place) for place in range(self._width)],
            separator=self._shape.separator,
            quote_char='"' if b'"' in block else None,
            infer_schema=False,
        )
        return frame.select(
            pl.int_range(first, first + pl.len(), dtype=pl.Int64).alias("line"),
            _FILLED if b'"' in block else pl.all(),
        )

    def _one_by_one(self, first: int, lines: list[bytes], start: int, last: bool) -> pl.DataFrame:
        good: list[int] = []
        taken: list[list[str]] = []
        i = start
        while i < len(lines):
            number, line = first + i, lines[i].rstrip(b"\r")
            i += 1
            if not line.strip():
                continue
            if b'"' in line:
                fields, used = self._quoted(lines, i - 1, last)
                if used == 0:
                    self._pending = lines[i - 1 :]
                    break
                i += used - 1
            else:
                fields = _decoded(line, self._shape.separator)
            if isinstance(fields, str):
                self.bad.append((number, fields, cut(line)))
            elif len(fields) != self._width:
                self.bad.append((number, "bad_row", cut(line)))
            else:
                good.append(number)
                taken.append([fields[place] for place in self._places])
        columns = list(zip(*taken, strict=True)) or [()] * len(self._places)
        return self._frame(good, columns)

    def _quoted(self, lines: list[bytes], start: int, last: bool) -> tuple[list[str] | str, int]:
        """Return the fields of a record with quotes (or a reason) and the lines it takes; 0 lines: more are needed."""
        text = b""
        for used, line in enumerate(lines[start : start + _SPAN], start=1):
            text += (b"\n" if used > 1 else b"") + line.rstrip(b"\r")
            if used > 1 and b'"' not in line:
                continue
            fields = _decoded(text, self._shape.separator)
            if isinstance(fields, str) and fields == "open":
                continue
            if used > 1 and (isinstance(fields, str) or len(fields) != self._width):
                return "bad_row", 1
            return fields, used
        more = start + _SPAN > len(lines) and not last and len(text) <= self._limit
        return "bad_row", 0 if more else 1


def _one_column(sample: list[str], separator: str) -> InputError:
    likely = _sniff(sample)
    better = len(_fields(sample[0], likely)) > 1
    return InputError(
        f"only one column was found with the separator {separator!r}",
        got=f"the first line {sample[0]!r}",
        allowed="a comma, semicolon, tab or vertical bar between fields",
        then=f"the file looks separated by a {_DELIMITERS[likely]}: pass separator={likely!r}"
        if better
        else "pass separator=<the character between fields>",
        field="separator",
    )


def _plainly_quoted(codes: NDArray[np.uint8], quotes: Int64, separator: int) -> bool:
    """Say whether quotes only open and close fields, in turn: none is escaped, none stands inside a field."""
    borders = np.array([separator, _END], np.uint8)
    opening = np.isin(np.where(quotes > 0, codes[quotes - 1], _END), borders)
    closing = np.isin(codes[quotes + 1], borders)
    turn = np.arange(len(quotes)) % 2 == 0
    return bool(np.where(turn, opening, closing).all())


def _decoded(line: bytes, separator: str) -> list[str] | str:
    """Return the fields of a record, or the reason it has none; "open" when a quote is not closed."""
    try:
        text = line.decode()
    except UnicodeDecodeError:
        return "bad_encoding"
    if '"' not in text:
        return text.split(separator)
    try:
        return next(csv.reader([text], delimiter=separator, strict=True))
    except csv.Error as error:
        return "open" if "unexpected end" in str(error) else "bad_row"


def _is_utf8(block: bytes) -> bool:
    try:
        block.decode()
    except UnicodeDecodeError:
        return False
    return True


def _fields(line: str, separator: str) -> list[str]:
    fields = _decoded(line.encode(), separator)
    return line.split(separator) if isinstance(fields, str) else fields


def _sniff(sample: list[str]) -> str:
    """Return the delimiter that cuts the sampled lines most evenly into the most fields; a comma when none does."""

    def evidence(separator: str) -> tuple[int, int]:
        widths = [len(_fields(line, separator)) for line in sample]
        return (sum(width == widths[0] for width in widths) if widths[0] > 1 else 0, widths[0])

    return max(_DELIMITERS, key=evidence)
