"""Times as people and machines write them."""

from datetime import UTC, date, datetime, timedelta, timezone

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penchant.data.moments import moments

AT = datetime(2010, 12, 1, 8, 26, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2010-12-01 08:26:00",
        "2010-12-01T08:26",
        "2010-12-01T08:26:00.000Z",
        "2010-12-01 08:26:00 UTC",
        "2010-12-01T10:26:00+02:00",
        "2010-12-01T10:26:00+0200",
        "2010-12-01 10:26:00 +02",
        "2010/12/01 08:26",
        "20101201T082600Z",
        "01.12.2010 08:26",
        "1291191960",
        "1291191960.0",
        "1291191960000",
        "1291191960000000",
        "1291191960000000000",
        "01-Dec-2010 08:26",
        "Wed, 01 Dec 2010 08:26:00 GMT",
        " 2010-12-01 08:26:00 ",
    ],
)
def test_one_moment_in_many_spellings(text):
    assert moments(pl.Series([text])).to_list() == [AT]


@pytest.mark.parametrize("text", ["2010-02-30", "soon", "2010-13-01", "1e30", "12:30", "2010-12-01 25:00:00", "nan"])
def test_what_is_no_moment(text):
    assert moments(pl.Series(["2010-12-01 08:26", text])).to_list() == [AT, None]


@pytest.mark.parametrize(
    ("texts", "second"),
    [
        (["31/12/2010", "01/12/2010 08:26"], AT),
        (["12/31/2010", "12/1/10 8:26"], AT),
        (["12/31/2010 1:00 PM", "12/1/2010 8:26 AM"], AT),
        (["31-12-2010", "01-12-2010 08:26:00"], AT),
    ],
)
def test_another_row_tells_day_from_month(texts, second):
    assert moments(pl.Series(texts)).to_list()[1] == second


def test_eight_digits_are_dates_when_all_are():
    assert moments(pl.Series(["20101201", "20101231"])).dt.date().to_list() == [date(2010, 12, 1), date(2010, 12, 31)]
    assert moments(pl.Series(["20101201", "20109999"])).dt.year().to_list() == [1970, 1970]


def test_typed_columns():
    naive = AT.replace(tzinfo=None)
    series = [
        pl.Series([naive], dtype=pl.Datetime("ns")),
        pl.Series([AT.astimezone(timezone(timedelta(hours=2)))]).dt.convert_time_zone("Europe/Helsinki"),
        pl.Series([1291191960]),
        pl.Series([1291191960.0]),
        pl.Series([1291191960000], dtype=pl.UInt64),
    ]
    for each in series:
        assert moments(each).to_list() == [AT]
    assert moments(pl.Series([date(2010, 12, 1)])).to_list() == [datetime(2010, 12, 1, tzinfo=UTC)]
    assert moments(pl.Series([None])).to_list() == [None]


@given(st.datetimes(datetime(1901, 1, 1), datetime(2100, 1, 1)), st.integers(-14 * 60, 14 * 60))
def test_isoformat_comes_back(at, minutes):
    aware = at.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    assert moments(pl.Series([at.isoformat(), aware.isoformat()])).to_list() == [at.replace(tzinfo=UTC), aware]


@given(st.lists(st.one_of(st.none(), st.text(max_size=12), st.floats().map(str)), max_size=10))
def test_any_text_is_read_or_null(texts):
    told = moments(pl.Series(texts, dtype=pl.String), "%Y-%m-%d")
    assert len(told) == len(texts)
