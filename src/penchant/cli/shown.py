"""What is printed: results on standard output, remarks on standard error, never a control character of the data's."""

from __future__ import annotations

import os
import re
import sys

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

__all__ = ["clean", "emit", "people", "say", "show", "table", "warn"]

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_WIDE = 160


def clean(text: str) -> str:
    r"""Return a text in which nothing can steer a terminal; line breaks and tabs stay.

    >>> clean("green\x1b[31m tea")
    'green\ufffd[31m tea'
    """
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)


def console(*, errors: bool = False) -> Console:
    """Return a console on the standard stream of now; wide where no terminal says how wide it is.

    >>> console().is_terminal
    False
    """
    stream = sys.stderr if errors else sys.stdout
    width = None if stream.isatty() or "COLUMNS" in os.environ else _WIDE
    return Console(file=stream, width=width, markup=False, highlight=False, emoji=False)


def people(n: int) -> str:
    """Return a number of people in words.

    >>> people(1), people(1200)
    ('1 person', '1,200 people')
    """
    return "1 person" if n == 1 else f"{n:,} people"


def say(text: str) -> None:
    """Write a result: plain text, its lines not broken.

    >>> say("3 events added")
    3 events added
    """
    console().print(Text(clean(text)), soft_wrap=True)


def warn(text: str) -> None:
    """Write a remark that matters on standard error.

    >>> from contextlib import redirect_stderr
    >>> with redirect_stderr(sys.stdout):
    ...     warn("nobody agreed")
    warning: nobody agreed
    """
    console(errors=True).print(Text(clean(f"warning: {text}")), soft_wrap=True)


def show(what: Table) -> None:
    """Write a table.

    >>> show(table("model", "seconds"))  # doctest: +NORMALIZE_WHITESPACE
    model   seconds
    ───────────────
    """
    console().print(what)


def table(*heads: str, title: str | None = None, right: tuple[str, ...] = ()) -> Table:
    """Return an empty table with these heads.

    >>> [column.justify for column in table("model", "seconds", right=("seconds",)).columns]
    ['left', 'right']

    Args:
        heads: the text above each column.
        title: the text above the table.
        right: the heads of columns of numbers.
    """
    made = Table(box=SIMPLE_HEAD, title=title, title_justify="left", pad_edge=False, show_edge=False)
    for head in heads:
        made.add_column(head, justify="right" if head in right else "left", overflow="fold")
    return made


def emit(document: str) -> None:
    """Write a document for a program as it is: nothing is replaced.

    >>> emit('{"ready": true}')
    {"ready": true}
    """
    sys.stdout.write(document + "\n")
