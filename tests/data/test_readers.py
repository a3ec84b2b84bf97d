"""Every way in gives the same events, and every row is accounted for."""

import csv
import gzip
import io
from contextlib import contextmanager
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penchant.core.errors import InputError
from penchant.data.columns import Mapping
from penchant.data.delimited import layout, read_delimited
from penchant.data.quality import REASONS
from penchant.data.readers import read_events, read_items

HEADER = "user,item,at,kind,value,id\n"
ROWS = "ann,tea,2017-01-01 11:53:26,purchase,2,1\nbob,milk,2017-01-02,view,1,2\n"


def write(folder, text, name="orders.csv"):
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def reasons(events):
    return list(events.quality.rejects.select("line", "reason").iter_rows())


def test_blank_lines_before_the_header_are_no_rows(tmp_path):
    events = read_events(write(tmp_path, 25 * "\n" + HEADER + ROWS))
    assert (events.table["user"].to_list(), events.quality.read) == (["ann", "bob"], 2)


def test_every_format_gives_the_same_table(tmp_path):
    table = pl.read_csv(io.StringIO(HEADER + ROWS), infer_schema=False)
    csv_path = write(tmp_path, HEADER + ROWS)
    tsv = write(tmp_path, (HEADER + ROWS).replace(",", "\t"), "orders.tsv")
    semicolons = write(tmp_path, (HEADER + ROWS).replace(",", ";"), "orders.txt")
    zipped = write(tmp_path, gzip.compress((HEADER + ROWS).encode()), "orders.csv.gz")
    windows = write(tmp_path, ("\ufeff" + HEADER + ROWS).replace("\n", "\r\n").rstrip(), "windows.csv")
    table.write_parquet(tmp_path / "orders.parquet")
    packed = write(tmp_path, gzip.compress((tmp_path / "orders.parquet").read_bytes()), "packed.parquet.gz")
    table.write_ndjson(tmp_path / "orders.jsonl")
    lines = write(tmp_path, gzip.compress((tmp_path / "orders.jsonl").read_bytes()), "orders.ndjson.gz")
    sources = [csv_path, str(tsv), semicolons, zipped, windows, tmp_path / "orders.parquet", packed, lines]
    sources += [tmp_path / "orders.jsonl", table, table.lazy(), table.to_arrow(), table.to_pandas()]
    first = read_events(csv_path).table
    assert first.columns[:5] == ["user", "item", "kind", "at", "value"]
    assert first.columns[5:] == ["id", "session", "channel", "replaces", "slate", "price"]
    assert first.row(0) == (
        "ann",
        "tea",
        "purchase",
        datetime(2017, 1, 1, 11, 53, 26, tzinfo=UTC),
        2.0,
        "1",
        *[None] * 5,
    )
    assert first.schema["at"] == pl.Datetime("us", "UTC")
    for source in sources:
        assert read_events(source).table.equals(first)


def test_absent_columns_take_their_defaults_and_empty_cells_too(tmp_path):
    events = read_events(write(tmp_path, "user,item,at\nann,tea,1\n"))
    assert events.table.select("kind", "value").row(0) == ("purchase", 1.0)
    assert events.quality.notes == ()
    events = read_events(write(tmp_path, "user,item,at,value,kind\nann,tea,1,,\nann,tea,1,3,view\n"))
    assert events.table.select("kind", "value").rows() == [("purchase", 1.0), ("view", 3.0)]
    assert events.quality.notes == (
        "kind was empty in 1 rows and taken as purchase",
        "value was empty in 1 rows and taken as 1",
    )


def test_constants_stand_for_a_column():
    table = pl.DataFrame({"user": ["ann"], "item": ["tea"], "at": [1], "kind": ["purchase"]})
    assert read_events(table, constants={"kind": "view", "value": 2}).table.select("kind", "value").row(0) == (
        "view",
        2.0,
    )
    with pytest.raises(
        InputError, match="unknown constant; got kin; allowed: channel, kind, session, value; next: did"
    ):
        read_events(table, constants={"kin": "view"})


def test_one_column_may_feed_two_fields(tmp_path):
    path = write(tmp_path, "SessionId\tItemId\tTime\n27\t5959\t1593536687.0\n", "train.txt")
    events = read_events(path, user="SessionId", item="ItemId", at="Time", session="SessionId")
    assert events.table.select("user", "session", "item").row(0) == ("27", "27", "5959")
    assert events.table["at"].item() == datetime(2020, 6, 30, 17, 4, 47, tzinfo=UTC)


def test_a_file_without_a_header(tmp_path):
    path = write(tmp_path, "196\t242\t3\t881250949\n186\t302\t3\t891717742\n", "u.data")
    events = read_events(path, separator="\t", columns=["user", "item", "value", "at"], constants={"kind": "rating"})
    assert events.table["user"].to_list() == ["196", "186"]
    assert events.table["kind"].to_list() == ["rating", "rating"]


def test_numeric_ids_lose_their_point_zero(tmp_path):
    floats = pd.DataFrame({"user": [17850.0, np.nan], "item": [1, 2], "at": ["2010-12-01"] * 2})
    events = read_events(floats)
    assert events.table["user"].to_list() == ["17850"]
    assert reasons(events) == [(2, "missing_user")]
    assert read_events(write(tmp_path, "user,item,at\n17850.0,1.5,1\n1.0,2.0,1\n")).table.select(
        "user", "item"
    ).rows() == [
        ("17850", "1.5"),
        ("1", "2.0"),
    ]
    assert read_events(write(tmp_path, '{"user": 17850.0, "item": 7, "at": 1}\n', "a.jsonl")).table.row(0)[:2] == (
        "17850",
        "7",
    )


BAD = """user,item,at,value,id
ann,tea,2017-01-01,1,a
,tea,2017-01-01,1,b
ann, ,2017-01-01,1,c
ann,tea,,1,d
ann,tea,soon,1,e
ann,tea,9999-12-31,1,f
ann,tea,2017-01-01,two,g
ann,tea,2017-01-01,NaN,h
ann,tea,2017-01-01,-inf,i
ann,tea,2017-01-01,1,a

ann,tea,2017-01-01,1
ann,tea,2017-01-01,1,j,k
ann,tea,2017-01-02,1,b
"""
WHY = [
    (3, "missing_user"),
    (4, "missing_item"),
    (5, "missing_time"),
    (6, "bad_time"),
    (7, "future_time"),
    (8, "bad_value"),
    (9, "not_finite"),
    (10, "not_finite"),
    (11, "duplicate_id"),
    (13, "bad_row"),
    (14, "bad_row"),
]


@pytest.mark.parametrize("quoted", [False, True])
def test_every_fault_is_told_with_its_line_and_text(tmp_path, quoted):
    text = BAD.replace("ann", '"ann"') if quoted else BAD
    events = read_events(write(tmp_path, text))
    assert reasons(events) == WHY
    lines = text.split("\n")
    assert events.quality.rejects["text"].to_list() == [lines[line - 1] for line, _ in WHY]
    assert events.table["id"].to_list() == ["a", "b"]  # the rejected first b does not shadow the good one
    assert (events.quality.read, events.quality.accepted, events.quality.rejected) == (13, 2, 11)
    assert events.quality.by_reason["not_finite"] == 2
    assert set(events.quality.by_reason) <= set(REASONS)


def test_the_summary_in_words(tmp_path):
    quality = read_events(write(tmp_path, "user,item,at\n,tea,1\n,jam,1\nann,tea,soon\nann,tea,1\n")).quality
    assert str(quality) == (
        "orders.csv: 4 rows read, 1 accepted, 3 rejected\n"
        "  2 missing_user (no user), first at line 2\n"
        "  1 bad_time (a time that cannot be read), first at line 4"
    )


def test_the_caller_says_when_the_future_begins(tmp_path):
    path = write(tmp_path, "user,item,at\nann,tea,2017-01-01T00:00:00Z\nann,tea,2017-01-01T00:00:01Z\n")
    assert reasons(read_events(path, now=datetime(2017, 1, 1))) == [(3, "future_time")]
    assert reasons(read_events(path)) == []


def test_json_lines_that_are_not_objects_of_scalars(tmp_path):
    text = b'{"user": "a", "item": "x", "at": 1}\n[1]\n{"user": {"id": 1}, "item": "x", "at": 1}\n\n{"user": "a", \n'
    text += b'{"user": "caf\xe9", "item": "x", "at": 1}\n{"user": null, "item": "x", "at": 1, "value": true}\n'
    events = read_events(write(tmp_path, text, "orders.jsonl"))
    assert reasons(events) == [(2, "bad_row"), (3, "bad_row"), (5, "bad_row"), (6, "bad_encoding"), (7, "missing_user")]
    assert events.quality.rejects["text"][3] == '{"user": "caf\\xe9", "item": "x", "at": 1}'


def test_lines_that_are_not_utf8_are_told(tmp_path):
    events = read_events(write(tmp_path, "user,item,at\nann,café,1\nann,tea,1\nann,thé,1\n".encode("latin-1")))
    assert reasons(events) == [(2, "bad_encoding"), (4, "bad_encoding")]
    assert events.quality.rejects["text"].to_list() == ["ann,caf\\xe9,1", "ann,th\\xe9,1"]
    assert events.table.height == 1


def test_quotes_that_span_lines_and_quotes_that_never_close(tmp_path):
    text = 'user,item,at\n"an\nn","te""a, green",1\nbob,"never closed,1\ncat,"5" nails",1\ndan,tea,1\n'
    events = read_events(write(tmp_path, text))
    assert events.table.select("user", "item").rows() == [("an\nn", 'te"a, green'), ("dan", "tea")]
    assert reasons(events) == [(4, "bad_row"), (5, "bad_row")]


def test_rejects_are_written_beside_the_input_and_never_over_it(tmp_path):
    path = write(tmp_path, BAD)
    events = read_events(path, rejects="beside")
    beside = tmp_path / "orders.csv.rejects.csv"
    assert events.quality.written == str(beside)
    assert pl.read_csv(beside, infer_schema=False)["reason"].to_list() == [why for _, why in WHY]
    assert path.read_text() == BAD
    assert sorted(each.name for each in tmp_path.iterdir()) == ["orders.csv", "orders.csv.rejects.csv"]
    read_events(write(tmp_path, "user,item,at\nann,tea,1\n"), rejects="beside")
    assert pl.read_csv(beside, infer_schema=False).height == 0  # an old account does not outlive a clean reading
    read_events(path, rejects=tmp_path / "other.csv")
    assert not (tmp_path / "other.csv").exists()
    with pytest.raises(InputError, match=r"the rejects would overwrite what is read; got .*; allowed: another path"):
        read_events(path, rejects=str(path))
    with pytest.raises(InputError, match="a table has no place beside it; got beside; allowed: None or a path"):
        read_events(pl.DataFrame({"user": ["a"], "item": ["b"], "at": [1]}), rejects="beside")
    with pytest.raises(InputError, match=r"the rejects cannot be written; got .*No such file or directory"):
        read_events(write(tmp_path, BAD, "b.csv"), rejects=tmp_path / "nowhere" / "r.csv")


def test_rows_of_a_table_are_counted_from_one():
    table = pl.DataFrame({"user": ["ann", None], "item": ["tea", "jam"], "at": [1, 2], "value": [float("inf"), 1.0]})
    quality = read_events(table).quality
    assert quality.rejects.rows() == [
        (1, "not_finite", "user=ann, item=tea, at=1, value=inf"),
        (2, "missing_user", "user=None, item=jam, at=2, value=1.0"),
    ]
    assert "first at row 1" in str(quality)


def test_a_missing_number_of_pandas_is_not_finite():
    table = pd.DataFrame({"user": ["ann"] * 2, "item": ["tea"] * 2, "at": [1, 2], "value": [np.nan, np.inf]})
    assert reasons(read_events(table)) == [(1, "not_finite"), (2, "not_finite")]


cells = st.text(st.sampled_from('ab1",;\n é'), max_size=5)


@given(st.lists(st.tuples(cells, cells, st.sampled_from(["1", "2017-01-01", "soon", ""])), max_size=12), st.booleans())
def test_what_the_csv_module_writes_is_read_back_whole(tmp_path_factory, rows, everything):
    text = io.StringIO(newline="")
    quoting = csv.QUOTE_ALL if everything else csv.QUOTE_MINIMAL
    csv.writer(text, lineterminator="\n", quoting=quoting).writerows([("user", "item", "at"), *rows, ("z", "z", "1")])
    path = write(tmp_path_factory.mktemp("csv"), text.getvalue())
    events = read_events(path)
    good = [(u.strip(), i.strip()) for u, i, at in rows if u.strip() and i.strip() and at not in ("soon", "")]
    assert events.table.select("user", "item").rows() == [*good, ("z", "z")]
    assert events.quality.read == len(rows) + 1
    assert events.quality.read == events.quality.accepted + events.quality.rejected


@given(st.lists(st.binary(max_size=30).map(lambda b: b.replace(b"\0", b",")), max_size=30))
def test_whatever_the_bytes_every_row_is_accepted_or_rejected(tmp_path_factory, junk):
    body = b"\n".join([b"user,item,at", b"ann,tea,1", *junk])
    events = read_events(write(tmp_path_factory.mktemp("junk"), body))
    quality = events.quality
    assert quality.read == quality.accepted + quality.rejected == quality.rejects.height + events.table.height
    assert sum(quality.by_reason.values()) == quality.rejected
    assert quality.rejects["line"].is_sorted()
    assert quality.rejects["line"].is_unique().all()
    assert events.table.select("user", "item", "at", "kind", "value").null_count().sum_horizontal().item() == 0


@given(
    st.lists(
        st.sampled_from(["a,b,1", 'a,"b,c",1', '"a","",2', "a,b", 'a,"b', 'x"y,b,1', "", 'é,"ü",3', '"a,b",c']),
        max_size=20,
    )
)
def test_blocks_of_any_size_and_line_end_give_the_same_rows(tmp_path_factory, lines):
    folder = tmp_path_factory.mktemp("blocks")
    path = write(folder, "\n".join(["user,item,at", "z,z,1", *lines]))
    windows = write(folder, "\r\n".join(["user,item,at", "z,z,1", *lines]), "windows.csv")
    mapping = Mapping({"user": "user", "item": "item", "at": "at"}, ("user", "item", "at"))
    whole, bad = read_delimited(path, layout(path), mapping)
    pieces, also_bad = read_delimited(path, layout(path), mapping, limit=40)
    assert pieces.equals(whole)
    assert also_bad == bad
    same, bad_too = read_delimited(windows, layout(windows), mapping)
    assert same.equals(whole)
    assert bad_too == bad


class Told:
    """A progress that remembers."""

    def __init__(self):
        self.steps = []

    @contextmanager
    def step(self, what, total, unit=""):
        done = []
        yield done.append
        self.steps.append((what, total, unit, sum(done)))


@pytest.mark.parametrize("name", ["orders.csv", "orders.csv.gz", "orders.jsonl"])
def test_progress_counts_the_bytes_of_the_file(tmp_path, name):
    content = ('{"user": "a", "item": "b", "at": 1}\n' if "json" in name else HEADER + ROWS).encode()
    path = write(tmp_path, gzip.compress(content) if name.endswith("gz") else content, name)
    told = Told()
    read_events(path, progress=told)
    assert told.steps == [(f"reading {name}", path.stat().st_size, "B", path.stat().st_size)]


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1E+999"])
def test_json_lines_with_numbers_that_are_not_finite(tmp_path, number):
    good = '{"user": "NaN", "item": "an \\"Infinity", "at": "2017-01-01", "value": 2.5}'
    lines = [
        good,
        good.replace("2.5", number),
        good.replace('"NaN"', number),
        good.replace("2.5", f"[{number}]"),
        good[:-1] + f', "other": {number}}}',
        good.replace("2.5", number + "x"),
    ]
    events = read_events(write(tmp_path, "\n".join(lines), "orders.jsonl"), rejects=tmp_path / "rejects.csv")
    assert reasons(events) == [(2, "not_finite"), (3, "missing_user"), (4, "bad_row"), (6, "bad_row")]
    assert events.quality.rejects["text"][0] == lines[1]
    assert events.table["user"].to_list() == ["NaN", "NaN"]
    assert events.table["item"][1] == 'an "Infinity'


def test_refused_rows_are_warned_of_once_unless_they_have_a_place(tmp_path, caplog):
    orders = "user,item,at\nann,tea,2017-01-01\n,tea,2017-01-01\nann,,2017-01-01\n,tea,2017-01-01\n"
    path = write(tmp_path, orders)
    read_events(path, rejects="beside")
    assert caplog.record_tuples == []
    read_events(path)
    account = "4 rows read, 1 accepted, 3 rejected (2 missing_user, 1 missing_item)"
    advice = "see events.quality.rejects, or pass rejects='beside' to have them in a file"
    told = (f"orders.csv: {account}; {advice}",)
    assert [(r.levelname, r.name, r.getMessage()) for r in caplog.records] == [
        ("WARNING", "penchant.data.judge", *told)
    ]
    caplog.clear()
    read_items(pl.DataFrame({"id": ["tea", ""]}))
    assert caplog.messages == [
        "the polars table: 2 rows read, 1 accepted, 1 rejected (1 missing_id); "
        "see items.quality.rejects, or pass rejects='<path>' to have them in a file"
    ]
    caplog.clear()
    read_events(write(tmp_path, "user,item,at\nann,tea,2017-01-01\n"))
    assert caplog.messages == []


def test_without_a_present_every_time_of_this_century_is_accepted():
    table = pl.DataFrame({"user": ["ann"] * 2, "item": ["tea"] * 2, "at": ["2099-12-31", "2100-01-02"]})
    assert reasons(read_events(table)) == [(2, "future_time")]
