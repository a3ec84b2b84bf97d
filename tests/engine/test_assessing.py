"""The evaluation of a store's own events, by the very pipeline that answers."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from penchant.core.errors import EmptyData
from penchant.core.settings import EvaluationSettings, PlacementSettings, Settings
from penchant.data.split import temporal
from penchant.engine.answers import Ask
from penchant.engine.assessing import FREQUENCY, PlacementRanker, assess, blends_of, default_metrics, tasks_of
from penchant.engine.bundle import load_bundle
from penchant.engine.engine import Engine
from penchant.engine.training import consented_data, fit_models, recipes, served
from penchant.models.matrixfactorization import MatrixFactorization
from penchant.models.popular import Popular
from penchant.testing import checkerboard
from penchant.trust.access import SYSTEM


def test_every_model_and_every_blend_of_one_task_is_compared(engine: Engine, settings: Settings) -> None:
    few = msgspec.structs.replace(settings, evaluation=EvaluationSettings(test="21d", resamples=50))
    reports = assess(engine.gate, SYSTEM, few, metrics=("ndcg@10", "coverage@10"))
    models = {task: {line.model for line in report.lines} for task, report in reports.items()}
    assert models["new"] == {"ease", "item-knn", "ials", "popular", "trending", "for-you (blend)"}
    assert models["repeat"] == {"buy-again", FREQUENCY}
    assert (reports["new"].setup.baseline, reports["repeat"].setup.baseline) == ("popular", FREQUENCY)
    value = {line.model: line.value for line in reports["new"].lines if line.name == "ndcg@10"}
    assert value["ease"] > value["popular"], "people keep to their taste in this world"
    seconds = {line.model: line.seconds for line in reports["new"].lines}
    assert seconds["ease"] > 0
    assert reports["new"].setup.users.test <= 130, "who did not agree to training is not evaluated either"


def test_a_blend_is_evaluated_by_the_pipeline_that_answers(engine: Engine, settings: Settings) -> None:
    data = consented_data(engine.gate, SYSTEM, settings)
    bundle = load_bundle(engine.gate.artifacts.promoted().path)
    ranker = PlacementRanker(settings.placements["for-you"], bundle.scorers, data)
    asked = ranker.rows(data)
    assert asked.shape == (130, 40)
    top = ranker.score_batch(asked, 8)
    compared = 0
    for row, user in enumerate(data.users):
        answer = engine.recommend(SYSTEM, Ask(placement="for-you", user=user, n=8))
        if answer.policy == "personalized":
            found = [item for item in bundle.items.ids(top.items[row][top.items[row] >= 0]) if item != "i0"]
            answered = [ranked.item for ranked in answer.items]
            assert found == answered[: len(found)], user
            compared += len(found)
    assert compared > 300
    few = ranker.score_batch(asked[np.array([3, 1])], 8)
    np.testing.assert_array_equal(few.items, top.items[[3, 1]])


def test_a_model_of_ratings_is_in_no_report_of_slates_and_the_log_says_so(caplog: pytest.LogCaptureFixture) -> None:
    learners = {"popular": Popular(), "stars": MatrixFactorization(factors=1)}
    assert tasks_of(learners, None) == {"new": {"popular": Popular()}}
    assert caplog.messages == ["stars is left out: its task is rating, and slates are no measure of that"]
    board = checkerboard(6)
    scorers = {name: learner.fit(board) for name, learner in learners.items()}
    placement = PlacementSettings(blend={"popular": 1.0, "stars": 1.0})
    assert blends_of(Settings(placements={"mixed": placement}), learners, scorers, board) == {}


def test_default_metrics_are_all_of_them_at_every_length() -> None:
    metrics = default_metrics(Settings())
    assert len(metrics) == len(set(metrics)) == 8 * 3
    assert "ndcg@10" in metrics


def test_only_models_that_some_placement_asks_are_served(settings: Settings) -> None:
    assert "ials" not in served(settings)
    assert set(served(settings)) < set(recipes(settings))


def test_fitting_tells_what_it_took(engine: Engine, settings: Settings) -> None:
    split = temporal(consented_data(engine.gate, SYSTEM, settings), test="21d")
    scorers, seconds = fit_models(recipes(settings, ["popular", "ease"]), split.train)
    assert list(scorers) == ["popular", "ease"]
    assert all(np.isfinite(value) and value > 0 for value in seconds.values())


def test_nothing_to_hold_out_is_an_error(engine: Engine, settings: Settings) -> None:
    long = msgspec.structs.replace(settings, evaluation=EvaluationSettings(test="900d"))
    with pytest.raises(EmptyData, match="the train side of the split is empty; got 900d"):
        assess(engine.gate, SYSTEM, long)
