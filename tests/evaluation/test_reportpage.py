"""The page of an evaluation: what it says, what it shows, and whom it shows."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import numpy as np
import polars as pl
import pytest
from msgspec.structs import replace

import penchant as pt
from penchant.core.errors import InputError
from penchant.data.dataset import Dataset
from penchant.data.split import Split
from penchant.data.vocabulary import Vocabulary
from penchant.evaluation.cross import cross_evaluate
from penchant.evaluation.evaluate import evaluate
from penchant.evaluation.line import Line
from penchant.evaluation.ranking import Users
from penchant.evaluation.report import Report
from penchant.evaluation.reportpage.answer import PLAIN, answer, question
from penchant.evaluation.reportpage.page import pictures, render
from penchant.evaluation.reportpage.rows import parts, series_of
from penchant.evaluation.reportpage.views import against_time, against_variety, by_k, in_time
from penchant.evaluation.setup import Setup
from penchant.evaluation.showing import chosen
from penchant.evaluation.timeline import PARTS, timeline
from penchant.models.itemknn import ItemKNN
from penchant.models.popular import Popular
from penchant.testing import bazaar, generated

SETUP = Setup("Random split.", "random", "new", Users(90, 80, 5, 5), 9, "popular", 1000, 0, {}, {}, {})
HOSTILE = '<script>alert("x")</script>'


@pytest.fixture(scope="module")
def shop() -> Dataset:
    """A market whose items have titles and categories, some of them hostile."""
    data = generated(200, 80, 1800)
    rows = [
        {"id": item, "title": HOSTILE if n % 2 else f"Thing {n}", "categories": ["even" if n % 2 else "odd"]}
        for n, item in enumerate(data.items)
    ]
    users = Vocabulary(pl.Series([f"person-{n:03}" for n in range(data.n_users)]))
    return Dataset(users, data.items, data.frame, pl.DataFrame(rows), data.weights)


@pytest.fixture(scope="module")
def split(shop: Dataset) -> Split:
    return pt.split.temporal(shop, "30d")


@pytest.fixture(scope="module")
def models(split: Split) -> dict[str, Any]:
    learners = {"popular": Popular(), "knn": ItemKNN(), "ease": pt.EASE(l2=10.0)}
    return {name: learner.fit(split.train) for name, learner in learners.items()}


@pytest.fixture(scope="module")
def report(models: dict[str, Any], split: Split) -> Report:
    metrics = ["ndcg@5", "ndcg@10", "hit@10", "diversity@10", "coverage@10"]
    seconds = {"popular": 0.1, "knn": 2.0, "ease": 30.0}
    return evaluate(models, split, metrics, by=["user.history", "item.popularity"], seconds=seconds)


@pytest.fixture(scope="module")
def page(report: Report) -> str:
    return render(report)


def test_a_page_holds_every_part_in_its_place(page: str) -> None:
    heads = re.findall(r"<h2[^>]*>([^<]+)</h2>", page)
    assert heads == [
        "The answer",
        "The question",
        "Warnings",
        "The data",
        "The figures",
        "Seen from other sides",
        "Examples",
        "The models",
        "To do it again",
        "All figures",
    ]
    assert page.count("<svg viewBox") - page.count('<svg viewBox="0 0 16 16"') == 7
    assert '<p class="note">Not drawn' not in page


def test_a_page_is_readable_by_machines_that_read_it_aloud(page: str) -> None:
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    for labels in re.findall(r'aria-labelledby="([^"]+)"', page):
        assert set(labels.split()) <= set(ids)
    assert page.count("<table") == page.count("<caption")
    assert "<th>" not in page
    assert all("<title" in svg for svg in re.findall(r'<svg [^>]*role="img".*?</svg>', page, re.DOTALL))


def test_nothing_in_the_data_can_leave_its_place(page: str, models: dict[str, Any], split: Split) -> None:
    assert HOSTILE not in page
    assert "&lt;script&gt;" in page
    named = {"popular": models["popular"], HOSTILE: models["knn"]}
    sharp = replace(split, about=HOSTILE)
    assert "<script" not in render(evaluate(named, sharp, ["hit@5"]).command(HOSTILE))


def test_the_same_seed_gives_the_same_bytes(models: dict[str, Any], split: Split) -> None:
    def made(rng: int) -> Report:
        return evaluate(models, split, ["hit@5"], resamples=50, rng=rng)

    one, same, other = made(3), made(3), made(4)
    assert render(one) == render(same)
    assert one.json() == same.json()
    assert [p.history for p in one.examples.people] != [p.history for p in other.examples.people]


def test_a_page_made_of_json_is_the_same_page(report: Report, page: str) -> None:
    assert render(msgspec.json.decode(report.json(), type=Report)) == page


# -- whom it shows ---------------------------------------------------------------------------------------------------


def test_people_are_numbered_unless_their_ids_are_asked_for(
    report: Report, page: str, models: dict[str, Any], split: Split
) -> None:
    users = [*split.history.users]
    assert [person.user for person in report.examples.people] == ["user 1", "user 2", "user 3"]
    assert users[0] == "person-000"
    for told in (page, report.json(), report.markdown(), report.latex()):
        assert "person-" not in told
    named = evaluate(models, split, ["hit@5"], real_ids=True)
    assert {person.user for person in named.examples.people} <= set(users)
    assert "this page holds personal data" in render(named)


def test_reasons_come_to_the_score_and_hits_are_what_was_taken(report: Report, models: Any, split: Split) -> None:
    named = evaluate(models, split, ["hit@10"], real_ids=True)
    compared = 0
    for person in named.examples.people:
        history = split.history.history(person.user)
        later = {*split.test.history(person.user).items.tolist()} - {*history.items.tolist()}
        for shown in person.slates:
            scores = models[shown.model].score(history)
            want = np.argsort(-np.where(np.isin(np.arange(len(scores)), history.items), -np.inf, scores), kind="stable")
            for item, code in zip(shown.items, want, strict=False):
                assert item.score == pytest.approx(scores[code], abs=1e-6)
                assert item.sum == pytest.approx(item.score, abs=1e-5)
                assert item.hit == (int(code) in later)
                assert len(item.reasons) <= 4
                compared += 1
        assert len(person.wanted) + person.more == len(later)
        assert person.place == len({*history.items.tolist()})
    assert compared == 3 * 3 * 10
    assert report.cautions() == named.cautions() or all(c.code != "reasons" for c in named.cautions())


def test_people_are_chosen_by_the_length_of_their_history_and_by_lot() -> None:
    lengths = np.repeat([1, 5, 9, 100], [10, 30, 30, 30])
    rng = np.random.default_rng
    assert lengths[chosen(lengths, 3, rng(0))].tolist() == [5, 9, 100]
    assert {int(row) for seed in range(200) for row in chosen(lengths, 3, rng(seed)) if lengths[row] == 5} == {
        *range(10, 40)
    }
    assert sorted(chosen(lengths[:2], 5, rng(0)).tolist()) == [0, 1], "fewer people than asked for: each once"
    assert len(set(chosen(np.ones(4, np.int64), 4, rng(0)).tolist())) == 4
    assert chosen(lengths, 0, rng(0)).tolist() == []


def test_nobody_is_shown_when_nobody_is_asked_for(models: dict[str, Any], split: Split) -> None:
    none = evaluate(models, split, ["hit@5"], examples=0)
    assert none.examples is None
    assert "No users are shown" in render(none)
    with pytest.raises(InputError, match="examples is out of range; got -1; allowed: 0 or more"):
        evaluate(models, split, ["hit@5"], examples=-1)


def test_showing_people_leaves_the_chance_as_it_was(models: dict[str, Any], split: Split) -> None:
    def lines(examples: int) -> tuple[Line, ...]:
        return evaluate(models, split, ["hit@5"], rng=np.random.default_rng(5), examples=examples).lines

    assert lines(0) == lines(3)


def test_a_model_that_gives_no_reasons_says_so(both: Any, tastes: Split) -> None:
    found = evaluate(both, tastes, ["hit@5"])
    assert "No reasons: this model does not say what its scores are made of." in render(found)
    assert {item.score for person in found.examples.people for s in person.slates for item in s.items} == {None}


def test_several_splits_show_people_of_the_last_one() -> None:
    splits = pt.split.rolling(generated(100, 60, 700), "60d", windows=3)
    found = cross_evaluate({"popular": Popular(), "knn": ItemKNN()}, splits, ["ndcg@5"], resamples=50)
    assert found.examples.rule.endswith("They are of split 3 of 3, and so are the models.")
    assert len(found.timeline.windows) == 3
    page = render(found)
    assert "Split by split" in page
    assert "penchant.cross_evaluate(learners, splits" in page
    assert found.filled["knn"].users == found.setup.users.evaluated


# -- the split in time -----------------------------------------------------------------------------------------------


def test_the_time_line_counts_every_event_where_it_was(split: Split) -> None:
    line = timeline([split])
    assert [side.name for side in line.windows[0].sides] == ["train", "test"]
    for side in line.windows[0].sides:
        data: Dataset = getattr(split, side.name)
        at, user, item = (data.column(name) for name in ("at", "user", "item"))
        expected, _ = np.histogram(at, PARTS, (line.begins, line.ends))
        assert side.parts == tuple(expected.tolist())
        assert (side.events, side.users, side.items) == (len(at), len({*user}), len({*item}))
        assert (side.first, side.last, side.digest) == (at.min(), at.max(), data.digest)


def test_the_picture_of_a_split_in_time_has_its_cut_between_the_sides(split: Split) -> None:
    line = timeline([split])
    picture = in_time(line)
    train = [box for box in picture.boxes if box.series == 0]
    test = [box for box in picture.boxes if box.series == 1]
    cut = picture.rules[0].x
    wide = (picture.size[2] - picture.size[0]) / PARTS
    assert max(box.x for box in train) <= cut
    assert min(box.x for box in test) >= cut - wide
    assert picture.said.startswith("All that models learnt from came before")
    counts = [count for count in line.windows[0].side("train").parts if count]
    tallest = max(box.height for box in train)
    assert [box.height for box in train] == pytest.approx([tallest * n / max(counts) for n in counts], abs=1.0)


def test_a_split_by_chance_is_drawn_as_one(shop: Dataset) -> None:
    picture = in_time(timeline([pt.split.random(shop, rng=0)]))
    assert picture.rules == ()
    assert picture.said.startswith("Train and test lie in the same time")
    folds = in_time(timeline(pt.split.k_fold(shop, 3)))
    assert [text for _, text in folds.up] == [f"{n} {side}" for n in (1, 2, 3) for side in ("train", "test")]
    strong = in_time(timeline([pt.split.strong(shop, rng=0)]))
    assert [text for _, text in strong.up] == ["train", "history", "test"]


def test_events_of_one_time_are_drawn_as_shares(tastes: Split) -> None:
    line = timeline([tastes])
    picture = in_time(line)
    assert picture.said.startswith("All events have one time, so there is no time line")
    events = [side.events for side in line.windows[0].sides]
    widths = [box.width for box in picture.boxes]
    assert widths[0] / widths[1] == pytest.approx(events[0] / events[1], rel=1e-3)


# -- charts ----------------------------------------------------------------------------------------------------------


def test_a_curve_by_k_goes_through_its_values(report: Report) -> None:
    picture = by_k(report, "ndcg")
    values = {(line.model, line.k): line.value for line in report.whole if line.metric == "ndcg"}
    (floor, zero), (ceiling, top) = picture.up[0], picture.up[-1]
    assert zero == "0"
    for (model, series), curve in zip(picture.series, picture.curves, strict=True):
        points = [tuple(map(float, point.split(","))) for point in curve.points.split()]
        heights = [floor - (floor - ceiling) * values[model, k] / float(top) for k in (5, 10)]
        assert [y for _, y in points] == pytest.approx(heights, abs=0.11)
        assert points[0][0] < points[1][0]
        assert curve.series == series
    assert [label.text for label in picture.labels] == [name for name, _ in picture.series]


def test_parts_are_drawn_when_they_can_tell_and_counted_when_not(report: Report) -> None:
    picture = parts(report, "item.popularity")
    lines = [
        line for line in report.lines if (line.slice or "").startswith("item.popularity") and line.name == "ndcg@10"
    ]
    drawn = [line for line in lines if line.users >= 30]
    assert len(picture.dots) == len(drawn) > 0
    history = parts(report, "user.history")
    thin = {line.slice for line in report.lines if (line.slice or "").startswith("user.history") and line.users < 30}
    assert bool(thin) == ("of fewer than 30 users" in history.said)
    assert series_of(report)["popular"] == 5


def test_one_figure_against_another_is_placed_by_both(report: Report) -> None:
    picture = against_variety(report)
    assert picture.title == "Accuracy against diversity: ndcg@10 and diversity@10"
    value = {(line.model, line.metric): line.value for line in report.whole if line.k == 10}
    order = sorted(("popular", "knn", "ease"), key=lambda model: value[model, "diversity"])
    assert [dot.text.split(":")[0] for dot in sorted(picture.dots, key=lambda dot: dot.x)] == order
    order = sorted(("popular", "knn", "ease"), key=lambda model: -value[model, "ndcg"])
    assert [dot.text.split(":")[0] for dot in sorted(picture.dots, key=lambda dot: dot.y)] == order
    plain = replace(report, lines=tuple(line for line in report.lines if line.metric != "diversity"))
    assert "this is coverage instead" in against_variety(plain).said
    slow = against_time(report)
    x = {dot.text.split(":")[0]: dot.x for dot in slow.dots}
    assert (x["ease"] - x["popular"]) / (x["knn"] - x["popular"]) == pytest.approx(np.log(300) / np.log(20), rel=0.01)


def test_what_has_no_data_says_why(both: Any, tastes: Split) -> None:
    bare = evaluate(both, tastes, ["hit@5"])
    reasons = [picture.why for picture in pictures(bare)]
    assert [picture.drawn for picture in pictures(bare)] == [False] * 5
    assert all(reasons)
    page = render(bare)
    assert page.count("Not drawn:") == 5
    assert "A <b" not in render(Report((), SETUP)), "a report of nothing has a page"


# -- words -----------------------------------------------------------------------------------------------------------


def test_the_answer_names_who_beats_whom_and_what_cannot_be_told() -> None:
    base = Line("popular", "ndcg", 10, 0.2, 0.1, 0.3)
    better = {n: Line(n, "ndcg", 10, 0.3, 0.2, 0.4, 0.1, 0.05, 0.2, 0.01, "better") for n in ("ease", "ials", "knn")}
    worse = Line("bpr", "ndcg", 10, 0.1, 0.0, 0.2, -0.1, -0.2, -0.05, 0.01, "worse")
    unsure = Line("slim", "ndcg", 10, 0.2, 0.1, 0.3, 0.01, -0.1, 0.1, 0.9, "cannot tell", users=80, needed=900)

    def said(*lines: Line) -> list[str]:
        return answer(Report((base, *lines), SETUP))

    assert said(*better.values(), worse, unsure)[0] == (
        "ease, ials and knn beat popular. popular beats bpr. slim cannot be told from popular."
    )
    assert "which of those that beat it is best is not told here" in said(*better.values())[-1]
    assert said(unsure) == [
        "Nothing is shown to beat popular. slim cannot be told from popular.",
        "Cannot tell slim from popular on ndcg@10: the difference is 0.010 [-0.100, 0.100]; would need about 900 "
        "users.",
    ]
    assert said()[0] == "There is nothing to compare: popular has ndcg@10 0.2000 [0.1000, 0.3000]."
    higher = replace(better["ease"], metric="arp", verdict="higher")
    assert answer(Report((replace(base, metric="arp"), higher), SETUP))[0] == (
        "ease: higher than popular, which is neither good nor bad in itself."
    )
    together = replace(better["ease"], metric="coverage", low=None, high=None, verdict=None, why="one number")
    assert answer(Report((replace(base, metric="coverage", low=None), together), SETUP))[0] == (
        "Whether any model beats popular cannot be told: one number."
    )


def test_the_question_says_when_against_what_and_by_what(report: Report) -> None:
    told = dict(question(report))
    days = re.findall(r"\d{4}-\d\d-\d\d", told["Asked"])
    assert days == sorted(days)
    assert len(days) == 3
    assert told["Against"].startswith("popular, which is Popular(")
    assert told["Told by"].startswith("ndcg@10: how much of what a user took stood among the first 10")


def test_every_metric_is_said_in_plain_words() -> None:
    from penchant.evaluation.metrics.names import _KNOWN

    assert set(PLAIN) == set(_KNOWN)


def test_a_session_split_is_told_of_questions() -> None:
    split = pt.split.sessions(bazaar(n_events=3000), "10d", gap="6h")
    knn = {"popular": Popular().fit(split.train), "knn": ItemKNN().fit(split.train)}
    page = render(evaluate(knn, split, ["mrr@5"], task="any"))
    assert "Questions that count were ordered" in page
    assert "questions about" in page
