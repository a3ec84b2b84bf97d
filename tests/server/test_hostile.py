"""Bodies, addresses and headers made to do harm: each gets a status that is documented, and leaves nothing behind."""

from __future__ import annotations

import gzip
import json
import shutil
import socket
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from litestar.testing import TestClient

from penchant.core.clock import SystemClock
from penchant.core.exposure import AccessSettings
from penchant.core.settings import ServerSettings, Settings
from penchant.engine.engine import Engine
from penchant.server.app import create_app
from penchant.server.examples import BODIES
from penchant.server.openapi import describe
from penchant.server.run import running
from penchant.trust.access import SCOPES, SYSTEM
from penchant.trust.keys import Terms

JSON = "application/json"
ORIGIN = "https://shop.example"


class Target(NamedTuple):
    """A server, and ways to ask it."""

    engine: Engine
    client: TestClient[Any]
    key: dict[str, str]
    page: dict[str, str]
    documented: dict[tuple[str, str], set[int]]

    def headers(self, path: str) -> dict[str, str]:
        return self.page if path.startswith("/v1/session") else self.key

    def stored(self) -> tuple[int, ...]:
        counts = self.engine.gate.counts(SYSTEM)
        return counts.events, counts.users, counts.items, *counts.consenting.values()


@pytest.fixture(scope="module")
def target(shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    folder = tmp_path_factory.mktemp("hostile")
    shutil.copytree(shop, folder, dirs_exist_ok=True)
    chosen = Settings(
        store=f"sqlite:///{folder}/shop.db",
        access=AccessSettings(origins=(ORIGIN,)),
        server=ServerSettings(max_body=200_000, max_batch=100),
    )
    with Engine.open(chosen, SystemClock()) as engine:
        app = create_app(engine)
        known = {
            (method, path): {int(status) for status in operation["responses"]}
            for path, item in describe(app)["paths"].items()
            for method, operation in item.items()
        }
        with TestClient(app, raise_server_exceptions=False) as client:
            key = {"Authorization": f"Bearer {engine.gate.keys.create(SYSTEM, 'fuzz', SCOPES)}"}
            page = {"Authorization": f"Bearer {engine.gate.keys.create(SYSTEM, 'page', [], Terms(public=True))}"}
            page["Origin"] = ORIGIN
            page["Penchant-Session"] = client.post("/v1/session", headers=page).json()["session"]
            yield Target(engine, client, key, page, known)


NASTY = [
    "NaN",
    "-Infinity",
    "1e999",
    "-1e999",
    "1e-999",
    "9" * 400,
    "-0",
    "-0.0",
    "1" + "0" * 5000,
    "0x10",
    "01",
    "1.",
    "true",
    "null",
    "[]",
    "{}",
    '""',
    '"\\u0000"',
    '"\\ud800"',
    '"\\udfff\\ud800"',
    '"\\u202e\\u2066abc"',
    '"\\r\\nSet-Cookie: a=b"',
    '"\' OR 1=1; DROP TABLE events; --"',
    '"../../etc/passwd"',
    '"%2e%2e%2f"',
    '"{{7*7}}${7*7}"',
    '"<script>alert(1)</script>"',
    '"' + "x" * 20_000 + '"',
    '"\\u0041\\u0301"',
    '"9999-12-31T23:59:59.999999+14:00"',
    '"0001-01-01T00:00:00-14:00"',
    "[" * 600 + "]" * 600,
    '{"a":' * 600 + "1" + "}" * 600,
    "9223372036854775808",
    "-9223372036854775809",
    "1e308",
    "5e-324",
]
"Values as they stand in JSON, and some that may not stand there."


@st.composite
def bodies(draw: st.DrawFn) -> tuple[str, str, bytes]:
    """An example of the documentation, as text, with fields made nasty, doubled, dropped or added."""
    (method, path), example = draw(st.sampled_from(sorted(BODIES.items(), key=str)))
    one = dict(example[0] if isinstance(example, list) else example)
    pairs = [(json.dumps(name), json.dumps(value)) for name, value in one.items()]
    for _ in range(draw(st.integers(1, 3))):
        value = draw(st.sampled_from(NASTY) | st.text(max_size=9).map(json.dumps) | st.floats().map(repr))
        place = draw(st.integers(0, len(pairs)))
        kept = place < len(pairs)
        name = (
            pairs[place][0]
            if kept
            else draw(st.sampled_from(['"zzz"', '"id"', '"user"', '"\\u0000"', "id", '"session"']))
        )
        how = draw(st.sampled_from(["change", "double", "drop"]))
        if kept and how == "change":
            pairs[place] = (name, value)
        elif kept and how == "drop":
            del pairs[place]
        else:
            pairs.append((name, value))
    text = "{" + ",".join(f"{name}:{value}" for name, value in pairs) + "}"
    many = draw(st.sampled_from([1, 1, 2, 101]))
    return method, path, (text if many == 1 else f"[{','.join([text] * many)}]").encode("utf-8", "surrogatepass")


@st.composite
def encoded(draw: st.DrawFn, raw: bytes) -> tuple[bytes, dict[str, str]]:
    """A body in some encoding, which may not be the one that its headers name."""
    said = {
        "content-type": draw(st.sampled_from([JSON, JSON, JSON, "application/json; charset=utf-16", "text/json", ""]))
    }
    how = draw(st.sampled_from(["plain"] * 6 + ["utf-16", "bom", "latin", "gzip", "gzip", "broken", "lie", "cut"]))
    text = raw.decode("utf-8", "replace")
    if how == "utf-16":
        raw = text.encode("utf-16", "replace")
    elif how == "bom":
        raw = b"\xef\xbb\xbf" + raw
    elif how == "latin":
        raw = text.encode("latin-1", "replace")
    elif how == "gzip":
        raw, said["content-encoding"] = gzip.compress(raw), "gzip"
    elif how == "broken":
        packed = bytearray(gzip.compress(raw))
        packed[draw(st.integers(0, len(packed) - 1))] ^= 0x55
        raw, said["content-encoding"] = bytes(packed), "gzip"
    elif how == "lie":
        said["content-encoding"] = draw(st.sampled_from(["gzip", "br", "identity", "x"]))
    elif how == "cut":
        raw = raw[: draw(st.integers(0, len(raw)))]
    return raw, said


def check(target: Target, answer: Any, operation: tuple[str, str], before: tuple[int, ...]) -> None:
    allowed = target.documented[operation]
    assert answer.status_code in allowed, f"{answer.status_code} {answer.text[:300]}"
    assert answer.status_code < 500
    if answer.status_code >= 400:
        assert set(answer.json()) == {"code", "message", "field"}
        assert len(answer.content) < 4_000, "an error repeats little of what was sent"
        assert target.stored() == before, "what is refused leaves nothing behind"


@settings(max_examples=150)
@given(data=st.data())
def test_no_body_does_harm(target: Target, data: st.DataObject) -> None:
    method, path, raw = data.draw(bodies())
    content, said = data.draw(encoded(raw))
    before = target.stored()
    headers = {**target.headers(path), **{name: value for name, value in said.items() if value}}
    answer = target.client.request(method, path.replace("{id}", "900"), content=content, headers=headers)
    check(target, answer, (method, path), before)


@settings(max_examples=60)
@given(depth=st.integers(1, 100_000), kind=st.sampled_from([b"[", b'{"a":']))
def test_no_depth_does_harm(target: Target, depth: int, kind: bytes) -> None:
    before = target.stored()
    raw = (kind * depth)[:190_000]
    for path in ("/v1/events", "/v1/session/events"):
        answer = target.client.post(path, content=raw, headers={**target.headers(path), "content-type": JSON})
        check(target, answer, ("post", path), before)


def test_a_bomb_within_a_bomb_is_no_body(target: Target) -> None:
    before = target.stored()
    bomb = gzip.compress(gzip.compress(b"[" + b"0," * 20_000_000 + b"0]"))
    for path in ("/v1/events", "/v1/session/events"):
        headers = {**target.headers(path), "content-type": JSON, "content-encoding": "gzip"}
        check(target, target.client.post(path, content=bomb, headers=headers), ("post", path), before)
        flat = gzip.compress(b" " * 30_000_000)
        answer = target.client.post(path, content=flat, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


WRONG_KEYS = [
    "",
    "Bearer",
    "Bearer ",
    "Bearer x",
    "Basic YTpi",
    "Bearer pk_0000000000000000_" + "A" * 43,
    "bearer\tpk_",
    "Bearer ' OR 1=1 --",
    "Bearer pk_' UNION SELECT * FROM api_keys --",
    "Bearer " + "A" * 5000,
    "Bearer null",
    "Digest",
]


@pytest.mark.parametrize("header", WRONG_KEYS)
def test_wrong_keys_are_refused_on_every_route(target: Target, header: str) -> None:
    before = target.stored()
    for (method, path), allowed in target.documented.items():
        if path.startswith("/v1") or path == "/metrics":
            body = BODIES.get((method, path))
            answer = target.client.request(
                method, path.replace("{id}", "900"), json=body, headers={"Authorization": header, "Origin": ORIGIN}
            )
            assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized"), path
            assert answer.headers["www-authenticate"].startswith("Bearer")
            assert 401 in allowed
    assert target.stored() == before


def test_revoked_and_ended_keys_are_refused_on_every_route(target: Target) -> None:
    keys = target.engine.gate.keys
    revoked = keys.create(SYSTEM, "revoked", SCOPES)
    keys.revoke(SYSTEM, revoked.split("_")[1])
    replaced = keys.create(SYSTEM, "replaced", SCOPES)
    keys.rotate(SYSTEM, replaced.split("_")[1], timedelta(0))
    for token in (revoked, replaced):
        for (method, path), body in BODIES.items():
            answer = target.client.request(
                method, path.replace("{id}", "900"), json=body, headers={"Authorization": f"Bearer {token}"}
            )
            assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")


PATHS = [
    "/../../etc/passwd",
    "/..%2f..%2fetc/passwd",
    "/%2e%2e/%2e%2e/etc/passwd",
    "/static/../run.py",
    "/study/style.css/../x",
    "/v1/users/../../metrics",
    "/v1/users/%2e%2e/history/../../",
    "//v1/events",
    "/v1//events",
    "/v1/events/",
    "/v1/events%00",
    "/v1/users/%ff/history",
    "/v1/users/%C0%AF/history",
    "/openapi.json/..",
    "/\\..\\..\\x",
    "/%0d%0aX:1",
    "/v1/items/" + "a" * 8000 + "/similar",
]


def test_no_address_leads_where_it_should_not(target: Target) -> None:
    with running(create_app(target.engine)) as url:
        host, port = url.removeprefix("http://").split(":")
        for path in PATHS:
            head = f"GET {path} HTTP/1.1\r\nhost: x\r\n{'authorization: ' + target.key['Authorization']}\r\n"
            with socket.create_connection((host, int(port)), timeout=30) as wire:
                wire.sendall(head.encode() + b"connection: close\r\n\r\n")
                answer = b""
                while piece := wire.recv(65_536):
                    answer += piece
            status = int(answer.split(b" ", 2)[1])
            assert status in (400, 404, 405), f"{path}: {answer[:300]!r}"
            assert b"root:" not in answer
            assert b"import" not in answer


def test_no_header_gets_into_the_answer(target: Target) -> None:
    """Of a request, only a request id of harmless characters is repeated in the head of an answer."""
    token = target.key["Authorization"].removeprefix("Bearer ").encode()
    with running(create_app(target.engine)) as url:
        host, port = url.removeprefix("http://").split(":")
        for value in (
            b"a b",
            b"a\tb",
            b"r1; Set-Cookie=a",
            b"<b>",
            b"\xc3\xa9",
            b"x" * 65,
            b"%0d%0aSet-Cookie: a=b",
            token,
        ):
            head = b"GET /healthz HTTP/1.1\r\nhost: x\r\norigin: %s\r\nx-request-id: %s\r\nconnection: close\r\n\r\n"
            with socket.create_connection((host, int(port)), timeout=30) as wire:
                wire.sendall(head % (value, value))
                answer = b""
                while piece := wire.recv(65_536):
                    answer += piece
            assert answer.startswith(b"HTTP/1.1 200 ")
            assert b"cookie" not in answer.lower()
            assert b"access-control" not in answer.lower()
            assert value not in answer
