"""Files into the store: what cannot be used is counted, what was there is not counted again, consent is said or not."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from penchant.core.clock import FixedClock
from penchant.core.errors import EmptyData, Forbidden, InputError
from penchant.core.settings import Settings
from penchant.engine.engine import Engine
from penchant.engine.importing import Imported, import_events, import_items
from penchant.trust.access import SYSTEM, Actor

ROWS = "user,item,at,kind\nann,tea,2017-12-01,view\nbob,tea,2017-12-02,purchase\n,tea,2017-12-03,view\n"


@pytest.fixture
def orders(tmp_path: Path) -> Path:
    path = tmp_path / "orders.csv"
    path.write_text(ROWS, encoding="utf-8")
    return path


def bring(engine: Engine, source: object, **other: object) -> Imported:
    return import_events(engine.gate, SYSTEM, engine.settings, source, clock=engine.clock, **other)


def test_events_are_counted_whatever_becomes_of_them(engine: Engine, orders: Path) -> None:
    first = bring(engine, orders, mapping={"rejects": "beside"})
    assert (first.added, first.duplicates, first.users, first.consenting) == (2, 0, 2, 0)
    assert (first.quality.read, first.quality.accepted, first.quality.by_reason) == (3, 2, {"missing_user": 1})
    assert orders.with_name("orders.csv.rejects.csv").exists()
    again = bring(engine, orders)
    assert (again.added, again.duplicates) == (0, 2)
    assert [entry.kind for entry in engine.history(SYSTEM, "bob").events] == ["purchase"]


def test_consent_comes_with_a_basis_or_not_at_all(engine: Engine, orders: Path) -> None:
    bring(engine, orders)
    assert engine.history(SYSTEM, "ann").consent == {"train": False, "personalize": False}
    assert bring(engine, orders, consent="form of 2017").consenting == 2
    assert engine.history(SYSTEM, "ann").consent == {"train": True, "personalize": True}
    assert {state.basis for state in engine.gate.consent.state(SYSTEM, "ann")} == {"form of 2017"}
    with pytest.raises(InputError, match="consent needs a basis, and this one is empty"):
        bring(engine, orders, consent=" ")


def test_a_table_is_as_good_as_a_file(engine: Engine) -> None:
    table = pl.DataFrame({"who": ["ann"], "what": ["tea"], "when": ["2017-12-01"]})
    done = bring(engine, table, mapping={"user": "who", "item": "what", "at": "when", "constants": {"kind": "wish"}})
    assert done.added == 1
    assert [entry.kind for entry in engine.history(SYSTEM, "ann").events] == ["wish"]


def test_a_file_without_one_good_row_is_an_error_that_names_the_rejects(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    path.write_text("user,item,at\n,tea,2017-12-01\n", encoding="utf-8")
    with pytest.raises(
        EmptyData, match=r"no row of the file can be used; got bad\.csv: 1 rows read, 0 accepted"
    ) as told:
        bring(engine, path, mapping={"rejects": "beside"})
    assert told.value.then == f"see {path}.rejects.csv, or map the columns"
    with pytest.raises(EmptyData, match=r"next: map the columns$"):
        bring(engine, path)
    with pytest.raises(EmptyData, match=r"no row of the file can be used; .*missing_id"):
        import_items(engine.gate, SYSTEM, pl.DataFrame({"id": [""], "title": ["x"]}))


def test_how_far_ahead_an_event_may_lie_is_asked_of_the_clock(engine: Engine, clock: FixedClock) -> None:
    table = pl.DataFrame({"user": ["ann", "ann"], "item": ["tea", "tea"], "at": ["2018-01-01 06:00", "2018-01-03"]})
    assert bring(engine, table).quality.by_reason == {"future_time": 1}
    clock.advance(timedelta(days=3))
    done = bring(engine, table)
    assert (done.added, done.duplicates) == (1, 1)


def test_items_are_put_into_the_catalogue_and_shown_at_once(engine: Engine) -> None:
    table = pl.DataFrame(
        {"sku": ["i1", "i2"], "name": ["One", "Two"], "group": ["a|b", ""], "cost": [1.5, None], "size": ["L", None]}
    )
    fields = {"id": "sku", "title": "name", "categories": "group", "price": "cost", "attributes": ["size"]}
    assert import_items(engine.gate, SYSTEM, table, mapping=fields).added == 2
    stored = engine.gate.catalogue.get("i1")
    assert stored is not None
    assert (stored.title, stored.categories, stored.price, stored.attributes) == ("One", ("a", "b"), 1.5, {"size": "L"})
    shown = {ranked.item: ranked.title for ranked in engine.similar(SYSTEM, "i5", 40).items}
    assert shown["i1"] == "One"


def test_an_import_needs_its_scope(engine: Engine, settings: Settings, orders: Path) -> None:
    reader = Actor("reader", frozenset({"recommend:read"}))
    with pytest.raises(Forbidden, match="'reader' may not send events"):
        import_events(engine.gate, reader, settings, orders, clock=engine.clock)
    with pytest.raises(Forbidden, match="'reader' may not change the catalogue"):
        import_items(engine.gate, reader, pl.DataFrame({"id": ["x"], "title": ["X"]}))
    assert engine.history(SYSTEM, "ann").events == ()


def test_events_and_consent_are_written_by_who_may_write_both(engine: Engine, settings: Settings, orders: Path) -> None:
    writer = Actor("writer", frozenset({"events:write"}))
    with pytest.raises(Forbidden, match="'writer' may not record what people agree to"):
        import_events(engine.gate, writer, settings, orders, clock=engine.clock, consent="form")
    assert engine.history(SYSTEM, "ann").consent == {"train": False, "personalize": False}
    assert engine.history(SYSTEM, "ann").events == (), "nothing is half-written"
