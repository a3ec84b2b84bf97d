"""A gate to a fresh store."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from penchant.core.clock import FixedClock
from penchant.core.settings import Settings
from penchant.trust.gate import Gate


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(store=f"sqlite:///{tmp_path}/shop.db")


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime(2017, 12, 31, 12))


@pytest.fixture
def gate(settings: Settings, clock: FixedClock) -> Iterator[Gate]:
    with Gate.create(settings, clock) as made:
        yield made
