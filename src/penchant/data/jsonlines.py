"""JSON Lines: one object a line."""

from __future__ import annotations

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


def read_jsonlines(
    path: Path, mapping: Mapping, *, nested: bool = False, limit: int = LINE_LIMIT, progress: Progress = SILENT
) -> tuple[pl.DataFrame, Bad]:
    """Return the fields of every good line as text with its line, and the lines that are not good.

    A line is refused when it is not UTF-8, not a JSON object, or holds a list or an object in a field (unless
    ``nested``, which keeps it as JSON text). Blank lines are not rows.

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
    reader = _Lines(mapping, nested)
    for first, block, _ in blocks(path, limit, progress):
        for i, line in enumerate(block.split(b"\n")):
            if line.strip():
                reader.take(first + i, line)
    if reader.lines:
        chosen = mapping.choose(list(reader.keys), path.name)
    else:
        chosen = {field: name for field, name in mapping.names.items() if field in mapping.required}
    columns = {field: pl.Series(reader.columns[field], dtype=pl.String) for field in chosen}
    if not reader.lines and not reader.bad:
        raise EmptyData("the file has no rows", got=path.name, then="check how it was exported")
    return pl.DataFrame({"line": pl.Series(reader.lines, dtype=pl.Int64), **columns}), reader.bad


class _Lines:
    def __init__(self, mapping: Mapping, nested: bool) -> None:
        self._names = mapping.names
        self._nested = nested
        self._decode = msgspec.json.Decoder(dict[str, Any]).decode
        self.keys: dict[str, None] = {}
        self.lines: list[int] = []
        self.columns: dict[str, list[str | None]] = {field: [] for field in mapping.names}
        self.bad: Bad = []

    def take(self, number: int, line: bytes) -> None:
        """Take one line apart."""
        try:
            record = self._decode(line)
            texts = {field: self._text(record.get(name)) for field, name in self._names.items()}
        except UnicodeDecodeError:
            self.bad.append((number, "bad_encoding", cut(line)))
            return
        except (msgspec.DecodeError, TypeError):
            self.bad.append((number, _reason(line), cut(line)))
            return
        self.keys.update(dict.fromkeys(record))
        self.lines.append(number)
        for field, text in texts.items():
            self.columns[field].append(text)

    def _text(self, value: Any) -> str | None:
        if value is None or isinstance(value, str):
            return value
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT:
            return str(int(value))
        if isinstance(value, int | float):
            return str(value)
        if self._nested:
            return msgspec.json.encode(value).decode()
        raise TypeError("a list or an object in a field")


def _reason(line: bytes) -> str:
    try:
        line.decode()
    except UnicodeDecodeError:
        return "bad_encoding"
    return "bad_row"
