"""Acknowledged is durable: not lost, not counted twice, whoever writes and whatever dies."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from penchant.core.clock import FixedClock, micros
from penchant.core.errors import StoreError
from penchant.core.nouns import Event, Item
from penchant.core.settings import Settings
from penchant.store.sqlite import SQLite
from penchant.trust.access import SYSTEM
from penchant.trust.gate import Gate, Receipt
from penchant.trust.purpose import Purpose

on_sqlite = pytest.mark.parametrize("ready_url", ["sqlite"], indirect=True)
_START = datetime(2017, 1, 1, tzinfo=UTC)
_WRITER = """
import sys
from datetime import UTC, datetime, timedelta
from penchant.core.clock import SystemClock
from penchant.core.nouns import Event
from penchant.core.settings import Settings
from penchant.trust.access import SYSTEM
from penchant.trust.gate import Gate
gate, start, number = Gate.open(Settings(store=sys.argv[1]), SystemClock()), datetime(2017, 1, 1, tzinfo=UTC), 0
while True:
    batch = [Event("ann", str(n), "view", start + timedelta(seconds=n)) for n in range(number, number + 3)]
    assert gate.admit(SYSTEM, batch).accepted == 3
    number += 3
    sys.stdout.write(f"{number}\\n")
    sys.stdout.flush()
"""


def test_a_killed_writer_loses_nothing_it_acknowledged(settings: Settings, gate: Gate) -> None:
    command = [sys.executable, "-c", _WRITER, settings.store]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        told = [int(writer.stdout.readline()) for _ in range(40)]
        writer.kill()
        told += [int(line) for line in writer.stdout if line.endswith("\n")]
    items = gate.history(SYSTEM, Purpose.ACCESS, "ann", limit=10**6).items
    assert list(items) == [str(n) for n in range(len(items))], "each once, in order, no gap"
    assert len(items) % 3 == 0, "a batch is kept whole or not at all"
    assert told[-1] <= len(items) <= told[-1] + 3
    retry = [Event("ann", str(n), "view", _START + timedelta(seconds=n)) for n in range(len(items))]
    assert gate.admit(SYSTEM, retry) == Receipt(0, len(items))


def test_threads_and_a_second_gate_write_at_once(settings: Settings, gate: Gate) -> None:
    receipts: list[Receipt] = []

    def write(thread: int) -> None:
        for number in range(25):
            mine = Event(f"user{thread}", str(number), "view", _START)
            shared = Event("everyone", str(number), "view", _START)
            receipts.append(gate.admit(SYSTEM, [mine, shared]))

    other = Gate.open(settings, FixedClock(_START))
    threads = [threading.Thread(target=write, args=(thread,)) for thread in range(4)]
    for thread in threads:
        thread.start()
    lines = pl.DataFrame({"user": "table", "item": [str(n) for n in range(500)], "kind": "view", "at": 1, "value": 1})
    assert other.admit_table(SYSTEM, lines) == Receipt(500)
    other.read(SYSTEM, Purpose.TRAIN)
    for thread in threads:
        thread.join()
    other.close()
    assert sum(receipt.accepted for receipt in receipts) == 4 * 25 + 25
    assert sum(receipt.duplicates for receipt in receipts) == 3 * 25
    gate.consent.grant(SYSTEM, ["everyone", "table", *(f"user{n}" for n in range(4))], ["train"], basis="test")
    stored = Counter(gate.read(SYSTEM, Purpose.TRAIN)["user"])
    assert stored == {"everyone": 25, "table": 500, **{f"user{n}": 25 for n in range(4)}}


@on_sqlite
def test_bulk_reads_leave_the_locks_of_a_writer_alone(settings: Settings, gate: Gate, tmp_path: Path) -> None:
    """Closing a file in one SQLite drops the locks of another copy; bulk reads must not open the store's own file."""
    gate.admit(SYSTEM, [Event("ann", "tea", "view", _START)])
    with gate._store._database.writing() as connection:
        connection.exec_driver_sql("UPDATE counters SET value = value + 1")
        gate.read(SYSTEM, Purpose.TRAIN)
        code = "import sqlite3, sys; sqlite3.connect(sys.argv[1], timeout=0).execute('BEGIN IMMEDIATE')"
        command = [sys.executable, "-c", code, str(tmp_path / "shop.db")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert "database is locked" in done.stderr


@on_sqlite
@pytest.mark.parametrize("instead", ["nothing", "an empty file", "another store"])
def test_nothing_is_acknowledged_when_the_file_is_gone(
    settings: Settings, gate: Gate, clock: FixedClock, instead: str
) -> None:
    events = [Event("ann", str(n), "view", _START + timedelta(seconds=n)) for n in range(3)]
    assert gate.admit(SYSTEM, events).accepted == 3
    path = Path(settings.store.removeprefix("sqlite:///"))
    kept = [path.rename(path.with_name(f"kept{path.name.removeprefix('shop')}")) for path in path.parent.glob("shop*")]
    if instead == "an empty file":
        path.touch()
    elif instead == "another store":
        Gate.create(settings, clock).close()
    there = path.exists()
    table = pl.DataFrame({"user": ["bob"], "item": ["tea"], "kind": ["view"], "at": [micros(_START)], "value": [1.0]})
    writes: list[Callable[[], object]] = [
        lambda: gate.admit(SYSTEM, [Event("bob", "tea", "view", _START)]),
        lambda: gate.admit_table(SYSTEM, table),
        lambda: gate.catalogue.put(SYSTEM, [Item("tea", "Tea")]),
        lambda: gate.consent.grant(SYSTEM, "bob", [Purpose.TRAIN], basis="form"),
        lambda: gate.counts(SYSTEM),
    ]
    for write in writes:
        with pytest.raises(StoreError, match=r"the store's file was removed or replaced while it was open; got .*shop"):
            write()
    assert path.exists() == there, "an empty store was made in its place"
    for file in kept:
        file.replace(path.with_name(f"shop{file.name.removeprefix('kept')}"))
    assert gate.counts(SYSTEM).events == 3


@on_sqlite
def test_a_file_that_goes_during_the_write_is_noticed(settings: Settings, gate: Gate) -> None:
    path = Path(settings.store.removeprefix("sqlite:///"))
    database = SQLite(settings.store, create=False)
    with closing(database), pytest.raises(StoreError, match="removed or replaced"), database.writing():
        path.unlink()
