"""Stamps: what lets a directory that was read byte for byte once be trusted until a file of it is touched."""

from __future__ import annotations

import logging
import os
import time
import uuid
from pathlib import Path

import msgspec
from msgspec import Struct

from penchant.core.decoding import decode

__all__ = ["Files", "Stamp", "look", "read_stamp", "settled", "write_stamp"]

log = logging.getLogger(__name__)

Files = dict[str, tuple[int, int, int, int, int]]
"Path below a directory to device, inode, size, mtime and ctime in nanoseconds."

_STAMP = "checked.json"
"Where the stamp lies, in the directory itself, so that it goes with it."

_TEMPORARY = ".tick"

_WAIT = 0.2
"Seconds within which a file system's clock moves on."


class Stamp(Struct, frozen=True):
    """What the files of a directory were when every byte of them had been checked.

    Device, inode, size, time of the last change of the bytes and time of the last change of anything: whoever writes
    to a file, replaces it or restores it from a copy changes one of them. A file may still rot on its disk unseen, so a
    stamp has an age, and what is old is read again.

    >>> Stamp("ab12", {}, 5).at
    5
    """

    digest: str
    "What was checked."
    files: Files
    "What the files were."
    at: int
    "When the check began, in seconds since 1970."


def look(place: Path) -> Files:
    """Return what the files of a directory are now, but for its stamp.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     _ = Path(folder, "w.npy").write_bytes(b"123")
    ...     before = look(Path(folder))
    ...     _ = Path(folder, "w.npy").write_bytes(b"124")
    ...     before["w.npy"][2], before == look(Path(folder))
    (3, False)
    """
    found: Files = {}
    for path in sorted(place.rglob("*")):
        name = str(path.relative_to(place))
        if name != _STAMP and path.suffix != _TEMPORARY and not path.is_dir():
            s = path.stat()
            found[name] = (s.st_dev, s.st_ino, s.st_size, s.st_mtime_ns, s.st_ctime_ns)
    return found


def read_stamp(place: Path) -> Stamp | None:
    """Return the stamp of a directory when it still holds, else None.

    >>> read_stamp(Path("no such directory")) is None
    True
    """
    try:
        stamp = decode((place / _STAMP).read_bytes(), Stamp)
    except (OSError, msgspec.MsgspecError):
        return None
    return stamp if stamp.files == look(place) else None


def settled(place: Path) -> Files | None:
    """Return what the files of a directory are, once a file made now is younger than all of them; None when it is not.

    A file that is changed in the same tick of the file system's clock as its check begins would look unchanged, so a
    check begins after that tick. Where the folder cannot be written, no stamp can be either.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     place = Path(folder, "m")
    ...     place.mkdir()
    ...     _ = (place / "w.npy").write_bytes(b"123")
    ...     list(settled(place))
    ['w.npy']
    """
    tick = place / f"{uuid.uuid4().hex}{_TEMPORARY}"
    deadline = time.monotonic() + _WAIT
    try:
        files = look(place)
        latest = max((file[4] for file in files.values()), default=0)
        while time.monotonic() < deadline:
            tick.touch()
            if tick.stat().st_ctime_ns > latest:
                return files
            time.sleep(0.002)
    except OSError as error:
        log.debug("%s gets no stamp: %s", place, error)
    finally:
        tick.unlink(missing_ok=True)
    return None


def write_stamp(place: Path, digest: str, files: Files) -> None:
    """Write that every byte of these files was checked; nothing is written when one changed meanwhile.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     place = Path(folder, "m")
    ...     place.mkdir()
    ...     _ = (place / "w.npy").write_bytes(b"123")
    ...     write_stamp(place, "ab12", settled(place))
    ...     sound = read_stamp(place)
    ...     _ = (place / "w.npy").write_bytes(b"124")
    ...     sound.digest, read_stamp(place) is None
    ('ab12', True)
    """
    if look(place) != files:
        return
    target, scratch = place / _STAMP, place / f"{uuid.uuid4().hex}{_TEMPORARY}"
    try:
        scratch.write_bytes(msgspec.json.encode(Stamp(digest, files, int(time.time()))))
        os.replace(scratch, target)
    except OSError as error:
        log.debug("%s gets no stamp: %s", place, error)
        scratch.unlink(missing_ok=True)
