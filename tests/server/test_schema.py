"""Every operation that the description names is asked what its schema allows and what it forbids, over a real socket.

No answer is a 5xx, and none is one that the description does not tell of: its status, its type, its shape, its headers;
a method that is not there is refused as such, and a route with a key does not answer without one.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import msgspec
import pytest

from penchant.core.clock import SystemClock
from penchant.core.exposure import AccessSettings, LimitSettings
from penchant.engine.engine import Engine
from penchant.server.app import create_app
from penchant.server.run import running
from penchant.trust.access import SCOPES, SYSTEM
from penchant.trust.keys import Terms

ORIGIN = "https://shop.example"
BEYOND = "positive_data_acceptance"
"""The one check that is left out: it wants all that fits the schema to be accepted, and a schema cannot say which
placements there are, or that a price_min is not above its price_max."""


@pytest.fixture
def served(engine: Engine) -> Iterator[tuple[Engine, str]]:
    settings = msgspec.structs.replace(
        engine.settings, access=AccessSettings(origins=(ORIGIN,)), limits=LimitSettings(receive="1h")
    )
    with Engine.open(settings, SystemClock()) as engine, running(create_app(engine)) as url:  # noqa: PLR1704
        yield engine, url


def explore(url: str, folder: Path, examples: int, *options: str) -> None:
    """Run schemathesis; what it finds fails the test, with the request that shows it."""
    command = [
        *(sys.executable, "-m", "schemathesis.cli"),
        *("run", f"{url}/openapi.json", "--no-color", "--continue-on-failure", "--checks", "all"),
        *("--exclude-checks", BEYOND, "--max-examples", str(examples), "--seed", "5", "--suppress-health-check", "all"),
        *("--request-timeout", "3600"),
        *options,
    ]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=3600, check=False)
    assert done.returncode == 0, f"{done.stdout[-6000:]}\n{done.stderr[-2000:]}"
    assert re.search(r"Operations: +[1-9]\d* selected", done.stdout)


def explore_with_key(served: tuple[Engine, str], folder: Path, examples: int) -> None:
    engine, url = served
    key = engine.gate.keys.create(SYSTEM, "fuzz", SCOPES)
    explore(url, folder, examples, "-H", f"Authorization: Bearer {key}", "--exclude-path-regex", "^/v1/session")


def explore_as_visitor(served: tuple[Engine, str], folder: Path, examples: int) -> None:
    engine, url = served
    page = {"Authorization": f"Bearer {engine.gate.keys.create(SYSTEM, 'page', [], Terms(public=True))}"}
    page["Origin"] = ORIGIN
    page["Penchant-Session"] = httpx.post(f"{url}/v1/session", headers=page).json()["session"]
    headers = [part for name, value in page.items() for part in ("-H", f"{name}: {value}")]
    explore(url, folder, examples, *headers, "--include-path-regex", "^/v1/session")


def test_no_operation_fails_or_answers_what_is_not_documented(served: tuple[Engine, str], tmp_path: Path) -> None:
    explore_with_key(served, tmp_path, 4)
    explore_as_visitor(served, tmp_path, 4)


@pytest.mark.fuzz
@pytest.mark.parametrize("explore_so", [explore_as_visitor, explore_with_key])
def test_nor_does_it_after_many_more(
    served: tuple[Engine, str], tmp_path: Path, explore_so: Callable[[tuple[Engine, str], Path, int], None]
) -> None:
    explore_so(served, tmp_path, 300)
