"""An app over a small trained shop, and keys to it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from litestar.testing import TestClient

from penchant.core.clock import FixedClock
from penchant.core.nouns import Event, Item
from penchant.core.settings import ConsentSettings, ServerSettings, Settings
from penchant.engine.engine import Engine
from penchant.engine.training import train
from penchant.server.app import create_app
from penchant.trust.access import SCOPES, SYSTEM
from penchant.trust.gate import Gate

NOW = datetime(2017, 12, 31, 12, tzinfo=UTC)
AISLES = {
    "produce": ["Bananas", "Gala apples", "Romaine hearts", "Baby carrots", "Avocados", "Grape tomatoes"],
    "dairy": ["Whole milk", "Skim milk", "Greek yogurt", "Shredded cheddar", "Butter", "Large eggs"],
    "pantry": ["Spaghetti", "Marinara sauce", "Long grain rice", "Black beans", "Peanut butter", "Olive oil"],
}
ITEMS = [
    Item(str(1007 + 7 * row), title, categories=(aisle,), price=0.99 + row / 4, currency="USD")
    for row, (aisle, title) in enumerate((aisle, title) for aisle, titles in AISLES.items() for title in titles)
]


def settings_in(folder: Path) -> Settings:
    return Settings(
        store=f"sqlite:///{folder}/shop.db",
        artifacts=str(folder / "artifacts"),
        consent=ConsentSettings(default=True),
        server=ServerSettings(max_batch=100, max_body=100_000),
    )


def purchases() -> Iterator[Event]:
    """Yield what 40 households bought: each mostly from one aisle."""
    rng = np.random.default_rng(5)
    for number in range(40):
        aisle = number % 3
        for day in range(8):
            row = int(rng.integers(6)) + 6 * (aisle if rng.random() < 0.8 else int(rng.integers(3)))
            yield Event(
                str(900 + number), ITEMS[row].id, "purchase", NOW - timedelta(days=40 - 4 * day, minutes=number)
            )


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trained shop that tests copy: making one takes longer than a test."""
    folder = tmp_path_factory.mktemp("shop")
    settings, clock = settings_in(folder), FixedClock(NOW)
    with Gate.create(settings, clock) as gate:
        gate.catalogue.put(SYSTEM, ITEMS)
        gate.admit(SYSTEM, list(purchases()))
        train(gate, SYSTEM, settings)
    return folder


@pytest.fixture
def engine(shop: Path, tmp_path: Path) -> Iterator[Engine]:
    shutil.copytree(shop, tmp_path, dirs_exist_ok=True)
    with Engine.open(settings_in(tmp_path), FixedClock(NOW)) as engine:
        yield engine


@pytest.fixture
def key(engine: Engine) -> str:
    return engine.gate.keys.create(SYSTEM, "shop", SCOPES)


@pytest.fixture
def anyone(engine: Engine) -> Iterator[TestClient]:
    """A client without a key."""
    with TestClient(create_app(engine), raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def client(engine: Engine, key: str) -> Iterator[TestClient]:
    """A client with a key to everything."""
    with TestClient(create_app(engine), raise_server_exceptions=False) as client:
        client.headers["Authorization"] = f"Bearer {key}"
        yield client
