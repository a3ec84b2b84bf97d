"""A trained shop whose people agreed to different things, copied for every test that changes it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import numpy as np
import polars as pl
import pytest

from penchant.core.clock import FixedClock, micros
from penchant.core.nouns import Item
from penchant.core.settings import PlacementSettings, Settings
from penchant.engine.engine import Engine
from penchant.engine.training import train
from penchant.trust.access import SYSTEM
from penchant.trust.gate import Gate
from penchant.trust.purpose import Purpose

NOW = datetime(2017, 12, 31, 12, tzinfo=UTC)
USERS, ITEMS, TASTES = 160, 40, 4
BOTH = [purpose for purpose in Purpose if purpose.asked]


def events() -> pl.DataFrame:
    """Return what 160 people did: mostly with items of their own taste; some returns, dislikes and ratings."""
    rng = np.random.default_rng(3)
    n = 5000
    user = np.concatenate([np.arange(USERS), rng.integers(0, USERS, n - USERS)])
    own = rng.integers(0, ITEMS // TASTES, n) * TASTES + user % TASTES
    item = np.where(rng.random(n) < 0.8, own, rng.integers(0, ITEMS, n))
    kind = rng.choice(["purchase", "view", "rating", "dislike"], n, p=[0.5, 0.35, 0.1, 0.05])
    value = np.where(kind == "rating", rng.integers(1, 6, n), rng.choice([1.0, 2.0, -1.0], n, p=[0.9, 0.07, 0.03]))
    at = micros(NOW) - rng.integers(1, 120 * 86_400, n) * 1_000_000
    return pl.DataFrame(
        {"user": [f"u{u}" for u in user], "item": [f"i{i}" for i in item], "kind": kind, "at": at, "value": value}
    )


def items() -> list[Item]:
    """Return the catalogue: item 0 cannot be had, items 38 and 39 are not in it."""
    return [
        Item(f"i{n}", f"Thing {n}", categories=(f"taste{n % TASTES}",), price=1.0 + n, available=n > 0)
        for n in range(ITEMS - 2)
    ]


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a trained shop; u0 to u99 agreed to all, u100 to u129 to training only, the rest to none."""
    folder = tmp_path_factory.mktemp("engine")
    settings = settings_in(folder)
    with Gate.create(settings, FixedClock(NOW)) as gate:
        gate.admit_table(SYSTEM, events())
        gate.catalogue.put(SYSTEM, items())
        gate.consent.grant(SYSTEM, [f"u{n}" for n in range(100)], BOTH, basis="form")
        gate.consent.grant(SYSTEM, [f"u{n}" for n in range(100, 130)], [Purpose.TRAIN], basis="form")
        train(gate, SYSTEM, settings)
    return folder


def settings_in(folder: Path) -> Settings:
    base = Settings()
    blended = PlacementSettings(blend={"ease": 1.0, "item-knn": 0.5, "buy-again": 0.7, "popular": 0.3}, reasons=3)
    return msgspec.structs.replace(
        base,
        store=f"sqlite:///{folder}/shop.db",
        artifacts=f"{folder}/artifacts",
        placements={**base.placements, "blended": blended},
    )


@pytest.fixture
def settings(trained: Path, tmp_path: Path) -> Settings:
    """Return the settings of a copy of the shop."""
    shutil.copytree(trained, tmp_path, dirs_exist_ok=True)
    return settings_in(tmp_path)


@pytest.fixture
def clock() -> FixedClock:
    """Return a clock that stands at NOW."""
    return FixedClock(NOW + timedelta(minutes=1))


@pytest.fixture
def engine(settings: Settings, clock: FixedClock) -> Iterator[Engine]:
    """Return the engine over the copy."""
    with Engine.open(settings, clock) as opened:
        yield opened
