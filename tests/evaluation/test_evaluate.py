"""The whole comparison: against a plain loop, by task, and at its edges."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from penchant.core.errors import EmptyData, InputError, UnknownName
from penchant.core.nouns import TopK
from penchant.data.dataset import Dataset
from penchant.data.split import Split
from penchant.evaluation import ranking
from penchant.evaluation.evaluate import evaluate
from penchant.evaluation.metrics import USER_METRICS
from penchant.evaluation.ranking import Users, hits, rank, truth
from penchant.models.itemknn import ItemKNN


def value(report, model, metric):
    return next(line.value for line in report.lines if line.model == model and line.name == metric)


def slow_slates(scores, history, test, task, k):
    """Full sort of the catalogue for one user after the other; returns (hits, relevant) of those who count."""
    rows, counts = [], []
    for user in range(len(history)):
        had, later = set(np.flatnonzero(history[user])), set(np.flatnonzero(test[user] > 0))
        wanted = {"new": later - had, "repeat": later & had, "any": later}[task]
        if not had or not wanted:
            continue
        order = sorted(np.flatnonzero(~np.isnan(scores)), key=lambda item: (-scores[item], item))
        allowed = {"new": lambda i, had=had: i not in had, "repeat": lambda i, had=had: i in had, "any": lambda i: True}
        slate = [item for item in order if allowed[task](item)][:k]
        rows.append([item in wanted for item in slate] + [False] * (k - len(slate)))
        counts.append(len(wanted))
    return np.array(rows), np.array(counts)


@pytest.mark.parametrize("task", ["new", "repeat", "any"])
@given(data=st.data())
def test_full_ranking_equals_a_plain_loop(task, data, ranker, make_split):
    seed = data.draw(st.integers(0, 10_000))
    rng = np.random.default_rng(seed)
    history = (rng.random((9, 12)) < 0.4).astype(float)
    test = np.where(rng.random((9, 12)) < 0.5, rng.choice([-1.0, 1.0, 2.0], (9, 12)), 0.0)
    history[0, 0], test[0, :2] = 1, 1
    history[0, 1] = 0
    scores = rng.integers(0, 5, 12).astype(float)
    scores[rng.random(12) < 0.2] = np.nan
    k = data.draw(st.integers(1, 15))
    split = make_split(history, test)
    expected = slow_slates(scores, history, test, task, k)
    names = [f"{name}@{k}" for name in USER_METRICS]
    report = evaluate({"fake": ranker(split.train.items, lambda _: scores)}, split, names, task=task, resamples=0)
    for name, metric in USER_METRICS.items():
        assert value(report, "fake", f"{name}@{k}") == pytest.approx(metric(*expected).mean()), name


def test_the_ranker_that_sees_the_taste_beats_the_one_that_does_not(both, tastes):
    report = evaluate(both, tastes, ["ndcg@10", "hit@3", "coverage@10"])
    verdicts = {line.name: line.verdict for line in report.lines if line.model == "taste"}
    assert verdicts == {"ndcg@10": "better", "hit@3": "better", "coverage@10": None}
    taste = next(line for line in report.lines if line.model == "taste")
    assert taste.low < taste.value < taste.high
    assert taste.diff_low < taste.diff < taste.diff_high
    assert taste.p == pytest.approx(1 / 1001)
    assert report.setup.baseline == "popular"
    swapped = evaluate(both, tastes, ["ndcg@10"], baseline="taste").lines[0]
    assert (swapped.model, swapped.verdict, swapped.diff) == ("popular", "worse", pytest.approx(-taste.diff))


def test_each_model_is_asked_once_at_the_longest_slate(both, tastes):
    evaluate(both, tastes, ["ndcg@5", "recall@20", "map@10"])
    assert both["taste"].calls == [20]
    evaluate(both, tastes, ["ndcg@5"], batch=25)
    assert both["taste"].calls == [20, 5, 5, 5]


def test_the_batch_size_and_the_order_of_models_change_nothing(both, tastes):
    one = evaluate(both, tastes, rng=3).table.sort("model", "metric", "k")
    two = evaluate(dict(reversed(both.items())), tastes, rng=3, batch=7).table.sort("model", "metric", "k")
    assert_frame_equal(one, two)


def test_holm_makes_p_larger_with_more_models(both, tastes, ranker):
    rng = np.random.default_rng(0)
    noise = [rng.random(20) for _ in range(4)]
    more = {f"other {i}": ranker(tastes.train.items, lambda _, s=s: s) for i, s in enumerate(noise)}
    few, many = (evaluate(models, tastes, ["mrr@5"]).lines for models in (both, both | more))
    p_few = next(line.p for line in few if line.model == "taste")
    p_many = next(line.p for line in many if line.model == "taste")
    assert p_many == pytest.approx(5 * p_few)


def test_new_leaves_out_what_was_had_and_repeat_asks_for_nothing_else(ranker, make_split):
    split = make_split([[1, 1, 1, 0, 0, 0]], [[0, 1, 0, 1, 0, -1]])
    scorer = ranker(split.train.items, lambda _: np.array([9, 8, 7, 6, 5, 4.0]))
    found = {task: rank(scorer, split, truth(split, task), 3) for task in ("new", "repeat", "any")}
    assert {task: slate.tolist() for task, slate in found.items()} == {
        "new": [[3, 4, 5]],
        "repeat": [[0, 1, 2]],
        "any": [[0, 1, 2]],
    }
    assert hits(truth(split, "repeat"), found["repeat"]).tolist() == [[False, True, False]]


def test_repeat_looks_as_deep_as_it_must_and_no_deeper(ranker, make_split, monkeypatch):
    history, test = np.zeros((3, 200)), np.zeros((3, 200))
    history[0, [198, 199]] = history[1, [0, 1]] = history[2, [0, 150]] = test[:, 199] = 1
    test[:, [0, 198]] = 1
    split = make_split(history, test)
    everything = ranker(split.train.items, lambda _: -np.arange(200.0))
    expected = [[198, 199], [0, 1], [0, 150]]
    assert rank(everything, split, truth(split, "repeat"), 2).tolist() == expected
    assert everything.calls == [8, 32, 128, 200]
    own = ranker(split.train.items, lambda dense: np.where(dense > 0, 1.0, np.nan))
    assert rank(own, split, truth(split, "repeat"), 20).tolist() == [row + [-1] * 18 for row in expected]
    assert own.calls == [80]
    monkeypatch.setattr(ranking, "_CELLS", 1)  # one user at a time
    assert rank(everything, split, truth(split, "repeat"), 2).tolist() == expected


def test_repeat_ranks_of_a_real_model_are_its_full_ranking_cut_to_the_history(make_split):
    rng = np.random.default_rng(2)
    split = make_split((rng.random((40, 60)) < 0.2).astype(float), (rng.random((40, 60)) < 0.3).astype(float))
    scorer = ItemKNN(k=60).fit(split.train)
    found = truth(split, "repeat")
    full = scorer.score_batch(scorer.rows(split.history)[found.users], 60, exclude_seen=False).items
    history = split.history.matrix.toarray()[found.users] > 0
    expected = [[i for i in row if i >= 0 and had[i]][:4] for row, had in zip(full.tolist(), history, strict=True)]
    assert [[i for i in row if i >= 0] for row in rank(scorer, split, found, 4).tolist()] == expected


def test_only_positive_sums_of_weights_are_wanted(make_split):
    test = np.array([[0.0, 2.0, -3.0, 0.0]])
    assert truth(make_split([[1, 0, 0, 0]], test), "any").wanted.counts.tolist() == [1]


def test_a_purchase_given_back_is_not_wanted():
    import polars as pl

    events = pl.DataFrame({"user": ["a"] * 4, "item": ["x", "y", "y", "z"], "at": [1, 2, 3, 4], "value": [1, 1, -1, 1]})
    data = Dataset.from_events(events)
    past, later = data.select(data.column("at") == 1), data.select(data.column("at") > 1)
    found = truth(Split(past, past, later, "temporal", ""), "new")
    assert found.wanted.holds(np.array([0]), np.int32([[0, 1, 2]])).tolist() == [[False, False, True]]


def test_users_who_do_not_count_are_counted(ranker, make_split):
    history = [[1, 0, 0], [0, 0, 0], [1, 1, 0], [0, 1, 0]]
    test = [[0, 1, 0], [1, 0, 0], [1, 0, 0], [0, 0, 0]]
    split = make_split(history, test)
    report = evaluate({"one": ranker(split.train.items, lambda _: np.zeros(3))}, split, ["hit@1"])
    assert report.setup.users == Users(test=3, evaluated=1, without_history=1, without_relevant=1)
    assert "Users: 1 of 3 in the test count; 1 had no history to ask from, 1 did nothing" in "\n".join(report.about())


def test_one_user_gives_values_but_no_verdict(ranker, make_split):
    split = make_split([[1, 0, 0]], [[0, 1, 0]])
    up, down = (ranker(split.train.items, lambda _, s=s: np.array([0, s, 1.0])) for s in (0.0, 2.0))
    lines = evaluate({"a": up, "b": down}, split, ["mrr@2"]).lines
    assert [line.value for line in lines] == [0.5, 1.0]
    assert (lines[1].diff, lines[1].diff_low, lines[1].p) == (0.5, None, None)
    assert (lines[1].verdict, lines[1].why) == ("cannot tell", "there is only one user")


def test_the_same_model_twice_cannot_be_told_apart(both, tastes):
    report = evaluate({"a": both["taste"], "b": both["taste"]}, tastes, ["ndcg@5"])
    assert report.verdicts() == ["cannot tell b from a on ndcg@5: no user has a different value"]


def test_a_scorer_that_ranks_nothing_misses_everywhere(tastes, ranker, both):
    nothing = ranker(tastes.train.items, lambda _: np.nan)
    report = evaluate({"nothing": nothing, "taste": both["taste"]}, tastes, baseline="taste")
    values = {line.name: line.value for line in report.lines if line.model == "nothing"}
    assert all(number == 0 for name, number in values.items() if not name.startswith(("novelty", "gini")))
    assert values["novelty@10"] is None
    assert values["gini@10"] is None
    first = report.lines[0]
    assert (first.low, first.verdict) == (None, "worse")


def test_slots_of_minus_1_nan_and_doubles_are_misses(make_split):
    split = make_split([[1, 0, 0, 0, 0]], [[0, 1, 1, 1, 0]])

    class Odd:
        items, learner = split.train.items, None

        def rows(self, data):
            return data.matrix

        def score_batch(self, histories, k, *, exclude_seen=True):
            return TopK(np.int32([[1, 1, -1, 2, 3]]), np.float32([[5, 4, np.nan, np.nan, 1]]))

    slate = rank(Odd(), split, truth(split, "new"), 5)
    assert slate.tolist() == [[1, -1, -1, -1, 3]]
    assert value(evaluate({"odd": Odd()}, split, ["precision@5"]), "odd", "precision@5") == 0.4


def test_ties_count_in_the_order_the_scorer_gives(tastes, ranker):
    flat = rank(ranker(tastes.train.items, lambda _: np.zeros(20)), tastes, truth(tastes), 20)
    held = [list(np.flatnonzero(row == 0)) for row in tastes.history.matrix.toarray()]
    assert [[item for item in row if item >= 0] for row in flat.tolist()] == held


def test_k_larger_than_the_catalogue(both, tastes):
    report = evaluate(both, tastes, ["recall@50", "precision@50", "coverage@50"])
    assert value(report, "popular", "recall@50") == 1.0
    assert value(report, "popular", "precision@50") == pytest.approx(3 / 50)
    assert value(report, "popular", "coverage@50") == 1.0
    assert both["popular"].calls == [20]


def test_metrics_of_all_slates_come_without_interval(both, tastes):
    line = next(line for line in evaluate(both, tastes, ["novelty@5"]).lines if line.model == "taste")
    assert line.value > 0
    assert line.diff is not None
    assert (line.low, line.verdict, line.why) == (None, None, "one number for all slates together")


def test_no_resamples_means_no_intervals(both, tastes):
    line = evaluate(both, tastes, ["hit@5"], resamples=0).lines[1]
    assert (line.low, line.diff_low, line.verdict) == (None, None, "cannot tell")
    assert line.why == "0 resamples are too few for an interval"


def test_seconds_and_recipes_are_passed_on(both, tastes):
    report = evaluate(both, tastes, ["hit@5"], seconds={"taste": 1.5})
    assert [line.seconds for line in report.lines] == [None, 1.5]
    assert report.setup.models["taste"] == {"learner": "Recipe", "strength": 1.0}
    assert report.setup.data["test"] == tastes.test.digest


def test_another_vocabulary_is_refused(tastes, ranker, make_split):
    stranger = ranker(make_split(np.ones((2, 3)), np.ones((2, 3))).train.items, lambda _: np.zeros(3))
    with pytest.raises(InputError) as error:
        evaluate({"stranger": stranger}, tastes)
    assert str(error.value) == (
        "the scorer has another vocabulary than the split; got 3 items of stranger; "
        "allowed: the 20 items of the split; next: fit it on split.train"
    )


def test_no_user_with_anything_to_foresee(ranker, make_split):
    split = make_split([[1, 0], [0, 0]], [[1, 0], [1, 1]])
    with pytest.raises(EmptyData) as error:
        evaluate({"one": ranker(split.train.items, lambda _: np.zeros(2))}, split)
    assert str(error.value) == (
        "no user has anything to foresee; got 2 test users, 1 of them without a history and 1 without a test item that "
        "the task 'new' asks for; next: hold out a longer part of the data, or choose the task 'any'"
    )


def test_parameters_that_cannot_be(both, tastes):
    with pytest.raises(EmptyData, match="there is no scorer to evaluate; allowed: a mapping of name to scorer"):
        evaluate({}, tastes)
    with pytest.raises(UnknownName, match="unknown task; got old; allowed: any, new, rating, repeat"):
        evaluate(both, tastes, task="old")
    with pytest.raises(UnknownName, match="unknown baseline; got tast; allowed: popular, taste; next: did you mean"):
        evaluate(both, tastes, baseline="tast")
    with pytest.raises(InputError, match="resamples is out of range; got -1; allowed: 0 or more"):
        evaluate(both, tastes, resamples=-1)
    with pytest.raises(InputError, match="batch is out of range; got 0; allowed: 1 or more"):
        evaluate(both, tastes, batch=0)


@pytest.mark.parametrize(
    ("items", "text"),
    [
        (np.int32([[0, 3]]), "a scorer ranked an item that does not exist; got 3; allowed: -1 to 2"),
        (np.int32([[0, -2]]), "a scorer ranked an item that does not exist; got -2; allowed: -1 to 2"),
        (
            np.int32([[0]]),
            r"a scorer answered in another shape; got items \(1, 1\), scores \(1, 1\); allowed: \(1, 2\)",
        ),
    ],
)
def test_answers_that_cannot_be_are_refused(items, text, make_split):
    split = make_split([[1, 0, 0]], [[0, 1, 0]])

    class Wrong:
        learner = None

        def __init__(self):
            self.items = split.train.items

        def rows(self, data):
            return data.matrix

        def score_batch(self, histories, k, *, exclude_seen=True):
            return TopK(items, np.zeros(items.shape, np.float32))

    with pytest.raises(InputError, match=text):
        evaluate({"wrong": Wrong()}, split, ["hit@2"])


def test_progress_is_told(both, tastes):
    from contextlib import contextmanager

    steps = []

    class Loud:
        @contextmanager
        def step(self, what, total, unit=""):
            done = []
            yield done.append
            steps.append((what, total, unit, sum(done)))

    evaluate(both, tastes, ["hit@5"], progress=Loud(), batch=16)
    assert steps == [("evaluating popular", 60, "users", 60), ("evaluating taste", 60, "users", 60)]
