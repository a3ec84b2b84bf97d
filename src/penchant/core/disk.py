"""Directories that are not needed any more."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

__all__ = ["discard"]

log = logging.getLogger(__name__)


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
