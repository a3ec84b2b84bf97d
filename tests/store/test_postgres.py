"""PostgreSQL: what only a server can do wrong, and the log in parts."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
import sqlalchemy as sa

from penchant.core.clock import micros
from penchant.core.errors import InputError, StoreError, StoreMissing
from penchant.store import Store
from penchant.store.backends import database_of
from penchant.store.events import Who
from penchant.testing.postgres import PostgresServer


@pytest.fixture
def url(postgres: PostgresServer, postgres_store: str) -> Iterator[str]:
    made = postgres.database(like=postgres_store)
    yield made
    postgres.drop(made)


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with Store.open(url) as made:
        yield made


@pytest.fixture
def own() -> Iterator[PostgresServer]:
    """A server that a test may kill."""
    with PostgresServer(fsync="on") as server:
        yield server


def row(name: str, at: datetime = datetime(2017, 7, 1), **other: Any) -> dict[str, Any]:
    made = {"id": name, "user": "ann", "item": "tea", "kind": "view", "at": micros(at), "value": 1.0, "session": None}
    return {**made, "channel": "web", "context": None, "replaces": None, "recorded": 1, **other}


def parts(store: Store) -> dict[str, int]:
    query = "SELECT tableoid::regclass::text, count(*) FROM events GROUP BY 1 ORDER BY 1"
    with store._database.reading() as connection:
        return dict(map(tuple, connection.exec_driver_sql(query)))


def cut(postgres: PostgresServer, connection: sa.Connection) -> None:
    """Cut a connection from the server's side."""
    backend = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
    postgres.execute(f"SELECT pg_terminate_backend({backend})")


def test_both_spellings_of_the_url_are_the_same_store(url: str, store: Store) -> None:
    store.events.append([row("e")])
    with Store.open(url.replace("+psycopg", "")) as again:
        assert again.events.counts() == (1, 1)


def test_an_empty_database_is_no_store_yet(postgres_url: str) -> None:
    with pytest.raises(StoreMissing, match=r"there is no store; got postgresql://postgres@127.*run 'penchant init'"):
        Store.open(postgres_url)
    Store.create(postgres_url).close()
    Store.open(postgres_url).close()


def test_another_programs_database_is_refused(postgres_url: str) -> None:
    engine = sa.create_engine(postgres_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE bookmarks (url TEXT)")
    engine.dispose()
    for opening in (Store.open, Store.create):
        with pytest.raises(StoreError, match="not a Penchant store; got tables: bookmarks"):
            opening(postgres_url)


def test_a_database_that_is_not_there_is_named(postgres: PostgresServer) -> None:
    with pytest.raises(StoreError, match=r"there is no such database; .*nowhere.*next: make an empty one \(createdb"):
        Store.create(postgres.url("nowhere"))


def test_a_password_is_never_shown(postgres: PostgresServer) -> None:
    wrong = [
        "postgresql://shop:secret-1@127.0.0.1:1/shop",
        f"postgresql://shop:secret-1@127.0.0.1:{postgres.port}/shop?options=-csecret-1",
        "postgresql://shop:secret-1@127.0.0.1:port/shop",
    ]
    for url in wrong:
        with pytest.raises(StoreError) as caught:
            Store.create(url)
        assert "secret-1" not in str(caught.value)
    with pytest.raises(StoreError, match=r"the store cannot be reached; got postgresql://shop@127.0.0.1:1/shop: "):
        Store.create(wrong[0])


def test_a_database_of_another_encoding_is_refused(postgres: PostgresServer) -> None:
    postgres.execute("CREATE DATABASE old ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0")
    with pytest.raises(StoreError, match=r"cannot hold all text; .*encoding SQL_ASCII; allowed: UTF8"):
        Store.create(postgres.url("old"))
    postgres.drop(postgres.url("old"))


def test_commits_wait_for_the_disk_whatever_the_database_was_told(postgres: PostgresServer, url: str) -> None:
    postgres.execute(f"ALTER DATABASE {sa.make_url(url).database} SET synchronous_commit = off")
    with Store.open(url) as store:
        with store._database.writing() as connection:
            assert connection.exec_driver_sql("SHOW synchronous_commit").scalar_one() == "on"
        assert store._database.facts()["commits"] == "fsync is off", "the test server's own setting is told"


def test_a_server_that_was_killed_is_found_again_with_all_it_acknowledged(own: PostgresServer) -> None:
    with Store.create(own.database()) as store:
        store.events.append([row(f"e{n}") for n in range(100)])
        own.kill()
        with pytest.raises(StoreError, match="the store cannot be reached"):
            store.events.counts()
        with pytest.raises(StoreError, match="the store cannot be reached"):
            store.events.append([row("late")])
        own.start()
        assert store.events.counts() == (100, 1)
        assert store.events.append([row("late"), row("e1")]).accepted == 1


def test_a_connection_cut_in_a_transaction_keeps_nothing_of_it(postgres: PostgresServer, store: Store) -> None:
    def write() -> None:
        with store._database.writing() as connection:
            connection.execute(sa.text("INSERT INTO api_keys VALUES ('k', 'n', 'h', '[]', 1, NULL)"))
            cut(postgres, connection)
            connection.exec_driver_sql("SELECT 1")

    with pytest.raises(StoreError, match=r"cannot be reached; .*nothing of this was kept"):
        write()
    assert store.keys.all() == []


def test_a_connection_cut_at_the_commit_is_told_as_not_known(postgres: PostgresServer, store: Store) -> None:
    def write() -> None:
        with store._database.writing() as connection:
            cut(postgres, connection)

    with pytest.raises(StoreError, match=r"hung up while it was keeping this; .*send it again: it may have been kept"):
        write()
    assert store.events.append([row("e")]).accepted == 1


def test_the_log_is_in_quarters_and_long_ago_is_one_part(store: Store) -> None:
    moments = [datetime(1970, 1, 1), datetime(1999, 12, 31), datetime(2000, 1, 1), datetime(2017, 12, 31, 23, 59, 59)]
    moments += [datetime(2018, 1, 1), datetime(2018, 3, 31), datetime(2018, 4, 1)]
    store.events.append([row(f"e{n}", at) for n, at in enumerate(moments)])
    assert parts(store) == {
        "events_2000q1": 1,
        "events_2017q4": 1,
        "events_2018q1": 2,
        "events_2018q2": 1,
        "events_before_2000": 2,
    }
    assert store.events.append([row("e0", datetime(2020, 1, 1))]).duplicates == 1, "an id is one, whatever its part"


def test_a_part_that_was_dropped_is_made_again(store: Store) -> None:
    store.events.append([row("e1")])
    with store._database.writing() as connection:
        connection.exec_driver_sql("DROP TABLE events_2017q3")
    assert store.events.counts() == (0, 0)
    assert store.events.append([row("e2")]).accepted == 1
    assert parts(store) == {"events_2017q3": 1}


def test_a_past_is_read_newest_part_first_and_no_further_than_asked(store: Store) -> None:
    moments = [datetime(2000 + year, month, 1) for year in range(10) for month in (1, 4, 7, 10)]
    store.events.append([row(f"e{n}-{k}", at) for n, at in enumerate(moments) for k in range(20)])
    query = """SELECT item FROM events WHERE "user" = 'ann' ORDER BY at DESC, seq DESC LIMIT 30"""
    with store._database.writing() as connection:
        connection.exec_driver_sql("ANALYZE events")
        plan = "\n".join(connection.exec_driver_sql(f"EXPLAIN (ANALYZE, COSTS off) {query}").scalars())
    assert plan.count("never executed") == 38, plan
    assert "Sort" not in plan, plan


def test_readers_and_writers_go_on_while_a_part_is_made(store: Store) -> None:
    store.events.append([row("e1")])
    with store._database.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM events").scalar_one() == 1
        done = threading.Thread(target=lambda: store.events.append([row("e2", datetime(2020, 1, 1))]))
        done.start()
        done.join(60)
        assert not done.is_alive(), "a new part waits for a reader"
        assert connection.exec_driver_sql("SELECT count(*) FROM events").scalar_one() == 1, "as it was at first"
    assert store.events.counts() == (2, 1)


def test_many_writers_of_the_same_ids_count_each_once(url: str) -> None:
    stores = [Store.open(url) for _ in range(4)]
    accepted: list[int] = []

    def write(number: int) -> None:
        for turn in range(10):
            names = [f"e{turn}-{n}" for n in range(50)]
            rows = [row(name) for name in (names if number % 2 else reversed(names))]
            accepted.append(stores[number].events.append(rows).accepted)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert (sum(accepted), stores[0].events.counts()) == (500, (500, 1))
    for store in stores:
        store.close()


def test_a_deadlock_is_tried_again(store: Store) -> None:
    database, tries, meet = store._database, [], threading.Barrier(2)
    store.keys.add({"id": "a", "name": "n", "hash": "h", "scopes": "[]", "created": 1})
    store.keys.add({"id": "b", "name": "n", "hash": "h", "scopes": "[]", "created": 1})

    def work(first: str, second: str) -> None:
        def cross(connection: sa.Connection) -> None:
            tries.append(first)
            for number, key in enumerate((first, second)):
                connection.exec_driver_sql("UPDATE api_keys SET created = created + 1 WHERE id = %s", (key,))
                if number == 0 and tries.count(first) == 1:
                    meet.wait(60)

        database.adding(cross)

    threads = [threading.Thread(target=work, args=pair) for pair in (("a", "b"), ("b", "a"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert [key.created for key in store.keys.all()] == [3, 3]
    assert len(tries) == 3, "one of both was undone and done again"


def test_the_longest_ids_are_kept(store: Store) -> None:
    long = "".join(chr(0x1F600 + n % 60) for n in range(512))
    assert store.events.append([row(long, user=long, item=long[::-1], kind=long)]).accepted == 1
    assert store.events.append([row(long)]).duplicates == 1
    assert store.events.past(Who(None), long, 5).items == (long[::-1],)


def test_a_nul_is_bad_input_and_not_a_failure(store: Store) -> None:
    with pytest.raises(InputError, match=r"text holds a NUL character; allowed: text without U\+0000"):
        store.events.past(Who(None), "ann\x00", 5)


def test_a_connection_that_broke_while_it_lay_idle_is_replaced_unnoticed(
    postgres: PostgresServer, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.events.append([row("e")])
    name = sa.make_url(store.url).database
    cut_all = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
    postgres.execute(cut_all)
    monkeypatch.setattr("penchant.store.postgres._IDLE", 0.0)
    assert store.events.counts() == (1, 1)
    postgres.execute(cut_all)
    assert store.events.append([row("f")]).accepted == 1


_WITHOUT_PSYCOPG = """
import sys
sys.modules["psycopg"] = None
from penchant.core.errors import MissingExtra
from penchant.store import Store
try:
    Store.open("postgresql://shop@127.0.0.1/shop")
except MissingExtra as error:
    print(error)
"""


def test_a_driver_that_is_not_installed_is_named_with_its_extra() -> None:
    done = subprocess.run([sys.executable, "-c", _WITHOUT_PSYCOPG], capture_output=True, text=True, check=False)
    assert done.stdout == "psycopg is not installed; next: pip install 'penchant[postgres]'\n", done.stderr


def test_the_order_of_text_is_that_of_its_bytes(store: Store) -> None:
    names = ["b", "B", "a", "Z", "ä", "_", "1"]
    store.events.append([row(f"e{n}", user=name) for n, name in enumerate(names)])
    assert store.events.busiest(9) == sorted(names)


def test_facts_name_the_server(url: str) -> None:
    database = database_of(url, create=False)
    assert database.facts()["database"] == "PostgreSQL"
    assert int(database.facts()["version"].split(".")[0]) >= 14
    database.close()
