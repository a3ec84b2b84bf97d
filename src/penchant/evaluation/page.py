"""Files written whole or not at all."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from penchant.core.errors import InputError

__all__ = ["write"]


def write(path: Path, content: bytes) -> None:
    """Write a file under a temporary name beside it, then rename it, so that no reader sees half of it.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     write(Path(folder, "report.txt"), b"fine")
    ...     [path.name for path in Path(folder).iterdir()]
    ['report.txt']

    Raises:
        InputError: the path cannot be written.
    """
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        try:
            part.write_bytes(content)
            os.replace(part, path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(
            "the report cannot be written", got=f"{path}: {error.strerror}", then="choose another path", field="path"
        ) from error
