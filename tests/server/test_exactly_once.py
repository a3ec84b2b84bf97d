"""A server that dies between the writing and the answer: whoever sends again is counted once, on both databases."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from penchant.core.clock import SystemClock
from penchant.core.settings import Settings
from penchant.trust.access import SYSTEM
from penchant.trust.gate import Gate
from penchant.trust.purpose import Purpose

_SERVER = """
import os, signal, sys
from penchant.core.settings import Settings
from penchant.engine.engine import Engine
from penchant.server.app import create_app
from penchant.server.run import running
real, when, sent = Engine.ingest, sys.argv[2], 0
def ingest(engine, actor, events):
    global sent
    sent += 1
    if when == "before" and sent == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    receipt = real(engine, actor, events)
    if when == "after" and sent == 2:
        os.kill(os.getpid(), signal.SIGKILL)  # on disk, and nobody is told
    return receipt
Engine.ingest = ingest
with Engine.open(Settings(store=sys.argv[1])) as engine, running(create_app(engine)) as url:
    print(url, flush=True)
    sys.stdin.read()
"""


class Server:
    """A server in a process of its own."""

    def __init__(self, store: str, when: str) -> None:
        command = [sys.executable, "-c", _SERVER, store, when]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().strip()

    def close(self) -> int:
        """End it, if it has not ended; return how."""
        self.process.communicate(timeout=120)
        return self.process.returncode


@pytest.fixture
def token(ready_url: str) -> str:
    with Gate.create(Settings(store=ready_url), SystemClock()) as gate:
        return gate.keys.create(SYSTEM, "shop", ["events:write"])


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("named", [True, False])
def test_sent_again_after_a_crash_counts_once(
    ready_url: str, token: str, when: str, named: bool, tmp_path: Path
) -> None:
    def event(number: int) -> dict[str, object]:
        made = {"user": "ann", "item": f"i{number}", "kind": "view", "at": f"2026-01-0{number}T10:00:00Z"}
        return {**made, "id": f"e{number}"} if named else made

    def send(server: Server, *events: dict[str, object]) -> dict[str, object]:
        headers = {"Authorization": f"Bearer {token}"}
        answer = httpx.post(f"{server.url}/v1/events", json=list(events), headers=headers, timeout=60)
        assert answer.status_code == 202
        told: dict[str, object] = answer.json()
        return told

    server = Server(ready_url, when)
    assert send(server, event(1))["accepted"] == 1
    with pytest.raises(httpx.TransportError):
        send(server, event(2), event(3))
    assert server.close() == -signal.SIGKILL
    server = Server(ready_url, "never")
    kept = when == "after"
    assert send(server, event(2), event(3)) == {"accepted": 2 - 2 * kept, "duplicates": 2 * kept, "rejected": []}
    assert send(server, event(1), event(2), event(3)) == {"accepted": 0, "duplicates": 3, "rejected": []}
    assert server.close() == 0
    with Gate.open(Settings(store=ready_url), SystemClock()) as gate:
        assert gate.history(SYSTEM, Purpose.ACCESS, "ann").items == ("i1", "i2", "i3")
