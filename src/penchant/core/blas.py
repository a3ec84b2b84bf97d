"""The threads of BLAS: as many as the work has when BLAS works alone, one each when we work in parallel."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from threading import Lock
from typing import Any

__all__ = ["blas_threads", "single_blas"]

_lock = Lock()
_before: list[list[tuple[Any, int]]] = []
"For every caller inside, the libraries it told to use one thread and what they had; only the first finds others."


@cache
def _libraries() -> list[Any]:
    """Return the BLAS libraries of this process; finding them takes a few milliseconds, so it is done once."""
    import_module("scipy.linalg")  # brings a BLAS beside NumPy's, which has to be found too
    controller = import_module("threadpoolctl").ThreadpoolController()  # has no types
    return list(controller.select(user_api="blas").lib_controllers)


def blas_threads() -> int:
    """Return the largest number of threads that a BLAS library of this process may take now.

    >>> with single_blas():
    ...     blas_threads()
    1
    """
    return max((library.num_threads for library in _libraries()), default=1)


@contextmanager
def single_blas() -> Iterator[None]:
    """Hold BLAS to one thread while any caller is inside; who comes last out gives back what was there before.

    Threads of ours that each call a BLAS with threads of its own get in each other's way; that costs several times
    the work itself.

    >>> with single_blas(), single_blas():
    ...     blas_threads()
    1
    """
    with _lock:
        libraries = [] if _before else _libraries()
        _before.append([(library, library.num_threads) for library in libraries])
        for library in libraries:
            _set(library, 1)
    try:
        yield
    finally:
        with _lock:
            last = _before.pop()
            if not _before:
                for library, threads in last:
                    _set(library, threads)


def _set(library: Any, threads: int) -> None:
    """Set the threads of a library from whichever thread of ours is first in or last out."""
    if hasattr(library, "clear_controlling_thread"):  # threadpoolctl listens to one thread only, and ignores others
        library.clear_controlling_thread(force=True)
    library.set_num_threads(threads)
