"""The threads of BLAS: as many as the work has when BLAS works alone, one each when we work in parallel."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from threading import Lock
from typing import Any

from penchant.core.arrays import Float32

__all__ = ["blas_threads", "single_blas", "subtract_product"]

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


def subtract_product(out: Float32, left: Float32, right: Float32) -> None:
    """Take left' right from ``out`` where it stands: NumPy would write the product first, and read it again.

    >>> import numpy as np
    >>> out, left, right = np.float32([[9, 9, 9], [9, 9, 9]]), np.float32([[1, 2]]), np.float32([[3, 4]])
    >>> subtract_product(out[:, 1:], left, right)
    >>> out.tolist()
    [[9.0, 6.0, 5.0], [9.0, 3.0, 1.0]]

    Args:
        out: float32[m, n], rows contiguous, such as a part of a C-ordered matrix.
        left: float32[k, m], rows contiguous.
        right: float32[k, n], rows contiguous.

    Raises:
        ValueError: the shapes do not fit, or values of a row do not stand side by side.
    """
    (k, m), n = left.shape, out.shape[1]
    if out.shape[0] != m or right.shape != (k, n) or any(a.strides[1] != a.itemsize for a in (out, left, right)):
        raise ValueError(
            f"shapes {out.shape}, {left.shape}, {right.shape}; strides have to end with the size of an entry"
        )
    sizes = [ctypes.byref(ctypes.c_int(size)) for size in (n, m, k)]
    far = [ctypes.byref(ctypes.c_int(array.strides[0] // array.itemsize)) for array in (right, left, out)]
    minus, one = (ctypes.byref(ctypes.c_float(factor)) for factor in (-1.0, 1.0))
    right_to, left_to, out_to = right.ctypes.data, left.ctypes.data, out.ctypes.data
    _sgemm()(b"N", b"T", *sizes, minus, right_to, far[0], left_to, far[1], one, out_to, far[2])  # column by column


@cache
def _sgemm() -> Any:
    """Return BLAS's own function, which works on parts of a matrix; SciPy lends it to compiled code."""
    address = import_module("numba.extending").get_cython_function_address("scipy.linalg.cython_blas", "sgemm")
    return ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 13)(address)
