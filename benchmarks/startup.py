"""Start, memory and swaps of a server: ``python benchmarks/startup.py --items 100000 --workers 1 2 4``.

A shop is made once and kept (``--folder``). Then a server is started, and measured are the seconds from the start of
its process to the first 200 of /readyz, what its first answers take, how much memory each process has for itself (USS)
and by its share of what it shares (PSS), and, under a steady load, how long a promotion takes to reach every answer
and how many answers fail while it does.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import polars as pl

from penchant.core.clock import SystemClock
from penchant.core.nouns import Event, Item
from penchant.core.settings import Settings, load_settings
from penchant.engine.training import train
from penchant.testing import generated
from penchant.trust.access import SCOPES, SYSTEM
from penchant.trust.gate import Gate
from support.environments import folder as kept
from support.machine import machine
from support.tables import markdown

PENCHANT = Path(sys.executable).with_name("penchant")
EACH = 40
"Events a person, on average."
TOML = """
store = "sqlite:///shop.db"
artifacts = "artifacts"
[consent]
default = true
[train]
min_users = 1
[models]
sansa = { learner = "sansa" }
item-knn = { learner = "item-knn" }
buy-again = { learner = "buy-again" }
popular = { learner = "popular", half_life = 14.0 }
trending = { learner = "popular", half_life = 3.0 }
[placements.for-you]
blend = { sansa = 1.0, popular = 0.3 }
fallback = { popular = 1.0 }
[placements.buy-again]
blend = { buy-again = 1.0 }
exclude_seen = false
[placements.similar]
blend = { item-knn = 1.0 }
history = "item"
fallback = { popular = 1.0 }
[placements.trending]
blend = { trending = 1.0 }
exclude_seen = false
"""
HEAD = (
    "workers",
    "start to ready s",
    "CPU s of it",
    "first answers ms",
    "USS a worker MB",
    "PSS a worker MB",
    "of it mapped MB",
)
SWAP = ("workers", "requests/s", "requests", "errors", "p99 before ms", "p99 in the swap ms", "swap s", "rollback s")


def main() -> None:
    """Make the shop when it is not there, measure, print two tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--events", type=int, default=2_000_000)
    parser.add_argument("--workers", nargs="+", type=int, default=[1, 2, 4])
    parser.add_argument("--rate", type=float, default=50.0, help="requests a second while models are swapped")
    parser.add_argument("--folder", type=Path, help="where shops are kept")
    options = parser.parse_args()
    shop = (options.folder or kept()) / f"shop-{options.items}-{options.events}"
    if not (shop / "made").exists():
        make(shop, options.items, options.events)
    settings = load_settings(shop / "penchant.toml")
    size = sum(path.stat().st_size for path in (shop / "artifacts").rglob("*") if path.is_file()) / 2**20
    print(f"Measured by `benchmarks/startup.py` on {machine()}; {options.items:,} items, {size:,.0f} MB of models.\n")
    starts, swaps = [], []
    for n in options.workers:
        with serving(shop, n) as (url, headers, process, seconds):
            starts.append([str(n), f"{seconds:.2f}", f"{spent(process):.2f}", *begun(url, headers, process)])
            swaps.append([str(n), *swapped(url, headers, settings, options.rate)])
    print(markdown(HEAD, starts))
    print(markdown(SWAP, swaps))


def make(shop: Path, n_items: int, n_events: int) -> None:
    """Make a store with a catalogue and events, and train two bundles, the second on a few events more."""
    shutil.rmtree(shop, ignore_errors=True)
    shop.mkdir(parents=True)
    (shop / "penchant.toml").write_text(TOML, encoding="utf-8")
    settings = load_settings(shop / "penchant.toml")
    data = generated(n_events // EACH, n_items, n_events)
    columns = {name: data.frame[name] for name in ("at", "value")}
    events = pl.DataFrame(
        {
            "user": data.users.series.gather(data.frame["user"]),
            "item": data.items.series.gather(data.frame["item"]),
            "kind": data.frame["kind"].cast(pl.String),
            **columns,
        }
    ).sort("at")
    with Gate.create(settings, SystemClock()) as gate:
        gate.admit_table(SYSTEM, events)
        gate.catalogue.put(SYSTEM, [item(n) for n in range(n_items)])
        train(gate, SYSTEM, settings)
        gate.admit(SYSTEM, [Event(f"late-{n}", str(n), "purchase", datetime.now(UTC)) for n in range(100)])
        train(gate, SYSTEM, settings)
    (shop / "made").touch()


def item(n: int) -> Item:
    """Return a made-up item."""
    text = "Something that is sold, in a few words more than a title has. " * 3
    return Item(str(n), f"Item number {n}", text, (f"c{n % 40}", f"d{n % 400}"), 1 + n % 90, "EUR")


@contextmanager
def serving(shop: Path, n: int) -> Iterator[tuple[str, dict[str, str], subprocess.Popen[bytes], float]]:
    """Start a server, wait until it is ready, stop it at the end; yields its address, headers, process and seconds."""
    with Gate.open(load_settings(shop / "penchant.toml"), SystemClock()) as gate:
        key = gate.keys.create(SYSTEM, "benchmark", SCOPES)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url, began = f"http://127.0.0.1:{port}", time.perf_counter()
    command = [PENCHANT, "-q", "--settings", shop / "penchant.toml", "serve", "--port", str(port), "--workers", str(n)]
    process = subprocess.Popen(command)
    try:
        while not ready(url):
            if process.poll() is not None:
                raise SystemExit(f"the server ended with {process.returncode}")
            time.sleep(0.01)
        seconds = time.perf_counter() - began
        yield url, {"Authorization": f"Bearer {key}"}, process, seconds
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def ready(url: str) -> bool:
    """Return whether the server says it is."""
    try:
        return httpx.get(f"{url}/readyz", timeout=30).status_code == 200
    except httpx.TransportError:
        return False


def spent(process: subprocess.Popen[bytes]) -> float:
    """Return the seconds of processor time of a server so far, those of its first workers included."""
    ticks = 0
    for pid in (str(process.pid), *children(process)):
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def children(process: subprocess.Popen[bytes]) -> list[str]:
    """Return the workers of a server."""
    return Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="ascii").split()


def begun(url: str, headers: dict[str, str], process: subprocess.Popen[bytes]) -> list[str]:
    """Return the milliseconds of the first three answers, and the memory of the workers after 300."""
    first = [asked(url, headers, user)[1] for user in range(3)]
    time.sleep(3.0)  # until the other workers are there, too
    threads = [
        threading.Thread(target=lambda k=k: [asked(url, headers, u) for u in range(k, 300, 6)]) for k in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sizes = [memory(pid) for pid in children(process) or [str(process.pid)]]
    milliseconds = " ".join(f"{1000 * each:.1f}" for each in first)
    return [milliseconds, *(f"{max(size[k] for size in sizes):.0f}" for k in range(3))]


def memory(pid: str) -> tuple[float, float, float]:
    """Return what a process has for itself, its share of what it shares, and its share of mapped files, in MB."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()[1:]
    found = {line.split(":")[0]: int(line.split()[1]) / 1024 for line in lines}
    return found["Private_Clean"] + found["Private_Dirty"], found["Pss"], found["Pss_File"]


def asked(url: str, headers: dict[str, str], user: int, client: Any = httpx) -> tuple[str, float]:
    """Return the digest that answered, empty on an error, and the seconds it took."""
    began = time.perf_counter()
    try:
        answer = client.post(
            f"{url}/v1/recommendations",
            json={"placement": "for-you", "user": str(user), "n": 10},
            headers=headers,
            timeout=60,
        )
        digest = answer.json()["model"]["digest"] if answer.status_code == 200 else ""
    except httpx.TransportError:
        digest = ""
    return digest, time.perf_counter() - began


def swapped(url: str, headers: dict[str, str], settings: Settings, rate: float) -> list[str]:
    """Ask steadily, roll back and promote again; return how that went."""
    seen: list[tuple[float, str, float]] = []
    over = threading.Event()

    def asking(number: int) -> None:
        with httpx.Client() as client:
            while not over.wait(2 / rate):
                began = time.perf_counter()
                seen.append((began, *asked(url, headers, number * 1000 + len(seen) % 500, client)))

    threads = [threading.Thread(target=asking, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    time.sleep(5)
    with Gate.open(settings, SystemClock()) as gate:
        began = time.perf_counter()
        gone, _ = gate.artifacts.rollback(SYSTEM)
        time.sleep(5)
        again = time.perf_counter()
        gate.artifacts.promote(SYSTEM, gone)
    time.sleep(5)
    over.set()
    for thread in threads:
        thread.join()
    old = next(digest for _, digest, _ in seen if digest)
    rolled = max((at for at, digest, _ in seen if began < at < again and digest == old), default=began) - began
    back = max((at for at, digest, _ in seen if at > again and digest != old), default=again) - again
    before = [1000 * took for at, _, took in seen if at < began]
    during = [1000 * took for at, _, took in seen if 0 < at - began < 2 or 0 < at - again < 2]
    errors = sum(not digest for _, digest, _ in seen)
    p99 = (f"{np.percentile(part, 99):.1f}" for part in (before, during))
    return [f"{rate:.0f}", f"{len(seen):,}", str(errors), *p99, f"{back:.2f}", f"{rolled:.2f}"]


if __name__ == "__main__":
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    main()
