"""Logs and policies that cannot be are refused, in words."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest

from penchant.core.errors import EmptyData, InputError, MissingColumn
from penchant.evaluation.offpolicy.logged import Logged
from penchant.evaluation.offpolicy.target import Target

GOOD = {"action": [0, 1, 1], "reward": [0.0, 1.0, 0.5], "propensity": [0.5, 0.5, 0.25]}


def test_arrays_come_in_their_types():
    logged = Logged(**GOOD, context=[[1, 2], [3, 4], [5, 6]], position=[0, 1, 2], unit=[7, 7, 8])
    kinds = [getattr(logged, name).dtype.name for name in ("action", "reward", "propensity", "context", "position")]
    assert kinds == ["int32", "float64", "float64", "float32", "int32"]
    assert (logged.rounds, logged.n_actions) == (3, 2)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (
            {"propensity": [0.5, 0.0, 1.0]},
            "a propensity is no probability of something that happened; got 0.0 in round 1",
        ),
        (
            {"propensity": [0.5, -0.1, 1.0]},
            "got -0.1 in round 1, 1 such in all; allowed: more than 0, at most 1; next: ",
        ),
        ({"propensity": [0.5, 0.5, 1.5]}, "got 1.5 in round 2"),
        ({"propensity": [0.5, float("nan"), 1.0]}, "propensity is not finite; got nan in round 1"),
        ({"propensity": [0.5, 0.5]}, "propensity has another shape than reward; got (2,); allowed: (3,)"),
        ({"reward": [0.0, float("inf"), 1.0]}, "reward is not finite; got inf in round 1"),
        ({"reward": ["a", "b", "c"]}, "reward holds something that is no number"),
        ({"action": [0, 1, -1]}, "an action does not exist; got -1; allowed: codes 0 to 1"),
        ({"action": [0, 1, 2], "n_actions": 2}, "an action does not exist; got 2; allowed: codes 0 to 1"),
        ({"action": [0, 1, 1.5]}, "action has to hold whole numbers; got float64"),
        ({"action": [[0, 1, 1]]}, "action has another shape than reward; got (1, 3)"),
        ({"context": [1.0, 2.0, 3.0]}, "context has another shape than reward; got (3,); allowed: (3, d)"),
        ({"context": [[1.0], [np.nan], [3.0]]}, "context is not finite; got nan in round 1"),
    ],
)
def test_a_log_that_cannot_be_says_what_is_wrong(change, text):
    with pytest.raises(InputError) as error:
        Logged(**{**GOOD, **change})
    assert text in str(error.value)


def test_an_empty_log_is_one_without_rounds():
    with pytest.raises(EmptyData, match="the log has no rounds"):
        Logged([], reward=[], propensity=[])


@pytest.mark.parametrize("library", [pl.DataFrame, pd.DataFrame])
def test_a_table_of_any_library_is_read(library):
    frame = library(
        {"item": ["b", "a", "b"], "won": [True, False, True], "p": [0.5, 0.25, 1.0], "age": [3.0, 4.0, 5.0]}
    )
    logged = Logged.from_frame(frame, action="item", reward="won", propensity="p", context=["age"], unit="item")
    assert logged.action.tolist() == [1, 0, 1]
    assert logged.items is not None
    assert logged.items.ids([0, 1]) == ["a", "b"]
    assert logged.reward.tolist() == [1.0, 0.0, 1.0]
    assert logged.context is not None
    assert logged.context.tolist() == [[3.0], [4.0], [5.0]]


def test_a_table_that_will_not_do_says_why():
    frame = pl.DataFrame({"action": ["a", None], "reward": [1.0, None], "propensity": [0.5, 0.5]})
    with pytest.raises(MissingColumn, match="a column is missing; got p; allowed: action, reward, propensity"):
        Logged.from_frame(frame, propensity="p")
    with pytest.raises(InputError, match="an action is missing; got 1 empty ids"):
        Logged.from_frame(frame)
    with pytest.raises(InputError, match="reward is not finite; got nan in round 1"):
        Logged.from_frame(frame.with_columns(action=pl.lit("a")))
    with pytest.raises(InputError, match="not a table; got list"):
        Logged.from_frame([1])


@pytest.mark.parametrize(
    ("target", "text"),
    [
        ([[0.5, 0.5]] * 2, "target has a shape that does not fit the log; got (2, 2); allowed: (3, 2), (1, 2) for a"),
        ([[0.5, 0.4]], "the probabilities of a round do not add up to 1; got 0.9 in round 0; next: divide every row"),
        ([[1.5, -0.5]], "target holds what is no probability; got -0.5 to 1.5; allowed: 0 to 1"),
        ([[np.nan, 1.0]], "target holds what is no probability"),
        ([["a", "b"]], "target holds something that is no number"),
    ],
)
def test_a_policy_that_cannot_be_says_what_is_wrong(target, text):
    with pytest.raises(InputError) as error:
        Target.of(target, Logged(**GOOD))
    assert text in str(error.value)


def test_a_policy_comes_as_a_row_a_round_one_row_or_the_actions_taken():
    logged = Logged(**GOOD)
    rows = np.array([[0.1, 0.9], [0.2, 0.8], [0.3, 0.7]])
    whole, same, bare = (Target.of(values, logged) for values in (rows, rows[:1], [0.1, 0.8, 0.7]))
    assert whole.chosen.tolist() == bare.chosen.tolist() == [0.1, 0.8, 0.7]
    assert same.chosen.tolist() == [0.1, 0.9, 0.9]
    assert same.rows(np.array([2, 0])).tolist() == same.rows(slice(1, 3)).tolist() == [[0.1, 0.9]] * 2
    assert whole.rows(np.array([2, 0])).tolist() == rows[[2, 0]].tolist()
    np.testing.assert_allclose(whole.share, [0.2, 0.8])
    assert (whole.whole, bare.whole) == (True, False)
