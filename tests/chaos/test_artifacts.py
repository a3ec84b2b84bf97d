"""Models whose files are damaged, while they answer and before: another answers, and what is wrong is said."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from penchant.core.clock import SystemClock
from penchant.core.nouns import Event
from penchant.engine.training import train
from penchant.trust.access import SYSTEM
from penchant.trust.gate import Gate

from .conftest import Totals
from .ledger import check
from .load import Load
from .served import serving, settings_of, until


def digests(folder: Path) -> tuple[str, str]:
    """Train again on more events; return the bundle that was in charge, and the one that is."""
    settings = settings_of(folder)
    with Gate.open(settings, SystemClock()) as gate:
        first = gate.artifacts.promoted()
        assert first is not None
        more = [Event(f"n{n}", "i1", "purchase", datetime.now(UTC), id=f"more-{n}") for n in range(40)]
        assert gate.admit(SYSTEM, more).accepted == 40
        return first.digest, train(gate, SYSTEM, settings).digest


def files(folder: Path, digest: str) -> list[Path]:
    found = sorted((folder / "artifacts" / digest[:16]).rglob("*.npy"))
    assert found
    return found


def flip(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    raw[-1] ^= 0x01
    path.write_bytes(bytes(raw))


@pytest.mark.chaos
def test_damage_under_a_running_server_is_refused_at_its_next_start(folder: Path, key: str) -> None:
    first, second = digests(folder)
    with serving(folder, key) as server:
        assert server.ask().json()["model"]["digest"] is not None
        answered = server.ask().json()
        for file in files(folder, second):
            flip(file)
        assert server.ask().status_code == 200
        server.kill()
        server.start()
        ready = server.get("/readyz").json()
        assert f"the promoted bundle {second[:12]} cannot be used" in ready["missing"][0]
        assert f"bundle {first[:12]} answers in its place" in ready["missing"][0]
        after = server.ask()
        assert after.status_code == 200
        assert after.json()["model"]["digest"] != answered["model"]["digest"]


@pytest.mark.chaos
def test_with_the_only_models_damaged_events_are_taken_and_questions_refused(folder: Path, key: str) -> None:
    with Gate.open(settings_of(folder), SystemClock()) as gate:
        only = gate.artifacts.promoted()
        assert only is not None
    for file in files(folder, only.digest):
        flip(file)
    with serving(folder, key, ready=False) as server:
        ready, answer = server.get("/readyz"), server.ask()
        assert ready.status_code == 503
        assert "a file of the saved model is not what was saved" in ready.json()["missing"][0]
        assert (answer.status_code, answer.json()["code"]) == (503, "artifact_damaged")
        event = {"id": "kept", "user": "u1", "item": "i1", "kind": "view", "at": "2026-01-01T10:00:00Z"}
        assert server.post("/v1/events", event).json()["accepted"] == 1
        with Gate.open(settings_of(folder), SystemClock()) as gate:
            train(gate, SYSTEM, settings_of(folder))
        until(lambda: server.ask().status_code == 200, "the models that were trained anew")


@pytest.mark.chaos
def test_files_cut_short_under_running_workers_are_outlived(folder: Path, key: str, seed: str, totals: Totals) -> None:
    """Models are mapped into memory: a process may die of a page that is gone, and its successor takes other models."""
    first, second = digests(folder)
    store = settings_of(folder).store
    with serving(folder, key, workers=2) as server:
        before = server.ask().json()["model"]["digest"]
        load = Load(server, seed)
        with load.running():
            load.goes_on()
            for file in files(folder, second):
                with file.open("r+b") as open_file:
                    open_file.truncate(0)
            load.goes_on(10)
            check(load, store)
        totals.add(load, check(load, store))
        server.kill()
        server.start()
        assert server.ask().json()["model"]["digest"] != before
        assert f"bundle {first[:12]} answers in its place" in server.get("/readyz").json()["missing"][0]
