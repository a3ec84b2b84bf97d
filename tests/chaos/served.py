"""A shop and its server as operators run them: settings in a file, a process of its own, a port that stays the same."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from penchant.core.clock import SystemClock
from penchant.core.nouns import Event, Item
from penchant.core.settings import Settings, load_settings
from penchant.engine.training import train
from penchant.trust.access import SCOPES, SYSTEM
from penchant.trust.gate import Gate

PENCHANT = Path(sys.executable).with_name("penchant")
TOML = """
store = "{store}"
artifacts = "artifacts"
[consent]
default = true
[train]
min_users = 1
keep = 3
[worker]
lease = "1s"
every = "1s"
jitter = "1s"
[limits]
receive = "2s"
[models.popular]
learner = "popular"
[models.item-knn]
learner = "item-knn"
[placements.for-you]
blend = {{ item-knn = 1.0 }}
fallback = {{ popular = 1.0 }}
exclude_seen = false
[placements.similar]
blend = {{ item-knn = 1.0 }}
history = "item"
"""
ITEMS = [f"i{n}" for n in range(12)]
USERS = [f"u{n}" for n in range(20)]
PATIENCE = 240.0
"Seconds; a busy machine may take its time."


def until(true: Callable[[], bool], what: str, seconds: float = PATIENCE) -> None:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"{what}: this takes too long"
        time.sleep(0.02)


def make_shop(folder: Path, store: str = "sqlite:///shop.db") -> str:
    """Make a small trained shop with settings in a file; return a key to everything."""
    with (folder / "penchant.toml").open("w") as file:
        file.write(TOML.format(store=store))
        file.flush()
        os.fsync(file.fileno())  # the tests break disks
    settings, now = settings_of(folder), datetime.now(UTC)
    with Gate.create(settings, SystemClock()) as gate:
        gate.catalogue.put(SYSTEM, [Item(name, name.title(), categories=("all",)) for name in ITEMS])
        bought = [
            Event(
                user, ITEMS[(n + 2 * turn) % 12], "purchase", now - timedelta(days=30 - turn), id=f"old-{user}-{turn}"
            )
            for n, user in enumerate(USERS)
            for turn in range(3)
        ]
        assert gate.admit(SYSTEM, bought).accepted == len(bought)
        train(gate, SYSTEM, settings)
        return gate.keys.create(SYSTEM, "chaos", SCOPES)


def settings_of(folder: Path) -> Settings:
    return load_settings(folder / "penchant.toml")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


class Address:
    """Where a server listens, and the key to it."""

    def __init__(self, url: str, key: str) -> None:
        self.url = url
        self.headers = {"Authorization": f"Bearer {key}"}

    def get(self, path: str) -> httpx.Response:
        return httpx.get(self.url + path, headers=self.headers, timeout=60)

    def post(self, path: str, body: object) -> httpx.Response:
        return httpx.post(self.url + path, json=body, headers=self.headers, timeout=60)

    def ask(self, user: str = "u1") -> httpx.Response:
        return self.post("/v1/recommendations", {"placement": "for-you", "user": user, "n": 3})


class Server(Address):
    """``penchant serve`` in a process, which can be killed and started again where it was."""

    def __init__(self, folder: Path, key: str, workers: int = 1) -> None:
        self.port = free_port()
        super().__init__(f"http://127.0.0.1:{self.port}", key)
        self.folder = folder
        self.workers = workers
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> str:
        """What it wrote, beside its folder and so not on the disk that is broken."""
        return (self.folder.parent / f"{self.folder.name}.log").read_text(errors="replace")

    def start(self, *, ready: bool = True) -> None:
        command = [PENCHANT, "--settings", self.folder / "penchant.toml", "serve", "--port", str(self.port)]
        command += ["--workers", str(self.workers)]
        with (self.folder.parent / f"{self.folder.name}.log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        until(lambda: self.ended or (self.ready if ready else self.alive), "the start of the server")
        assert not ready or not self.ended, self.log[-3000:]

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    @property
    def ended(self) -> bool:
        return self.process is None or self.process.poll() is not None

    @property
    def ready(self) -> bool:
        try:
            return self.get("/readyz").status_code == 200
        except httpx.TransportError:
            return False

    @property
    def alive(self) -> bool:
        try:
            return self.get("/healthz").status_code == 200
        except httpx.TransportError:
            return False

    @property
    def children(self) -> list[int]:
        return children(self.pid)

    def kill(self) -> None:
        """Kill all of it, at once."""
        assert self.process is not None
        below = self.children
        self.process.kill()
        for child in below:
            slay(child)
        self.process.wait()
        until(lambda: not any(Path(f"/proc/{child}").exists() for child in below), "the end of the workers")

    def stop(self) -> int:
        """Tell it to stop; return how it ended."""
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(PATIENCE)


@contextmanager
def serving(folder: Path, key: str, workers: int = 1, *, ready: bool = True) -> Iterator[Server]:
    """Run a server until the block ends; it has to become ready, or only to listen."""
    server = Server(folder, key, workers)
    try:
        server.start(ready=ready)
        yield server
    finally:
        if not server.ended:
            server.kill()


def children(pid: int) -> list[int]:
    """Return the processes that a process started."""
    try:
        return [int(text) for text in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []


def slay(pid: int) -> None:
    """Kill a process that may be gone already."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
