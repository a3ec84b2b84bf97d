"""Ratings and likes inside a protocol: figures against their definitions, lower is better, and who cannot rate."""

from __future__ import annotations

import math

import msgspec
import numpy as np
import polars as pl
import pytest

from penchant.core.errors import EmptyData, InputError, UnknownName
from penchant.core.nouns import History
from penchant.data.dataset import Dataset
from penchant.data.split import k_fold, random, temporal
from penchant.evaluation import metrics as m
from penchant.evaluation.cross import cross_evaluate
from penchant.evaluation.evaluate import evaluate
from penchant.evaluation.rated import predicted, said
from penchant.evaluation.report import Report
from penchant.models.matrixfactorization import MatrixFactorization
from penchant.models.popular import Popular

ALL = ["rmse", "mae", "accuracy", "f1", "answered"]


class Constant:
    """Foresees the same of everything, or what a table says."""

    def __init__(self, items, value):
        self.items, self.value, self.learner = items, value, Popular()

    def rows(self, data):
        return data.matrix

    def score_batch(self, histories, k, exclude_seen=True):
        raise AssertionError("slates are no measure of ratings")

    def predict(self, histories, rows, items):
        return self.value(rows, items) if callable(self.value) else np.full(len(items), self.value)


@pytest.fixture(scope="module")
def stars():
    """120 people of two tastes give 1 to 5 stars to 20 of 40 items each, over 100 days."""
    rng = np.random.default_rng(3)
    user, item = np.nonzero(rng.random((120, 40)) < 0.5)
    mean = np.where((user + item) % 2, 4.3, 2.0) + rng.normal(0, 0.4, 120)[user] + rng.normal(0, 0.4, 40)[item]
    value = np.clip(np.rint(mean + rng.normal(0, 0.5, len(user))), 1, 5)
    return Dataset.from_events(
        pl.DataFrame(
            {
                "user": [f"u{u}" for u in user],
                "item": [f"i{i}" for i in item],
                "at": rng.permutation(len(user)) * 8_640_000_000 // 24,
                "kind": "rating",
                "value": value,
            }
        )
    )


@pytest.fixture(scope="module")
def models(stars):
    split = random(stars, rng=0)
    biases = MatrixFactorization(factors=1, l2=100.0).fit(split.train)
    return split, {"biases": biases, "stars": MatrixFactorization(factors=8).fit(split.train)}


def test_predictions_are_the_scores_of_the_pairs(models):
    split, scorers = models
    asked = said(split)
    found = predicted(scorers["stars"], split, asked, batch=7)
    for place in (0, 50, len(found) - 1):
        user = int(asked.found.users[asked.row[place]])
        score = scorers["stars"].score(split.history.history_of(user))[asked.item[place]]
        assert found[place] == pytest.approx(score, abs=1e-5)


def test_without_tastes_a_prediction_is_mean_and_biases(models):
    """What the command line compares with: factors so strongly pulled to 0 that nothing but biases is left."""
    split, scorers = models
    asked = said(split)
    found = predicted(scorers["biases"], split, asked)
    own = {u: found[asked.row == u] - scorers["biases"].base(asked.item[asked.row == u]) for u in range(20)}
    assert max(np.ptp(each) for each in own.values()) < 0.01, "who asks adds one number to all items"
    assert np.std([each.mean() for each in own.values()]) > 0.1


def test_figures_are_those_of_the_metrics_over_all_pairs(models):
    split, scorers = models
    report = evaluate(scorers, split, ALL, threshold=3.0)
    asked = said(split)
    for name, scorer in scorers.items():
        foreseen = predicted(scorer, split, asked)
        value = {line.name: line.value for line in report.lines if line.model == name}
        assert value["rmse"] == pytest.approx(m.rmse(foreseen, asked.actual), abs=1e-12)
        assert value["mae"] == pytest.approx(m.mae(foreseen, asked.actual), abs=1e-12)
        assert value["answered"] == m.answered(foreseen, asked.actual) == 1.0
        likes = asked.actual > 3.0
        assert value["accuracy"] == pytest.approx(m.accuracy(foreseen, likes, threshold=3.0), abs=1e-12)
        assert value["f1"] == pytest.approx(m.f1(foreseen, likes, threshold=3.0), abs=1e-12)


def test_less_error_is_better_and_more_right_answers_are(models):
    split, scorers = models
    report = evaluate(scorers, split, ALL, threshold=3.0, baseline="biases")
    found = {line.name: line for line in report.lines if line.model == "stars"}
    assert report.setup.task == "rating"
    for name in ("rmse", "mae"):
        assert found[name].diff < found[name].diff_low < 0 or found[name].diff_low < found[name].diff < 0
        assert found[name].verdict == "better"
    assert {found[name].verdict for name in ("accuracy", "f1")} == {"better"}
    assert found["answered"].why == "no user has a different value"
    assert all(line.low < line.value < line.high for line in found.values() if line.name != "answered")
    assert report.verdicts()[0].startswith("stars beats biases on rmse by 0.")
    worse = evaluate(scorers, split, ["mae"], baseline="stars").verdicts()
    assert worse[0].startswith("stars beats biases on mae by 0.")


def test_the_report_says_what_a_like_is_and_reads_back(models, tmp_path):
    split, scorers = models
    report = evaluate(scorers, split, ["accuracy", "rmse"], threshold=3.0)
    told = report.about()
    assert any(text.startswith("Likes: a rating above 3 is a like, and ") for text in told)
    assert any(text.endswith("from 1 to 5; each counts the same, and users are drawn whole.") for text in told)
    assert not any(text.startswith("Ranking") for text in told)
    assert msgspec.json.decode(report.json(), type=Report).lines == report.lines
    report.html(tmp_path / "r.html")
    assert "accuracy" in (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "| stars | rmse |" in report.markdown()


def test_a_model_that_says_nothing_of_some_pairs_is_compared_on_the_others(stars):
    split = random(stars, rng=0)
    items = split.train.items
    half = Constant(items, lambda rows, codes: np.where(codes % 2, 3.0, np.nan))
    report = evaluate({"all": Constant(items, 2.0), "half": half}, split, ["mae", "answered"])
    asked = said(split)
    found = {(line.model, line.name): line for line in report.lines}
    odd = asked.item % 2 == 1
    assert found["half", "mae"].value == pytest.approx(np.abs(3.0 - asked.actual[odd]).mean())
    assert found["half", "answered"].value == pytest.approx(odd.mean())
    expected = (np.abs(3.0 - asked.actual[odd]) - np.abs(2.0 - asked.actual[odd])).mean()
    assert found["half", "mae"].diff == pytest.approx(expected)
    assert found["half", "answered"].verdict == "worse"


def test_a_model_that_never_answers_has_no_error_and_the_report_says_why(stars):
    split = random(stars, rng=0)
    items = split.train.items
    report = evaluate(
        {"mute": Constant(items, np.nan), "two": Constant(items, 2.0)}, split, baseline="two", task="rating"
    )
    mute = {line.name: line for line in report.lines if line.model == "mute"}
    assert (mute["rmse"].value, mute["rmse"].why, mute["rmse"].verdict) == (None, "no user has a value", "cannot tell")
    assert (mute["answered"].value, mute["answered"].verdict) == (0.0, "cannot tell")
    assert mute["answered"].why == "all users differ by the same amount"


def test_one_user_and_ties_everywhere():
    one = Dataset.from_matrix([[5, 4, 3, 2, 1]])
    split = random(one, share=0.4, rng=0)
    alone = evaluate({"a": Constant(one.items, 3.0)}, split, ["rmse"]).lines[0]
    assert (alone.low, alone.why) == (None, "there is only one user")
    many = Dataset.from_matrix(np.tile([5, 4, 3, 2, 1], (200, 1)))
    split = random(many, rng=0)
    twins = {"a": Constant(many.items, 3.0), "b": Constant(many.items, 3.0)}
    b = evaluate(twins, split, ["rmse"]).lines[1]
    assert (b.diff, b.why, b.verdict) == (0.0, "no user has a different value", "cannot tell")


def test_slices_of_users_and_items_are_the_figures_of_their_pairs(models):
    split, scorers = models
    table = pl.DataFrame({"user": [f"u{u}" for u in range(120)], "side": ["even", "odd"] * 60})
    report = evaluate(scorers, split, ["mae"], by=["user.side", "item.popularity"], users=table)
    asked, found = said(split), {line.slice: line.value for line in report.lines if line.model == "stars"}
    error = np.abs(predicted(scorers["stars"], split, asked) - asked.actual)
    ids = split.train.users.ids(asked.found.users[asked.row])
    odd = np.array([int(name[1:]) % 2 for name in ids], bool)
    assert found["user.side = odd"] == pytest.approx(error[odd].mean())
    assert {"item.popularity = head", "item.popularity = tail"} <= found.keys()


def test_several_splits_count_by_their_ratings_and_are_slices(stars):
    learners = {"biases": MatrixFactorization(factors=1, l2=100.0), "stars": MatrixFactorization(factors=4)}
    splits = k_fold(stars, 3)
    report = cross_evaluate(learners, splits, ["rmse", "mae"], by=["user.history"])
    each = [evaluate({"stars": learners["stars"].fit(s.train)}, s, ["mae"], resamples=0) for s in splits]
    amount = [len(said(split).actual) for split in splits]
    found = {line.slice: line for line in report.lines if (line.model, line.name) == ("stars", "mae")}
    values = [found[f"split = {i} of 3"].value for i in (1, 2, 3)]
    assert found[None].value == pytest.approx(np.average(values, weights=amount))
    assert values[0] == pytest.approx(each[0].lines[0].value, abs=0.02)
    assert report.setup.task == "rating"
    assert found[None].users == report.setup.people == 120
    assert any(str(name).startswith("user.history = ") for name in found)
    assert report.lines == cross_evaluate(learners, splits, ["rmse", "mae"], by=["user.history"]).lines


def test_an_item_rated_again_counts_with_its_latest_rating_and_a_zero_says_nothing():
    at = [0, 1, 50, 60, 70]
    frame = pl.DataFrame({"user": "a", "item": ["x", "y", "x", "x", "y"], "at": at, "kind": "rating"})
    data = Dataset.from_events(frame.with_columns(value=pl.Series([5.0, 4.0, 1.0, 2.0, 0.0]), at=pl.col("at") * 10**6))
    asked = said(temporal(data, "30s"))
    assert (asked.item.tolist(), asked.actual.tolist()) == ([0], [2.0])


def test_likes_and_dislikes_need_no_threshold():
    rng = np.random.default_rng(0)
    user, item = np.nonzero(rng.random((60, 12)) < 0.7)
    liked = (user + item) % 2 == 0
    kind = np.where(liked, "purchase", "dislike")
    data = Dataset.from_events(
        pl.DataFrame({"user": user.astype(str), "item": item.astype(str), "at": 0, "kind": kind})
    )
    split = random(data, rng=0)
    scorers = {"stars": MatrixFactorization(factors=2, l2=0.01).fit(split.train), "yes": Constant(data.items, 1.0)}
    report = evaluate(scorers, split, ["accuracy", "f1"], baseline="yes")
    found = {line.name: line for line in report.lines if line.model == "stars"}
    assert found["accuracy"].value > 0.95
    assert (found["accuracy"].verdict, found["f1"].verdict) == ("better", "better")


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"metrics": ["rmse", "ndcg@5"]}, "a metric of ratings has no meaning for the task new; got rmse"),
        (
            {"metrics": ["ndcg@5"], "task": "rating"},
            "a metric of slates has no meaning for the task rating; got ndcg@5",
        ),
        ({"metrics": ["rmse@5"]}, "a metric of ratings has no length of slate; got rmse@5; next: write rmse"),
        ({"metrics": ["rmse"], "negatives": 9}, "nothing is sampled for the task rating; got 9"),
        (
            {"metrics": ["f1"]},
            "every rating of the test is a like; got ratings from 1 to 5 and a threshold of 0; "
            "allowed: a threshold with ratings on both sides; next: name it: threshold=4",
        ),
    ],
)
def test_what_cannot_be_measured_is_refused(models, options, text):
    split, scorers = models
    with pytest.raises(InputError) as error:
        evaluate(scorers, split, **options)
    assert str(error.value).startswith(text[: len(text) - 1])


def test_a_model_that_cannot_rate_is_refused_by_name(models):
    split, scorers = models
    with pytest.raises(InputError) as error:
        evaluate(scorers | {"popular": Popular().fit(split.train)}, split, ["rmse"])
    assert str(error.value) == (
        "popular does not foresee ratings; got Popularity; allowed: models with a predict, such as "
        "matrix-factorization; next: leave it out, or measure its slates"
    )
    with pytest.raises(InputError, match="popular does not foresee ratings"):
        cross_evaluate({"popular": Popular()}, [split], ["rmse"])
    with pytest.raises(UnknownName, match=r"unknown metric; got root_mean_squared_error; .* did you mean 'rmse'"):
        evaluate(scorers, split, ["root_mean_squared_error"])


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (lambda rows, items: np.zeros(3), "a scorer answered in another shape"),
        (math.inf, "what is no rating; got infin"),
    ],
)
def test_answers_that_cannot_be_are_refused(stars, answer, text):
    split = random(stars, rng=0)
    with pytest.raises(InputError, match=text):
        evaluate({"odd": Constant(split.train.items, answer)}, split, ["rmse"])


def test_nobody_with_a_rating_is_an_error_with_counts():
    data = Dataset.from_events(
        pl.DataFrame({"user": ["a", "a"], "item": ["x", "y"], "at": [0, 10**6], "kind": "rating", "value": [5.0, 0.0]})
    )
    split = temporal(data, "0.5s")
    with pytest.raises(EmptyData) as error:
        evaluate({"a": Constant(data.items, 1.0)}, split, ["rmse"])
    assert str(error.value).startswith(
        "no user has any rating to foresee; got 1 test users, 0 of them without a history and 1 without a rating"
    )


def test_history_of_nothing_known_gets_mean_and_item_bias(models):
    _, scorers = models
    empty = scorers["stars"].score(History.of([]))
    none = np.zeros((1, 40))
    found = scorers["stars"].predict(none, np.zeros(40, int), np.arange(40))
    np.testing.assert_allclose(found, empty, rtol=1e-6)
