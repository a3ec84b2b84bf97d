"""The worker as a process: one at a time, gone when told to, and nothing half-done when it is killed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from penchant.core.clock import SystemClock
from penchant.core.nouns import Event
from penchant.core.settings import load_settings
from penchant.engine.working import LEASE
from penchant.trust.access import SYSTEM
from penchant.trust.gate import Gate

from .conftest import PENCHANT, Run

STUCK = """
import sys, time, types
import penchant.engine.bundle as bundle
from penchant.cli import main
bundle.os = types.SimpleNamespace(replace=lambda *_: time.sleep(600))  # all is written, and not renamed yet
sys.exit(main(["worker"]))
"""


@pytest.fixture
def toml(shop: Path, made: Path) -> Path:
    """The settings of a shop with models of its own, a short lease, and events since they were trained."""
    shutil.copytree(made / "artifacts", shop / "artifacts")
    path = shop / "penchant.toml"
    text = path.read_text()
    for name, default, short in (("lease", "1m", "2s"), ("jitter", "5m", "1s"), ("every", "1d", "1s")):
        assert f'{name} = "{default}"' in text
        text = text.replace(f'{name} = "{default}"', f'{name} = "{short}"')
    path.write_text(text)
    with gate_of(shop) as gate:
        bought = [Event(f"u{n}", f"i{n % 36}", "purchase", datetime.now(UTC), id=f"new-{n}") for n in range(40)]
        assert gate.admit(SYSTEM, bought).accepted == 40
    return path


def gate_of(shop: Path) -> Gate:
    return Gate.open(load_settings(shop / "penchant.toml"), SystemClock())


def until(true: Callable[[], bool], seconds: float = 120.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "this takes too long"
        time.sleep(0.02)


def unfinished(shop: Path) -> list[Path]:
    return list((shop / "artifacts").glob(".*.tmp/bundle.json"))


def in_charge(shop: Path) -> str:
    with gate_of(shop) as gate:
        found = gate.artifacts.promoted()
        assert found is not None
        return found.digest


def test_once_trains_compares_and_promotes_and_then_finds_nothing_new(toml: Path, run: Run) -> None:
    before = in_charge(toml.parent)
    ran = run("worker", "--once")
    assert ran.status == 0, ran
    after = in_charge(toml.parent)
    assert after != before, ran
    assert ran.out.startswith(f"{after[:12]}: promoted; ")
    assert "ease updated" in ran.out
    again = run("worker", "--once")
    assert "not promoted; nothing new: the models in charge are those of the events of now" in again.out
    assert in_charge(toml.parent) == after


def test_a_round_is_a_line_of_json_where_the_log_is_json(toml: Path, process: Run) -> None:
    assert '\nlogs = "text"' in toml.read_text()
    toml.write_text(toml.read_text().replace('\nlogs = "text"', '\nlogs = "json"'))
    ran = process("worker", "--once")
    assert (ran.status, ran.out) == (0, ""), ran
    (line,) = [each for each in map(json.loads, ran.err.splitlines()) if each.get("event") == "round"]
    assert (line["promoted"], line["digest"]) == (True, in_charge(toml.parent))
    assert line["how_ease"] == "updated"


def test_while_another_trains_nothing_is_done(toml: Path, run: Run) -> None:
    with gate_of(toml.parent) as gate, gate.leases.held(LEASE, "another") as held:
        assert held is not None
        assert run("worker", "--once").out == "another worker is training; nothing was done\n"
        ran = run("train")
    assert ran.status == 1
    assert ran.err.startswith("error: another process is training; got another; next: wait until it is done")


def test_a_worker_killed_while_it_trains_leaves_nothing_and_another_takes_over(toml: Path) -> None:
    shop = toml.parent
    before = in_charge(shop)
    killed = subprocess.Popen([sys.executable, "-c", STUCK], cwd=shop)
    until(lambda: bool(unfinished(shop)))
    killed.kill()
    killed.wait()
    (left,) = unfinished(shop)
    assert in_charge(shop) == before
    with gate_of(shop) as gate:
        assert gate.leases.get(LEASE).holder, "nobody gave the lease back"
    os.utime(left.parent, (0, 0))
    other = subprocess.Popen([PENCHANT, "worker"], cwd=shop)
    try:
        until(lambda: in_charge(shop) != before)
        assert not unfinished(shop)
        other.send_signal(signal.SIGTERM)
        assert other.wait(60) == 0
    finally:
        other.kill()
        other.wait()
    with gate_of(shop) as gate:
        assert gate.leases.get(LEASE).holder == ""


def test_a_worker_told_to_stop_while_it_trains_stops_and_leaves_nothing(toml: Path) -> None:
    shop = toml.parent
    before = in_charge(shop)
    with gate_of(shop) as gate:
        done = gate.leases.get(LEASE).done
    stopped = subprocess.Popen([sys.executable, "-c", STUCK], cwd=shop)
    until(lambda: bool(unfinished(shop)))
    stopped.send_signal(signal.SIGTERM)
    assert stopped.wait(60) == 0
    assert list((shop / "artifacts").glob(".*")) == []
    assert in_charge(shop) == before
    with gate_of(shop) as gate:
        assert (gate.leases.get(LEASE).holder, gate.leases.get(LEASE).done) == ("", done)
