"""Input that cannot be read, each with the error that says so."""

import gzip
import time

import pandas as pd
import polars as pl
import pytest

from penchant.core.errors import EmptyData, InputError, MissingColumn
from penchant.data.readers import read_events, read_items

GOOD = "user,item,at\nann,tea,2017-01-01\n"
KINDS = ".csv, .tsv, .txt, .parquet, .jsonl, .ndjson, .json, each also with .gz"


def refusal(source, kind=InputError, **options):
    with pytest.raises(kind) as caught:
        read_events(source, **options)
    return str(caught.value)


def write(folder, content, name="orders.csv"):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize("name", ["orders.csv", "orders.jsonl", "orders.parquet"])
def test_an_empty_file(tmp_path, name):
    text = refusal(write(tmp_path, "", name), EmptyData)
    assert text == f"the file is empty; got {name}; next: check how it was exported"


@pytest.mark.parametrize("content", ["user,item,at", "user,item,at\n", "\nuser,item,at\n\n\n"])
def test_a_header_and_nothing_else(tmp_path, content):
    text = refusal(write(tmp_path, content), EmptyData)
    assert text == "the file has a header but no rows; got orders.csv; next: check how it was exported"


def test_a_table_without_rows():
    empty = pl.DataFrame({"user": [], "item": [], "at": []})
    assert refusal(empty, EmptyData) == "the polars table has no rows; next: check how it was made"


def test_the_wrong_delimiter(tmp_path):
    path = write(tmp_path, GOOD.replace(",", ";"))
    assert refusal(path, separator=",") == (
        "only one column was found with the separator ','; got the first line 'user;item;at'; "
        "allowed: a comma, semicolon, tab or vertical bar between fields; "
        "next: the file looks separated by a semicolon: pass separator=';'"
    )
    path = write(tmp_path, GOOD.replace(",", "::"))
    assert refusal(path).endswith("between fields; next: pass separator=<the character between fields>")
    assert refusal(path, separator="::") == "not a separator; got ::; allowed: one character"


def test_columns_that_do_not_fit(tmp_path):
    path = write(tmp_path, "196\t242\t3\t881250949\n", "u.data")
    assert refusal(path, separator="\t", columns=["user", "item", "at"]) == (
        "the columns do not fit the file; got 3 columns for 4 fields in the first line '196\\t242\\t3\\t881250949'; "
        "allowed: a name for each field; next: name every column, also those that are not needed"
    )


def test_a_missing_column(tmp_path):
    path = write(tmp_path, "CustomerID,StockCode,InvoiceDate\n1,2,2017-01-01\n")
    assert refusal(path, MissingColumn, user="CustomerId", item="StockCode", at="InvoiceDate") == (
        "orders.csv has no column 'CustomerId' for user; got CustomerID, StockCode, InvoiceDate; "
        "allowed: any of these columns; next: say which one it is: user='CustomerID'"
    )
    assert refusal(path, MissingColumn, user="CustomerID", item="StockCode").endswith(
        "for at; got CustomerID, StockCode, InvoiceDate; allowed: any of these columns; "
        "next: say which one it is: at='<column>'"
    )


def test_an_optional_column_that_was_named_must_be_there(tmp_path):
    lines = write(tmp_path, '{"user": "a", "item": "b", "at": 1, "price": 2}\n', "orders.jsonl")
    for source in (write(tmp_path, GOOD), lines, pl.DataFrame({"user": ["a"], "item": ["b"], "at": [1]})):
        text = refusal(source, MissingColumn, value="Quantity")
        assert "has no column 'Quantity' for value; got user, item, at" in text
    assert refusal(lines, MissingColumn, user="usr") == (
        "orders.jsonl has no column 'usr' for user; got user, item, at, price; allowed: any of these columns; "
        "next: say which one it is: user='user'"
    )


def test_a_column_that_is_there_twice(tmp_path):
    path = write(tmp_path, "user,item,at,user\na,b,1,c\n")
    assert refusal(path) == "a column is there more than once; got user; allowed: one column of a name"


def test_mixed_types_in_a_column(tmp_path):
    mixed = pd.DataFrame({"user": pd.Series([1, "ann"], dtype=object), "item": ["a", "b"], "at": [1, 2]})
    text = refusal(mixed)
    assert text.startswith("the column 'user' mixes types; got ")
    assert text.endswith("allowed: one type in a column; next: convert it first: table['user'].astype(str)")
    events = read_events(write(tmp_path, "user,item,at,value\n1,a,1,1\nann,b,2,many\n"))
    assert events.table["user"].to_list() == ["1"]
    assert events.quality.by_reason == {"bad_value": 1}


def test_a_type_that_holds_no_ids_or_times():
    table = pl.DataFrame({"user": [["a"]], "item": ["b"], "at": [1]})
    assert refusal(table) == (
        "the column of user has a type that cannot be used; got List(String); allowed: text or numbers; "
        "next: convert it to text"
    )
    table = pl.DataFrame({"user": ["a"], "item": ["b"], "at": [True]})
    assert refusal(table) == (
        "a column of times has a type that cannot be used; got Boolean; allowed: a datetime, a date, text or a number"
    )


@pytest.mark.parametrize("name", ["giant.csv", "giant.jsonl", "giant.csv.gz"])
def test_a_giant_line_is_refused_without_being_held(tmp_path, name):
    path = tmp_path / name
    with gzip.open(path, "wb", 1) if name.endswith("gz") else path.open("wb") as file:
        file.write(b"user,item,at\nann,tea,1\n")
        for _ in range(64):
            file.write(b"x" * (1 << 20))
    started = time.monotonic()
    text = refusal(path)
    assert time.monotonic() - started < 5
    assert text == (
        f"line 3 is too long; got more than 16,777,216 bytes in {name}; allowed: 16,777,216 bytes in a line; "
        "next: check that the file has line ends"
    )
    assert refusal(path, line_limit=1000).startswith("line 3 is too long; got more than 1,000 bytes")


def test_not_a_number_and_infinity(tmp_path):
    text = GOOD.replace("at", "at,value").replace("2017-01-01", "2017-01-01,nan") + "ann,tea,1,1e999\nann,tea,1,inf\n"
    quality = read_events(write(tmp_path, text)).quality
    assert quality.by_reason == {"not_finite": 3}
    table = pl.DataFrame({"user": ["a"] * 2, "item": ["b"] * 2, "at": [float("nan"), float("inf")]})
    assert read_events(table).quality.by_reason == {"bad_time": 2}


def test_the_year_9999_and_times_without_end(tmp_path):
    quality = read_events(write(tmp_path, GOOD + "ann,tea,9999-12-31T23:59:59Z\nann,tea,99999-01-01\n")).quality
    assert quality.by_reason == {"bad_time": 1, "future_time": 1}
    huge = pl.DataFrame({"user": ["a"] * 2, "item": ["b"] * 2, "at": [10**18, 253402300799]})
    assert read_events(huge).quality.by_reason == {}


def test_duplicate_ids(tmp_path):
    text = "user,item,at,id\nann,tea,1,x\nann,jam,2,x\nann,rye,3,\nann,rye,3,\n"
    events = read_events(write(tmp_path, text))
    assert events.table["item"].to_list() == ["tea", "rye", "rye"]
    assert events.quality.rejects.rows() == [(3, "duplicate_id", "ann,jam,2,x")]


def test_utf16_is_named(tmp_path):
    text = refusal(write(tmp_path, GOOD.encode("utf-16")))
    assert text == (
        "the file is not UTF-8 text; got orders.csv: UTF-16 (or UTF-32); allowed: UTF-8; "
        "next: convert it: iconv -f UTF-16 -t UTF-8 orders.csv"
    )
    assert "binary data, or UTF-16 without a mark" in refusal(write(tmp_path, GOOD.encode("utf-16-le")))


def test_gzip_that_is_cut_short_damaged_or_none(tmp_path):
    whole = gzip.compress((GOOD + "ann,tea,1\n" * 50_000).encode())
    short = write(tmp_path, whole[: len(whole) // 2], "orders.csv.gz")
    assert refusal(short).startswith("the gzip file is damaged or cut short; got orders.csv.gz: ")
    flipped = write(tmp_path, whole[:40] + bytes(255 - b for b in whole[40:60]) + whole[60:], "orders.csv.gz")
    assert refusal(flipped).endswith("next: copy or download it again")
    none = write(tmp_path, GOOD, "orders.csv.gz")
    assert refusal(none) == "not a gzip file; got orders.csv.gz; allowed: a file that gzip wrote; next: drop the .gz"


def test_parquet_that_is_damaged(tmp_path):
    path = tmp_path / "orders.parquet"
    pl.DataFrame({"user": ["a"] * 500, "item": [str(i) for i in range(500)], "at": range(500)}).write_parquet(path)
    whole = path.read_bytes()
    for content in (b"PAR1", b"not parquet at all", whole[:-20], whole[:20] + bytes(200) + whole[220:]):
        text = refusal(write(tmp_path, content, "bad.parquet"))
        assert text.startswith("the parquet file is damaged or is not one; got bad.parquet: ")


def test_places_where_there_is_no_file(tmp_path):
    assert refusal(tmp_path) == f"a directory is not a file; got {tmp_path}; allowed: a file; next: name one file in it"
    assert refusal(tmp_path / "no.csv").startswith(
        f"there is no such file; got {tmp_path}/no.csv; next: look from here"
    )
    assert refusal(write(tmp_path, GOOD, "orders.xlsx")) == (
        f"a file of a kind that is not known; got orders.xlsx; allowed: {KINDS}; "
        "next: rename or convert it, or pass separator= for delimited text"
    )
    assert refusal(42) == "not a file or a table; got int; allowed: a path, or a pandas, polars or Arrow table"


def test_a_json_array_is_not_json_lines(tmp_path):
    assert refusal(write(tmp_path, '[{"user": 1}]', "orders.json")) == (
        "the file is a JSON array; got orders.json; allowed: JSON Lines: one object a line; "
        "next: convert it: jq -c '.[]' orders.json > orders.jsonl"
    )


def test_days_and_months_that_cannot_be_told_apart(tmp_path):
    path = write(tmp_path, "user,item,at\na,b,01/12/2010 08:26\na,b,02/11/2010 08:26\n")
    hint = "next: say it: time_format='%d/%m/%Y %H:%M' or '%m/%d/%Y %H:%M'"
    assert refusal(path) == (
        "the times can be read as day/month or month/day; got 01/12/2010 08:26; allowed: an order that can be told; "
        + hint
    )
    mixed = write(tmp_path, "user,item,at\na,b,13/12/2010\na,b,12/13/2010\n", "mixed.csv")
    assert refusal(mixed).startswith("the times mix day/month and month/day; got 13/12/2010; ")
    assert read_events(path, time_format="%d/%m/%Y %H:%M").table["at"].dt.month().to_list() == [12, 11]
    assert read_events(path, time_format="%H:%M").quality.by_reason == {"bad_time": 2}


def test_items_are_refused_the_same_way(tmp_path):
    with pytest.raises(MissingColumn, match="has no column 'id' for id; got sku, title"):
        read_items(write(tmp_path, "sku,title\n1,Tea\n"))
