"""Where a result goes: onto the screen, into a file of JSON, or nowhere else than standard output."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from penchant.cli.shown import emit, say

__all__ = ["deliver", "file_of", "tell"]


def file_of(json: str | None) -> Path | None:
    """Return the file that ``--json`` names; None for standard output (``-``), and for no JSON at all.

    >>> file_of("report.json").name, file_of("-"), file_of(None)
    ('report.json', None, None)
    """
    return None if json in (None, "-") else Path(str(json))


def deliver(json: str | None, document: Callable[[], str], shown: Callable[[], None]) -> list[Path]:
    """Show a result, or print its document where ``--json -`` asks for that; return the file it was written to, if any.

    >>> deliver("-", lambda: "{}", lambda: say("a table"))
    {}
    []
    """
    from penchant.evaluation.page import write

    if json == "-":
        emit(document())
        return []
    shown()
    place = file_of(json)
    if place is None:
        return []
    write(place, document().encode())
    return [place]


def tell(json: str | None, written: Sequence[Path]) -> None:
    """Say which files were written, unless standard output is for the JSON alone.

    >>> tell(None, [Path("report.html"), Path("report.tex")])
    written: report.html, report.tex
    """
    if written and json != "-":
        say(f"written: {', '.join(map(str, written))}")
