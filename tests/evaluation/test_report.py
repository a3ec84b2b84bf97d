"""The report in all its forms."""

from __future__ import annotations

import sys
from html.parser import HTMLParser

import msgspec
import polars as pl
import pytest

from penchant.core.errors import InputError, MissingExtra, UnknownName
from penchant.evaluation.evaluate import evaluate
from penchant.evaluation.line import Line, sentence
from penchant.evaluation.report import Report
from penchant.evaluation.reportpage.rows import heads


@pytest.fixture
def report(both, tastes):
    return evaluate(both, tastes, ["hit@5", "ndcg@10", "novelty@10"], seconds={"taste": 1.25})


def test_table_has_one_row_a_model_and_metric(report):
    table = report.table
    columns = "model metric k value low high baseline diff diff_low diff_high p verdict why seconds slice users"
    assert " ".join(table.columns) == f"{columns} needed sampled"
    assert table.schema["k"] == pl.Int64
    assert table.select("model", "metric", "k").rows() == [
        (model, metric, k)
        for model in ("popular", "taste")
        for metric, k in (("hit", 5), ("ndcg", 10), ("novelty", 10))
    ]
    assert table.filter(model="popular")["diff"].null_count() == 3
    assert set(table["baseline"]) == {"popular"}


def test_json_reads_back_as_the_same_report(report):
    again = msgspec.json.decode(report.json(), type=Report)
    assert again.lines == report.lines
    assert again.setup == report.setup


def test_verdicts_are_sentences(report):
    line = next(line for line in report.lines if line.model == "taste" and line.metric == "ndcg")
    expected = f"taste beats popular on ndcg@10 by {line.diff:.3f} [{line.diff_low:.3f}, {line.diff_high:.3f}]"
    assert report.verdicts()[1] == expected
    assert len(report.verdicts()) == 2


def test_sentences_of_every_verdict():
    def said(**values):
        return sentence(Line("knn", "map", 5, 0.2, **values), "popular")

    assert said(diff=0.1, diff_low=0.05, diff_high=0.2, verdict="better") == (
        "knn beats popular on map@5 by 0.100 [0.050, 0.200]"
    )
    assert said(diff=-0.1, diff_low=-0.2, diff_high=-0.05, verdict="worse") == (
        "popular beats knn on map@5 by 0.100 [0.050, 0.200]"
    )
    assert said(diff=0.0, diff_low=-0.01, diff_high=0.02, verdict="cannot tell") == (
        "cannot tell knn from popular on map@5: the difference is 0.000 [-0.010, 0.020]"
    )
    assert said(diff=0.1, verdict="cannot tell", why="there is only one user") == (
        "cannot tell knn from popular on map@5: there is only one user"
    )


def test_markdown_states_numbers_and_how_they_came_about(report):
    text = report.markdown()
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len(rows) == 2 + 6
    assert {row.count("|") for row in rows} == {8}
    assert "A split made by hand." in text
    assert "Task new: models have to foresee items the user's history does not hold" in text
    assert "Ranking: all 20 items of the catalogue, none sampled" in text
    assert "1,000 resamples (seed 0)" in text


def test_a_name_with_a_bar_does_not_break_the_markdown(both, tastes):
    renamed = {"a|b": both["taste"], "popular": both["popular"]}
    assert "| a\\|b | hit@5 |" in evaluate(renamed, tastes, ["hit@5"]).markdown()


class Page(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.open, self.links, self.text = [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [v for name, v in attrs if name in ("src", "href", "action")]
        if tag not in ("meta", "line", "circle"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def test_html_is_one_file_that_needs_nothing_else(report, tmp_path):
    report.html(tmp_path / "report.html")
    source = (tmp_path / "report.html").read_text()
    page = Page()
    page.feed(source)
    assert not page.open
    assert page.links
    assert all(link.startswith("#") and f'id="{link[1:]}"' in source for link in page.links)
    assert "script" not in page.tags
    assert source.count('<span class="verdict') == 2 + 4, "the metric told first, then all"
    assert source.count("one number for all slates together</td>") == 2, "these have no verdict, and say why"
    text = " ".join("".join(page.text).split())
    for said in (
        "A split made by hand.",
        "taste beats popular on ndcg@10",
        "Users: 60 of 60 in the test count",
        "penchant.evaluate(scorers, split, ['hit@5', 'ndcg@10', 'novelty@10'], task='new', baseline='popular', "
        "resamples=1000, rng=0)",
        "Recipe(strength=1.0) 1.25",
        "one number for all slates together",
        f"test: SHA-256 {report.setup.data['test']}",
    ):
        assert said in text, said
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


def test_names_are_escaped_in_the_page(both, tastes, tmp_path):
    path = tmp_path / "report.html"
    evaluate({"<script>alert(1)</script>": both["taste"]}, tastes, ["hit@5"]).html(path)
    assert "<script>" not in path.read_text()


def test_a_report_without_intervals_draws_none(both, tastes, tmp_path):
    path = tmp_path / "report.html"
    report = evaluate(both, tastes, ["coverage@5"])
    report.html(path)
    assert all(dot.ends is None for dot in heads(report).dots)
    assert "95% interval<" not in path.read_text().replace("95% interval</th>", "")


def test_writing_replaces_whole_files_and_says_when_it_cannot(report, tmp_path):
    path = tmp_path / "report.html"
    path.write_text("old")
    report.html(path)
    assert path.read_text().startswith("<!doctype html>")
    with pytest.raises(InputError) as error:
        report.html(tmp_path / "absent" / "report.html")
    assert str(error.value) == (
        f"the report cannot be written; got {tmp_path}/absent/report.html: No such file or directory; "
        "next: choose another path"
    )
    (tmp_path / "directory").mkdir()
    with pytest.raises(InputError, match="the report cannot be written"):
        report.html(tmp_path / "directory")
    assert sorted(found.name for found in tmp_path.iterdir()) == ["directory", "report.html"]


def test_chart_is_drawn_to_scale(report):
    drawn = heads(report)
    assert drawn.title == "ndcg@10 of every model"
    assert [text for _, text in drawn.up] == ["popular", "taste"]
    taste = next(line for line in report.lines if line.model == "taste" and line.metric == "ndcg")
    (zero, first), (last, top) = drawn.along[0], drawn.along[-1]
    assert first == "0"
    per_unit = (last - zero) / float(top)
    dot = drawn.dots[1]
    assert dot.ends is not None
    assert [dot.ends[0] - zero, dot.x - zero, dot.ends[2] - zero] == pytest.approx(
        [taste.low * per_unit, taste.value * per_unit, taste.high * per_unit], abs=0.06
    )
    assert dot.ends[2] <= drawn.size[2]


@pytest.mark.parametrize(("ending", "start"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")])
def test_plot_writes_what_the_ending_says(report, tmp_path, ending, start):
    pytest.importorskip("matplotlib")
    path = tmp_path / f"chart.{ending}"
    report.plot(path, "hit@5")
    assert path.read_bytes().startswith(start)
    assert [found.name for found in tmp_path.iterdir()] == [path.name]


def test_plot_refuses_other_endings_and_unknown_metrics(report, tmp_path):
    pytest.importorskip("matplotlib")
    with pytest.raises(
        InputError, match=r"the ending names no format of a chart; got .*; allowed: \.png, \.svg, \.pdf"
    ):
        report.plot(tmp_path / "chart.bmp")
    with pytest.raises(UnknownName, match="unknown metric; got hit"):
        report.plot(tmp_path / "chart.png", "hit")


def test_plot_without_matplotlib_names_the_extra(report, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingExtra) as error:
        report.plot(tmp_path / "chart.png")
    assert str(error.value) == "matplotlib is not installed; next: pip install 'penchant[plot]'"
