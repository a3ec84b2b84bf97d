"""What every test may use."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from penchant.store import Store
from penchant.testing.postgres import PostgresServer

# The first example of a test may compile a kernel: a deadline would measure the compiler.
settings.register_profile("penchant", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("penchant")


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A real PostgreSQL server, started by the first test that asks for it."""
    with PostgresServer() as server:
        yield server


@pytest.fixture
def postgres_url(postgres: PostgresServer) -> Iterator[str]:
    """The URL of a new, empty database."""
    url = postgres.database()
    yield url
    postgres.drop(url)


@pytest.fixture(scope="session")
def postgres_store(postgres: PostgresServer) -> str:
    """The URL of a database with an empty store in it, to be copied."""
    url = postgres.database()
    Store.create(url).close()
    return url


@pytest.fixture(params=["sqlite", "postgres"])
def ready_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Where a store is, or is made by whoever creates it: a test that asks for it runs on every database."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/shop.db"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    url = server.database(like=request.getfixturevalue("postgres_store"))
    yield url
    server.drop(url)


@pytest.fixture(params=["sqlite", "postgres"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where there is no store yet: a test that asks for it runs on every database."""
    if request.param == "postgres":
        return str(request.getfixturevalue("postgres_url"))
    return f"sqlite:///{tmp_path}/shop.db"


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of Chromium; a test that asks for it skips, and says so, where there is none."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        path = shutil.which(name)
        if path:
            return path
    pytest.skip("no Chromium on this machine: apt-get install chromium")
