"""A load generator: HTTP/1.1 over connections that stay open, at a steady rate or as fast as answers come."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

TICKS = os.sysconf("SC_CLK_TCK")


class Asked(NamedTuple):
    """What came of a load."""

    milliseconds: Any
    "float64[n], from when a request was due to the last byte of its answer."
    seconds: float
    "How long all of it took."
    statuses: Counter[int]
    "How often each status came; 0 when the connection broke."

    @property
    def rate(self) -> float:
        """Requests a second that got 2xx."""
        return sum(count for status, count in self.statuses.items() if 200 <= status < 300) / self.seconds

    @property
    def errors(self) -> int:
        """Requests that did not get 2xx."""
        return sum(count for status, count in self.statuses.items() if not 200 <= status < 300)

    def at(self, share: float) -> float:
        """Milliseconds that this share of the requests stayed within."""
        return float(np.quantile(self.milliseconds, share)) if len(self.milliseconds) else float("nan")


class Line:
    """One connection that is opened again when it breaks."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, request: bytes) -> int:
        """Return the status of the answer, all of which was read; 0 when there was none."""
        try:
            if self.streams is None:
                self.streams = await asyncio.open_connection("127.0.0.1", self.port)
            reader, writer = self.streams
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(part for part in head.lower().split(b"\r\n") if part.startswith(b"content-length:"))
            await reader.readexactly(int(length.split(b":")[1]))
            return int(head[9:12])
        except (OSError, asyncio.IncompleteReadError):
            self.close()
            return 0

    def close(self) -> None:
        """Let go of the connection."""
        if self.streams is not None:
            self.streams[1].close()
            self.streams = None


def post(path: str, key: str, body: Any) -> bytes:
    """Return a request as it goes over the wire."""
    content = json.dumps(body).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {key}\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    return head.encode() + content


def steady(port: int, make: Callable[[int], bytes], rate: float, seconds: float) -> Asked:
    """Send requests at a steady rate whatever the answers do; lateness counts, as it would for people."""

    async def run() -> Asked:
        free: asyncio.LifoQueue[Line] = asyncio.LifoQueue()
        taken: list[float] = []
        statuses: Counter[int] = Counter()
        tasks = []

        async def one(number: int, due: float) -> None:
            line = free.get_nowait() if not free.empty() else Line(port)
            statuses[await line.ask(make(number))] += 1
            taken.append((time.perf_counter() - due) * 1000)
            free.put_nowait(line)

        began = time.perf_counter()
        for number in range(int(rate * seconds)):
            due = began + number / rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            tasks.append(asyncio.create_task(one(number, due)))
        await asyncio.gather(*tasks)
        spent = time.perf_counter() - began
        while not free.empty():
            free.get_nowait().close()
        return Asked(np.array(taken), spent, statuses)

    return asyncio.run(run())


def flat_out(port: int, make: Callable[[int], bytes], lines: int, seconds: float) -> Asked:
    """Keep so many requests open at all times."""

    async def run() -> Asked:
        taken: list[float] = []
        statuses: Counter[int] = Counter()
        numbers = iter(range(1 << 60))
        began = time.perf_counter()

        async def one() -> None:
            line = Line(port)
            while time.perf_counter() - began < seconds:
                sent = time.perf_counter()
                statuses[await line.ask(make(next(numbers)))] += 1
                taken.append((time.perf_counter() - sent) * 1000)
            line.close()

        await asyncio.gather(*(one() for _ in range(lines)))
        return Asked(np.array(taken), time.perf_counter() - began, statuses)

    return asyncio.run(run())


class Used:
    """Processor seconds of a server's processes and of this one."""

    server: float = 0.0
    mine: float = 0.0


@contextmanager
def processors(pids: list[int]) -> Iterator[Used]:
    """Measure how much of a processor each side takes, as shares of one core."""
    used, began = Used(), time.perf_counter()
    before, mine = sum(map(ticks, pids)), time.process_time()
    yield used
    spent = time.perf_counter() - began
    used.server, used.mine = (sum(map(ticks, pids)) - before) / TICKS / spent, (time.process_time() - mine) / spent


def ticks(pid: int) -> int:
    """Return the clock ticks that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])
