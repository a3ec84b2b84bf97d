"""The command line: one file a command, each importing what is heavy only when it runs."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence

import typer

from penchant.cli.app import COMMANDS
from penchant.cli.faults import misuse, report, uncompiled
from penchant.core.errors import PenchantError

__all__ = ["main"]

FAILED, MISUSED, INTERRUPTED = 1, 2, 130


def main(args: Sequence[str] | None = None) -> int:
    """Run the command that ``args`` (those of the process when None) name, and return its exit status.

    >>> main(["--version"])
    penchant 0.1.0
    0

    Returns:
        0 when it worked, 1 when it failed, 2 when it was called wrongly, 130 when it was interrupted. What failed is
        said in one line on standard error.
    """
    _never_fail_to_write()
    try:
        status = COMMANDS.main(args=args, prog_name="penchant", standalone_mode=False)
        sys.stdout.flush()
    except PenchantError as error:
        if not _interrupted(error):
            return report(str(error), FAILED)
        status = INTERRUPTED
    except typer.TyperException as error:
        return report(misuse(error), MISUSED)
    except BrokenPipeError:
        return _reader_left()
    except (OSError, MemoryError, RuntimeError) as error:
        if not _interrupted(error):
            return report(_refused(error), FAILED)
        status = INTERRUPTED
    except (KeyboardInterrupt, typer.Abort):
        status = INTERRUPTED
    if status == INTERRUPTED:
        return report("interrupted; nothing is left half-written", INTERRUPTED)
    return status if isinstance(status, int) else 0


def _refused(error: OSError | MemoryError | RuntimeError) -> str:
    """Return what to say of a machine that lacks something; an error that is none of its is raised again."""
    if isinstance(error, RuntimeError):
        if (said := uncompiled(error)) is None:
            raise error
        return said
    return f"the machine refused; got {error or type(error).__name__}; next: check disk and memory"


def _interrupted(error: BaseException) -> bool:
    """Return whether an error is what a Ctrl-C looked like from inside a library."""
    chain: list[BaseException] = []
    before: BaseException | None = error
    while before is not None and before not in chain:
        chain.append(before)
        before = before.__cause__ or before.__context__
    return any(isinstance(each, KeyboardInterrupt) for each in chain)


def _never_fail_to_write() -> None:
    """Let a terminal that cannot show a letter show a question mark."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _reader_left() -> int:
    """Return quietly when who read our output is gone; what is still buffered goes nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
    return FAILED
