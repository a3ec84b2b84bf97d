"""What the tests under faults share: the seed, a count of what was done, and PostgreSQL servers that may be killed."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from penchant.testing.postgres import PostgresServer

from .load import Load
from .served import make_shop

SEED = os.environ.get("CHAOS_SEED") or str(random.SystemRandom().randrange(10**6))


class Totals:
    """What all tests did together."""

    def __init__(self) -> None:
        self.cycles = 0
        self.acknowledged = 0
        self.retried = 0
        self.found = 0
        self.asked = 0
        self.refused = 0

    def add(self, load: Load, found: int) -> None:
        """Count what a load came to, of whose events so many were found."""
        promised = len(load.promised())
        assert 0 < promised <= found
        self.acknowledged += promised
        self.found += found
        self.retried += load.retried
        self.asked += load.asked
        self.refused += load.refused


_TOTALS = pytest.StashKey[Totals]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_TOTALS] = Totals()


def pytest_report_header() -> str:
    return f"chaos: CHAOS_SEED={SEED}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    totals = config.stash.get(_TOTALS, Totals())
    if totals.found:
        terminalreporter.section("chaos")
        terminalreporter.write_line(
            f"{totals.cycles} kills; of {totals.acknowledged:,} acknowledged events all were found, each once; "
            f"{totals.found:,} found, {totals.found - totals.acknowledged:,} of them kept but not acknowledged, "
            f"in whole batches; {totals.retried:,} posts sent again, {totals.asked:,} questions answered, "
            f"{totals.refused:,} requests refused in plain words; repeat with CHAOS_SEED={SEED}"
        )


@pytest.fixture(scope="session")
def totals(request: pytest.FixtureRequest) -> Totals:
    return request.config.stash[_TOTALS]


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> str:
    """Another seed for every test, the same each time ``CHAOS_SEED`` is."""
    return f"{SEED}-{request.node.name}"


@pytest.fixture
def chance(seed: str) -> random.Random:
    return random.Random(seed)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "shop"
    place.mkdir()
    return place


@pytest.fixture
def key(folder: Path) -> str:
    """A key to the shop in ``folder``, which is made for it."""
    return make_shop(folder)


@pytest.fixture(scope="module")
def mortal() -> Iterator[PostgresServer]:
    """A PostgreSQL server of one's own, which waits for the disk as one in production does, and may be killed."""
    with PostgresServer(fsync="on") as server:
        yield server
