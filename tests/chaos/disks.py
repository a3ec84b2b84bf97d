"""Small disks that can be filled, emptied and broken. Mounting them needs root."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


def run(*command: str | Path) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}: {done.stderr}"


def _need_root(*programs: str) -> None:
    missing = [name for name in ("mount", "umount", *programs) if shutil.which(name) is None]
    if os.geteuid() or missing:
        pytest.skip(f"a disk of one's own needs root and {', '.join(missing) or 'the right to mount'}")


def _mount(*arguments: str | Path) -> None:
    done = subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"nothing can be mounted here: {done.stderr.strip()}")


@contextmanager
def small_disk(place: Path, megabytes: int) -> Iterator[None]:
    """Mount a disk in memory at ``place`` until the block ends."""
    _need_root()
    place.mkdir(exist_ok=True)
    _mount("-t", "tmpfs", "-o", f"size={megabytes}m,mode=755", "penchant-chaos", place)
    try:
        yield
    finally:
        _unmount(place)


class Fragile:
    """An ext4 disk in a file, which can be made to fail as the kernel makes one fail: read-only, from one write on."""

    def __init__(self, place: Path, image: Path) -> None:
        self.place = place
        self.image = image

    def fail(self) -> None:
        """Abort the journal, as the kernel does on an error of the device: every write is refused from now on."""
        subprocess.run(["mount", "-o", "remount,abort", self.place], capture_output=True, check=False)

    def mend(self) -> None:
        """Check the disk and mount it again; nobody may have a file of it open."""
        _unmount(self.place)
        done = subprocess.run(["e2fsck", "-f", "-y", self.image], capture_output=True, text=True, check=False)
        assert done.returncode in (0, 1), done.stdout  # 1: errors were corrected
        _mount("-o", "loop", self.image, self.place)


@contextmanager
def fragile_disk(place: Path, image: Path, megabytes: int) -> Iterator[Fragile]:
    """Mount an ext4 disk at ``place`` until the block ends."""
    _need_root("mkfs.ext4", "e2fsck")
    place.mkdir(exist_ok=True)
    with image.open("wb") as file:
        file.truncate(megabytes * 2**20)
    run("mkfs.ext4", "-q", "-F", image)
    _mount("-o", "loop", image, place)
    try:
        yield Fragile(place, image)
    finally:
        _unmount(place)


def _unmount(place: Path) -> None:
    for _ in range(100):  # a process that was just killed may still be letting go
        if subprocess.run(["umount", place], capture_output=True, check=False).returncode == 0:
            return
        time.sleep(0.1)
    run("umount", place)


def fill(place: Path) -> Path:
    """Fill the disk at ``place`` to the last byte; return the file that does, to be removed."""
    filler = place / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (2**20, 4096, 1):
            try:
                while file.write(bytes(size)) == size:
                    pass
            except OSError:  # full for pieces of this size
                continue
    return filler
