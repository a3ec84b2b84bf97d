"""Processes are killed at random moments under load; what was acknowledged is there once, and nothing is half there."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from penchant.core.clock import SystemClock
from penchant.engine.working import LEASE
from penchant.testing.postgres import PostgresServer
from penchant.trust.gate import Gate

from .conftest import Totals
from .ledger import check, sound
from .load import Load
from .served import PENCHANT, Server, children, make_shop, serving, settings_of, slay, until

Harm = Callable[[Server, random.Random], str]


def kill_all(server: Server, chance: random.Random) -> str:
    server.kill()
    time.sleep(chance.choice((0.0, 0.2)))
    server.start()
    return "the server"


def kill_one_of(server: Server, chance: random.Random) -> str:
    """Kill one worker of several, or the process that watches them, or all."""
    whom = chance.choice(("a worker", "a worker", "the parent", "all"))
    if whom == "a worker":
        until(lambda: len(server.children) == server.workers, "the workers")
        victim = chance.choice(server.children)
        slay(victim)
        until(lambda: victim not in server.children and len(server.children) == server.workers, "another worker")
    elif whom == "the parent":
        orphans = server.children
        slay(server.pid)
        assert server.process is not None
        server.process.wait()
        until(lambda: not any(Path(f"/proc/{each}").exists() for each in orphans), "the end of the orphans")
        server.start()
    else:
        kill_all(server, chance)
    return whom


def run_cycles(server: Server, store: str, seed: str, cycles: int, harm: Harm, *, totals: Totals) -> None:
    """Kill and check so many times under one load; then let everything be acknowledged, and check again."""
    chance, load = random.Random(seed), Load(server, seed)
    with load.running():
        for number in range(1, cycles + 1):
            load.goes_on()
            time.sleep(wait := chance.uniform(0.0, 0.6))
            whom = harm(server, chance)
            load.goes_on()
            found = check(load, store)
            totals.cycles += 1
            print(f"{seed} {number}/{cycles}: killed {whom} after {wait:.2f} s; {found} events found")
    assert not load.wrong, load.wrong[:5]
    totals.add(load, check(load, store))


def test_a_server_killed_twice_under_load(folder: Path, key: str, seed: str, totals: Totals) -> None:
    store = settings_of(folder).store
    with serving(folder, key) as server:
        run_cycles(server, store, seed, 2, kill_all, totals=totals)
        assert server.stop() == 0
    assert sound(store) == "ok"


@pytest.mark.chaos
def test_a_server_killed_again_and_again(folder: Path, key: str, seed: str, totals: Totals) -> None:
    store = settings_of(folder).store
    with serving(folder, key) as server:
        run_cycles(server, store, seed, 16, kill_all, totals=totals)
        assert server.stop() == 0
    assert sound(store) == "ok"


@pytest.mark.chaos
def test_workers_of_one_server_killed_again_and_again(folder: Path, key: str, seed: str, totals: Totals) -> None:
    store = settings_of(folder).store
    with serving(folder, key, workers=2) as server:
        run_cycles(server, store, seed, 12, kill_one_of, totals=totals)
        assert server.stop() == 0
    assert sound(store) == "ok"


@pytest.mark.chaos
def test_the_worker_that_trains_killed_again_and_again(folder: Path, key: str, seed: str, totals: Totals) -> None:
    """Under whatever it was doing: the models in charge are whole, and another takes over when its lease ends."""
    store, settings = settings_of(folder).store, settings_of(folder)
    command = [PENCHANT, "--settings", folder / "penchant.toml", "worker", "--once"]

    def kill_worker(server: Server, chance: random.Random) -> str:
        with Gate.open(settings, SystemClock()) as gate:
            until(lambda: gate.leases.get(LEASE).free(gate.now()), "the end of the lease")
            worker = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            until(lambda: worker.poll() is not None or not gate.leases.get(LEASE).free(gate.now()), "the training")
            time.sleep(chance.uniform(0.0, 0.4))
            worker.kill()
            ended = worker.wait()
        ready = server.get("/readyz").json()
        assert ready["ready"], ready
        assert ready["missing"] == [], ready
        return "the worker while it trained" if ended == -signal.SIGKILL else "the worker, which had ended"

    with serving(folder, key) as server:
        run_cycles(server, store, seed, 10, kill_worker, totals=totals)
        for left in (folder / "artifacts").glob(".*"):
            os.utime(left, (0, 0))
        with Gate.open(settings, SystemClock()) as gate:
            until(lambda: gate.leases.get(LEASE).free(gate.now()), "the end of the lease")
        ran = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
        assert ran.returncode == 0, ran.stderr
        assert "promoted" in ran.stdout
        assert list((folder / "artifacts").glob(".*")) == []
        server.stop()
        server.start()
        assert server.get("/readyz").json()["missing"] == []
    assert sound(store) == "ok"


@pytest.mark.chaos
@pytest.mark.parametrize("workers", [1, 2])
def test_postgresql_and_the_server_killed_in_turn(
    mortal: PostgresServer, folder: Path, seed: str, workers: int, totals: Totals
) -> None:
    store = mortal.database()
    key = make_shop(folder, store)

    def kill_any(server: Server, chance: random.Random) -> str:
        whom = chance.choice(("postgresql", "postgresql", "a backend", "the server"))
        if whom == "postgresql":
            mortal.kill()
            time.sleep(chance.choice((0.0, 0.3)))
            mortal.start()
        elif whom == "a backend":
            slay(chance.choice(backends(mortal.pid)))
        elif server.workers > 1:
            return kill_one_of(server, chance)
        else:
            return kill_all(server, chance)
        return whom

    with serving(folder, key, workers) as server:
        run_cycles(server, store, seed, 10, kill_any, totals=totals)
        assert server.stop() == 0


def backends(pid: int) -> list[int]:
    """Return the processes of a PostgreSQL server that answer connections."""
    found = [child for child in children(pid) if b"127.0.0.1(" in Path(f"/proc/{child}/cmdline").read_bytes()]
    assert found, "nobody is connected"
    return found
