"""Pages of evaluations that are not of slates alone: of ratings, where less is better, and of parities."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import penchant as pt
from penchant.data.dataset import Dataset
from penchant.evaluation.cross import cross_evaluate
from penchant.evaluation.evaluate import evaluate
from penchant.evaluation.report import Report
from penchant.evaluation.reportpage.again import call
from penchant.evaluation.reportpage.answer import answer, question
from penchant.evaluation.reportpage.page import pictures, render
from penchant.evaluation.reportpage.rows import heads
from penchant.models.itemknn import ItemKNN
from penchant.models.matrixfactorization import MatrixFactorization
from penchant.models.popular import Popular
from penchant.testing import generated


class Flat:
    """Foresees one star of everything."""

    learner = Popular()

    def __init__(self, items: Any) -> None:
        self.items = items

    def rows(self, data: Dataset) -> Any:
        return data.matrix

    def score_batch(self, histories: Any, k: int, *, exclude_seen: bool = True) -> Any:
        raise AssertionError("slates are no measure of ratings")

    def predict(self, histories: Any, rows: Any, items: Any) -> Any:
        return np.ones(len(items))


class Mute(Flat):
    """Cannot say anything."""

    def predict(self, histories: Any, rows: Any, items: Any) -> Any:
        return np.full(len(items), np.nan)


@pytest.fixture(scope="module")
def stars() -> Dataset:
    """160 people of two tastes give stars to about half of 40 items."""
    rng = np.random.default_rng(3)
    user, item = np.nonzero(rng.random((160, 40)) < 0.5)
    value = np.clip(np.rint(np.where((user + item) % 2, 4.3, 2.0) + rng.normal(0, 0.6, len(user))), 1, 5)
    rows = {"user": user.astype(str), "item": item.astype(str), "at": rng.permutation(len(user)) * 10**9}
    return Dataset.from_events(pl.DataFrame(rows).with_columns(kind=pl.lit("rating"), value=pl.Series(value)))


@pytest.fixture(scope="module")
def rated(stars: Dataset) -> Report:
    split = pt.split.random(stars, rng=0)
    learners = {"biases": MatrixFactorization(factors=1, l2=100.0), "stars": MatrixFactorization(factors=8)}
    models = {name: learner.fit(split.train) for name, learner in learners.items()} | {"flat": Flat(split.train.items)}
    seconds = {"biases": 1.0, "stars": 2.0, "flat": 3.0}
    metrics = ["rmse", "mae", "accuracy", "f1", "answered"]
    return evaluate(models, split, metrics, by=["user.history"], threshold=3.0, seconds=seconds)


@pytest.fixture(scope="module")
def fair() -> Report:
    data = generated(200, 80, 1800)
    sides = pl.DataFrame({"user": [*data.users], "side": [f"side-{n % 2}" for n in range(data.n_users)]})
    split = pt.split.random(data, rng=0)
    models = {"popular": Popular().fit(split.train), "knn": ItemKNN().fit(split.train)}
    return evaluate(models, split, ["ndcg_parity@5", "ndcg_parity@10"], by=["user.side", "user.cold"], users=sides)


def test_the_least_error_leads(rated: Report) -> None:
    value = {line.model: line.value for line in rated.of("rmse")}
    assert value["stars"] < value["biases"] < value["flat"]
    assert (rated.head, rated.most, rated.leader) == ("rmse", "lowest", "stars")
    assert rated.shown(2) == ("biases", "stars")
    assert answer(rated)[0] == "stars beats biases. biases beats flat."
    assert heads(rated).said.endswith("Less is better.")


def test_what_has_less_error_is_bold_and_what_has_more_is_not(rated: Report) -> None:
    table = rated.markdown(["rmse"]).splitlines()
    stars, flat = (next(row for row in table if row.startswith(f"| {name} | rmse |")) for name in ("stars", "flat"))
    assert "**" in stars
    assert stars.endswith("| better |")
    assert "**" not in flat
    assert flat.endswith("| worse |")


def test_a_page_of_ratings_speaks_of_ratings(rated: Report) -> None:
    page, asked = render(rated), dict(question(rated))
    assert "How will people rate items?" in page
    assert "had to foresee how people rated items" in asked["Asked"]
    assert "best first" not in asked["Asked"]
    assert "threshold=3" in call(rated)
    whys = {picture.title: picture.why for picture in pictures(rated)}
    assert whys["rmse by k, the length of the slate"] == "rmse is not about slates, and has no k."
    assert "no slates which could be diverse" in whys["Accuracy against diversity"]
    said = next(picture.said for picture in pictures(rated) if picture.title.startswith("Fit time against accuracy"))
    assert said.startswith("Further down is more accurate, further left is faster")
    assert not {"titles", "unanswered"} & {caution.code for caution in rated.cautions()}


def test_ratings_of_three_people_are_shown_before_and_after_with_addends_that_come_to_what_was_foreseen(
    stars: Dataset,
) -> None:
    learners = {"biases": MatrixFactorization(factors=1, l2=100.0), "stars": MatrixFactorization(factors=8)}
    split = pt.split.random(stars, rng=0)
    models = {name: each.fit(split.train) for name, each in learners.items()}
    report = evaluate(models, split, ["rmse"], rng=3, real_ids=True)
    assert report.examples is not None
    names = split.test.users.ids(split.test.column("user")), split.test.items.ids(split.test.column("item"))
    asked = dict(zip(zip(*names, strict=True), split.test.column("weight").tolist(), strict=True))
    for person in report.examples.people:
        for shown in person.of("biases", "stars"):
            assert [item.actual for item in shown.items] == [asked[person.user, item.title] for item in shown.items]
            assert all(len(item.reasons) > 1 and item.adds_up for item in shown.items)
            assert [item.actual for item in shown.items] == sorted((item.actual for item in shown.items), reverse=True)
    assert len(report.examples.people) == 3
    page = render(report)
    assert "Before: biases, off by" in page
    assert "After: stars, off by" in page
    assert "What it is rated on average" in page


def test_one_model_of_ratings_is_shown_beside_its_own_averages(stars: Dataset) -> None:
    split = pt.split.random(stars, rng=0)
    report = evaluate({"stars": MatrixFactorization(factors=8).fit(split.train)}, split, ["rmse"])
    page = render(report)
    assert "Before: averages alone, off by" in page
    assert "After: stars, off by" in page
    for person in report.examples.people:
        before, after = person.of("averages alone", "stars")
        for alone, whole in zip(before.items, after.items, strict=True):
            average = [reason.weight for reason in whole.reasons if reason.code == "average"]
            assert average == [pytest.approx(alone.score)]


def test_what_a_model_cannot_foresee_is_shown_as_such_and_counts_in_no_error(stars: Dataset) -> None:
    split = pt.split.random(stars, rng=0)
    page = render(evaluate({"mute": Mute(split.train.items)}, split, ["rmse", "answered"]))
    assert "which foresaw none of these" in page
    assert "cannot say" in page


def test_a_plot_of_errors_has_the_least_on_top(rated: Report, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    from penchant.evaluation.plotting import ordered

    assert [line.model for line in ordered(rated, "rmse")] == ["flat", "biases", "stars"]
    assert [line.model for line in ordered(rated, "accuracy")][-1] == "stars"
    rated.plot(tmp_path / "rmse.svg")
    assert (tmp_path / "rmse.svg").read_text(encoding="utf-8").startswith("<?xml")


def test_ratings_of_several_splits_have_a_page(stars: Dataset) -> None:
    learners = {"biases": MatrixFactorization(factors=1, l2=100.0), "stars": MatrixFactorization(factors=8)}
    report = cross_evaluate(learners, pt.split.k_fold(stars, 2), ["rmse"], timed=True)
    assert report.timeline is not None
    assert len(report.timeline.windows) == 2
    page = render(report)
    assert "Split by split" in page
    assert "stars beats biases on rmse" in page
    assert all(line.seconds is not None for line in report.whole)


def test_parities_are_about_all_users_and_the_first_column_is_told_first(fair: Report) -> None:
    assert fair.names == ("ndcg_parity@5", "ndcg_parity@10")
    assert {line.slice for line in fair.of()} == {"groups of user.side"}
    assert {line.slice for line in fair.of("ndcg_parity@5")} == {"groups of user.side", "groups of user.cold"}
    assert len(heads(fair).dots) == 2
    page = render(fair)
    assert "ndcg_parity@5 for groups of user.side, all users" in page
    assert "ndcg_parity@10 for groups of user.cold" in page
    by_k = next(picture for picture in pictures(fair) if picture.title.startswith("ndcg_parity by k"))
    assert len(by_k.curves) == 2
    assert len(by_k.dots) == 4
