"""Directories that are made to be renamed, and those that are not needed any more."""

from __future__ import annotations

import fcntl
import logging
import os
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["discard", "flush", "scratch", "sweep_scratch"]

log = logging.getLogger(__name__)

_YOUNG = 2.0
"Seconds within which a scratch directory may not be locked yet by who makes it."


def flush(path: Path) -> None:
    """Return when a file, or the list of names that a directory is, would outlast a power cut.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as place:
    ...     flush(Path(place))

    Raises:
        OSError: it is not there, or the disk refuses.
    """
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def discard(folder: Path) -> bool:
    """Remove a directory and all in it; return whether it is gone.

    What cannot be removed costs space and nothing else, so it is a warning in the log and no error.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as place:
    ...     old = Path(place, "old")
    ...     old.mkdir()
    ...     discard(old), old.exists(), discard(old)
    (True, False, True)
    """
    shutil.rmtree(folder, ignore_errors=True)
    if not folder.exists():
        return True
    log.warning("%s could not be removed and takes up space; remove it by hand", folder)
    return False


@contextmanager
def scratch(root: Path) -> Iterator[Path]:
    """Yield a new directory below ``root`` to fill and then rename; gone on leaving where it was not renamed.

    It is locked for as long as this process lives, so that :func:`sweep_scratch` can tell it from one that was left
    behind.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as place:
    ...     with scratch(Path(place)) as made:
    ...         _ = made.joinpath("half").write_text("...")
    ...     list(Path(place).iterdir())
    []

    Raises:
        OSError: the directory cannot be made.
    """
    made = root / f".{uuid.uuid4().hex}.tmp"
    made.mkdir(parents=True)
    handle = os.open(made, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield made
    finally:
        discard(made)
        os.close(handle)


def sweep_scratch(root: Path) -> int:
    """Remove scratch directories whose makers were killed; return how many.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as place:
    ...     left = Path(place, ".0123.tmp")
    ...     left.mkdir()
    ...     os.utime(left, (0, 0))
    ...     with scratch(Path(place)) as ours:
    ...         os.utime(ours, (0, 0))
    ...         sweep_scratch(Path(place)), left.exists(), ours.exists()
    (1, False, True)
    """
    return sum(_abandoned(path) and discard(path) for path in root.glob(".*.tmp"))


def _abandoned(path: Path) -> bool:
    """Return whether nobody holds the lock of a scratch directory that is old enough to have been locked."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return time.time() - os.fstat(handle).st_mtime > _YOUNG
    except OSError:
        return False
    finally:
        os.close(handle)
