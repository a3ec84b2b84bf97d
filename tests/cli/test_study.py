"""``penchant study``: from a study made to answers read, without a browser."""

from __future__ import annotations

import csv
import json
from pathlib import Path

from penchant.core.settings import load_settings
from penchant.engine.engine import Engine
from penchant.evaluation.questionnaire import CONSTRUCTS

from .conftest import Run


def take_part(n: int) -> list[str]:
    """Let people take part who prefer whatever model is a."""
    tokens = []
    with Engine.open(load_settings(Path("penchant.toml"))) as engine:
        for number in range(n):
            token = engine.gate.studies.join("things", terms="I agree", agreed=True)
            engine.studies.pick(token, [card.item for card in engine.studies.offered(token)[:3]])
            ratings = {"a": dict.fromkeys(CONSTRUCTS, 4 + number % 2), "b": dict.fromkeys(CONSTRUCTS, 2)}
            engine.gate.studies.answer(token, "a", ratings)
            tokens.append(token)
    return tokens


def test_a_study_from_end_to_end(shop: Path, run: Run) -> None:
    made = run("study", "create", "things", "--a", "ease", "--b", "popular", "--n", "3", "--places", "50")
    assert made.status == 0, made
    assert "things: ease beside popular, 3 items each, open to 50 people" in made.out
    assert "/study/things" in made.out
    tokens = take_part(12)
    assert "ease is preferred to popular by 100%" in run("study", "report", "things").out
    report = json.loads(run("study", "report", "things", "--json").out)
    assert (report["people"], report["lines"][0]["construct"]) == (12, "quality")
    assert run("study", "export", "things", "answers.csv").out == "written: answers.csv, 12 people, 168 rows\n"
    written = (shop / "answers.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(written.splitlines()))
    assert {row["model"] for row in rows} == {"ease", "popular"}
    assert {row["participant"] for row in rows} == {str(number) for number in range(1, 13)}
    assert not any(token in written for token in tokens)
    assert run("study", "erase", tokens[3]).out == "erased: everything this participant said\n"
    assert run("study", "erase", tokens[3]).status == 1
    assert json.loads(run("study", "report", "things", "--json").out)["people"] == 11
    assert run("study", "close", "things").out == "things: closed\n"
    listed = run("study", "list").out
    assert "things" in listed
    assert "11" in listed


def test_a_study_nobody_answered_has_a_report_and_a_table(shop: Path, run: Run) -> None:
    run("study", "create", "things", "--a", "ease", "--b", "popular")
    report = run("study", "report", "things")
    assert (report.status, report.err) == (0, "")
    assert report.out.startswith("cannot tell whether ease or popular is preferred: nobody has a preference")
    assert json.loads(run("study", "report", "things", "--json").out)["people"] == 0
    assert run("study", "export", "things", "answers.csv").status == 0


def test_slips_are_said_in_one_line(shop: Path, run: Run) -> None:
    assert "unknown model; got eese" in run("study", "create", "things", "--a", "eese", "--b", "popular").err
    assert "there is no such study; got nothing" in run("study", "report", "nothing").err
    assert "there is no study; next: penchant study create" in run("study", "list").out
    run("study", "create", "things", "--a", "ease", "--b", "popular")
    assert "there is no such folder" in run("study", "export", "things", "no/where.csv").err
