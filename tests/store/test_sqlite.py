"""SQLite: the contract every store keeps, and what only a file can do wrong."""

from __future__ import annotations

import os
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import polars as pl
import pytest
from sqlalchemy.dialects import sqlite

import penchant.store
from penchant.core.errors import StoreError, StoreMissing
from penchant.store import Store
from penchant.store.events import Who, _past
from penchant.store.stage import load, save, sweep
from penchant.testing.store import check_store

SCRIPTS = Path(penchant.store.__file__).parent / "migrations"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.create(f"sqlite:///{tmp_path}/shop.db") as made:
        yield made


def table(n: int, start: int = 0) -> pl.DataFrame:
    number = pl.int_range(start, start + n, eager=True)
    text = number.cast(pl.String)
    return pl.DataFrame({"id": text, "user": text, "item": text, "at": number, "value": number / 7}).with_columns(
        kind=pl.lit("view"), session=pl.lit(None, pl.String), channel=pl.lit("web"), context=pl.lit(None, pl.String)
    )


def test_contract_notices_a_broken_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = [Store.create(f"sqlite:///{tmp_path}/{number}.db") for number in range(2)]
    monkeypatch.setattr(made[0].events, "append", lambda rows: None)
    with pytest.raises(AttributeError, match="accepted"):
        check_store(iter(made).__next__)
    made[1].close()


def test_opening_what_is_not_there_says_so_and_makes_nothing(tmp_path: Path) -> None:
    with pytest.raises(StoreMissing, match=r"there is no store; got .*shop.db; next: run 'penchant init'"):
        Store.open(f"sqlite:///{tmp_path}/shop.db")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "url", ["mysql://root:secret@host/db", "postgresql+asyncpg://root:secret@h/d", "sqlite://", "shop.db"]
)
def test_other_databases_are_refused_without_repeating_a_password(url: str) -> None:
    with pytest.raises(
        StoreError, match=r"not supported; got .*allowed: sqlite:///path/to/file.db, postgresql"
    ) as caught:
        Store.create(url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("opening", [Store.open, Store.create])
def test_a_file_of_another_kind_is_refused_and_left_as_it_was(opening: Callable[[str], Store], tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    path.write_bytes(b"user,item\n" * 1000)
    with pytest.raises(StoreError, match=r"the store failed; got .*shop.db: file is not a database"):
        opening(f"sqlite:///{path}")
    assert path.read_bytes() == b"user,item\n" * 1000


@pytest.mark.parametrize("opening", [Store.open, Store.create])
def test_another_programs_database_is_refused(opening: Callable[[str], Store], tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "other.db")) as other:
        other.execute("CREATE TABLE bookmarks (url TEXT)")
    with pytest.raises(StoreError, match="not a Penchant store; got tables: bookmarks"):
        opening(f"sqlite:///{tmp_path}/other.db")


def test_an_empty_file_is_no_store_but_may_become_one(tmp_path: Path) -> None:
    (tmp_path / "shop.db").touch()
    with pytest.raises(StoreError, match="not a Penchant store; got tables: none"):
        Store.open(f"sqlite:///{tmp_path}/shop.db")
    Store.create(f"sqlite:///{tmp_path}/shop.db").close()


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match=r"the store cannot be made; got .*file/shop.db: "):
        Store.create(f"sqlite:///{tmp_path}/file/shop.db")


def test_damage_is_an_error_and_not_an_answer(tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    with Store.create(f"sqlite:///{path}") as store:
        store.events.append_table(table(5000), recorded=1)
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 8192 * 4096)  # behind the pages that opening reads
        file.write(os.urandom(40 * 4096))
    with Store.open(f"sqlite:///{path}") as store, pytest.raises(StoreError, match="malformed"):
        store.events.read(Who(None))


def test_only_the_owner_may_read_the_file(store: Store, tmp_path: Path) -> None:
    store.events.append_table(table(3), recorded=1)
    assert {stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()} == {0o600}


def test_commits_wait_for_the_disk_on_every_connection(store: Store) -> None:
    with store._database.reading() as one, store._database.writing() as two:
        for connection in (one, two):
            pragmas = {
                name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
                for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
            }
            assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 30000}


def test_a_full_disk_is_an_error_that_says_so(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.mkdtemp", full)
    with pytest.raises(StoreError, match=r"failed to stage a table; got .*No space left on device; next: check that"):
        store.events.append_table(table(3), 1)
    with pytest.raises(StoreError, match="failed to stage a table"):
        store.events.read(Who(None))


def test_a_column_that_cannot_be_staged_is_an_error(store: Store) -> None:
    with pytest.raises(StoreError, match="failed to stage a table"):
        store.events.append_table(table(3).with_columns(context=pl.lit([[1]])), 1)


def test_staging_a_table_loses_no_ctrl_c(tmp_path: Path) -> None:
    heard, stopped = threading.Event(), threading.Event()
    lost: list[int] = []

    def press() -> None:
        for number in range(300):
            time.sleep(number % 10 / 2000)
            heard.clear()
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
            if not heard.wait(10):
                lost.append(number)
                break
        stopped.set()

    before = signal.signal(signal.SIGINT, lambda *_: heard.set())
    try:
        presses = threading.Thread(target=press)
        presses.start()
        for number in range(30_000):
            if stopped.is_set():
                break
            save(table(100), tmp_path / f"{number}.db")
            assert load(tmp_path / f"{number}.db").height == 100
        presses.join()
    finally:
        signal.signal(signal.SIGINT, before)
    assert not lost, "pressed while a table was staged, and nobody was told"


def test_stages_left_by_a_killed_process_are_swept_after_a_day(tmp_path: Path) -> None:
    for name, age in (("shop.db.stage-old", 90_000), ("shop.db.stage-new", 60), ("other.stage-old", 90_000)):
        (tmp_path / name).mkdir()
        os.utime(tmp_path / name, (time.time() - age,) * 2)
    assert sweep(tmp_path / "shop.db") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other.stage-old", "shop.db.stage-new"]


def test_a_stage_that_another_process_removes_meanwhile_is_none_to_sweep(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "glob", lambda path, _pattern: [path / "shop.db.stage-gone"])
    assert sweep(tmp_path / "shop.db") == 0


def test_past_reads_the_index_alone(store: Store) -> None:
    asked = _past(shown=False, default=False).statement.compile(dialect=sqlite.dialect(paramstyle="named"))
    values = {**asked.params, "person": "ann", "purpose": "train", "most": 5}
    with store._database.reading() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {asked}", values).fetchall()
    steps = [row[-1] for row in plan]
    own, visits = steps[1 : steps.index("RIGHT")], steps[steps.index("RIGHT") :]
    assert own[1] == "SEARCH events USING COVERING INDEX events_past (user=?)"
    assert own[1] in visits
    assert not [step for step in steps if "SCAN" in step], "no table is gone through"
    assert not [step for step in own if "TEMP" in step], "nothing is sorted but what visits did"


_WITHOUT_PYARROW = """
import importlib.util as util, sys
sys.modules["pyarrow"] = None
find = util.find_spec
util.find_spec = lambda name, package=None: None if name.split(".")[0] == "pyarrow" else find(name, package)
import polars as pl
from penchant.store import Store
from penchant.store.events import Who, _past
from penchant.store.migrate import newest, version
row = {"id": "a", "user": "u", "item": "i", "kind": "view", "at": 1, "value": 1.5, "channel": "web"}
table = pl.DataFrame([row]).with_columns(session=pl.lit(None, pl.String), context=pl.lit(None, pl.String))
with Store.create(sys.argv[1]) as store:
    assert store.events.append_table(table, 1).accepted == 1
    assert store.events.read(Who(None)).rows() == [("u", "i", "view", 1, 1.5)]
"""


def test_bulk_needs_no_pyarrow(tmp_path: Path) -> None:
    command = [sys.executable, "-W", "error", "-c", _WITHOUT_PYARROW, f"sqlite:///{tmp_path}/shop.db"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
