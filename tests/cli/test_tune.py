"""``penchant tune``: what it prints can be pasted, what it keeps can be taken up, what it cannot do is one line."""

from __future__ import annotations

import hashlib
import json
import re
import sys
import tomllib
from pathlib import Path

import pytest

from penchant.core.settings import load_settings
from penchant.engine.training import recipes
from penchant.evaluation.tuned import TuningReport

QUICK = ("--trials", "2", "--metric", "hit@5", "--windows", "1")


def test_the_lines_printed_can_be_pasted_into_the_settings(shop, run):
    ran = run("tune", "trending", *QUICK)
    assert (ran.status, ran.err) == (0, "")
    assert "Tuned popular in 2 trials (2 done, 0 stopped, 0 failed)." in ran.out
    assert "New items: what the person had not had before" in ran.out
    assert "95%" in ran.out
    assert "next: " in ran.out
    lines = ran.out[ran.out.index("[models.trending]") :].partition("next:")[0]
    assert tomllib.loads(lines)["models"]["trending"]["learner"] == "popular"
    path = Path("penchant.toml")
    text, times = re.subn(r"^\[models\.trending\]\n(.+\n)*", lines, path.read_text(encoding="utf-8"), flags=re.M)
    assert times == 1
    path.write_text(text, encoding="utf-8")
    assert recipes(load_settings(path), ["trending"])["trending"].name == "popular"


def test_a_study_in_a_file_goes_on_and_json_is_all_of_it(shop, run):
    first = run("tune", "buy-again", *QUICK, "--study", "study.db", "--field", "half_life", "--json", "-")
    assert (first.status, first.err) == (0, "")
    document = json.loads(first.out)
    assert list(document["about"]["space"]) == ["half_life"]
    assert document["outer"]["setup"]["task"] == "repeat"
    assert {line["model"] for line in document["outer"]["lines"]} >= {"default", "popular"}
    more = ("--trials", "3", "--metric", "hit@5", "--windows", "1", "--field", "half_life")
    again = run("tune", "buy-again", *more, "--study", "study.db", "--json", "tuned.json")
    assert again.status == 0
    assert "written: tuned.json" in again.out
    trials = json.loads(Path("tuned.json").read_text(encoding="utf-8"))["trials"]
    assert trials[:2] == document["trials"]
    assert len(trials) == 3


def test_the_evaluation_of_what_was_tuned_is_a_page_and_tables(shop, run):
    ran = run("tune", "trending", *QUICK, "--html", "t.html", "--markdown", "t.md", "--latex", "t.tex")
    assert (ran.status, ran.err) == (0, "")
    assert "written: t.html, t.md, t.tex" in ran.out
    page = Path("t.html").read_text(encoding="utf-8")
    assert "penchant tune trending --trials 2 --metric hit@5 --windows 1" in page
    assert "default" in page
    assert "| default | hit@5 |" in Path("t.md").read_text(encoding="utf-8")
    assert "default & hit@5" in Path("t.tex").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("verdict", "said"),
    [("better", "then penchant train"), ("cannot tell", "keep that, or search longer"), (None, "stay the best")],
)
def test_what_to_do_next_follows_from_the_test_not_from_the_search(shop, run, monkeypatch, verdict, said):
    monkeypatch.setattr(TuningReport, "verdict", property(lambda _: verdict))
    assert said in run("tune", "popular", *QUICK).out.splitlines()[-1]


def test_what_cannot_be_done_is_said_in_a_line(shop, run, monkeypatch):
    before = hashlib.sha256(Path("penchant.db").read_bytes()).hexdigest()
    for args, text in (
        (("eese",), "unknown model; got eese; allowed:"),
        (("ease", "--metric", "ndgc@10"), "unknown metric"),
        (("ease", "--field", "lambda"), "unknown field of EASE; got lambda; allowed:"),
        (("ease", "--trials", "0"), "trials is out of range; got 0"),
        (("ease", "--test", "99d"), "the data is too short to tune on: "),
        (("ease", "--test", "soon"), "not a duration; got soon"),
        (("ease", "--study", "penchant.db"), "the file cannot keep a study; got penchant.db: a database of something"),
        (("ease", "--json", "not/there.json"), "there is no such folder"),
    ):
        ran = run("tune", *args)
        assert (ran.status, ran.out) == (1, ""), args
        assert text in ran.err
        assert ran.err.count("\n") == 1
    assert hashlib.sha256(Path("penchant.db").read_bytes()).hexdigest() == before
    monkeypatch.setitem(sys.modules, "optuna", None)
    assert run("tune", "ease").err == "error: optuna is not installed; next: pip install 'penchant[tune]'\n"


def test_without_a_model_or_consent_there_is_nothing_to_tune(empty, run):
    assert run("tune").status == 2
    run("init")
    Path("some.csv").write_text("user,item,at\nann,tea,2026-01-01\n", encoding="utf-8")
    run("import", "some.csv")
    ran = run("tune", "ease")
    assert ran.status == 1
    assert "there are no events that may be learnt from" in ran.err
