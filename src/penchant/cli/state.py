"""What every command needs: the settings, the engine, how much to say. What is heavy is imported when asked for."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from msgspec import Struct

from penchant.cli.progress import progress_on
from penchant.cli.shown import clean, say
from penchant.core.clock import Clock, SystemClock
from penchant.core.progress import Progress
from penchant.core.settings import Settings, load_settings

if TYPE_CHECKING:
    from penchant.engine.engine import Engine

__all__ = ["State", "state_of"]


class State(Struct, frozen=True):
    """What the options before the command say.

    >>> State().path
    PosixPath('penchant.toml')
    """

    path: Path = Path("penchant.toml")
    "The settings file."
    quiet: bool = False
    "Results and errors only."
    verbose: bool = False
    "Log lines on standard error."

    @property
    def clock(self) -> Clock:
        """The machine's clock."""
        return SystemClock()

    def settings(self) -> Settings:
        """Return the settings of the file.

        Raises:
            SettingsError: there is none, or it says something it may not say.
        """
        return load_settings(self.path)

    def engine(self) -> Engine:
        """Return the engine over the store that the settings name; close it when done."""
        from penchant.engine.engine import Engine

        return Engine.open(self.settings(), self.clock)

    def progress(self) -> Progress:
        """Return what shows long work."""
        return progress_on(quiet=self.quiet)

    def remark(self, text: str) -> None:
        """Say something that can be left out."""
        if not self.quiet:
            say(text)

    def log(self) -> None:
        """Begin to write log lines on standard error: warnings, and all of them when they were asked for."""
        level = logging.INFO if self.verbose else logging.ERROR if self.quiet else logging.WARNING
        lines = "%(asctime)s %(levelname)s %(name)s: %(message)s" if self.verbose else "warning: %(message)s"
        logging.basicConfig(level=level, handlers=[_Lines()], format=lines)


class _Lines(logging.Handler):
    """Writes to the standard error of now, which is above the bars while there are any."""

    def emit(self, record: logging.LogRecord) -> None:
        sys.stderr.write(f"{clean(self.format(record))}\n")


def state_of(context: typer.Context) -> State:
    """Return what the options before the command said."""
    found = context.find_object(State)
    return State() if found is None else found
