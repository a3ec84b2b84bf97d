"""Every warning, by an evaluation that deserves it; and none where none is due."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest
from msgspec.structs import replace

import penchant as pt
from penchant.core.nouns import TopK
from penchant.data.dataset import Dataset
from penchant.data.split import Split
from penchant.evaluation.evaluate import evaluate
from penchant.evaluation.line import Line
from penchant.evaluation.report import Report
from penchant.evaluation.reportpage.cautions import _RULES, cautions
from penchant.models.itemknn import ItemKNN
from penchant.models.popular import Popular
from penchant.testing import checkerboard

Both = dict[str, Any]


def described(split: Split) -> Split:
    """Return the split with a catalogue and with times."""
    names = [*split.train.items]
    catalogue = pl.DataFrame({"id": names, "title": [f"Item {n}" for n in names], "categories": [["a"]] * len(names)})

    def timed(side: Dataset, at: int) -> Dataset:
        frame = side.frame.with_columns(at=pl.lit(at, pl.Int64))
        return Dataset(side.users, side.items, frame, catalogue, side.weights)

    past = timed(split.history, 0)
    return replace(split, train=past, history=past, test=timed(split.test, 86_400_000_000))


def codes(report: Report) -> list[str]:
    return [caution.code for caution in report.cautions()]


@pytest.fixture
def well(both: Both, tastes: Split) -> Report:
    return evaluate(both, described(tastes), ["hit@5", "coverage@5"], by=["user.history"])


def test_a_good_evaluation_has_no_warning(well: Report) -> None:
    assert well.cautions() == ()


def test_leaks_that_were_let_through(both: Both, tastes: Split) -> None:
    split = replace(described(tastes), train=described(tastes).test).allowing("future", "twice")
    found = evaluate(both, split, ["hit@5"]).cautions()
    assert [caution.code for caution in found][:1] == ["leak"]
    assert "Leak 'twice'" in found[0].text
    assert found[0].then.startswith("Split in time")


def test_sampled_metrics(both: Both, tastes: Split) -> None:
    found = evaluate(both, described(tastes), ["hit@5"], negatives=7).cautions()
    assert [caution.code for caution in found] == ["sampled"]
    assert "among 7 sampled ones" in found[0].text


def test_few_users(both: Both, make_split: Callable[..., Split]) -> None:
    history, test = np.eye(20)[:1], np.eye(20)[1:2]
    found = evaluate(both, described(make_split(history, test)), ["hit@5"]).cautions()
    assert (
        found[0].text == "Only 1 user counts; intervals of fewer than 30 are wide, and of fewer than 20 there are none."
    )
    many = evaluate(both, described(make_split(np.eye(20)[:5], np.eye(20)[5:10])), ["hit@5"]).cautions()
    assert many[0].text.startswith("Only 5 users count;")


def test_figures_about_a_part_of_the_users(both: Both, make_split: Callable[..., Split]) -> None:
    history, test = np.zeros((100, 20)), np.zeros((100, 20))
    history[:40, 0] = test[:, 1] = 1
    found = evaluate(both, described(make_split(history, test)), ["hit@5"]).cautions()
    assert [caution.code for caution in found] == ["lost"]
    assert "about 40% of the users in the test: 60 have no history, 0 did nothing" in found[0].text


def test_no_intervals(both: Both, tastes: Split) -> None:
    assert codes(evaluate(both, described(tastes), ["hit@5"], resamples=0)) == ["intervals"]


def test_a_model_that_cannot_score_some_users(both: Both, tastes: Split, ranker: Any) -> None:
    def odd_only(dense: np.ndarray) -> np.ndarray:
        return np.where(dense[:, 10:].any(axis=1)[:, None], np.arange(20.0), np.nan)

    def three(dense: np.ndarray) -> np.ndarray:
        return np.where(np.arange(20) % 7 == 0, np.arange(20.0), np.nan)

    models = both | {"odd": ranker(tastes.train.items, odd_only), "three": ranker(tastes.train.items, three)}
    found = evaluate(models, described(tastes), ["hit@5"]).cautions()
    assert [caution.code for caution in found] == ["empty", "short"]
    assert found[0].text == "odd could score no item for 30 of 60 users; each counts as a miss."
    assert found[1].text == "three could not fill the slates of 60 of 60 users; empty slots count as misses."


def test_a_model_of_nan_alone(both: Both, tastes: Split, ranker: Any) -> None:
    models = both | {"nan": ranker(tastes.train.items, lambda dense: np.full(20, np.nan))}
    report = evaluate(models, described(tastes), ["hit@5"])
    assert report.cautions()[0].text.startswith("nan could score no item for 60 of 60 users")
    assert next(line.value for line in report.lines if line.model == "nan") == 0.0


def test_ties_everywhere(both: Both, tastes: Split, ranker: Any) -> None:
    models = both | {"flat": ranker(tastes.train.items, lambda dense: np.zeros(20))}
    report = evaluate(models, described(tastes), ["hit@5"])
    assert codes(report) == ["ties"]
    assert report.filled["flat"].tied == 1.0
    assert report.filled["popular"].tied == 0.0
    assert report.cautions()[0].text.startswith("100% of the neighbours in the slates of flat have equal scores")


class Liar:
    """A model whose reasons are not what its scores are made of."""

    base_code = "popular"

    def __init__(self, scorer: Any) -> None:
        self.scorer, self.items, self.learner = scorer, scorer.items, scorer.learner

    def rows(self, data: Any) -> Any:
        return self.scorer.rows(data)

    def score_batch(self, histories: Any, k: int, *, exclude_seen: bool = True) -> TopK:
        return self.scorer.score_batch(histories, k, exclude_seen)

    def score(self, history: Any) -> Any:
        return self.scorer.score(history) + 1

    def base(self, items: Any) -> Any:
        return self.scorer.base(items)

    def contributions(self, history: Any, items: Any) -> Any:
        return self.scorer.contributions(history, items)


def test_reasons_that_do_not_come_to_the_score() -> None:
    split = pt.split.random(checkerboard(40), rng=0)
    honest = {"popular": Popular().fit(split.train), "knn": ItemKNN().fit(split.train)}
    assert "reasons" not in codes(evaluate(honest, split, ["hit@5"]))
    found = evaluate(honest | {"liar": Liar(honest["knn"])}, split, ["hit@5"]).cautions()
    told = [caution.text for caution in found if caution.code == "reasons"]
    assert len(told) == 1
    assert told[0].startswith("The reasons of liar for ")


def test_metrics_without_a_value(both: Both, tastes: Split) -> None:
    found = evaluate(both, tastes, ["hit@5", "diversity@5"]).cautions()
    told = next(caution for caution in found if caution.code == "unmeasured")
    assert told.text == (
        "Some figures are missing, popular on diversity@5, taste on diversity@5: the catalogue has no categories."
    )
    assert told.then == "Give the data a catalogue with categories."


def test_a_model_that_wins_over_all_and_loses_in_one_split(well: Report) -> None:
    better = next(line for line in well.lines if line.verdict == "better" and line.slice is None)
    parts = (replace(better, slice="split = 1 of 2"), replace(better, slice="split = 2 of 2", diff=-0.1))
    found = cautions(replace(well, lines=(*well.lines, *parts)))
    assert [caution.text for caution in found] == ["taste is better over all splits, but worse in split 2 of 2."]
    assert not cautions(replace(well, lines=(*well.lines, parts[0])))


def test_slices_of_few_users(both: Both, tastes: Split) -> None:
    ages = [{"user": str(user), "age": "old" if user < 9 else "young"} for user in range(60)]
    found = evaluate(both, described(tastes), ["hit@5"], by=["user.age"], users=pl.DataFrame(ages)).cautions()
    assert [caution.text for caution in found] == ["1 slice of fewer than 30 users cannot tell: user.age = old."]


def test_a_model_alone(both: Both, tastes: Split) -> None:
    assert codes(evaluate({"taste": both["taste"]}, described(tastes), ["hit@5"])) == ["single"]


def test_chance_that_cannot_be_repeated(both: Both, tastes: Split) -> None:
    report = evaluate(both, described(tastes), ["hit@5"], rng=np.random.default_rng(0))
    assert codes(report) == ["seed"]


def test_events_without_times_and_items_without_titles(both: Both, tastes: Split) -> None:
    assert codes(evaluate(both, tastes, ["hit@5"])) == ["times", "titles"]


def test_ratings_that_a_model_could_not_foresee(well: Report) -> None:
    lines = Line("stars", "answered", 0, 0.875), Line("biases", "answered", 0, 1.0)
    assert [(caution.code, caution.text) for caution in cautions(replace(well, lines=(*well.lines, *lines)))] == [
        (
            "unanswered",
            "Not all ratings could be foreseen; not answered: stars (12.5%). Errors are about the others alone, and "
            "differences about what both models foresaw.",
        )
    ]


def test_a_model_with_less_error_over_all_splits_and_more_in_one_is_unsteady(well: Report) -> None:
    base, whole = Line("biases", "rmse", 0, 0.9, 0.8, 1.0), Line("stars", "rmse", 0, 0.8, diff=-0.1, verdict="better")
    split = [replace(whole, slice=f"split = {n} of 2", diff=diff) for n, diff in ((1, -0.3), (2, 0.1))]
    setup = replace(well.setup, task="rating", baseline="biases")
    found = cautions(replace(well, setup=setup, lines=(base, whole, *split)))
    assert [caution.text for caution in found if caution.code == "unsteady"] == [
        "stars is better over all splits, but worse in split 2 of 2."
    ]


def test_long_lists_are_cut(well: Report) -> None:
    many = tuple(Line(f"m{n}", "map", 5, None, why="it is broken") for n in range(9))
    text = cautions(replace(well, lines=(*well.lines, *many)))[0].text
    assert text == (
        "Some figures are missing, m0 on map@5, m1 on map@5, m2 on map@5, m3 on map@5, m4 on map@5 and 4 more: "
        "it is broken."
    )


def test_every_rule_has_its_test_here() -> None:
    assert len(_RULES) == 17
