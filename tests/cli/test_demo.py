"""The demo command around a demonstration that is over at once; the real one has its own test."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from penchant.core.settings import load_settings
from penchant.engine import demo as demonstration
from penchant.engine.demo import DemoRun
from penchant.engine.engine import Engine
from penchant.server import run as server
from penchant.server.demo import Demo
from penchant.trust.access import SYSTEM


@pytest.fixture
def served(shop, monkeypatch):
    """Return the calls of the server; the demonstration is the shop, not evaluated."""
    calls = []

    def run_demo(folder, *, clock, progress):
        engine = Engine.open(load_settings("penchant.toml"), clock)
        calls.append(Path(folder))
        return DemoRun(engine, {}, engine.gate.counts(SYSTEM), {"train": 1.0}, {"u1": "two adults"})

    monkeypatch.setattr(demonstration, "run_demo", run_demo)
    monkeypatch.setattr(server, "serve", lambda engine, host, port, demo: calls.append((engine, host, port, demo)))
    return calls


def test_once_does_all_but_serve(served, run):
    ran = run("demo", "--once")
    assert (ran.status, ran.err) == (0, "")
    assert "3,200 events of 160 households, 36 items" in ran.out
    assert served == [Path("penchant-demo")]


def test_json_is_the_document_and_nothing_else(served, run):
    ran = run("demo", "--once", "--json", "--folder", "elsewhere")
    assert (ran.status, ran.err) == (0, "")
    document = json.loads(ran.out)
    assert document["dataset"]["events"] == 3200
    assert document["households"]
    assert served == [Path("elsewhere")]


def test_then_the_shop_page_is_served(served, run):
    with socket.create_server(("127.0.0.1", 0)) as free:
        number = free.getsockname()[1]
    ran = run("demo", "--port", number)
    assert ran.status == 0
    assert f"the shop page: http://127.0.0.1:{number} (Ctrl-C stops)" in ran.out
    _engine, host, port, demo = served[1]
    assert (host, port) == ("127.0.0.1", number)
    assert isinstance(demo, Demo)
    assert (demo.actor, demo.label("u1")) == (SYSTEM, "Household u1 · two adults")


def test_a_taken_port_is_said_before_anything_is_done(served, run):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ran = run("demo", "--port", port)
        assert ran.status == 1
        assert ran.err.startswith(f"error: the address cannot be listened on; got 127.0.0.1:{port} (")
        assert served == []
        assert run("demo", "--port", port, "--once").status == 0
    assert served == [Path("penchant-demo")]
