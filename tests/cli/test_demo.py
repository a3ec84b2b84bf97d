"""The demo command around a demonstration that is over at once; the real one has its own test."""

from __future__ import annotations

import json
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
    ran = run("demo", "--port", "8123")
    assert ran.status == 0
    assert "the shop page: http://127.0.0.1:8123 (Ctrl-C stops)" in ran.out
    _engine, host, port, demo = served[1]
    assert (host, port) == ("127.0.0.1", 8123)
    assert isinstance(demo, Demo)
    assert (demo.actor, demo.label("u1")) == (SYSTEM, "Household u1 · two adults")
