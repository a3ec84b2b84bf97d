"""The demonstration's folder: its own things are cleared, anything else and a running one are left alone."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from penchant.core.clock import FixedClock
from penchant.core.errors import InputError
from penchant.core.nouns import Event
from penchant.data.readers import read_events, read_items
from penchant.engine import demo
from penchant.engine.demo import MARK, DemoRun, run_demo
from penchant.trust.access import SYSTEM

CLOCK = FixedClock(datetime(2017, 12, 31))
RUNNING = "a demonstration is running in this folder; got {}; next: stop it, or choose another folder with --folder"
OTHERS = "the folder holds something that is not a demonstration's; got {}; allowed: a new folder, or that of a former"


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the demonstration's data small, and do not evaluate on it."""
    rows = [(f"u{n % 12}", f"i{n * n % 7}", CLOCK.now() - timedelta(hours=n)) for n in range(1, 100)]
    events = read_events(pl.DataFrame(rows, schema=["user", "item", "at"], orient="row"))
    items = read_items(pl.DataFrame({"id": ["i1"], "title": ["Tea"]}))
    monkeypatch.setattr(demo, "complete_journey", lambda: (events, items))
    monkeypatch.setattr(demo, "assess", lambda *_, **__: {})
    monkeypatch.setattr(demo, "_people", dict)


def run(folder: Path) -> DemoRun:
    return run_demo(folder, clock=CLOCK)


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


def test_a_second_one_leaves_a_running_one_alone(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    with run(folder) as first:
        before = files(folder)
        with pytest.raises(InputError) as caught:
            run(folder)
        assert str(caught.value) == RUNNING.format(folder)
        assert files(folder) == before
        event = Event("u1", "i1", "view", CLOCK.now())
        assert first.engine.ingest(SYSTEM, [event]).accepted == 1
        assert first.engine.ready().ready
        assert first.engine.gate.counts(SYSTEM).events == first.counts.events + 1
    with run(folder) as second:
        assert second.engine.gate.counts(SYSTEM).events == first.counts.events


def test_only_what_a_demonstration_wrote_is_removed(tmp_path: Path) -> None:
    run(tmp_path).close()
    (tmp_path / "penchant.db.stage-left").mkdir()
    (tmp_path / "artifacts" / "old").mkdir()
    run(tmp_path).close()
    assert not {"penchant.db.stage-left", "artifacts/old"} & files(tmp_path)
    (tmp_path / "diary.txt").touch()
    before = files(tmp_path)
    with pytest.raises(InputError) as caught:
        run(tmp_path)
    assert str(caught.value).startswith(OTHERS.format(tmp_path / "diary.txt"))
    assert files(tmp_path) == before


@pytest.mark.parametrize("name", ["diary.txt", "penchant.toml", "penchant.db"])
def test_a_folder_without_the_mark_is_not_touched(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine")
    for place in (tmp_path, tmp_path / name):
        with pytest.raises(InputError) as caught:
            run(place)
        assert str(caught.value).startswith(OTHERS.format(place))
    assert files(tmp_path) == {name}
    assert (tmp_path / name).read_text() == "mine"


def test_one_that_fails_lets_go_of_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(demo, "train", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            run(tmp_path)
    run(tmp_path).close()
    assert MARK in files(tmp_path)
