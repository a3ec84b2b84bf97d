"""Tables for the terminal and for documents, and the blocks of documents that scripts rewrite."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> str:
    """Return a Markdown table padded for the eye; the first ``left`` columns are aligned to the left."""
    cells = [list(head), *(list(row) for row in rows)]
    widths = [max(3, *(len(row[column]) for row in cells)) for column in range(len(head))]
    rule = ["-" * width if column < left else "-" * (width - 1) + ":" for column, width in enumerate(widths)]
    lines = []
    for row in [cells[0], rule, *cells[1:]]:
        padded = [
            cell.ljust(w) if c < left else cell.rjust(w) for c, (cell, w) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append(f"| {' | '.join(padded)} |")
    return "\n".join(lines)


def replaced(text: str, name: str, block: str) -> str:
    """Return a document with the block between its markers replaced; where there are none they come at the end."""
    begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
    if begin not in text:
        text = f"{text.rstrip()}\n\n{begin}\n{end}\n"
    before, rest = text.split(begin)
    _, after = rest.split(end)
    return f"{before}{begin}\n{block}\n{end}{after}"


def write_block(path: Path, name: str, block: str) -> None:
    """Rewrite the block of a name in a document, which is made when it is not there."""
    text = path.read_text(encoding="utf-8") if path.exists() else f"# {path.stem.capitalize()}\n"
    path.write_text(replaced(text, name, block), encoding="utf-8")


def shown(value: float | None, form: str = ".3g") -> str:
    """Return a number as text; nothing for None."""
    return "" if value is None else format(value, form)
