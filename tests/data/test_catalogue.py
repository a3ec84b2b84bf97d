"""Items from any table."""

from datetime import UTC, datetime

import polars as pl
import pytest

from penchant.core.errors import InputError
from penchant.data.readers import read_items

CSV = """id,title,categories,price,currency,available,published,attributes,text
tea,Green tea,drinks|hot,2.50,GBP,yes,2017-01-01,"{""size"": 20}",Leaves
jam,,food,,,,,,
,No id,food,1,,,,,
rye,Rye,food,cheap,,,,,
oat,Oat,food,-1,,,,,
fig,Fig,food,inf,,,,,
nut,Nut,food,1,,maybe,,,
egg,Egg,food,1,,no,soon,,
ham,Ham,food,1,,no,,broken,
tea,Black tea,drinks,3,,no,,,
"""


def test_a_catalogue_and_its_faults(tmp_path):
    path = tmp_path / "items.csv"
    path.write_text(CSV)
    items = read_items(path)
    assert items.quality.rejects.select("line", "reason").rows() == [
        (2, "duplicate_id"),  # the last row of an id counts
        (4, "missing_id"),
        (5, "bad_price"),
        (6, "bad_price"),
        (7, "bad_price"),
        (8, "bad_available"),
        (9, "bad_time"),
        (10, "bad_attributes"),
    ]
    assert items.quality.notes == ("1 items have no title and are called by their id",)
    assert items.table.rows() == [
        ("jam", "jam", "", ["food"], None, None, True, None, "{}"),
        ("tea", "Black tea", "", ["drinks"], 3.0, None, False, None, "{}"),
    ]


def test_lists_and_objects_of_json_and_of_tables(tmp_path):
    path = tmp_path / "items.jsonl"
    path.write_text(
        '{"id": 1, "title": "Tea", "categories": ["drinks", " hot "], "attributes": {"size": 20}, "price": 2}\n'
    )
    from_json = read_items(path, constants={"currency": "EUR"}).table
    table = pl.DataFrame(
        {
            "id": ["1"],
            "title": ["Tea"],
            "categories": [["drinks", "hot", ""]],
            "attributes": [{"size": 20}],
            "price": [2.0],
        }
    )
    assert from_json.equals(read_items(table, constants={"currency": "EUR"}).table)
    assert from_json.select("categories", "attributes", "currency").row(0) == (["drinks", "hot"], '{"size":20}', "EUR")


def test_columns_are_gathered_into_attributes():
    table = pl.DataFrame({"sku": ["1", "2"], "brand": ["Ours", None], "made": [datetime(2017, 1, 1)] * 2})
    items = read_items(table, id="sku", title="brand", published="made", attributes=["brand", "made"]).table
    assert items["attributes"].to_list() == [
        '{"brand":"Ours","made":"2017-01-01T00:00:00"}',
        '{"made":"2017-01-01T00:00:00"}',
    ]
    assert items["title"].to_list() == ["Ours", "2"]
    assert items["published"][0] == datetime(2017, 1, 1, tzinfo=UTC)


def test_an_unknown_constant_is_refused():
    with pytest.raises(InputError, match=r"unknown constant; got curency; .*did you mean 'currency'"):
        read_items(pl.DataFrame({"id": ["1"]}), constants={"curency": "EUR"})


def test_a_single_column_that_holds_no_objects_is_an_attribute_of_its_name():
    table = pl.DataFrame({"id": ["tea", "jam"], "brand": ["Elm", None], "extra": ['{"size":"L"}', "{broken"]})
    assert read_items(table, attributes="brand").table["attributes"].to_list() == ['{"brand":"Elm"}', "{}"]
    read = read_items(table, attributes="extra", rejects=False)
    assert (read.table["attributes"].to_list(), read.quality.accepted) == (['{"size":"L"}'], 1)
