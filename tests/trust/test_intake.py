"""An import that is killed goes on where it was, and its end is as if it had never been stopped."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from penchant.core.settings import Settings
from penchant.trust import intake
from penchant.trust.access import SYSTEM
from penchant.trust.gate import Gate, Receipt
from penchant.trust.intake import identity

_IMPORTER = """
import sys
import polars as pl
from penchant.core.clock import SystemClock
from penchant.core.settings import Settings
from penchant.trust import intake
from penchant.trust.access import SYSTEM
from penchant.trust.gate import Gate
intake.CHUNK = 1000
real = intake._Within.step
def step(self, what, total, unit=""):
    print("chunk", flush=True)
    return real(self, what, total, unit)
intake._Within.step = step
with Gate.open(Settings(store=sys.argv[1]), SystemClock()) as gate:
    gate.admit_table(SYSTEM, pl.read_parquet(sys.argv[2]))
"""


def table(n: int) -> pl.DataFrame:
    number = pl.int_range(n, eager=True)
    users, items = (number % 97).cast(pl.String), (number % 31).cast(pl.String)
    return pl.DataFrame({"user": users, "item": items, "at": number % 1000 * 1_000_000_000}).with_columns(
        kind=pl.lit("view"), value=1.0
    )


def test_a_killed_import_goes_on_and_counts_each_row_once(
    settings: Settings, gate: Gate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(intake, "CHUNK", 1000)
    rows = table(50_000)
    rows.write_parquet(tmp_path / "rows.parquet")
    command = [sys.executable, "-c", _IMPORTER, settings.store, str(tmp_path / "rows.parquet")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as importer:
        assert importer.stdout is not None
        for _ in range(8):
            assert importer.stdout.readline() == "chunk\n"
        importer.kill()
    stored = gate.counts(SYSTEM).events
    assert 7000 <= stored < 50_000
    assert stored % 1000 == 0, "a chunk is there whole or not at all"
    with caplog.at_level(logging.WARNING):
        assert gate.admit_table(SYSTEM, rows) == Receipt(50_000), "the rows of both runs are counted"
    assert f"goes on where it was stopped, after {stored:,} of 50,000 rows" in caplog.text
    assert gate.counts(SYSTEM).events == 50_000
    caplog.clear()
    assert gate.admit_table(SYSTEM, rows) == Receipt(0, 50_000), "a finished import begins at its beginning"
    assert caplog.text == ""


def test_another_table_is_another_import(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "CHUNK", 10)
    monkeypatch.setattr(intake, "_FIRST", 1)
    real = gate._store.events.append_table
    calls = []

    def failing(*args: object) -> object:
        calls.append(args)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return real(*args)

    monkeypatch.setattr(gate._store.events, "append_table", failing)
    with pytest.raises(KeyboardInterrupt):
        gate.admit_table(SYSTEM, table(50))
    assert gate.counts(SYSTEM).events == 20
    assert gate.admit_table(SYSTEM, table(60)) == Receipt(40, 20)
    assert gate.admit_table(SYSTEM, table(50)) == Receipt(20, 30), "as the stopped run counted its 20, so does its end"


def test_ids_that_repeat_across_chunks_count_once(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "CHUNK", 10)
    rows = table(40).with_columns(id=(pl.int_range(40) % 15).cast(pl.String))
    assert gate.admit_table(SYSTEM, rows) == Receipt(15, 25)


def test_the_identity_is_of_all_ids_in_their_order() -> None:
    ids = pl.Series([f"e{n}" for n in range(5)])
    others = [ids[::-1], ids[:4], pl.Series([*ids, "e5"]), pl.Series(["e0e1", "e2", "e3", "e4"])]
    assert len({identity(each) for each in (ids, *others)}) == 5
