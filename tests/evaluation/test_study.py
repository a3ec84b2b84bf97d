"""What a study says: paired by participant, careful with few people, and in words."""

from __future__ import annotations

import json

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ttest_1samp, ttest_rel

from penchant.evaluation.interval import Effect, Inconclusive
from penchant.evaluation.preference import preference
from penchant.evaluation.questionnaire import CONSTRUCTS, Answers
from penchant.evaluation.study import answers_table, mean_difference, study_report


def person(number: int, a: int, b: int, prefers: str = "neither", first: str = "a") -> Answers:
    return Answers(number, first, prefers, {"a": dict.fromkeys(CONSTRUCTS, a), "b": dict.fromkeys(CONSTRUCTS, b)})


def people(n: int, rng: np.random.Generator, gain: float = 0.0, lean: float = 0.5) -> list[Answers]:
    made = []
    for number in range(n):
        taste = rng.normal(3, 0.7)
        rated = {
            side: {construct: int(np.clip(round(taste + rng.normal(0, 0.8) + extra), 1, 5)) for construct in CONSTRUCTS}
            for side, extra in (("a", gain), ("b", 0.0))
        }
        prefers = "a" if rng.random() < lean else "b"
        made.append(Answers(number, "ab"[int(rng.integers(2))], prefers, rated))
    return made


@given(st.lists(st.integers(-4, 4), min_size=2, max_size=30))
def test_the_interval_is_students(values):
    differences = np.array(values, float)
    found = mean_difference(differences)
    assert found.value == pytest.approx(differences.mean())
    if differences.std() == 0:
        assert isinstance(found, Inconclusive)
        return
    low, high = ttest_1samp(differences, 0).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((low, high))


def test_ratings_are_compared_within_participants():
    answers = people(40, np.random.default_rng(1), gain=0.6)
    report = study_report("s", "one", "two", answers)
    for line in report.lines:
        a = [each.ratings["a"][line.construct] for each in answers]
        b = [each.ratings["b"][line.construct] for each in answers]
        low, high = ttest_rel(a, b).confidence_interval(0.95)
        assert (line.difference.low, line.difference.high) == pytest.approx((low, high))
        assert (line.a, line.b) == pytest.approx((np.mean(a), np.mean(b)))
    assert [line.construct for line in report.lines] == list(CONSTRUCTS)


def test_p_allows_for_all_constructs_having_been_looked_at():
    answers = people(40, np.random.default_rng(1), gain=0.6)
    (alone,) = {
        ttest_rel([p.ratings["a"]["trust"] for p in answers], [p.ratings["b"]["trust"] for p in answers]).pvalue
    }
    line = next(line for line in study_report("s", "one", "two", answers).lines if line.construct == "trust")
    assert line.difference.p >= alone * 0.9


def test_without_a_difference_nothing_is_claimed():
    claims = 0
    for seed in range(60):
        report = study_report("s", "one", "two", people(30, np.random.default_rng(seed)))
        claims += any(line.verdict != "cannot tell" for line in report.lines)
    assert claims <= 9  # 5% of 60 in expectation; 10 or more has a probability below 0.1%


def test_a_verdict_is_said_in_words_whichever_model_it_is_for():
    for gain, lean, said in ((1.0, 0.9, "one is preferred to two by "), (-1.0, 0.1, "two is preferred to one by ")):
        report = study_report("s", "one", "two", people(60, np.random.default_rng(2), gain, lean))
        first, *others = report.sentences()
        better, worse = ("one", "two") if gain > 0 else ("two", "one")
        assert first.startswith(said)
        assert any(text.startswith(f"{better} is rated above {worse} on quality, by ") for text in others)
    assert (
        study_report("s", "one", "two", people(20, np.random.default_rng(2))).sentences()[0].startswith("cannot tell")
    )


def test_a_slate_that_is_preferred_for_its_place_is_called_out():
    answers = [person(n, 3, 3, first, first) for n in range(40) for first in ["ab"[n % 2]]]
    report = study_report("s", "one", "two", answers)
    assert report.verdict == "cannot tell"
    assert report.place == preference([1] * 40)
    assert report.sentences()[-1] == "warning: the slate that stood first was preferred, whichever it was"


@pytest.mark.parametrize("n", [0, 1])
def test_few_people_get_a_defined_answer(n):
    report = study_report("s", "one", "two", [person(0, 3, 4, "b")] * n)
    assert report.people == n
    assert all(line.verdict == "cannot tell" for line in report.lines)
    assert report.sentences()[0].startswith("cannot tell whether one or two is preferred")
    assert json.loads(report.json())["people"] == n


def test_everyone_of_one_mind_has_no_interval():
    (line, *_) = study_report("s", "one", "two", [person(n, 4, 3) for n in range(9)]).lines
    assert line.difference == Inconclusive(1.0, "all participants differ by the same amount")


def test_a_participants_row_says_which_model_stood_where():
    table = answers_table("one", "two", [person(0, 5, 1, "a", first="b")])
    assert table.height == 2 * len(CONSTRUCTS)
    rows = table.filter(construct="trust").select("participant", "model", "place", "rating", "prefers").rows()
    assert rows == [(1, "one", 2, 5, "one"), (1, "two", 1, 1, "one")]
    assert answers_table("one", "two", []).columns == table.columns


def test_an_effect_reads_back_from_json():
    report = study_report("s", "one", "two", people(20, np.random.default_rng(2)))
    first = json.loads(report.json())["lines"][0]["difference"]
    assert msgspec.convert(first, Effect | Inconclusive) == report.lines[0].difference
