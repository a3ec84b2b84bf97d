"""The commands over PostgreSQL, standard input, queries and copies."""

from __future__ import annotations

import io
import sys
from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa

ROWS = "user,item,at\nann,tea,2026-01-01\nbob,tea,2026-01-02\n,tea,2026-01-03\n"


class Piped:
    """Standard input with something in it."""

    def __init__(self, text: str) -> None:
        self.buffer = io.BytesIO(text.encode())


def test_a_shop_on_postgres_from_init_to_doctor(empty: Path, run, postgres_url: str) -> None:
    secret = postgres_url.replace("postgres@", "postgres:secret-1@")
    ran = run("init", "--store", secret)
    assert ran.status == 0, ran
    assert "the store is ready" in ran.out
    assert "secret-1" not in ran.out
    assert f'store = "{secret}"' in Path("penchant.toml").read_text(encoding="utf-8")
    Path("orders.csv").write_text(ROWS, encoding="utf-8")
    assert "2 events added" in run("import", "orders.csv", "--consent", "form").out
    assert "2 were in the store already" in run("import", "orders.csv").out
    told = run("store", "info")
    assert told.status == 0, told
    assert "PostgreSQL" in told.out
    assert "fsync is off" in told.out
    assert "secret-1" not in told.out + run("doctor").out
    assert "warn  database: PostgreSQL" in run("doctor").out, "the test server does not wait for the disk"
    copied = run("store", "copy", secret, f"sqlite:///{empty}/copy.db")
    assert copied.status == 0, copied
    assert "found to be the same on both sides" in copied.out
    again = run("store", "copy", secret, f"sqlite:///{empty}/copy.db")
    assert (again.status, "the target is not empty" in again.err) == (1, True)


def test_old_events_are_removed_on_request_and_a_day_to_come_is_refused(empty: Path, run) -> None:
    run("init")
    Path("orders.csv").write_text(ROWS, encoding="utf-8")
    run("import", "orders.csv", "--consent", "form")
    ran = run("store", "prune", "--before", "2000-01-01")
    assert (ran.status, ran.out) == (0, "0 events of before 2000-01-01 removed\n")
    ahead = run("store", "prune", "--before", "2999-01-01")
    assert (ahead.status, ahead.out) == (1, "")
    told = (
        "error: the moment lies in the future; got 2999-01-01T00:00:00; allowed: the past; next: choose a day that is"
    )
    assert ahead.err.startswith(told)
    ran = run("store", "prune", "--before", f"{date.today():%Y-%m-%d}")
    assert ran.out.startswith("2 events of before "), ran
    assert "penchant train, for the models in charge still hold what they learnt of them" in ran.out + ran.err
    assert "2 events added" in run("import", "orders.csv").out, "their ids went with them"


def test_a_server_that_is_not_there_is_one_line(empty: Path, run) -> None:
    ran = run("init", "--store", "postgresql://shop:secret-1@127.0.0.1:1/shop")
    assert ran.status == 1
    assert ran.err.startswith("error: the store cannot be reached; got postgresql://shop@127.0.0.1:1/shop: ")
    assert ran.err.count("\n") == 1
    assert "secret-1" not in ran.err


def test_events_come_through_a_pipe(empty: Path, run, monkeypatch: pytest.MonkeyPatch) -> None:
    run("init")
    monkeypatch.setattr(sys, "stdin", Piped(ROWS))
    ran = run("import", "-")
    assert ran.status == 0, ran
    assert "stdin.csv: 3 rows read, 2 accepted, 1 rejected" in ran.out
    assert Path("stdin.rejects.csv").read_text(encoding="utf-8").count("missing_user") == 1
    monkeypatch.setattr(sys, "stdin", Piped(""))
    assert "standard input is empty" in run("import", "-").err


def test_events_and_items_come_from_a_query(empty: Path, run, monkeypatch: pytest.MonkeyPatch) -> None:
    run("init")
    engine = sa.create_engine(f"sqlite:///{empty}/till.db")
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE sales (buyer TEXT, sku INTEGER, day TEXT, name TEXT)")
        connection.exec_driver_sql(
            "INSERT INTO sales VALUES ('ann', 7, '2026-01-02', 'Tea'), ('', 8, '2026-01-02', 'Jam')"
        )
    engine.dispose()
    url = f"sqlite:///{empty}/till.db"
    query = ("--query", "SELECT buyer AS user, sku AS item, day AS at FROM sales", "--url", url)
    ran = run("import", *query, "--set", "kind=purchase")
    assert ran.status == 0, ran
    assert "1 events added" in ran.out
    assert Path("query.rejects.csv").exists()
    assert "1 were in the store already" in run("import", *query, "--set", "kind=purchase").out
    monkeypatch.setenv("PENCHANT_SOURCE", url)
    ran = run("import", "--items", "--query", "SELECT sku AS id, name AS title FROM sales")
    assert "2 items put into the catalogue" in ran.out, ran


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ((), "name a file, - for standard input, or --query; got none"),
        (("-", "-"), "standard input can be read once; got - twice"),
        (("a.csv", "--query", "SELECT 1"), "--query stands alone; got a.csv too"),
        (("--query", "SELECT 1"), "--query needs the database that it asks"),
    ],
)
def test_sources_that_do_not_go_together(empty: Path, run, args: tuple[str, ...], said: str) -> None:
    run("init")
    ran = run("import", *args)
    assert (ran.status, said in ran.err) == (2, True), ran
