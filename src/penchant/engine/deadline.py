"""How long an answer may take: what is not there in time is left out."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

__all__ = ["Deadline", "Late"]

T = TypeVar("T")

_WAITING = ThreadPoolExecutor(16, "penchant-read")  # a store that hangs holds these, and no more


class Late(Exception):
    """What was asked for was not there in time.

    >>> try:
    ...     Deadline(1, iter([0.0, 1.0]).__next__).wait(lambda: 3)
    ... except Late:
    ...     print("late")
    late
    """


class Deadline:
    """The end of the time of one answer, on a timer that the caller brings.

    >>> ticks = iter([0.0, 0.004, 0.011])
    >>> deadline = Deadline(10, lambda: next(ticks))  # milliseconds
    >>> deadline.late, deadline.late
    (False, True)
    >>> Deadline(0, lambda: 0.0).late  # no deadline
    False
    """

    def __init__(self, milliseconds: int, timer: Callable[[], float]) -> None:
        self._timer = timer
        self._end = timer() + milliseconds / 1000 if milliseconds else None

    @property
    def limited(self) -> bool:
        """Whether there is a deadline at all."""
        return self._end is not None

    @property
    def late(self) -> bool:
        """Whether the time is over."""
        return self._end is not None and self._timer() > self._end

    def wait(self, work: Callable[[], T]) -> T:
        """Return what some reading gives; with a deadline it runs in a thread and is given up when it takes too long.

        >>> Deadline(0, lambda: 0.0).wait(lambda: 3)
        3

        Raises:
            Late: the time was over before it was there.
        """
        if self._end is None:
            return work()
        left = self._end - self._timer()
        if left <= 0:
            raise Late
        future = _WAITING.submit(work)
        try:
            return future.result(timeout=left)
        except TimeoutError as error:
            if future.cancel() or not future.done():
                raise Late from error
            raise
