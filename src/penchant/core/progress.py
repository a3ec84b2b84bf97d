"""How long work tells that it is getting on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

__all__ = ["SILENT", "Advance", "Progress", "Silent"]

Advance = Callable[[int], None]
"Called with the number of units done since the last call."


class Progress(Protocol):
    """Something that shows steps of work."""

    def step(self, what: str, total: int, unit: str = "") -> AbstractContextManager[Advance]:
        """Open a step of ``total`` units; call what it yields with each number of units done."""
        ...


class Silent:
    """Shows nothing.

    >>> with SILENT.step("reading", 10) as advance:
    ...     advance(10)
    """

    @contextmanager
    def step(self, what: str, total: int, unit: str = "") -> Iterator[Advance]:
        """Yield a function that does nothing."""
        yield lambda _done: None


SILENT = Silent()
"The progress used when none is named."
