"""What is too large, too slow or no HTTP is cut off, and the others do not notice. Over real sockets."""

from __future__ import annotations

import gzip
import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import msgspec
import pytest

from penchant.core.exposure import LimitSettings
from penchant.engine.engine import Engine
from penchant.server.app import create_app
from penchant.server.run import running
from penchant.trust.access import SCOPES, SYSTEM

EVENT = {"user": "new", "item": "1007", "kind": "view", "at": "2017-12-31T10:00:00Z"}


@pytest.fixture
def engine(engine: Engine) -> Iterator[Engine]:
    limits = LimitSettings(max_headers=8192, max_query=200, max_connections=20, receive="0.4s", idle="0.4s")
    settings = msgspec.structs.replace(engine.settings, limits=limits)
    with Engine.open(settings, engine.clock) as limited:
        yield limited


@pytest.fixture
def url(engine: Engine) -> Iterator[str]:
    with running(create_app(engine)) as url:
        yield url


def say(url: str, *parts: bytes, pause: float = 0.0) -> bytes:
    """Send bytes over a connection of its own, and return all that comes back until the other end hangs up."""
    host, port = url.removeprefix("http://").split(":")
    got = b""
    with socket.create_connection((host, int(port)), timeout=30) as wire:
        for part in parts:
            try:
                wire.sendall(part)
            except OSError:  # it hung up already
                break
            time.sleep(pause)
        try:
            while piece := wire.recv(65_536):
                got += piece
        except ConnectionResetError:
            pass
    return got


def told(answer: bytes) -> tuple[int, str]:
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = head.lower()
    for name in (b"content-security-policy", b"x-content-type-options", b"x-request-id", b"connection: close"):
        assert name in lines, f"{name!r} is missing in {head!r}"
    return int(head.split(b" ")[1]), json.loads(body)["code"]


def test_headers_that_do_not_end_are_cut_off(url: str) -> None:
    slow = [b"GET /healthz HTTP/1.1\r\n", *[b"x-slow: 1\r\n"] * 30]
    assert told(say(url, *slow, pause=0.05)) == (408, "too_slow")


def test_a_connection_that_says_nothing_is_closed(url: str) -> None:
    assert say(url) == b""
    assert say(url, *[b"\r\n"] * 30, pause=0.05)[:12] in (b"", b"HTTP/1.1 408")


def test_a_body_that_does_not_end_is_cut_off(url: str, engine: Engine) -> None:
    key = engine.gate.keys.create(SYSTEM, "shop", SCOPES)
    head = f"POST /v1/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\ncontent-type: application/json\r\n"
    answer = say(url, head.encode() + b"content-length: 5000\r\n\r\n", *[b"["] * 30, pause=0.05)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b'"code":"too_slow"' in answer


def test_a_client_that_goes_away_in_its_body_is_no_fault_of_the_server(
    url: str, engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as wire:
        wire.sendall(b"POST /v1/events HTTP/1.1\r\nhost: x\r\ncontent-length: 5000\r\n\r\n[")
        time.sleep(0.1)
    for _ in range(200):
        if 'status="499"' in httpx.get(f"{url}/metrics", headers=_admin(engine)).text:
            break
        time.sleep(0.02)
    assert 'route="/v1/events",status="499"' in httpx.get(f"{url}/metrics", headers=_admin(engine)).text
    assert "crash" not in caplog.text


def _admin(engine: Engine) -> dict[str, str]:
    return {"Authorization": f"Bearer {engine.gate.keys.create(SYSTEM, 'shop', ['admin'])}"}


@pytest.mark.parametrize(
    "head",
    [
        b"GET /healthz HTTP/1.1\r\nhost: x\r\nx-large: " + b"a" * 9000 + b"\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nhost: x\r\n" + b"".join(b"x-%d: 1\r\n" % n for n in range(1500)) + b"\r\n",
        b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nhost: x\r\nx-large: " + b"a" * 300_000,
    ],
    ids=["one", "many", "address", "endless"],
)
def test_headers_that_are_too_large_are_refused(url: str, head: bytes) -> None:
    assert told(say(url, head)) == (431, "headers_too_large")


def test_headers_just_within_the_limit_pass_again_and_again(url: str) -> None:
    with httpx.Client(base_url=url) as client:
        for _ in range(3):
            assert client.get("/healthz", headers={"x-large": "a" * 7_800}).status_code == 200


@pytest.mark.parametrize(
    "bytes_",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/9.9\r\n\r\n",
        b"FROBNICATE / HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nhost: x\r\nx\x00y: 1\r\n\r\n",
        b"POST /v1/events HTTP/1.1\r\nhost: x\r\ncontent-length: -5\r\n\r\n",
        b"POST /v1/events HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n",
        b"POST /v1/events HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
)
def test_what_is_no_http_is_told_so(url: str, bytes_: bytes) -> None:
    assert told(say(url, bytes_)) == (400, "bad_input")


def test_a_long_query_is_refused(url: str) -> None:
    answer = httpx.get(f"{url}/healthz?{'a' * 201}")
    assert (answer.status_code, answer.json()["code"]) == (414, "address_too_long")
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_an_answer_that_nobody_reads_does_not_hold_a_connection(url: str) -> None:
    host, port = url.removeprefix("http://").split(":")
    ask = b"GET /openapi.json HTTP/1.1\r\nhost: x\r\n\r\n"
    with socket.socket() as wire:
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        wire.connect((host, int(port)))
        wire.settimeout(0.2)
        try:
            for _ in range(400):
                wire.sendall(ask)
        except OSError:
            pass
        wire.settimeout(30)
        assert _hangs_up(wire, ask)


def _hangs_up(wire: socket.socket, ask: bytes) -> bool:
    """Return once the other end has hung up: then writing fails, sooner or later."""
    for _ in range(600):
        try:
            wire.sendall(ask)
        except (ConnectionError, BrokenPipeError):
            return True
        time.sleep(0.05)
    return False


def test_connections_beyond_the_limit_are_told_so_and_the_others_go_on(url: str) -> None:
    host, port = url.removeprefix("http://").split(":")
    held = [socket.create_connection((host, int(port)), timeout=30) for _ in range(20)]
    try:
        assert told(say(url)) == (503, "overloaded")
    finally:
        for wire in held:
            wire.close()
    for _ in range(200):
        if httpx.get(f"{url}/healthz").status_code == 200:
            break
        time.sleep(0.02)
    assert httpx.get(f"{url}/healthz").status_code == 200


def test_slow_clients_do_not_keep_others_waiting(url: str) -> None:
    stop = threading.Event()

    def dawdle() -> None:
        while not stop.is_set():
            say(url, b"POST /v1/events HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n", b"x", pause=0.05)

    threads = [threading.Thread(target=dawdle) for _ in range(8)]
    for thread in threads:
        thread.start()
    try:
        with httpx.Client(base_url=url, timeout=30) as client:
            assert {client.get("/healthz").status_code for _ in range(50)} == {200}
    finally:
        stop.set()
        for thread in threads:
            thread.join()


class TestPacked:
    """Bodies that are packed with gzip."""

    def send(self, url: str, engine: Engine, body: bytes, encoding: str = "gzip") -> httpx.Response:
        headers = {**_admin(engine), "content-type": "application/json", "content-encoding": encoding}
        return httpx.post(f"{url}/v1/events", content=body, headers=headers, timeout=60)

    def test_are_unpacked(self, url: str, engine: Engine) -> None:
        body = json.dumps([{**EVENT, "id": str(n)} for n in range(100)]).encode()
        assert self.send(url, engine, gzip.compress(body)).json()["accepted"] == 100
        assert self.send(url, engine, gzip.compress(body), "x-gzip").json()["duplicates"] == 100
        assert self.send(url, engine, body, "identity").json()["duplicates"] == 100

    def test_bombs_are_stopped_at_the_limit(self, url: str, engine: Engine) -> None:
        before = engine.gate.counts(SYSTEM)
        inner = gzip.compress(b"[" + b" " * 300_000_000 + b"]", compresslevel=1)
        high = _peak()
        answer = self.send(url, engine, inner[:80_000])  # still tens of megabytes when unpacked
        whole = self.send(url, engine, gzip.compress(b"[" * 100_001))
        assert [answer.status_code, whole.status_code] == [413, 413]
        assert answer.json()["code"] == "too_large"
        assert _peak() - high < 50_000, "kB: it was never unpacked as a whole"
        assert engine.gate.counts(SYSTEM) == before

    def test_what_is_broken_is_refused(self, url: str, engine: Engine) -> None:
        good = gzip.compress(json.dumps(EVENT).encode())
        before = engine.gate.counts(SYSTEM)
        for body in (b"", b"{}", good[:-1], good[:20], good + b"x", good + good, good[:-8] + bytes(8)):
            answer = self.send(url, engine, body)
            assert (answer.status_code, answer.json()["code"]) == (400, "malformed_json"), body
        for encoding in ("br", "deflate", "gzip, gzip", "gzip,identity", "gzip;q=1"):
            assert self.send(url, engine, good, encoding).status_code in (400, 415)
        assert engine.gate.counts(SYSTEM) == before


def _peak() -> int:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
