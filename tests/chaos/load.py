"""Load with a memory: events go out under ids of our own, and what was not acknowledged is sent again."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from .served import ITEMS, USERS, Address, until

PLAIN = {"store_failed", "not_ready", "busy", "overloaded"}
"What a server may say instead of an answer while something is broken under it."

Posted = dict[str, Any]


class Load:
    """Threads that post batches of events and ask for recommendations, through every outage.

    A batch that is not acknowledged is sent again, the same ids in it, until it is. What must never happen is kept in
    ``wrong``: an answer that neither answers nor says plainly why not, or a receipt that is not about the whole batch.
    """

    def __init__(self, server: Address, seed: object, writers: int = 2) -> None:
        self._server = server
        self.seed = seed
        self._over = threading.Event()
        self._lock = threading.Lock()
        self.sent: dict[str, Sequence[Posted]] = {}
        "Batches by name; written down before they are posted."
        self.acknowledged: set[str] = set()
        "Names of batches that were acknowledged."
        self.retried = 0
        self.asked = 0
        self.refused = 0
        self.wrong: list[str] = []
        self._threads = [threading.Thread(target=self._write, args=(n,)) for n in range(writers)]
        self._threads.append(threading.Thread(target=self._ask))

    @contextmanager
    def running(self) -> Iterator[Load]:
        """Run until the block ends; what was posted last may be left unacknowledged."""
        for thread in self._threads:
            thread.start()
        try:
            yield self
        finally:
            self._over.set()
            for thread in self._threads:
                thread.join()

    def promised(self) -> set[str]:
        """Return the ids of all events that were acknowledged until now."""
        with self._lock:
            names = list(self.acknowledged)
        return {event["id"] for name in names for event in self.sent[name]}

    def goes_on(self, batches: int = 3) -> None:
        """Wait until so many more batches are acknowledged, and one more question is answered."""
        then, asked = len(self.acknowledged) + batches, self.asked + 1
        until(lambda: bool(self.wrong) or (len(self.acknowledged) >= then and self.asked >= asked), "the load")
        assert not self.wrong, self.wrong[:5]

    def _write(self, number: int) -> None:
        chance = random.Random(f"{self.seed}/{number}")
        with httpx.Client(base_url=self._server.url, headers=self._server.headers, timeout=60) as client:
            turn = 0
            while not self._over.is_set():
                name = f"{self.seed}/{number}/{turn}"
                self.sent[name] = _batch(name, chance)
                self._deliver(client, name)
                turn += 1
                time.sleep(0.004)

    def _deliver(self, client: httpx.Client, name: str) -> None:
        batch = self.sent[name]
        while not self._over.is_set():
            try:
                answer = client.post("/v1/events", json=list(batch))
            except httpx.TransportError:
                time.sleep(0.1)
            else:
                if answer.status_code == 202:
                    self._receive(name, answer.json())
                    return
                self._excuse(answer)
                time.sleep(0.1)
            self.retried += 1

    def _receive(self, name: str, receipt: dict[str, Any]) -> None:
        whole = len(self.sent[name])
        if receipt["rejected"] or (receipt["accepted"], receipt["duplicates"]) not in ((whole, 0), (0, whole)):
            self.wrong.append(f"{name} of {whole} events was half there: {receipt}")
        with self._lock:
            self.acknowledged.add(name)

    def _excuse(self, answer: httpx.Response) -> None:
        code = answer.json()["code"] if answer.headers["content-type"].startswith("application/json") else answer.text
        if answer.status_code not in (429, 503) or code not in PLAIN:
            self.wrong.append(f"{answer.status_code} {answer.text}")
        self.refused += 1

    def _ask(self) -> None:
        chance = random.Random(f"{self.seed}/ask")
        with httpx.Client(base_url=self._server.url, headers=self._server.headers, timeout=60) as client:
            while not self._over.is_set():
                body = {"placement": "for-you", "user": chance.choice(USERS), "n": 3}
                try:
                    answer = client.post("/v1/recommendations", json=body)
                except httpx.TransportError:
                    time.sleep(0.1)
                    continue
                if answer.status_code == 200:
                    self.asked += 1
                    if not answer.json()["items"]:
                        self.wrong.append(f"an empty slate: {answer.text}")
                else:
                    self._excuse(answer)
                time.sleep(0.01)


def _batch(name: str, chance: random.Random) -> list[Posted]:
    """Return up to twenty events of the last half year, so that a batch lies in several parts of a parted log."""
    return [
        {
            "id": f"{name}/{place}",
            "user": chance.choice(USERS),
            "item": chance.choice(ITEMS),
            "kind": chance.choice(("view", "purchase")),
            "at": (datetime.now(UTC) - timedelta(minutes=chance.randrange(1, 260_000))).isoformat(),
        }
        for place in range(chance.choice((1, 2, 5, 20)))
    ]
