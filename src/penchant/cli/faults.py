"""Errors as one line on standard error."""

from __future__ import annotations

import re
import sys

import typer

from penchant.cli.shown import clean
from penchant.core.errors import PenchantError

__all__ = ["Misuse", "in_options", "misuse", "report", "uncompiled"]

_FIELD = re.compile(
    r"\b(user|item|at|kind|value|id|session|channel|replaces|title|text|categories|price|currency|available)="
)
_OPTION = re.compile(r"\b(?:pass )?(rejects|separator|time_format|columns)= ?")
_MEMBER = re.compile(r'add "(item)" to the question')
_CALLS = (
    (re.compile(r"split\.temporal\(data\)"), "--protocol temporal"),
    (re.compile(r"split\.allowing\('(\w+)'\)"), r"--allow \1"),
    (re.compile(r"lower the thresholds"), "lower --min-users"),
    (re.compile(r"choose another cut\b"), "choose another cut with --test"),
    (re.compile(r"\bthreshold="), "--threshold "),
    (re.compile(r"\bby=\['([\w.]+)'\], with a table of users"), r"--by \1, with --users"),
    (re.compile(r"\bby=\['([\w.]+)'\], with a catalogue"), r"--by \1, with --items"),
    (re.compile(r"\bpass users=, a table"), "name --users, a file"),
)
_GLOBAL = ("--settings", "--quiet", "--verbose")


class Misuse(typer.TyperException):
    """A command was called in a way that it cannot be called; exit status 2.

    >>> Misuse("name users or --all; got neither").exit_code
    2
    """

    exit_code = 2


def report(text: str, status: int) -> int:
    r"""Write an error as one line on standard error, and return the exit status.

    >>> from contextlib import redirect_stderr
    >>> with redirect_stderr(sys.stdout):
    ...     status = report("there is no such file;\n  got orders.csv", 1)
    error: there is no such file; got orders.csv
    >>> status
    1
    """
    line = " ".join(clean(text).split())
    sys.stderr.write(f"error: {line}\n")
    sys.stderr.flush()
    return status


def uncompiled(error: RuntimeError) -> str | None:
    """Return what to say when compiled code can be kept nowhere, as for a user without a home; None for other errors.

    >>> uncompiled(RuntimeError("cannot cache function 'f': no locator available for file 'f.py'"))
    'there is no folder for compiled code; next: set NUMBA_CACHE_DIR to one that this user may write to'
    >>> uncompiled(RuntimeError("anything else")) is None
    True
    """
    if "no locator available" not in str(error):
        return None
    return "there is no folder for compiled code; next: set NUMBA_CACHE_DIR to one that this user may write to"


def misuse(error: typer.TyperException) -> str:
    """Return what was wrong with how a command was called, and where to look.

    >>> misuse(Misuse("name users or --all; got neither"))
    "name users or --all; got neither; next: 'penchant --help' shows what is allowed"
    """
    context = getattr(error, "ctx", None)
    where = "penchant" if context is None else context.command_path
    option = getattr(error, "option_name", "")
    if option in _GLOBAL:
        return f"{option} stands before the command; next: penchant {option} ... {where.removeprefix('penchant ')}"
    return f"{error.format_message().rstrip('.')}; next: '{where} --help' shows what is allowed"


def in_options(error: PenchantError) -> PenchantError:
    """Return an error of the library with its advice in the words of the command line.

    >>> from penchant.core.errors import MissingColumn
    >>> print(in_options(MissingColumn("no column 'user'", then="say which one it is: user='Customer ID'")))
    no column 'user'; next: say which one it is: --map user='Customer ID'
    >>> in_options(PenchantError("a leak", then="split.temporal(data), or split.allowing('future')")).then
    '--protocol temporal, or --allow future'
    """
    then = error.then and _OPTION.sub(
        lambda found: f"--{found[1].replace('_', '-')} ", _FIELD.sub(r"--map \1=", error.then)
    )
    then = then and _MEMBER.sub(r"add --\1 ID", then)
    for call, option in _CALLS:
        then = then and call.sub(option, then)
    return type(error)(error.what, got=error.got, allowed=error.allowed, then=then, field=error.field)
