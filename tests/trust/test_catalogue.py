"""Items in, items out."""

from __future__ import annotations

from datetime import UTC, date, datetime
from math import inf, nan

import polars as pl
import pytest

from penchant.core.errors import InputError, MissingColumn
from penchant.core.nouns import Item
from penchant.trust.access import SYSTEM
from penchant.trust.gate import Gate

FULL = Item(
    "tea",
    "Green tea",
    text="Two\nlines",
    categories=("drinks", "té"),
    price=2.5,
    currency="EUR",
    available=False,
    published=datetime(2017, 1, 1, tzinfo=UTC),
    attributes={"brand": "Zoë", "sizes": [1, 2]},
)


def test_an_item_comes_back_as_it_went(gate: Gate) -> None:
    version = gate.catalogue.put(SYSTEM, [FULL, Item("milk", "Milk")])
    assert gate.catalogue.get("tea") == FULL
    assert gate.catalogue.get("nothing") is None
    assert gate.catalogue.changed() == ([Item("milk", "Milk"), FULL], version)
    assert gate.catalogue.changed(version) == ([], version)
    assert gate.catalogue.put(SYSTEM, [Item("milk", "Oat milk")]) > version
    assert [item.title for item in gate.catalogue.changed(version)[0]] == ["Oat milk"]
    assert gate.catalogue.count() == 2


BAD = [
    ({"id": ""}, "id is empty; .*allowed: 1 to 512 characters without control characters"),
    ({"id": "a\tb"}, "id has a control character"),
    ({"title": "  "}, "title is empty; .*allowed: what a person reads"),
    ({"title": 5}, "title is empty"),
    ({"title": "a\udfff"}, "title holds what is not text"),
    ({"text": "a\x00"}, "text holds what is not text"),
    ({"categories": (1,)}, "categories holds what is not text"),
    ({"price": nan}, "price is out of range; got nan; allowed: a finite number, 0 or more"),
    ({"price": inf}, "price is out of range; got inf"),
    ({"price": -0.01}, "price is out of range; got -0.01"),
    ({"currency": "eur"}, "currency is not a currency; got eur; allowed: three capital letters"),
    ({"currency": "EURO"}, "currency is not a currency"),
]


@pytest.mark.parametrize(("wrong", "text"), BAD)
def test_one_bad_item_keeps_all_out_and_is_named(wrong: dict[str, object], text: str, gate: Gate) -> None:
    with pytest.raises(InputError, match=f"item 1: {text}"):
        gate.catalogue.put(SYSTEM, [FULL, Item(**{"id": "b", "title": "B", **wrong})])
    assert gate.catalogue.count() == 0


def test_a_table_is_items(gate: Gate) -> None:
    table = pl.DataFrame(
        {
            "id": ["tea", "milk"],
            "title": ["Green tea", "Milk"],
            "categories": [["drinks"], None],
            "price": [2, None],
            "available": [False, None],
            "published": [datetime(2017, 1, 1), None],
            "attributes": [{"brand": "Zoë", "size": None}, {"brand": None, "size": None}],
        }
    )
    gate.catalogue.put_table(SYSTEM, table)
    assert gate.catalogue.get("milk") == Item("milk", "Milk")
    tea = gate.catalogue.get("tea")
    assert tea is not None
    assert (tea.categories, tea.price, tea.available, tea.attributes) == (("drinks",), 2.0, False, {"brand": "Zoë"})
    assert tea.published == datetime(2017, 1, 1, tzinfo=UTC)
    gate.catalogue.put_table(SYSTEM, table.with_columns(attributes=pl.lit('{"brand":"own"}')))
    assert gate.catalogue.changed()[0][0].attributes == {"brand": "own"}


BAD_TABLES = [
    ({"colour": pl.lit("red")}, "a column that is not known; got colour; allowed: id, title, .*put other columns in"),
    ({"title": pl.lit(None, pl.String)}, "item 0: title is empty"),
    ({"id": pl.Series([1, 2])}, r"item 0 cannot be used; got Expected `str`, got `int` - at `\$.id`"),
    ({"price": pl.Series(["1", "2"])}, r"item 0 cannot be used; .* at `\$.price`"),
    ({"published": pl.Series([None, date(2017, 1, 1)])}, r"item 1 cannot be used; .*`\$.published`"),
    ({"attributes": pl.Series(["{}", "[]"])}, "item 1 cannot be used; got Expected `object`, got `array`"),
    ({"attributes": pl.Series(["{}", "{"])}, "item 1 cannot be used; got Input data was truncated"),
]


@pytest.mark.parametrize(("wrong", "text"), BAD_TABLES)
def test_a_bad_table_is_refused_whole(wrong: dict[str, pl.Expr | pl.Series], text: str, gate: Gate) -> None:
    table = pl.DataFrame({"id": ["a", "b"], "title": ["A", "B"]})
    with pytest.raises(InputError, match=text):
        gate.catalogue.put_table(SYSTEM, table.with_columns(**wrong))
    assert gate.catalogue.count() == 0


def test_a_table_needs_ids_and_titles(gate: Gate) -> None:
    with pytest.raises(MissingColumn, match="the items have no column 'title'; got id; allowed: id, title"):
        gate.catalogue.put_table(SYSTEM, pl.DataFrame({"id": ["a"]}))


def test_an_id_stands_once(gate: Gate) -> None:
    for put in (
        lambda: gate.catalogue.put(SYSTEM, [Item("milk", "Milk"), FULL, Item("tea", "Tea")]),
        lambda: gate.catalogue.put_table(
            SYSTEM, pl.DataFrame({"id": ["milk", "oil", "milk"], "title": ["A", "B", "C"]})
        ),
    ):
        with pytest.raises(
            InputError, match=r"^item 2: id stands twice; got \w+, as item [01]; next: keep one of them$"
        ):
            put()
    assert gate.catalogue.count() == 0
