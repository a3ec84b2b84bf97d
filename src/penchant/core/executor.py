"""Where work runs. Kernels release the GIL, so threads are enough on one machine."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from threading import local
from typing import Protocol, TypeVar

from penchant.core.blas import single_blas
from penchant.core.errors import InputError

__all__ = ["LOCAL", "Executor", "LocalExecutor", "blocks"]

T = TypeVar("T")
R = TypeVar("R")

_here = local()
"Whether this thread is one of an executor's: a map within a map runs where it is."


class Executor(Protocol):
    """Applies a function to parts of the work; the same learner code runs on all of them."""

    @property
    def workers(self) -> int:
        """How many parts run at once."""
        ...

    def map(self, fn: Callable[[T], R], parts: Iterable[T]) -> Iterator[R]:
        """Yield ``fn(part)`` for every part, in the order of the parts."""
        ...


class LocalExecutor:
    """Threads of this process.

    >>> list(LocalExecutor(workers=2).map(abs, [-1, 2, -3]))
    [1, 2, 3]
    """

    def __init__(self, workers: int | None = None) -> None:
        if workers is not None and workers < 1:
            raise InputError("workers is out of range", got=workers, allowed="1 or more, or None for all processors")
        self._workers = workers or _processors()
        self._idle: deque[ThreadPoolExecutor] = deque()
        self._process = os.getpid()

    @property
    def workers(self) -> int:
        """Threads at once: the processors this process may use, unless told otherwise."""
        return self._workers

    def map(self, fn: Callable[[T], R], parts: Iterable[T]) -> Iterator[R]:
        """Yield ``fn(part)`` for every part, in the order of the parts; the first error stops the work.

        Threads are taken once: a map inside ``fn`` runs in the thread that called it, and BLAS has one thread, also
        where there is one worker, so that the bits do not depend on how many there are. They stay for the next map,
        since a BLAS prepares each new thread for milliseconds; maps at the same time have threads of their own.
        """
        work = list(parts)
        if getattr(_here, "inside", False):
            yield from map(fn, work)
            return
        with single_blas():
            if self._workers == 1 or len(work) < 2:
                yield from map(fn, work)
                return
            with self._threads() as pool:
                futures = deque(pool.submit(fn, part) for part in work)
                try:
                    while futures:
                        yield futures.popleft().result()
                finally:  # whoever stops early finds nothing of theirs still at work
                    for future in futures:
                        future.cancel()
                    wait(futures)

    @contextmanager
    def _threads(self) -> Iterator[ThreadPoolExecutor]:
        """Lend threads that nobody uses now; those of a parent process do not live in its fork."""
        if self._process != os.getpid():
            self._idle, self._process = deque(), os.getpid()
        try:
            pool = self._idle.pop()
        except IndexError:
            pool = ThreadPoolExecutor(self._workers, "penchant", _enter)
        try:
            yield pool
        finally:
            self._idle.append(pool)


def _enter() -> None:
    _here.inside = True


def _processors() -> int:
    """Return how many processors this process may use; where the system does not say, how many there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


LOCAL = LocalExecutor()
"The executor used when none is named: every processor of this machine."


def blocks(total: int, size: int) -> list[tuple[int, int]]:
    """Return the half-open ranges of at most ``size`` that cover ``range(total)``.

    >>> blocks(5, 2)
    [(0, 2), (2, 4), (4, 5)]
    """
    return [(start, min(start + size, total)) for start in range(0, total, size)]
