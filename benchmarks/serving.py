"""The server under load: ``python benchmarks/serving.py --items 100000 1000000``.

A shop of made-up people is stored and trained once and kept. The server is a process of its own on the first core, the
load comes from this one on the second: 300 recommendations with reasons a second, then as many as it answers, then
events one by one and in batches, then recommendations while events come in and models are swapped. Latency counts from
when a request was due.

"""

from __future__ import annotations

import argparse
import itertools
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError

import numpy as np
import polars as pl

from penchant.core.clock import SystemClock
from penchant.core.nouns import Item
from penchant.core.settings import load_settings
from penchant.engine.training import train
from penchant.testing import generated
from penchant.trust.access import SYSTEM
from penchant.trust.gate import Gate
from penchant.trust.purpose import Purpose
from support.environments import folder
from support.load import Asked, flat_out, post, processors, steady
from support.machine import machine
from support.tables import markdown, write_block

SETTINGS = """
store = "{store}"
artifacts = "artifacts"

[train]
min_users = 1

[models.neighbours]
learner = "sansa"

[models.popular]
learner = "popular"

[placements.for-you]
blend = {{ neighbours = 1.0, popular = 0.3 }}
fallback = {{ popular = 1.0 }}
"""
USERS, EVENTS_EACH, LIMIT = 40_000, 50, 120.0
"People, events of each on average, and seconds that the server may take to be ready."
HEAD = ("items", "store", "load", "requests/s", "p50 ms", "p99 ms", "p99.9 ms", "errors", "server cores", "load cores")


def main() -> None:
    """Measure every size asked for, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--items", nargs="+", type=int, default=[100_000])
    parser.add_argument("--store", default="sqlite:///shop.db", help="URL of an empty database; SQLite in a folder")
    parser.add_argument("--seconds", type=float, default=20.0, help="how long each load lasts")
    parser.add_argument("--rate", type=float, default=300.0, help="requests a second of the steady load")
    parser.add_argument("--write", type=Path, help="a document whose block of this name is rewritten")
    options = parser.parse_args()
    rows = [row for items in options.items for row in loaded(items, options)]
    block = f"Measured by `benchmarks/serving.py` on {machine()}.\n\n{markdown(HEAD, rows, left=3)}"
    print(block)
    if options.write:
        write_block(options.write, "serving", block)


def loaded(items: int, options: argparse.Namespace) -> Iterator[list[str]]:
    """Yield a row for every load on a shop of so many items."""
    home, key = made(items, options.store)
    name, seconds = options.store.partition(":")[0], options.seconds
    with served(home) as (port, pids, ready):
        yield [f"{items:,}", name, f"start to ready {ready:.2f} s, {resident(pids):,.0f} MB", *[""] * 7]
        flat_out(port, question(key), 4, 3.0)  # whatever is made at first need is made

        def row(load: str, measure: Callable[[], Asked], each: int = 1) -> list[str]:
            with processors(pids) as used:
                asked = measure()
            shown = [f"{asked.at(share):.2f}" for share in (0.5, 0.99, 0.999)]
            cores = [f"{used.server:.2f}", f"{used.mine:.2f}"]
            return [f"{items:,}", name, load, f"{asked.rate * each:,.0f}", *shown, str(asked.errors), *cores]

        yield row(f"recommendations, {options.rate:g}/s", lambda: steady(port, question(key), options.rate, seconds))
        yield row("recommendations, 8 at once", lambda: flat_out(port, question(key), 8, seconds))
        yield row("events, one each, 32 at once", lambda: flat_out(port, event(key), 32, seconds))
        yield row("events/s, 500 each, 4 at once", lambda: flat_out(port, batch(key, 500), 4, seconds), 500)
        with beside(home, port, key):
            both = lambda: steady(port, question(key), options.rate, seconds)  # noqa: E731
            yield row(f"recommendations, {options.rate:g}/s, beside events and swaps", both)


def question(key: str) -> Callable[[int], bytes]:
    """Return what makes the question of a number: ten items for somebody."""
    people = np.random.default_rng(1).integers(0, USERS, 1 << 14)

    def make(number: int) -> bytes:
        user = str(people[number % len(people)])
        return post("/v1/recommendations", key, {"placement": "for-you", "user": user, "n": 10})

    return make


def event(key: str) -> Callable[[int], bytes]:
    """Return what makes an event of a number."""
    return lambda number: post("/v1/events", key, happened(number))


def batch(key: str, size: int) -> Callable[[int], bytes]:
    """Return what makes many events in one request."""
    return lambda number: post("/v1/events", key, [happened(number * size + part) for part in range(size)])


_counted = itertools.count(time.time_ns())


def happened(number: int) -> dict[str, Any]:
    """Return an event that never was before."""
    return {
        "id": f"load-{next(_counted)}",
        "user": str(number % USERS),
        "item": str(number * 7 % 1000),
        "kind": "view",
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }


@contextmanager
def beside(home: Path, port: int, key: str) -> Iterator[None]:
    """Send a hundred events a second, and train and promote again and again, for as long as the block lasts."""
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from serving import event; from support.load import steady\n"
        "steady(int(sys.argv[2]), event(sys.argv[3]), 100, 3600)"
    )
    sender = subprocess.Popen([sys.executable, "-c", code, str(Path(__file__).parent), str(port), key])
    trainer = subprocess.Popen(
        ["sh", "-c", "while true; do nice penchant train >/dev/null; sleep 1; done"], cwd=home, start_new_session=True
    )
    try:
        yield
    finally:
        sender.kill()
        os.killpg(trainer.pid, signal.SIGKILL)
        sender.wait()
        trainer.wait()


def made(items: int, store: str) -> tuple[Path, str]:
    """Return the folder of a trained shop, and a key."""
    home = folder() / "data" / f"serving-{items}-{store.partition(':')[0]}"
    if not (home / "key").exists():
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(parents=True)
        (home / "penchant.toml").write_text(SETTINGS.format(store=store), encoding="utf-8")
        (home / "key").write_text(filled(home, items), encoding="utf-8")
    return home, (home / "key").read_text(encoding="utf-8")


def filled(home: Path, items: int) -> str:
    """Store a catalogue, people and what they did, train, and return a key."""
    settings = load_settings(home / "penchant.toml")
    data = generated(USERS, items, USERS * EVENTS_EACH)
    users, names = (pl.Series(each.ids(range(len(each)))) for each in (data.users, data.items))
    events = pl.DataFrame(
        {
            "user": users[data.column("user")],
            "item": names[data.column("item")],
            "at": data.column("at"),
            "kind": "view",
            "value": 1.0,
        }
    )
    with Gate.create(settings, SystemClock()) as gate:
        gate.admit_table(SYSTEM, events)
        for low in range(0, items, 50_000):
            part = range(low, min(low + 50_000, items))
            gate.catalogue.put(SYSTEM, [Item(str(i), f"Item {i}", categories=(f"c{i % 40}",)) for i in part])
        gate.consent.grant(SYSTEM, users, [use for use in Purpose if use.asked], basis="made up")
        train(gate, SYSTEM, settings)
        return gate.keys.create(SYSTEM, "load", ["recommend:read", "events:write"])


@contextmanager
def served(home: Path) -> Iterator[tuple[int, list[int], float]]:
    """Run the server on the first core; yields its port, its processes, and the seconds from start to ready."""
    cores = sorted(os.sched_getaffinity(0))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    began = time.perf_counter()
    command = ["taskset", "-c", str(cores[0]), "penchant", "serve", "--port", str(port)]
    server = subprocess.Popen(command, cwd=home, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.sched_setaffinity(0, cores[-1:])
    try:
        while not ready(port):
            if time.perf_counter() - began > LIMIT or server.poll() is not None:
                raise SystemExit("the server did not become ready")
            time.sleep(0.01)
        yield port, [server.pid, *children(server.pid)], time.perf_counter() - began
    finally:
        os.sched_setaffinity(0, cores)
        server.send_signal(signal.SIGTERM)
        server.wait()


def ready(port: int) -> bool:
    """Return whether the server says that it can answer."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False


def children(pid: int) -> list[int]:
    """Return the processes that a process started."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]


def resident(pids: list[int]) -> float:
    """Return the megabytes of all processes, memory that they share counted once."""
    total = 0
    for pid in pids:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1])
    return total / 1024


if __name__ == "__main__":
    main()
