"""``penchant data report``: of the store, and of a file without one."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from penchant.evaluation.datareport.report import DataReport

MAPPING = ("--map", "user=CustomerID", "--map", "item=StockCode", "--map", "at=InvoiceDate")
CATALOGUE = ("--map-item", "id=sku", "--map-item", "title=name", "--map-item", "attributes=brand,cost")


def _read(text: str) -> DataReport:
    return msgspec.json.decode(text, type=DataReport)


def test_the_store_is_told_of_with_its_catalogue(shop, run):
    ran = run("data", "report", "--json", "data.json", "--html", "data.html")
    assert (ran.status, ran.err) == (0, "")
    assert ran.out.startswith("Data report: the store, events of people who agreed to training\n")
    assert "3,200 events of 160 users and 36 items" in ran.out
    assert ran.out.endswith("written: data.json, data.html\n")
    report = _read(Path("data.json").read_text(encoding="utf-8"))
    assert report.catalogue.items == 36
    assert {each.field: each.missing for each in report.catalogue.fields}["categories"] == 0
    assert "<svg" in Path("data.html").read_text(encoding="utf-8")


def test_who_took_their_consent_back_is_not_counted(shop, run):
    assert run("consent", "withdraw", "u1", "--purpose", "train").status == 0
    report = _read(run("data", "report", "--json", "-").out)
    assert (report.size.users, report.size.events) == (159, 3180)


def test_nothing_to_learn_from_is_an_error(empty, run):
    run("init")
    ran = run("data", "report")
    assert (ran.status, ran.out) == (1, "")
    assert "there are no events that may be learnt from" in ran.err
    assert ran.err.count("\n") == 1


def test_a_file_needs_no_store(shop, run, tmp_path, monkeypatch):
    place = tmp_path / "elsewhere"
    place.mkdir()
    monkeypatch.chdir(place)
    ran = run("data", "report", shop / "orders.csv", *MAPPING, "--items", shop / "items.csv", *CATALOGUE)
    assert (ran.status, ran.err) == (0, "")
    assert ran.out.startswith("Data report: orders.csv\n")
    assert "refused: missing_user" in ran.out
    assert "without attributes.brand" in ran.out
    assert list(place.iterdir()) == []


def test_a_file_has_the_figures_that_its_import_has(shop, run):
    of_file = _read(run("data", "report", "orders.csv", *MAPPING, "--json", "-").out)
    of_store = _read(run("data", "report", "--json", "-").out)
    for name in ("size", "kinds", "users", "items", "repeats", "sessions", "learnable", "suspicions", "drift"):
        assert getattr(of_file, name) == getattr(of_store, name)
    assert (of_file.reading.read, of_file.reading.accepted) == (3202, 3200)


def test_the_weights_of_the_settings_count(shop, run):
    Path("penchant.toml").write_text("[events.weights]\nwish = 2.0\n", encoding="utf-8")
    ran = run("data", "report", "orders.csv", *MAPPING, "--set", "kind=wish", "--json", "-")
    assert [(kind.name, kind.weight, kind.known) for kind in _read(ran.out).kinds] == [("wish", 2.0, True)]


def test_other_rules_for_sessions_and_windows(shop, run):
    report = _read(run("data", "report", "--idle", "5", "--windows", "2", "--json", "-").out)
    assert "more than 5 minutes" in report.sessions.rule
    assert len(report.drift.windows) == 2


@pytest.mark.parametrize(
    ("args", "status", "text"),
    [
        (("absent.csv",), 1, "there is no such file; got absent.csv"),
        (("orders.csv",), 1, "--map user='CustomerID'"),
        (("broken.csv",), 1, "the file is empty"),
        (("orders.csv", *MAPPING, "--windows", "1"), 1, "windows are too few; got 1; allowed: 2 or more"),
        (("orders.csv", *MAPPING, "--idle", "0"), 1, "idle is out of range"),
        (("orders.csv", *MAPPING, "--html", "no/where.html"), 1, "there is no such folder; got no"),
        (("--map", "user=CustomerID"), 2, "--map is about a file, and none is named"),
        (("--items", "items.csv"), 2, "--items is about a file, and none is named"),
        (("orders.csv", "--map-item", "id=sku"), 2, "--map-item is about the catalogue; got no --items"),
        (("orders.csv", "--map", "who=CustomerID"), 2, "--map: unknown field; got who"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(shop, run, args, status, text):
    Path("broken.csv").write_text("", encoding="utf-8")
    ran = run("data", "report", *args)
    assert (ran.status, ran.out) == (status, "")
    assert text in ran.err
    assert ran.err.count("\n") == 1


def test_no_row_that_can_be_used(shop, run):
    Path("bad.csv").write_text("user,item,at\n,tea,2017-01-01\nann,tea,soon\n", encoding="utf-8")
    ran = run("data", "report", "bad.csv")
    assert ran.status == 1
    assert "no row can be used" in ran.err
    assert "1 bad_time" in ran.err
    assert not Path("bad.csv.rejects.csv").exists()


def test_data_alone_shows_what_there_is(empty, run):
    ran = run("data")
    assert ran.status == 0
    assert "report" in ran.out
