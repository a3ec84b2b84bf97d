"""What holds on both databases: the contract, tables that come and go, stores of earlier versions."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from penchant.core.errors import StoreError
from penchant.core.progress import Advance
from penchant.store import Store
from penchant.store.backends import database_of
from penchant.store.events import Who
from penchant.store.migrate import newest, upgrade, version
from penchant.store.partitions import Partitions
from penchant.store.postgres import Postgres
from penchant.store.tables import METADATA
from penchant.testing.store import STORE_CHECKS

NOON = 1_500_000_000_000_000


@pytest.fixture
def store(ready_url: str) -> Iterator[Store]:
    with Store.create(ready_url) as made:
        yield made


def table(n: int, start: int = 0) -> pl.DataFrame:
    number = pl.int_range(start, start + n, eager=True)
    text = number.cast(pl.String)
    return pl.DataFrame({"id": text, "user": text, "item": text, "at": number, "value": number / 7}).with_columns(
        kind=pl.lit("view"), session=pl.lit(None, pl.String), channel=pl.lit("web"), context=pl.lit(None, pl.String)
    )


def row(name: str, **other: Any) -> dict[str, Any]:
    made = {"id": name, "user": "ann", "item": "tea", "kind": "view", "at": NOON, "value": 1.0, "session": None}
    return {**made, "channel": "web", "context": None, "replaces": None, "recorded": 1, **other}


def differences(connection: sa.Connection) -> list[Any]:
    """Return what the tables of a store lack of what the code expects, on the database at hand."""

    def ours(thing: Any, _name: str | None, kind: str, reflected: bool, _other: Any) -> bool:
        if reflected:  # the parts of the log, and what is only there in PostgreSQL
            return kind != "table" or ("_before_" not in thing.name and "q" not in thing.name.partition("events_")[2])
        only = thing.info.get("only", connection.dialect.name)
        return bool(only == connection.dialect.name)

    context = MigrationContext.configure(connection, opts={"include_object": ours})
    return compare_metadata(context, METADATA)


@pytest.mark.parametrize("check", STORE_CHECKS, ids=lambda check: check.__name__)
def test_contract(check: Callable[[Store], None], store: Store) -> None:
    check(store)


def test_the_migrations_make_the_tables_the_code_expects(store: Store) -> None:
    with store._database.reading() as connection:
        assert differences(connection) == []


EVENT = """INSERT INTO events (seq, id, "user", item, kind, at, value, session, channel, context, recorded)
VALUES (7, 'e1', 'ann', 'tea', 'view', 1500000000000000, 1.5, NULL, 'web', NULL, 5)"""
STUDY = """INSERT INTO studies (name, a, b, n, places, seed, joined, created, closed)
VALUES ('s', 'x', 'y', 5, 2, 0, 1, 5, NULL)"""
HELD = {
    "0001": (EVENT, "INSERT INTO consent VALUES ('ann', 'train', true, 'form', 5)"),
    "0002": (STUDY, "INSERT INTO participants VALUES ('p', 's', 0, 'a', 't', 5, NULL, NULL, NULL)"),
    "0003": ("INSERT INTO imports VALUES ('d', 5, 4, 5)",),
    "0004": ("INSERT INTO leases VALUES ('train', 'a', 5, NULL)",),
    "0005": ("INSERT INTO secrets VALUES ('session', 's')",),
    "0006": (
        "INSERT INTO slates VALUES ('9f2c', 5, 'home', 'session', 'session', 'm', 'ab', NULL, NULL)",
        "INSERT INTO slate_items VALUES ('9f2c', 'tea', 1, 0.5, 1.0)",
        "INSERT INTO visits VALUES ('v', 'ann', 5)",
        "INSERT INTO windows VALUES ('view', 'click', 5)",
        "INSERT INTO placements VALUES ('home', true)",
    ),
}


def old_store(url: str, revision: str) -> None:
    """Make a store as an earlier version of Penchant left it, with rows in its tables."""
    database = database_of(url, create=True)
    if isinstance(database, Postgres):
        with database.transaction() as connection:
            upgrade(connection, revision)
        Partitions(database.transaction).ensure([NOON])
        statements = [
            "INSERT INTO event_ids VALUES ('e1', 1500000000000000, 7, false)",
            "SELECT setval('events_seq', 7)",
        ]
    else:
        with database.writing() as connection:
            upgrade(connection, revision)
        statements = []
    with database.writing() as connection:
        for made in [*statements, *(each for at in sorted(HELD) if at <= revision for each in HELD[at])]:
            connection.exec_driver_sql(made)
    database.close()


@pytest.mark.parametrize("revision", sorted(HELD))
def test_a_store_of_every_schema_is_brought_forward_with_all_it_holds(store_url: str, revision: str) -> None:
    assert max(HELD) == newest(), "a new schema needs rows here"
    old_store(store_url, revision)
    with Store.open(store_url) as store:
        with store._database.reading() as connection:
            assert version(connection) == newest()
            assert differences(connection) == []
        assert store.consent.permits("train", "ann", default=False)
        assert [study.name for study in store.studies.all()] == (["s"] if revision >= "0002" else [])
        assert store.events.past(Who("train"), "ann", 9).values == (1.5,)
        done = store.events.append([row("e1"), row("e2", value=2.0), row("e3", kind="retract", replaces="e1")])
        assert (done.accepted, done.duplicates) == (2, 1)
        assert store.events.past(Who("train"), "ann", 9).values == (2.0,)
        assert store.events.read(Who(None))["value"].to_list() == [2.0]


def test_opening_many_times_at_once_migrates_once(store_url: str) -> None:
    opened: list[Store] = []
    threads = [threading.Thread(target=lambda: opened.append(Store.create(store_url))) for _ in range(4)]
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
    assert (watch.total, watch.done, set(seen)) == (1000, 1000, {before})
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
        assert differences(connection) == [], "an index was lost"


def test_errors_do_not_repeat_personal_data(store: Store) -> None:
    wrong, said = row("a", user="Ann Smith", item=None), "NOT NULL constraint failed|null value in column"
    with pytest.raises(StoreError, match=said) as caught:
        store.events.append([wrong])
    assert "Ann" not in "".join(traceback.format_exception(caught.value))
