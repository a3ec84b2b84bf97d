"""JSON Lines: one object a line."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from penchant.core.errors import EmptyData, InputError
from penchant.core.progress import SILENT, Progress
from penchant.data.columns import Bad, Mapping
from penchant.data.textfile import LINE_LIMIT, blocks, cut, head

__all__ = ["read_jsonlines"]

_EXACT = 2**53
_NUMERIC = ("value", "price")
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|-?(?:NaN\b|Infinity\b|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)')


def read_jsonlines(
    path: Path, mapping: Mapping, *, nested: bool = False, limit: int = LINE_LIMIT, progress: Progress = SILENT
) -> tuple[pl.DataFrame, Bad]:
    r"""Return the fields of every good line as text with its line, and the lines that are not good.

    A line is refused when it is not UTF-8, not a JSON object, or holds a list or an object in a field (unless
    ``nested``, which keeps it as JSON text). Blank lines are not rows. NaN, Infinity and numbers too large for a float,
    which JSON does not have, are kept as the text NaN where a field is a number, so that they can be reported as what
    they are; elsewhere they are nothing.

    >>> from tempfile import TemporaryDirectory
    >>> mapping = Mapping({"user": "user", "item": "item"}, ("user", "item"))
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "events.jsonl")
    ...     _ = path.write_text('{"user": "ann", "item": 7.0}\nann,7\n')
    ...     frame, bad = read_jsonlines(path, mapping)
    >>> frame.rows(), bad
    ([(1, 'ann', '7')], [(2, 'bad_row', 'ann,7')])

    Raises:
        EmptyData: the file is empty.
        InputError: the file is one JSON array.
        MissingColumn: a key that is needed is in no line.
    """
    if head(path).lstrip().startswith(b"["):
        raise InputError(
            "the file is a JSON array",
            got=path.name,
            allowed="JSON Lines: one object a line",
            then=f"convert it: jq -c '.[]' {path.name} > {path.stem}.jsonl",
        )
    reader = _Lines(mapping.names, nested)
    frames = [reader.feed(first, block) for first, block, _ in blocks(path, limit, progress)]
    whole = pl.concat(frames)
    if whole.is_empty() and not reader.bad:
        raise EmptyData("the file has no rows", got=path.name, then="check how it was exported")
    seen = list(reader.present) if whole.is_empty() or reader.present >= set(mapping.names.values()) else _keys(path)
    present = mapping.choose([*seen, *reader.present.difference(seen)], path.name) if whole.height else mapping.names
    return whole.select("line", *present), reader.bad


class _Lines:
    def __init__(self, names: dict[str, str], nested: bool) -> None:
        self._names = names
        self._columns = list(dict.fromkeys(names.values()))
        self._numeric = [self._columns.index(names[field]) for field in _NUMERIC if field in names]
        kind: Any = Any if nested else str | int | float | bool | None
        fields: list[tuple[str, Any, Any]] = [(f"c{i}", kind, msgspec.UNSET) for i in range(len(self._columns))]
        row = msgspec.defstruct("Row", fields, rename=lambda name: self._columns[int(name[1:])])
        self._decode = msgspec.json.Decoder(row).decode
        self.present: set[str] = set()
        self.bad: Bad = []

    def feed(self, first: int, block: bytes) -> pl.DataFrame:
        """Return the fields of the good lines of a block as text."""
        numbers, rows = [], []
        for number, line in enumerate(block.split(b"\n"), start=first):
            if line and not line.isspace():
                try:
                    rows.append(msgspec.structs.astuple(self._decode(line)))
                    numbers.append(number)
                except (UnicodeDecodeError, msgspec.DecodeError):
                    row = self._without_infinities(line)
                    if row is None:
                        self.bad.append((number, _reason(line), cut(line)))
                    else:
                        rows.append(row)
                        numbers.append(number)
        values = list(zip(*rows, strict=True)) or [()] * len(self._columns)
        texts = {name: self._column(name, column) for name, column in zip(self._columns, values, strict=True)}
        columns = {field: texts[name] for field, name in self._names.items()}
        return pl.DataFrame({"line": pl.Series(numbers, dtype=pl.Int64), **columns})

    def _without_infinities(self, line: bytes) -> tuple[Any, ...] | None:
        """Return the fields of a line whose only fault is numbers that are not finite; None when there is another."""
        empty, marked = _TOKEN.sub(_replaced(b"null"), line), _TOKEN.sub(_replaced(b'"NaN"'), line)
        if empty == line:
            return None
        try:
            row = list(msgspec.structs.astuple(self._decode(empty)))
            told = msgspec.structs.astuple(self._decode(marked))
        except (UnicodeDecodeError, msgspec.DecodeError):
            return None
        for column in self._numeric:
            row[column] = told[column]
        return tuple(row)

    def _column(self, name: str, values: Sequence[Any]) -> pl.Series:
        kinds = set(map(type, values))
        if not kinds - {msgspec.UnsetType}:
            return pl.Series([None], dtype=pl.String).new_from_index(0, len(values))
        self.present.add(name)
        if not kinds <= {str, type(None)}:
            values = [value if isinstance(value, str) else _text(value) for value in values]
        return pl.Series(values, dtype=pl.String)


def _replaced(by: bytes) -> Callable[[re.Match[bytes]], bytes]:
    """Return what puts ``by`` in the place of a number that is not finite and leaves all else."""

    def replaced(match: re.Match[bytes]) -> bytes:
        token = match[0]
        return token if token.startswith(b'"') or math.isfinite(float(token)) else by

    return replaced


def _keys(path: Path) -> list[str]:
    """Return the keys in the first lines of a file."""
    keys: dict[str, None] = {}
    for line in head(path).split(b"\n"):
        try:
            keys.update(dict.fromkeys(msgspec.json.decode(line, type=dict[str, Any])))
        except (UnicodeDecodeError, msgspec.DecodeError):
            continue
    return list(keys)


def _text(value: Any) -> str | None:
    """Return a value as text: whole numbers without a point, lists and objects as JSON."""
    if value is None or value is msgspec.UNSET:
        return None
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT:
        return str(int(value))
    return msgspec.json.encode(value).decode()


def _reason(line: bytes) -> str:
    try:
        line.decode()
    except UnicodeDecodeError:
        return "bad_encoding"
    return "bad_row"
