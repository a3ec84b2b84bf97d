"""A split that came as two datasets: one vocabulary, everybody's events as they were, and every leak refused."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given as chance
from hypothesis import strategies as st

from penchant.core.errors import EmptyData, InputError
from penchant.data.dataset import Dataset
from penchant.data.split import given

ROWS = st.lists(
    st.tuples(st.sampled_from("abcde"), st.sampled_from("vwxyz"), st.integers(0, 9)), min_size=1, max_size=20
)


def _data(rows):
    frame = pl.DataFrame(rows, schema=["user", "item", "at"], orient="row")
    return Dataset.from_events(frame.with_columns(pl.col("at") * 10**6))


@chance(ROWS, ROWS)
def test_both_sides_keep_their_events_in_one_vocabulary(one, two):
    split = given(_data(one), _data(two))
    assert split.train.users == split.test.users
    assert split.train.items == split.test.items
    for side, rows in ((split.train, one), (split.test, two)):
        frame = side.frame
        found = zip(
            side.users.ids(frame["user"].to_numpy()), side.items.ids(frame["item"].to_numpy()), frame["at"], strict=True
        )
        assert sorted(found) == sorted((user, item, at * 10**6) for user, item, at in rows)
        assert frame["user"].is_sorted()
        for user in {user for user, _, _ in rows}:
            assert sorted(side.history(user).at.tolist()) == side.history(user).at.tolist()


def test_what_leaks_is_refused_until_it_is_allowed():
    split = given(_data([("a", "x", 1), ("b", "y", 9)]), _data([("a", "z", 5)]))
    with pytest.raises(InputError, match="models learn from what came after the test; got 1 of 2 training events is"):
        split.check()
    assert list(split.allowing("future").check()) == ["future"]
    assert given(_data([("a", "x", 1)]), _data([("a", "z", 5)])).check() == {}


def test_a_side_without_events_is_an_error():
    some = _data([("a", "x", 1)])
    with pytest.raises(EmptyData, match="the test side of the split is empty"):
        given(some, some.select(some.column("at") > 10**9))
