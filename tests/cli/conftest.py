"""Commands run in this process or in one of their own, and a shop that they made."""

from __future__ import annotations

import csv
import io
import os
import random
import shutil
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple, Protocol

import pytest

from penchant.cli import main

PENCHANT = Path(sys.executable).with_name("penchant")
MAPPING = ("--map", "user=CustomerID", "--map", "item=StockCode", "--map", "at=InvoiceDate")
END = datetime.now(UTC).replace(microsecond=0, tzinfo=None) - timedelta(days=2)


class Ran(NamedTuple):
    """What a command did."""

    status: int
    out: str
    err: str


class Run(Protocol):
    """Runs a command."""

    def __call__(self, *args: object) -> Ran: ...


def run_here(*args: object) -> Ran:
    """Run a command in this process, its output caught; neither stream is a terminal."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        status = main([str(arg) for arg in args])
    return Ran(status, out.getvalue(), err.getvalue())


def spawn(*args: object, cwd: Path | None = None, **other: str) -> Ran:
    """Run a command in a process of its own."""
    done = subprocess.run(
        [PENCHANT, *map(str, args)],
        cwd=cwd,
        env={**os.environ, **other},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


def orders(path: Path, people: int = 160, each: int = 20) -> Path:
    """Write what people bought, mostly things of their own taste; the last two rows cannot be used."""
    rng = random.Random(7)
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["CustomerID", "StockCode", "InvoiceDate"])
        for person in range(people):
            for _ in range(each):
                own = rng.randrange(9) * 4 + person % 4
                item = own if rng.random() < 0.8 else rng.randrange(36)
                at = END - timedelta(seconds=rng.randrange(100 * 86_400))
                rows.writerow([f"u{person}", f"i{item}", f"{at:%Y-%m-%d %H:%M:%S}"])
        rows.writerow(["", "i1", "2026-10-01"])
        rows.writerow(["u1", "i1", "yesterday"])
    return path


def items(path: Path) -> Path:
    """Write a catalogue."""
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["sku", "name", "group", "cost", "brand"])
        for n in range(36):
            rows.writerow([f"i{n}", f"Thing {n}", f"group{n % 4}", 1 + n / 2, "Ours"])
    return path


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("COLUMNS", "FORCE_COLOR", "TTY_COMPATIBLE", "PENCHANT_SETTINGS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder in which every step up to training was done by commands, with consent."""
    folder = tmp_path_factory.mktemp("shop")
    toml = folder / "penchant.toml"
    catalogue = ("--map", "id=sku", "--map", "title=name", "--map", "categories=group", "--map", "price=cost")
    for args in (
        ("init", folder),
        ("--settings", toml, "import", orders(folder / "orders.csv"), *MAPPING, "--consent", "test"),
        ("--settings", toml, "import", "--items", items(folder / "items.csv"), *catalogue),
        ("--settings", toml, "train"),
    ):
        ran = run_here(*args)
        assert ran.status == 0, ran
    return folder


@pytest.fixture
def shop(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a copy of the shop, which is the current directory; its models lie where they were made."""
    folder = tmp_path / "shop"
    shutil.copytree(made, folder, ignore=shutil.ignore_patterns("artifacts"))
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty folder, which is the current directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run() -> Run:
    """Return what runs a command in this process."""
    return run_here


@pytest.fixture
def process() -> Run:
    """Return what runs a command in a process of its own, in the current directory."""
    return spawn
