"""The shop page in Chromium, over a small trained shop."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from penchant.core.clock import FixedClock
from penchant.engine.engine import Engine
from penchant.server.app import create_app
from penchant.server.demo import Demo
from penchant.server.run import running
from penchant.trust.access import SYSTEM

_SPEC = importlib.util.spec_from_file_location("shopkeeper", Path(__file__).parents[1] / "server" / "conftest.py")
assert _SPEC is not None
assert _SPEC.loader is not None
keeper = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(keeper)

shop = keeper.shop
"The trained shop that the server's tests copy."

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def engine(shop: Path, tmp_path: Path) -> Iterator[Engine]:
    shutil.copytree(shop, tmp_path, dirs_exist_ok=True)
    with Engine.open(keeper.settings_in(tmp_path), FixedClock(keeper.NOW)) as engine:
        yield engine


@pytest.fixture
def url(engine: Engine) -> Iterator[str]:
    demo = Demo(SYSTEM, lambda user: f"Household {user} · 45-54, 2 adults")
    with running(create_app(engine, demo=demo)) as url:
        yield url


@pytest.fixture
def page(browser: Browser, url: str) -> Iterator[Page]:
    """A page that must not complain and must not talk to anyone else."""
    faults: list[str] = []
    context = browser.new_context(base_url=url, viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    page = context.new_page()
    page.set_default_timeout(10_000)
    page.on("console", lambda message: faults.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: faults.append(str(error)))

    def asked(address: str) -> None:
        if urlsplit(address).hostname not in ("127.0.0.1", None):
            faults.append(f"a request left the machine: {address}")

    page.on("request", lambda request: asked(request.url))
    yield page
    context.close()
    assert faults == []
