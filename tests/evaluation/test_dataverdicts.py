"""What the data report says of data of every kind, good, poor and odd, and every form that it is said in."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import msgspec
import numpy as np
import polars as pl
import pytest

import penchant as pt
from penchant.core.errors import EmptyData, InputError, MissingColumn
from penchant.core.settings import Settings
from penchant.data.dataset import Dataset
from penchant.evaluation.datareport.report import DataReport
from penchant.evaluation.datareport.sections import sections

START = datetime(2017, 1, 2, tzinfo=UTC)


def _frame(rows: list[tuple]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=["user", "item", "kind", "at", "value"], orient="row")


def _shop(users: int = 150, days: int = 60, items: int = 40, kind: str = "purchase") -> list[tuple]:
    """Return what people of a shop did who come again and take things again."""
    rng = random.Random(1)
    return [
        (f"u{user}", f"i{rng.randrange(items)}", kind, START + timedelta(seconds=rng.randrange(days * 86_400)), 1.0)
        for user in range(users)
        for _ in range(25)
    ]


def _said(report: DataReport, about: str | None = None) -> dict[str, str]:
    return {each.subject: each.verdict for each in report.findings if about in (None, each.about)}


def _why(report: DataReport, subject: str) -> str:
    return next(each.why for each in report.findings if each.subject == subject)


def test_a_good_shop_supports_nearly_all():
    report = pt.data_report(_frame(_shop()))
    assert _said(report, "evaluation") == {"temporal split": "yes", "leave-last-out": "yes"}
    no = {name for name, verdict in _said(report, "model").items() if verdict != "yes"}
    assert no == {"vstan", "matrix-factorization"}
    assert set(_said(report, "placement").values()) == {"yes"}
    assert set(_said(report, "data")) == {"catalogue"}


def test_every_model_and_placement_it_speaks_of_is_one():
    report = pt.data_report(_frame(_shop()))
    names = set(pt.learners())
    assert {each.subject for each in report.findings if each.about == "model"} <= names
    assert {each.subject for each in report.findings if each.about == "placement"} == set(Settings().placements)


def test_every_verdict_rests_on_a_figure():
    for finding in pt.data_report(_frame(_shop())).findings:
        assert finding.figures
        assert all(np.isfinite(figure) for figure in finding.figures.values())


def test_short_anonymous_sessions_call_for_vstan():
    rng = random.Random(2)
    rows = [
        (f"s{n}", f"i{rng.randrange(50)}", "view", START + timedelta(hours=n, seconds=30 * step), 1.0)
        for n in range(600)
        for step in range(rng.randrange(2, 6))
    ]
    report = pt.data_report(_frame(rows))
    assert _said(report, "model")["vstan"] == "yes"
    assert _why(report, "vstan") == "sessions are short (median 3 events) and anonymous (100% of the users have one)"
    assert _said(report, "placement")["for-you"] == "with care"
    assert "come once" in _why(report, "for-you")
    assert _said(report)["temporal split"] == "no"
    assert _why(report, "buy-again").startswith("none of ")
    assert "buy-again has nothing to say" in _why(report, "buy-again")


def test_equal_times_support_no_temporal_split():
    rows = [(user, item, kind, START, value) for user, item, kind, _, value in _shop()]
    report = pt.data_report(_frame(rows))
    said = _said(report)
    for subject in ("temporal split", "leave-last-out", "trending", "slist", "vstan", "buy-again"):
        assert said[subject] == "no"
    assert said["ease"] == "yes"
    assert "have the same time" in _why(report, "temporal split")
    assert (report.drift.windows, report.drift.why) == ((), "all times are equal")
    assert (report.timeline.unit, report.timeline.empty) == ("hour", 0)
    assert "all at 2017-01-02 00:00" in report.text


def test_too_few_users_per_item():
    rng = random.Random(3)
    rows = [
        (f"u{n % 200}", f"i{n if rng.random() < 0.7 else rng.randrange(10)}", "view", START + timedelta(hours=n), 1.0)
        for n in range(3000)
    ]
    report = pt.data_report(_frame(rows))
    assert _said(report, "model")["ease"] == "with care"
    assert _why(report, "ease").startswith("too few users per item (median 1): ")


def test_large_catalogues_go_to_the_sparse_model():
    users = np.repeat(np.arange(500), 240)
    items = np.arange(len(users)) % 20_001
    table = pl.DataFrame({"user": users, "item": items, "at": np.arange(len(users)) * 60})
    report = pt.data_report(table)
    assert report.learnable.items == 20_001
    assert (_said(report)["ease"], _said(report)["sansa"], _said(report)["slist"]) == ("with care", "yes", "with care")
    assert _why(report, "ease") == "the inverse of 20,001 items takes 1.6 GB: sansa does without"


def test_ratings_support_matrix_factorization():
    rng = random.Random(4)
    rows = [(*row[:2], "rating", row[3], float(rng.randrange(1, 6))) for row in _shop()]
    report = pt.data_report(_frame(rows))
    assert _said(report)["matrix-factorization"] == "yes"
    assert _why(report, "matrix-factorization") == "3,750 ratings of 5 sizes from 1 to 5, 25.0 a user"
    same = pt.data_report(_frame([(*row[:4], 3.0) for row in rows]))
    assert _why(same, "matrix-factorization") == "all 3,750 ratings are 3"


def test_news_that_turns_over_is_told():
    rng = random.Random(5)
    rows = [
        (
            f"u{rng.randrange(200)}",
            f"i{day * 5 + rng.randrange(5)}",
            "view",
            START + timedelta(days=day, minutes=n),
            1.0,
        )
        for day in range(40)
        for n in range(30)
    ]
    report = pt.data_report(_frame(rows))
    assert [change.new for change in report.drift.changes] == [1.0] * 3
    assert _why(report, "turnover").startswith("100% of the events of window 2 are about items")
    assert "turnover" not in _said(pt.data_report(_frame(_shop())))


def test_the_steps_are_told_to_the_progress():
    seen: dict[str, list[int]] = {}

    class Steps:
        @contextmanager
        def step(self, what: str, total: int, unit: str = "") -> Iterator[Callable[[int], None]]:
            seen[what] = [total, 0]

            def advance(n: int) -> None:
                seen[what][1] += n

            yield advance

    pt.data_report(_frame(_shop()), progress=Steps())
    total, done = seen["looking at the data"]
    assert total == done > 5


def test_kinds_without_a_weight_are_told():
    report = pt.data_report(_frame(_shop(kind="wish")))
    assert _said(report)["kinds"] == "with care"
    assert "wish" in _why(report, "kinds")
    assert "kinds" not in _said(pt.data_report(_frame(_shop(kind="wish")), weights={"wish": 2.0}))


def test_only_dislikes_support_nothing():
    report = pt.data_report(_frame([(*row[:2], "dislike", *row[3:]) for row in _shop()]))
    assert _said(report)["popular"] == "no"
    assert set(_said(report, "model").values()) == {"no"}
    assert _said(report, "placement") == dict.fromkeys(("for-you", "similar", "buy-again", "trending"), "no")
    assert report.repeats == ()
    assert "Repeats" not in [section.title for section in sections(report)]


@pytest.mark.parametrize(
    "rows",
    [
        [("ann", "tea", "view", START, 1.0)],
        [("ann", "tea", "view", START + timedelta(days=day), 1.0) for day in range(200)],
        [("ann", f"i{n}", "view", START + timedelta(days=n), 1.0) for n in range(200)],
        [(f"u{n}", "tea", "view", START + timedelta(days=n), 1.0) for n in range(200)],
        [(f"u{n}", f"i{n}", f"kind {n}", START + timedelta(days=40 * n), float(n)) for n in range(200)],
        [("ann", "tea", "view", datetime(year, 1, 1, tzinfo=UTC), -1.0) for year in (1, 1969, 2099)],
    ],
    ids=["one event", "one pair", "one user", "one item", "all different", "two thousand years"],
)
def test_odd_data_has_a_report_in_every_form(rows, tmp_path):
    report = pt.data_report(_frame(rows))
    assert report.size.events == len(rows)
    assert "nan" not in report.text.replace("finance", "")
    assert msgspec.json.decode(report.json(), type=DataReport) == report
    report.html(tmp_path / "report.html")
    source = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "nan" not in source
    _Balanced().check(source)


def test_one_user_and_one_item_are_said():
    report = pt.data_report(_frame([("ann", "tea", "view", START, 1.0)] * 3))
    assert _said(report, "data")["users"] == "no"
    assert _said(report, "data")["items"] == "no"
    assert report.suspicions[0].events == 2
    assert _said(report)["ease"] == "no"


def test_rows_that_cannot_be_used_are_counted_with_their_reason():
    table = pl.DataFrame(
        {
            "user": ["ann", "", "bob", "cid"],
            "item": ["tea", "tea", "jam", "jam"],
            "at": ["2017-01-01", "2017-01-02", "soon", "2017-01-03"],
            "value": [1.0, 1.0, 1.0, float("nan")],
        }
    )
    report = pt.data_report(table)
    assert (report.size.events, report.reading.read) == (1, 4)
    assert report.reading.reasons == {"bad_time": 1, "missing_user": 1, "not_finite": 1}
    assert "3 of 4 rows (75.0%) cannot be used" in _why(report, "rows")


@pytest.mark.parametrize("value", [float("nan"), None])
def test_no_usable_value_at_all(value):
    table = pl.DataFrame(
        {"user": ["a", "b"], "item": ["x", "y"], "at": [1, 2], "value": [value] * 2},
        schema_overrides={"value": pl.Float64},
    )
    if value is None:
        report = pt.data_report(table)
        assert report.kinds[0].distinct == 1
        assert report.reading.notes == ("value was empty in 2 rows and taken as 1",)
    else:
        with pytest.raises(EmptyData, match=r"no row can be used; got .*2 not_finite"):
            pt.data_report(table)


def test_data_that_is_none_is_refused(tmp_path):
    data = Dataset.from_events(_frame(_shop()))
    with pytest.raises(EmptyData, match="there are no events"):
        pt.data_report(data.select(np.zeros(data.n_events, bool)))
    with pytest.raises(EmptyData, match="has no rows"):
        pt.data_report(_frame(_shop()).clear())
    with pytest.raises(MissingColumn):
        pt.data_report(pl.DataFrame({"who": ["ann"]}))
    with pytest.raises(InputError, match="not a file or a table"):
        pt.data_report(7)
    broken = tmp_path / "events.parquet"
    broken.write_bytes(b"PAR1 and then nothing")
    with pytest.raises(InputError, match="damaged"):
        pt.data_report(broken)
    far = Dataset.from_events(pl.DataFrame({"user": ["a"], "item": ["x"], "at": [10**18]}))
    with pytest.raises(InputError, match="beyond the years 1 to 9999"):
        pt.data_report(far)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"idle": 0.0}, "idle is out of range"),
        ({"idle": float("nan")}, "idle is out of range"),
        ({"windows": 1}, "windows are too few"),
        ({"weights": {"view": 1.0}}, "a Dataset has its weights already"),
    ],
)
def test_options_out_of_range_are_refused(options, text):
    with pytest.raises(InputError, match=text):
        pt.data_report(Dataset.from_events(_frame(_shop())), **options)


def test_a_dataset_and_its_table_have_the_same_figures():
    table = _frame(_shop())
    ours = pt.data_report(Dataset.from_events(table, weights={"purchase": 5.0}))
    theirs = pt.data_report(table)
    for name in ("size", "kinds", "users", "items", "repeats", "sessions", "learnable", "suspicions", "drift"):
        assert getattr(ours, name) == getattr(theirs, name)
    assert (ours.reading, ours.source) == (None, "a dataset")


def test_the_order_of_rows_changes_nothing():
    rows = _shop()
    shuffled = random.Random(9).sample(rows, len(rows))
    assert pt.data_report(_frame(shuffled)) == pt.data_report(_frame(rows))


def test_the_catalogue_is_told_with_what_it_lacks():
    items = pl.DataFrame(
        {
            "id": [f"i{n}" for n in range(30)] + ["new"],
            "title": ["A thing"] * 20 + [""] * 11,
            "price": [1.0] * 31,
            "attributes": ['{"brand": "Ours"}'] * 10 + ['{"brand": ""}'] * 21,
        }
    )
    report = pt.data_report(_frame(_shop()), items)
    told = report.catalogue
    rows = _shop()
    unknown = [row for row in rows if int(row[1][1:]) >= 30]
    assert (told.items, told.untouched, told.unknown) == (31, 1, 10)
    assert told.unknown_events == pytest.approx(len(unknown) / len(rows))
    missing = {each.field: each.missing for each in told.fields}
    assert missing["title"] == 11
    assert (missing["price"], missing["text"], missing["attributes.brand"]) == (0, 31, 21)
    assert "title (35%)" in _why(report, "attributes")
    assert _said(report, "data").keys() == {"catalogue", "new items", "attributes"}


def test_nobody_is_named(tmp_path):
    rows = [(f"person-{row[0]}", *row[1:]) for row in _shop()] + [("person-bot", "i1", "view", START, 1.0)] * 3000
    report = pt.data_report(_frame(rows))
    report.html(tmp_path / "report.html")
    for form in (report.text, report.json(), repr(report), (tmp_path / "report.html").read_text(encoding="utf-8")):
        assert "person-" not in form


def test_the_page_needs_nothing_else_and_trusts_no_name(tmp_path):
    rows = [(*row[:2], "<script>alert(1)</script>", *row[3:]) for row in _shop()]
    pt.data_report(_frame(rows), source='a "&<b>').html(tmp_path / "report.html")
    source = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<script" not in source
    assert "http" not in source.replace('http-equiv="Content-Security-Policy"', "")
    assert source.count("<svg") == 5
    _Balanced().check(source)


def test_a_page_that_cannot_be_written_is_an_error(tmp_path):
    with pytest.raises(InputError, match="the report cannot be written"):
        pt.data_report(_frame(_shop())).html(tmp_path / "absent" / "report.html")


class _Balanced(HTMLParser):
    """Sees that every element that is opened is closed in its turn."""

    def check(self, source: str) -> None:
        self.open: list[str] = []
        self.feed(source)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag
