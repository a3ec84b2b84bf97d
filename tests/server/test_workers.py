"""Real servers in real processes: swaps under load, drains, deaths, and two servers on one store."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from penchant.core.clock import SystemClock
from penchant.core.nouns import Event
from penchant.core.settings import Settings, load_settings
from penchant.engine.training import train
from penchant.server.workers import Pause
from penchant.trust.access import SCOPES, SYSTEM
from penchant.trust.gate import Gate

PENCHANT = Path(sys.executable).with_name("penchant")
TOML = """
store = "sqlite:///shop.db"
artifacts = "artifacts"
[consent]
default = true
"""
ASK = {"placement": "trending", "n": 3}


class Served(NamedTuple):
    """A server that answers."""

    url: str
    process: subprocess.Popen[bytes]
    headers: dict[str, str]

    def get(self, path: str) -> httpx.Response:
        return httpx.get(self.url + path, headers=self.headers, timeout=60)

    def ask(self, **more: object) -> httpx.Response:
        return httpx.post(f"{self.url}/v1/recommendations", json=ASK | more, headers=self.headers, timeout=60)

    @property
    def children(self) -> set[int]:
        return {
            int(text) for text in Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        }


@pytest.fixture
def folder(shop: Path, tmp_path: Path) -> Path:
    """A copy of the shop with settings in a file."""
    shutil.copytree(shop, tmp_path, dirs_exist_ok=True)
    (tmp_path / "penchant.toml").write_text(TOML)
    return tmp_path


@pytest.fixture
def settings(folder: Path) -> Settings:
    return load_settings(folder / "penchant.toml")


@contextmanager
def serving(folder: Path, *options: str) -> Iterator[Served]:
    """Run ``penchant serve`` until the block ends, and wait until it is ready."""
    with Gate.open(load_settings(folder / "penchant.toml"), SystemClock()) as gate:
        key = gate.keys.create(SYSTEM, "test", SCOPES)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [PENCHANT, "--settings", folder / "penchant.toml", "serve", "--port", str(port), *options]
    with (folder / "server.log").open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    served = Served(f"http://127.0.0.1:{port}", process, {"Authorization": f"Bearer {key}"})
    try:
        until(lambda: process.poll() is not None or answers(served))
        assert process.poll() is None, (folder / "server.log").read_text()
        yield served
    finally:
        process.kill()
        process.wait()


def answers(served: Served) -> bool:
    try:
        return served.get("/readyz").status_code == 200
    except httpx.TransportError:
        return False


def until(true: Callable[[], bool], seconds: float = 120.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "this takes too long"
        time.sleep(0.05)


def retrain(settings: Settings, tag: str) -> str:
    with Gate.open(settings, SystemClock()) as gate:
        bought = [Event(f"{tag}{n}", "1007", "purchase", datetime.now(UTC), id=f"{tag}-{n}") for n in range(200)]
        assert gate.admit(SYSTEM, bought).accepted == 200
        return train(gate, SYSTEM, settings).digest


def flip(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    raw[-1] ^= 0x01
    path.write_bytes(bytes(raw))


def test_one_process_says_that_it_cannot_replace_itself_and_goes_on(folder: Path) -> None:
    with serving(folder) as served:
        served.process.send_signal(signal.SIGHUP)
        until(lambda: "SIGHUP is not heeded by a server of one process" in (folder / "server.log").read_text())
        assert served.ask().status_code == 200
        served.process.send_signal(signal.SIGTERM)
        assert served.process.wait(30) == 0


def test_models_are_swapped_and_rolled_back_under_load_without_an_error(folder: Path, settings: Settings) -> None:
    seen: list[tuple[int, str]] = []
    over = threading.Event()

    def asking() -> None:
        with httpx.Client(headers=served.headers, timeout=60) as client:
            while not over.is_set():
                answer = client.post(f"{served.url}/v1/recommendations", json=ASK)
                seen.append((answer.status_code, answer.json()["model"]["digest"]))

    with serving(folder, "--workers", "2") as served:
        first = served.ask().json()["model"]["digest"]
        threads = [threading.Thread(target=asking) for _ in range(2)]
        for thread in threads:
            thread.start()
        try:
            retrain(settings, "new")
            until(lambda: 'penchant_model_swaps_total{outcome="taken"} 4.0' in served.get("/metrics").text)
            second = served.ask().json()["model"]["digest"]
            with Gate.open(settings, SystemClock()) as gate:
                gate.artifacts.rollback(SYSTEM)
            until(lambda: {digest for _, digest in seen[-40:]} == {first})
        finally:
            over.set()
            for thread in threads:
                thread.join()
        counted = served.get("/metrics").text
    assert {status for status, _ in seen} == {200}
    assert {digest for _, digest in seen} == {first, second}
    label = f'placement="{ASK["placement"]}"'
    (line,) = [line for line in counted.splitlines() if line.startswith("penchant_slates_total{") and label in line]
    assert int(float(line.rpartition(" ")[2])) == len(seen) + 2, "of both processes together"
    assert 'penchant_model_swaps_total{outcome="taken"} 6.0' in counted, "three bundles in two processes"


def test_a_damaged_bundle_is_refused_and_the_old_one_serves_on(folder: Path, settings: Settings) -> None:
    digest = retrain(settings, "new")
    with Gate.open(settings, SystemClock()) as gate:
        gate.artifacts.rollback(SYSTEM)
    flip(next((folder / "artifacts" / digest[:16]).rglob("*.npy")))
    with serving(folder) as served:
        before = served.ask().json()["model"]["digest"]
        with Gate.open(settings, SystemClock()) as gate:
            gate.artifacts.promote(SYSTEM, digest)
        until(lambda: served.get("/readyz").json()["missing"] != [])
        ready = served.get("/readyz")
        after = served.ask()
        counted = served.get("/metrics").text
    assert (after.status_code, after.json()["model"]["digest"]) == (200, before)
    assert ready.status_code == 200
    assert "a file of the saved model is not what was saved" in ready.json()["missing"][0]
    assert 'penchant_model_swaps_total{outcome="refused"} 1.0' in counted
    assert f"the promoted bundle {digest[:12]} cannot be used" in (folder / "server.log").read_text()


@pytest.mark.parametrize("options", [(), ("--workers", "2")], ids=["one process", "two processes"])
def test_told_to_stop_it_finishes_open_requests_and_ends_well(
    folder: Path, settings: Settings, options: tuple[str, ...]
) -> None:
    body = b'{"user": "900", "item": "1014", "kind": "view", "at": "2017-12-31T12:00:00Z", "id": "the last one"}'
    with serving(folder, *options) as served:
        host, port = served.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as open_request:
            head = f"POST /v1/events HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
            head += f"Authorization: {served.headers['Authorization']}\r\nContent-Length: {len(body)}\r\n\r\n"
            open_request.sendall(head.encode() + body[:10])
            time.sleep(0.5)
            served.process.send_signal(signal.SIGTERM)
            until(lambda: not accepts(host, int(port)))
            open_request.sendall(body[10:])
            open_request.settimeout(60)
            answer = open_request.recv(10_000)
        assert answer.startswith(b"HTTP/1.1 202")
        assert served.process.wait(60) == 0
    with Gate.open(settings, SystemClock()) as gate:
        assert gate.admit(SYSTEM, [Event("900", "1014", "view", datetime.now(UTC), id="the last one")]).duplicates == 1


def accepts(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=1):
            return True
    except OSError:
        return False


def test_a_worker_that_dies_is_replaced_and_all_end_with_their_parent(folder: Path) -> None:
    with serving(folder, "--workers", "2") as served:
        until(lambda: len(served.children) == 2)
        first = served.children
        victim = min(first)
        os.kill(victim, signal.SIGKILL)
        until(lambda: victim not in served.children and len(served.children) == 2)
        for _ in range(20):
            assert served.ask().status_code == 200
        assert "another starts in" in (folder / "server.log").read_text()
        second = served.children
        served.process.kill()
        served.process.wait()
        until(lambda: not any(Path(f"/proc/{each}").exists() for each in second))


def test_on_hangup_the_workers_are_replaced_by_others_with_the_settings_of_now(folder: Path) -> None:
    with serving(folder, "--workers", "2") as served:
        until(lambda: len(served.children) == 2)
        first = served.children
        assert served.ask(placement="lately").status_code == 400
        with (folder / "penchant.toml").open("a") as file:
            file.write(
                "[placements.lately]\nblend = { trending = 1.0 }\n[placements.trending]\nblend = { trending = 1.0 }\n"
            )
        served.process.send_signal(signal.SIGHUP)
        until(lambda: len(served.children) == 2 and not served.children & first)
        assert served.ask(placement="lately").status_code == 200


def test_two_servers_on_one_store_answer_alike(folder: Path) -> None:
    event = {"user": "900", "item": "1014", "kind": "purchase", "at": "2017-12-31T12:00:00Z"}
    with serving(folder) as one, serving(folder) as other:
        for user in ("900", "901", "nobody"):
            first, second = (server.ask(placement="for-you", user=user).json() for server in (one, other))
            assert first.pop("slate") != second.pop("slate")
            assert first == second
        sent = httpx.post(f"{one.url}/v1/events", json=event, headers=one.headers, timeout=60)
        assert sent.status_code == 202
        assert other.get("/v1/users/900/history?n=1").json()["events"][0]["item"] == "1014"
        item = {"title": "Plantains", "categories": ["produce"], "price": 1.0, "currency": "USD"}
        assert httpx.put(f"{one.url}/v1/items/1007", json=item, headers=one.headers, timeout=60).status_code == 200
        assert "Plantains" in [found["title"] for found in other.ask(n=18).json()["items"]]
        other_key = httpx.get(f"{other.url}/v1/users/900/history", headers=one.headers, timeout=60)
        assert other_key.status_code == 200, "a key made for one is known to the other"


def test_workers_that_cannot_start_are_given_up(folder: Path) -> None:
    with Gate.open(load_settings(folder / "penchant.toml"), SystemClock()) as gate:
        gate.keys.create(SYSTEM, "test", SCOPES)
    code = (
        "import sys; from pathlib import Path; from penchant.core.settings import load_settings; import msgspec\n"
        "from penchant.server.workers import supervise\n"
        "gone = msgspec.structs.replace(load_settings(sys.argv[1]), store='sqlite:////nowhere/at/all.db')\n"
        "supervise(lambda: gone, '127.0.0.1', 0, 1)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, folder / "penchant.toml"], capture_output=True, text=True, timeout=120, check=False
    )
    assert ran.returncode == 1
    assert "no worker could start; got 3 tries of each; next: read the log lines above" in ran.stderr


def test_the_pause_before_a_start_grows_to_half_a_minute() -> None:
    pause = Pause()
    assert [pause.after(failed=True) for _ in range(8)] == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]
    assert pause.after(failed=False) == 0.0


@pytest.mark.parametrize("workers", ["1", "2"])
def test_systemd_is_told_once_that_the_server_answers(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: str
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as hears:
        hears.bind(str(tmp_path / "notify"))
        hears.settimeout(120)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        with serving(folder, "--workers", workers) as served:
            assert hears.recv(64) == b"READY=1"
            assert served.ask().status_code == 200
            served.process.send_signal(signal.SIGTERM)
            assert served.process.wait(60) == 0
            hears.setblocking(False)
            with pytest.raises(BlockingIOError):
                hears.recv(64)


def test_what_cannot_be_told_to_systemd_stops_nobody(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(folder / "nobody-listens"))
    with serving(folder) as served:
        assert served.ask().status_code == 200
