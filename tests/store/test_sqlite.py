"""SQLite: the contract every store keeps, and what only a file can do wrong."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import polars as pl
import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext

import penchant.store
from penchant.core.errors import StoreError, StoreMissing
from penchant.core.progress import Advance
from penchant.store import Store
from penchant.store.events import Who
from penchant.store.migrate import newest, version
from penchant.store.stage import sweep
from penchant.store.tables import METADATA
from penchant.testing.store import STORE_CHECKS, check_store

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


@pytest.mark.parametrize("check", STORE_CHECKS, ids=lambda check: check.__name__)
def test_contract(check: Callable[[Store], None], store: Store) -> None:
    check(store)


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


@pytest.mark.parametrize("url", ["mysql://root:secret@host/db", "postgresql://root:secret@h/d", "sqlite://", "shop.db"])
def test_other_databases_are_refused_without_repeating_a_password(url: str) -> None:
    with pytest.raises(StoreError, match=r"not supported; got .*allowed: sqlite:///path/to/file.db") as caught:
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
        file.seek(60 * 4096)
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


def test_the_migrations_make_the_tables_the_code_expects(store: Store) -> None:
    with store._database.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []


def test_a_store_of_the_first_schema_is_brought_forward_with_all_it_holds(tmp_path: Path) -> None:
    place = tmp_path / "old.db"
    with closing(sqlite3.connect(place)) as old:
        engine = sa.create_engine("sqlite://", creator=lambda: sqlite3.connect(place))
        with engine.begin() as connection:
            config = Config()
            config.set_main_option("script_location", str(SCRIPTS))
            config.attributes["connection"] = connection
            command.upgrade(config, "0001")
        engine.dispose()
        old.execute("INSERT INTO consent VALUES ('ann', 'train', 1, 'form', 5)")
        old.commit()
    with Store.open(f"sqlite:///{place}") as store:
        assert store.consent.permits("train", "ann", default=False)
        assert store.studies.all() == []
        with store._database.reading() as connection:
            assert version(connection) == newest()
            assert compare_metadata(MigrationContext.configure(connection), METADATA) == []


def test_opening_twice_at_once_migrates_once(tmp_path: Path) -> None:
    url, opened = f"sqlite:///{tmp_path}/shop.db", []
    threads = [threading.Thread(target=lambda: opened.append(Store.create(url))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [store.items.changed(0) for store in opened] == [([], 0)] * 4
    for store in opened:
        store.close()


def test_a_table_survives_the_trip_exactly(store: Store) -> None:
    wanted = table(1000).with_columns(
        user=pl.lit("Zoë 🛒 'x' \"y\""), value=pl.Series([1 / 3, 1e-300, -1e300, -2.0, 0.1] * 200)
    )
    store.events.append_table(wanted, recorded=1)
    read = store.events.read(Who(None))
    assert read.equals(wanted.select("user", "item", "kind", "at", "value"))


def test_an_empty_table_and_an_empty_store_have_types(store: Store) -> None:
    assert store.events.append_table(table(0), recorded=1).accepted == 0
    assert store.events.read(Who(None)).schema["at"] == pl.Int64


class Watch:
    """A progress that adds up, and calls back after each report."""

    def __init__(self, then: Callable[[], None] = lambda: None) -> None:
        self.total = self.done = 0
        self.then = then

    @contextmanager
    def step(self, what: str, total: int, unit: str = "") -> Iterator[Advance]:
        self.total = total

        def advance(done: int) -> None:
            self.done += done
            self.then()

        yield advance


@pytest.mark.parametrize("before", [0, 5])
def test_an_import_is_seen_whole_or_not_at_all(store: Store, before: int) -> None:
    store.events.append_table(table(before), recorded=1)
    seen: list[int] = []
    watch = Watch(lambda: seen.append(store.events.counts()[0]))
    store.events.append_table(table(1000, start=before), 1, watch)
    assert (watch.total, watch.done, seen) == (1000, 1000, [before])
    assert store.events.counts()[0] == before + 1000


@pytest.mark.parametrize("before", [0, 5])
def test_an_import_that_is_interrupted_leaves_nothing(store: Store, before: int, tmp_path: Path) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    store.events.append_table(table(before), recorded=1)
    with pytest.raises(KeyboardInterrupt):
        store.events.append_table(table(1000, start=before), 1, Watch(interrupt))
    assert store.events.counts()[0] == before
    assert not list(tmp_path.glob("*.stage-*"))
    again = store.events.append_table(table(1000, start=before), 1)
    assert (again.accepted, again.duplicates) == (1000, 0)
    with store._database.reading() as connection:
        names = {index["name"] for index in sa.inspect(connection).get_indexes("events")}
    assert names == {"events_id", "events_past", "events_slate"}


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


def test_errors_do_not_repeat_personal_data(store: Store) -> None:
    row = {"id": "a", "user": "Ann Smith", "item": None, "kind": "view", "at": 1, "value": 1.0}
    with pytest.raises(StoreError, match=r"NOT NULL constraint failed: events\.item") as caught:
        store.events.append([{**row, "session": None, "channel": "web", "context": None, "recorded": 1}])
    assert "Ann" not in "".join(traceback.format_exception(caught.value))


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
    query = 'SELECT item, kind, at, value FROM events WHERE "user" = ? ORDER BY at DESC, seq DESC LIMIT 5'
    with store._database.reading() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}", ("ann",)).fetchall()
    assert [row[-1] for row in plan] == ["SEARCH events USING COVERING INDEX events_past (user=?)"]


_WITHOUT_PYARROW = """
import importlib.util as util, sys
sys.modules["pyarrow"] = None
find = util.find_spec
util.find_spec = lambda name, package=None: None if name.split(".")[0] == "pyarrow" else find(name, package)
import polars as pl
from penchant.store import Store
from penchant.store.events import Who
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
