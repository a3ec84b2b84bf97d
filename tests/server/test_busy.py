"""More than can be written is refused in time, and says when to come back."""

from __future__ import annotations

import threading
from pathlib import Path

import httpx
import msgspec

from penchant.core.clock import SystemClock
from penchant.core.settings import EventSettings, Settings
from penchant.engine.engine import Engine
from penchant.server.app import create_app
from penchant.server.run import running
from penchant.trust.access import SYSTEM
from penchant.trust.gate import Gate


def test_a_full_queue_is_429_with_retry_after_and_a_retry_is_kept(tmp_path: Path) -> None:
    settings = Settings(store=f"sqlite:///{tmp_path}/shop.db", events=EventSettings(waiting=1))
    with Gate.create(settings, SystemClock()) as gate:
        headers = {"Authorization": f"Bearer {gate.keys.create(SYSTEM, 'shop', ['events:write'])}"}
    with Engine.open(settings) as engine, running(create_app(engine)) as url:
        group = engine.gate._store.events._group
        real, begun, free = group._write, threading.Event(), threading.Event()

        def slow(batches: object) -> list[int]:
            begun.set()
            free.wait(60)
            return real(batches)

        group._write = slow

        def send(number: int) -> httpx.Response:
            event = {"user": "ann", "item": "tea", "kind": "view", "at": "2026-01-01T10:00:00Z", "id": f"e{number}"}
            return httpx.post(f"{url}/v1/events", json=event, headers=headers, timeout=60)

        threads = [threading.Thread(target=send, args=(number,)) for number in range(2)]
        threads[0].start()
        begun.wait(60)
        threads[1].start()
        while not group._rows:
            threads[1].join(0.001)
        refused = send(2)
        free.set()
        for thread in threads:
            thread.join(60)
        assert (refused.status_code, refused.headers["Retry-After"]) == (429, "1")
        problem = msgspec.json.decode(refused.content)
        assert problem["code"] == "busy"
        assert problem["message"].startswith(
            "the store has more to write than it can keep up with; got 1 events waiting"
        )
        assert engine.gate.counts(SYSTEM).events == 2
        assert send(2).json()["accepted"] == 1
