"""What an evaluation makes of bad input: the rows of the table in docs/concepts/evaluation.md, one by one."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from penchant.core.errors import EmptyData
from penchant.data.dataset import Dataset
from penchant.data.split import Split, k_fold, random, temporal
from penchant.evaluation.cross import cross_evaluate
from penchant.evaluation.evaluate import evaluate
from penchant.models.popular import Popular
from penchant.testing import checkerboard


def _line(report, model, name):
    return next(line for line in report.lines if line.model == model and line.name == name and line.slice is None)


def test_a_model_that_cannot_score_misses_everything_and_is_told_worse(both, tastes, ranker):
    mute = ranker(tastes.train.items, lambda dense: np.full(dense.shape, np.nan))
    report = evaluate(both | {"mute": mute}, tastes, ["ndcg@5", "hit@5", "auc@5", "arp@5", "coverage@5"])
    assert [_line(report, "mute", name).value for name in ("ndcg@5", "hit@5", "auc@5", "coverage@5")] == [0, 0, 0.5, 0]
    assert _line(report, "mute", "ndcg@5").verdict == "worse"
    assert (_line(report, "mute", "arp@5").value, _line(report, "mute", "arp@5").why) == (None, "no user has a value")


def test_an_item_without_a_score_is_not_recommended(tastes, ranker):
    """NaN: the user's other wishes count as before; the item that cannot be scored is a miss."""
    items = tastes.train.items
    whole = ranker(items, lambda dense: np.arange(20.0))
    holed = ranker(items, lambda dense: np.where(np.arange(20) == 19, np.nan, np.arange(20.0)))
    report = evaluate({"whole": whole, "holed": holed}, tastes, ["recall@20", "coverage@20"])
    wanted = tastes.test.matrix
    share = (np.diff(wanted.indptr) - np.asarray(wanted.toarray()[:, 19] > 0)) / np.diff(wanted.indptr)
    assert _line(report, "whole", "recall@20").value == 1.0
    assert _line(report, "holed", "recall@20").value == pytest.approx(share.mean())
    assert _line(report, "holed", "coverage@20").value == 19 / 20


def test_users_without_test_items_do_not_count_and_are_counted(make_split, ranker):
    history = [[1, 0, 0, 0], [1, 1, 0, 0], [0, 0, 0, 0], [1, 0, 0, 0]]
    later = [[0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0]]  # wants; has it; no history; nothing
    split = make_split(history, later)
    report = evaluate({"a": ranker(split.train.items, lambda dense: np.arange(4.0))}, split, ["hit@4"])
    users = report.setup.users
    assert (users.test, users.evaluated, users.without_history, users.without_relevant) == (3, 1, 1, 1)
    assert any(text.startswith("Users: 1 of 3 in the test count; 1 had no history") for text in report.about())
    nobody = make_split([[1, 1, 0, 0]], [[1, 0, 0, 0]])
    with pytest.raises(EmptyData, match="no user has anything to foresee; got 1 test users, 0 of them without a hist"):
        evaluate({"a": ranker(nobody.train.items, lambda dense: np.arange(4.0))}, nobody, ["hit@4"])


def test_ties_everywhere_are_in_the_order_of_the_model_and_twins_cannot_be_told_apart(tastes, ranker):
    same = ranker(tastes.train.items, lambda dense: np.zeros(20))
    report = evaluate({"one": same, "two": same}, tastes, ["ndcg@5"])
    assert report.lines == evaluate({"one": same, "two": same}, tastes, ["ndcg@5"]).lines
    two = report.lines[1]
    assert (two.diff, two.verdict, two.why) == (0.0, "cannot tell", "no user has a different value")
    assert report.verdicts() == ["cannot tell two from one on ndcg@5: no user has a different value"]
    even = k_fold(checkerboard(12), 2)  # every item is as popular as any other
    assert cross_evaluate({"popular": Popular()}, even, ["hit@3"]).lines[0].value is not None


def test_one_user_has_a_value_and_no_interval(make_split, ranker):
    split = make_split([[1, 0, 0]], [[0, 0, 1]])
    scorers = {
        name: ranker(split.train.items, lambda dense, by=by: by * np.arange(3.0)) for name, by in (("a", 1), ("b", -1))
    }
    report = evaluate(scorers, split, ["mrr@2", "ndcg@2"])
    assert [line.value for line in report.lines[:1]] == [1.0]
    assert {line.why for line in report.lines} == {"there is only one user"}
    assert {line.verdict for line in report.lines} == {None, "cannot tell"}


def test_an_empty_test_is_an_error():
    data = Dataset.from_events(pl.DataFrame({"user": ["a", "a"], "item": ["x", "y"], "at": [0, 10**12]}))
    with pytest.raises(EmptyData, match="the test side of the split is empty; got 2030-01-01"):
        temporal(data, "2030-01-01")
    none = data.select(np.zeros(2, bool))
    with pytest.raises(EmptyData, match="no user has anything to foresee; got 0 test users"):
        evaluate({"popular": Popular().fit(data)}, Split(data, data, none, "by hand", "By hand."), ["hit@1"])


def test_one_item_leaves_nothing_new_and_nothing_to_tell_apart():
    one = Dataset.from_matrix(np.ones((40, 1)))
    split = Split(one, one, one, "by hand", "By hand.")
    scorers = {"popular": Popular().fit(one)}
    with pytest.raises(EmptyData, match="40 without a test item that the task 'new' asks for"):
        evaluate(scorers, split, ["hit@5"])
    report = evaluate(scorers, split, ["hit@5", "auc@5", "gini@5", "coverage@5"], task="any")
    values = {line.metric: (line.value, line.why) for line in report.lines}
    assert values["hit"] == (1.0, "all users have the same value")
    assert values["auc"] == (None, "no user has a value")
    assert values["gini"][0] == 0.0


def test_nothing_is_said_without_resamples_or_with_few():
    split = random(checkerboard(40), rng=0)
    scorers = {"popular": Popular().fit(split.train)}
    for resamples in (0, 39):
        line = evaluate(scorers, split, ["hit@5"], resamples=resamples).lines[0]
        assert line.why == f"{resamples} resamples are too few for an interval"
