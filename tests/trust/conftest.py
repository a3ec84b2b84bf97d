"""A gate to a fresh store."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pytest

from penchant.core.clock import FixedClock
from penchant.core.settings import Settings
from penchant.trust.gate import Gate


@pytest.fixture
def settings(ready_url: str) -> Settings:
    return Settings(store=ready_url)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime(2017, 12, 31, 12))


@pytest.fixture
def gate(settings: Settings, clock: FixedClock) -> Iterator[Gate]:
    with Gate.create(settings, clock) as made:
        yield made
