"""A server in a process of its own, asked with hostile input: nothing of whoever asks is in its log or its answers."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from penchant.core.clock import SystemClock
from penchant.core.settings import load_settings
from penchant.engine.engine import Engine
from penchant.trust.access import SCOPES, SYSTEM
from penchant.trust.keys import Terms

ORIGIN = "https://shop.example"
SETTINGS = """
store = "sqlite:///shop.db"
[consent]
default = true
[server]
port = {port}
trusted_proxies = ["127.0.0.1"]
[access]
origins = ["https://shop.example"]
[observe]
logs = "json"
"""


class Served(NamedTuple):
    """A running server."""

    url: str
    log: Path
    key: str
    page: str
    limited: str
    home: Path


@pytest.fixture
def served(shop: Path, tmp_path: Path) -> Iterator[Served]:
    shutil.copytree(shop, tmp_path, dirs_exist_ok=True)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (tmp_path / "penchant.toml").write_text(SETTINGS.format(port=port))
    with Engine.open(load_settings(tmp_path / "penchant.toml"), SystemClock()) as engine:
        keys = engine.gate.keys
        key, page = keys.create(SYSTEM, "shop", SCOPES), keys.create(SYSTEM, "pages", [], Terms(public=True))
        limited = keys.create(SYSTEM, "slow", ["users:read"], Terms(rate="1/d", networks=("198.51.100.0/24",)))
    log = tmp_path / "server.log"
    with log.open("wb") as lines:
        penchant = Path(sys.executable).with_name("penchant")
        process = subprocess.Popen(
            [penchant, "--settings", tmp_path / "penchant.toml", "serve"], stdout=lines, stderr=lines
        )
        try:
            yield Served(f"http://127.0.0.1:{port}", log, key, page, limited, tmp_path)
        finally:
            process.terminate()
            process.wait(60)


def _up(url: str) -> None:
    for _ in range(600):
        try:
            if httpx.get(f"{url}/healthz").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError("it does not start")


def _hostile(served: Served) -> list[httpx.Response]:
    """Ask what should not be asked; return the answers."""
    got: list[httpx.Response] = []
    with httpx.Client(base_url=served.url, timeout=60) as client:

        def ask(method: str, path: str, key: str | None, **more: Any) -> httpx.Response:
            headers = {"X-Forwarded-For": "198.51.100.77", **more.pop("headers", {})}
            if key is not None:
                headers["Authorization"] = f"Bearer {key}"
            answer = client.request(method, path, headers=headers, **more)
            got.append(answer)
            return answer

        secret = served.key.split("_", 2)[2]
        for wrong in (served.key[:-4], served.key + "x", f"pk_{'0' * 16}_{secret}", f"Bearer {served.key}", secret):
            ask("GET", "/v1/users/u-private/history", wrong)
        ask("GET", "/v1/users/u-private/history", None, headers={"Authorization": f"Basic {served.key}"})
        ask("GET", f"/v1/users/u-private/history?key={served.key}", served.key)
        ask("GET", "/v1/users/u-private/history", served.limited)
        ask("GET", "/v1/users/u-private/history", served.limited)
        ask("GET", "/v1/users/u-private/history", served.limited, headers={"X-Forwarded-For": "192.0.2.1"})
        event = {"user": "u-private", "item": "i-private", "kind": "view", "at": "2017-12-31T10:00:00Z"}
        for change in ({"value": "many"}, {"at": "u-private"}, {"user": "u-private\x00"}, {"kind": "x" * 600}, {}):
            ask("POST", "/v1/events", served.key, json={**event, **change})
        for inject in ("' OR 1=1; DROP TABLE events; --", '"; DELETE FROM api_keys; --', "x\r\nSet-Cookie: a=b"):
            ask("POST", "/v1/events", served.key, json={**event, "item": inject})
            ask("POST", "/v1/recommendations", served.key, json={"user": inject, "placement": inject})
        ask("GET", "/v1/users/..%2F..%2Fetc%2Fpasswd/history", served.key)
        ask("GET", "/static/..%2f..%2f..%2fetc/passwd", None)
        ask(
            "POST",
            "/v1/events",
            served.key,
            content=b"\xff\xfe" + served.key.encode(),
            headers={"Content-Type": "application/json"},
        )
        opened = ask("POST", "/v1/session", served.page, headers={"Origin": ORIGIN}).json()["session"]
        own = {"Origin": ORIGIN, "Penchant-Session": opened}
        ask("POST", "/v1/session/events", served.page, json={"item": "i-private"}, headers=own)
        ask(
            "POST",
            "/v1/session/events",
            served.page,
            json={"item": "i-private"},
            headers={**own, "Penchant-Session": opened + "x"},
        )
        ask("POST", "/v1/session/recommendations", served.page, json={"placement": "for-you"}, headers=own)
        (served.home / "shop.db").rename(served.home / "gone.db")  # the store fails under the next ones
        ask("GET", "/v1/users/u-private/history", served.key)
        ask("POST", "/v1/events", served.key, json=event)
        (served.home / "gone.db").rename(served.home / "shop.db")
        served.home.joinpath("session").write_text(opened)
    return got


def test_nothing_of_whoever_asks_is_in_the_log_or_in_errors(served: Served) -> None:
    _up(served.url)
    answers = _hostile(served)
    assert {answer.status_code for answer in answers} >= {200, 201, 202, 400, 401, 403, 404, 429, 503}
    session = served.home.joinpath("session").read_text()
    secrets = [token.split("_", 2)[2] for token in (served.key, served.page, served.limited)]
    for answer in answers:
        assert answer.status_code in (200, 201, 202, 400, 401, 403, 404, 429, 503), answer.text
        assert len(answer.headers["x-request-id"]) == 32
        assert "set-cookie" not in answer.headers
        assert not [secret for secret in secrets if secret[:16] in answer.text + str(answer.headers)]
    text = served.log.read_text(encoding="utf-8")
    lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    assert sum(line.get("event") == "request" for line in lines) >= len(answers)
    assert {answer.headers["x-request-id"] for answer in answers} <= {line.get("request") for line in lines}
    assert any(line.get("code") == "store_failed" for line in lines)
    for private in (
        "u-private",
        "i-private",
        "198.51.100",
        "192.0.2",
        "DROP TABLE",
        "Set-Cookie",
        session,
        session.split(".")[1],
    ):
        assert private not in text, private
    for secret in secrets:
        assert not re.search(re.escape(secret[:12]), text)


def test_the_tables_are_still_there(served: Served) -> None:
    _up(served.url)
    with httpx.Client(base_url=served.url, headers={"Authorization": f"Bearer {served.key}"}, timeout=60) as client:
        user = "'; DROP TABLE events; --"
        event = {"user": user, "item": "1007", "kind": "view", "at": "2017-12-31T10:00:00Z"}
        assert client.post("/v1/events", json=event).json()["accepted"] == 1
        path = "/v1/users/%27%3B%20DROP%20TABLE%20events%3B%20--/history"
        assert [entry["item"] for entry in client.get(path).json()["events"]] == ["1007"]
        assert len(client.get("/v1/users/900/history").json()["events"]) == 8
