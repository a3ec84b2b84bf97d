"""How often a key may be used: token buckets in memory that the processes of one machine share."""

from __future__ import annotations

import fcntl
import logging
import math
import mmap
import os
import re
import struct
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path

from msgspec import Struct

from penchant.core.errors import InputError

__all__ = ["Buckets", "Rate", "counters_of", "parse_rate", "taken"]

log = logging.getLogger(__name__)

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_RATE = re.compile(r"([1-9]\d{0,8})/([smhd])", re.ASCII)
_MAGIC = b"pnchnt01"
_HEAD = 64  # bytes: the magic, then a salt of 16
_SLOT = struct.Struct("<8sdd")  # whose, tokens left, when they were counted
_PROBES = 8


class Rate(Struct, frozen=True):
    """So many requests in so long. All may come at once; they come back one by one.

    >>> Rate(600, 60.0).per_second
    10.0
    """

    count: int
    "Requests; also how many may come at once."
    seconds: float
    "In how long."

    @property
    def per_second(self) -> float:
        """Requests that come back every second."""
        return self.count / self.seconds


@lru_cache(1024)
def parse_rate(text: str, field: str | None = None) -> Rate:
    """Return the rate that a text names: a number, a slash, and one of s, m, h, d.

    >>> parse_rate("600/m")
    Rate(count=600, seconds=60)
    >>> parse_rate("fast")
    Traceback (most recent call last):
        ...
    penchant.core.errors.InputError: not a rate; got fast; allowed: a whole number, a slash and a unit (s, m, h, d); \
next: write 20/s or 600/m

    Raises:
        InputError: it is not one.
    """
    found = _RATE.fullmatch(text)
    if found is None:
        allowed = "a whole number, a slash and a unit (s, m, h, d)"
        raise InputError("not a rate", got=text, allowed=allowed, then="write 20/s or 600/m", field=field)
    return Rate(int(found[1]), _UNITS[found[2]])


def taken(tokens: float, since: float, rate: Rate) -> tuple[float, float]:
    """Return the tokens left after one was taken, and how many seconds are missing when there was none.

    >>> taken(2.0, 0.0, Rate(2, 1.0)), taken(0.25, 0.25, Rate(2, 1.0))
    ((1.0, 0.0), (0.75, 0.125))

    Args:
        tokens: how many there were.
        since: seconds that have passed since they were counted.
        rate: how many there may be, and how fast they come back.
    """
    now = min(float(rate.count), tokens + since * rate.per_second)
    if now >= 1.0:
        return now - 1.0, 0.0
    return now, (1.0 - now) / rate.per_second


def counters_of(folder: str, store: str) -> Path:
    """Return the folder of the counters of a store.

    It is the one that is named; or one beside the store's file; or, when the store is no file, one of this user's and
    this store's under the machine's temporary folder.

    >>> str(counters_of("/run/penchant", "sqlite:///shop.db")), str(counters_of("", "sqlite:////srv/shop.db"))
    ('/run/penchant', '/srv/shop.db-counters')
    >>> counters_of("", "postgresql://db/shop").name.startswith("penchant-")
    True
    """
    if folder:
        return Path(folder)
    if store.startswith("sqlite:///"):
        return Path(store.removeprefix("sqlite:///") + "-counters")
    mark = blake2b(store.encode(), digest_size=8).hexdigest()
    return Path(tempfile.gettempdir(), f"penchant-{os.getuid()}-{mark}")


class Buckets:
    """Token buckets in one file of fixed size, mapped into memory and shared by the processes that open it.

    A lock on the file makes each taking exact across processes. When the table is full, the bucket that was not used
    for longest makes room; its owner begins with a full one. Names are kept as salted hashes. A file that cannot be
    made or read costs exactness, not answers: then this process counts for itself, and the log says so.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     one, other = (Buckets(Path(folder, "keys")) for process in range(2))
    ...     waits = [buckets.take("shop", Rate(2, 60.0)) for buckets in (one, other, one)]
    ...     one.close(), other.close()
    (None, None)
    >>> waits[:2], 29 < waits[2] <= 30
    ([0.0, 0.0], True)
    """

    def __init__(self, path: Path, slots: int = 4096, ticks: Callable[[], float] = time.monotonic) -> None:
        """Take the path of the file, how many buckets it has room for, and a clock that all processes share."""
        self._path, self._slots, self._ticks = path, slots, ticks
        self._turn = threading.Lock()
        self._size = _HEAD + slots * _SLOT.size
        self._file: int | None = None
        self._memory: mmap.mmap | None = None

    def take(self, name: str, rate: Rate) -> float:
        """Take one request from the bucket of a name; return 0.0, or, when it is empty, the seconds to wait."""
        with self._turn:
            memory = self._memory or self._open()
            key = blake2b(name.encode(), key=memory[8:24], digest_size=8).digest()
            with self._locked():
                now = self._ticks()
                at, tokens, stamp = self._find(memory, key, rate)
                since = now - stamp
                if not (since >= 0 and 0 <= tokens <= rate.count):  # new, torn by a crash, or from before a restart
                    tokens, since = float(rate.count), 0.0
                tokens, wait = taken(tokens, since, rate)
                _SLOT.pack_into(memory, at, key, tokens, now)
        return wait

    def close(self) -> None:
        """Let go of the file; what was counted stays in it."""
        with self._turn:
            if self._memory is not None:
                self._memory.close()
            if self._file is not None:
                os.close(self._file)
            self._memory = self._file = None

    def _find(self, memory: mmap.mmap, key: bytes, rate: Rate) -> tuple[int, float, float]:
        """Return where a bucket lies, its tokens and their time; for a new one, where the oldest of its places lies."""
        start = int.from_bytes(key, "little")
        oldest, age = -1, math.inf
        for probe in range(_PROBES):
            at = _HEAD + (start + probe) % self._slots * _SLOT.size
            owner, tokens, stamp = _SLOT.unpack_from(memory, at)
            if owner == key:
                return at, tokens, stamp
            if not stamp >= age:
                oldest, age = at, stamp
        return oldest, float(rate.count), math.inf

    @contextmanager
    def _locked(self) -> Iterator[None]:
        if self._file is None:
            yield
            return
        fcntl.lockf(self._file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.lockf(self._file, fcntl.LOCK_UN)

    def _open(self) -> mmap.mmap:
        try:
            _own(self._path.parent)
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            with self._locked():
                if os.fstat(self._file).st_size < self._size:  # a full disk fails here, and not as a bus error later
                    os.posix_fallocate(self._file, 0, self._size)
                self._memory = _begun(mmap.mmap(self._file, self._size))
        except OSError as error:
            log.warning("rate limits are counted by each process for itself: %s: %s", self._path, error)
            if self._file is not None:
                os.close(self._file)
                self._file = None
            self._memory = _begun(mmap.mmap(-1, self._size))
        return self._memory


def _begun(memory: mmap.mmap) -> mmap.mmap:
    if memory[:8] != _MAGIC:
        memory[:] = bytes(len(memory))
        memory[8:24] = os.urandom(16)
        memory[:8] = _MAGIC
    return memory


def _own(folder: Path) -> None:
    """Make a folder that only this user can look into; one that is somebody else's is not used."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.lstat()
    if found.st_uid != os.getuid() or found.st_mode & 0o022:
        raise PermissionError(f"{folder} can be changed by others")
