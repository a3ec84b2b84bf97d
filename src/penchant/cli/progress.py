"""Progress as a bar with rate and remaining time, on a terminal; nowhere else a sign of it."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, ProgressColumn, Task, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Display
from rich.text import Text

from penchant.core.progress import SILENT, Advance, Progress

__all__ = ["Bars", "progress_on", "rate"]


def rate(speed: float | None, unit: str) -> str:
    """Return a speed as people read it.

    >>> rate(1_234_567.0, "events"), rate(3_500_000.0, "B"), rate(2.5, "users"), rate(None, "users")
    ('1,234,567 events/s', '3.5 MB/s', '2.5 users/s', '')
    """
    if speed is None:
        return ""
    if unit == "B":
        return f"{speed / 1e6:,.1f} MB/s"
    return f"{speed:,.0f} {unit}/s" if speed >= 10 else f"{speed:.1f} {unit}/s"


def progress_on(*, quiet: bool = False) -> Progress:
    """Return bars when standard error is a terminal and nobody asked for quiet; else what shows nothing.

    >>> progress_on(quiet=True) is SILENT
    True
    """
    shown = sys.stderr.isatty() and os.environ.get("TERM") != "dumb" and not quiet
    return Bars(Console(stderr=True)) if shown else SILENT


class _Rate(ProgressColumn):
    """Units a second; nothing for a step that is one unit."""

    def render(self, task: Task) -> Text:
        return Text(rate(task.finished_speed or task.speed, task.fields["unit"]) if task.total else "")


class Bars:
    """Steps as bars below each other, which go when the outermost step is done. Threads may share it.

    >>> import io
    >>> with Bars(Console(file=io.StringIO())).step("reading", 10, "rows") as advance:
    ...     advance(10)
    """

    def __init__(self, console: Console) -> None:
        """Show the bars on a console."""
        self._display = Display(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f}%"),
            _Rate(),
            TimeRemainingColumn(compact=True),
            TimeElapsedColumn(),
            console=console,
            transient=True,
        )
        self._open = 0
        self._lock = threading.Lock()

    @contextmanager
    def step(self, what: str, total: int, unit: str = "") -> Iterator[Advance]:
        """Show a step of ``total`` units; a step of one unit only shows that it is under way."""
        with self._lock:
            if not self._open:
                self._display.start()
            self._open += 1
        known = total if total > 1 else None
        task = self._display.add_task(what, total=known, unit=unit)
        try:
            yield lambda done: self._display.advance(task, done)
        finally:
            self._display.remove_task(task)
            with self._lock:
                self._open -= 1
                if not self._open:
                    self._display.stop()
