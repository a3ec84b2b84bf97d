"""Splits into several: rolling windows, folds, and sessions revealed event by event."""

import re
from datetime import timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penchant.core.errors import EmptyData, InputError
from penchant.data import split
from penchant.data.dataset import Dataset

rows = st.lists(
    st.tuples(st.sampled_from("abcd"), st.sampled_from("stuvw"), st.integers(0, 30)), min_size=2, max_size=50
)


def build(events):
    """Return the dataset whose values number the events."""
    users, items, seconds = zip(*events, strict=True)
    at = [second * 1_000_000 for second in seconds]
    value = [float(i) for i in range(len(events))]
    return Dataset.from_events(pl.DataFrame({"user": users, "item": items, "at": at, "value": value}))


def numbers(data):
    return {int(value) for value in data.frame["value"]}


@given(rows, st.integers(1, 6), st.integers(1, 4), st.one_of(st.none(), st.integers(1, 8)))
def test_rolling_tests_every_late_event_once_and_never_looks_ahead(events, long, windows, back):
    data = build(events)
    last = max(second for *_, second in events)
    starts = [last - long * (windows - i) for i in range(windows)]
    lookback = None if back is None else timedelta(seconds=back)
    seen = {i: second for i, (*_, second) in enumerate(events)}
    oracle = [
        (
            {i for i, second in seen.items() if second <= start and (back is None or second > start - back)},
            {i for i, second in seen.items() if start < second <= start + long},
        )
        for start in starts
    ]
    try:
        made = split.rolling(data, timedelta(seconds=long), windows, train=lookback)
    except EmptyData:
        assert len(set(seen.values())) == 1 or not all(train and test for train, test in oracle)
        return
    assert [(numbers(one.train), numbers(one.test)) for one in made] == oracle
    tested = [i for one in made for i in numbers(one.test)]
    assert sorted(tested) == sorted(i for i, second in seen.items() if second > starts[0])
    for one in made:
        assert one.train.frame["at"].max() < one.test.frame["at"].min()
        assert one.history is one.train
        assert (one.kind, one.train.users, one.test.items) == ("rolling", data.users, data.items)


def test_one_rolling_window_is_the_temporal_split():
    data = build([(user, item, i) for i, (user, item) in enumerate(zip("abcabcabc", "stustvuwv", strict=True))])
    (window,) = split.rolling(data, "4s", 1)
    single = split.temporal(data, "4s")
    assert (window.train.digest, window.test.digest) == (single.train.digest, single.test.digest)


def test_a_step_below_the_window_lets_windows_overlap():
    data = build([("a", "s", i) for i in range(10)])
    made = split.rolling(data, "4s", 2, step="2s")
    assert [numbers(one.test) for one in made] == [{4, 5, 6, 7}, {6, 7, 8, 9}]


@given(rows, st.integers(2, 6), st.integers(0, 5))
def test_folds_test_every_event_once_and_learn_from_all_others(events, k, seed):
    data = build(events)
    if len(events) < k:
        with pytest.raises(EmptyData, match="there are fewer events than folds"):
            split.k_fold(data, k)
        return
    made = split.k_fold(data, k, seed)
    everything = set(range(len(events)))
    assert len(made) == k
    assert sorted(i for one in made for i in numbers(one.test)) == sorted(everything)
    for one in made:
        assert numbers(one.train) == everything - numbers(one.test)
    sizes = [one.test.n_events for one in made]
    assert max(sizes) - min(sizes) <= 1
    assert [one.test.digest for one in split.k_fold(data, k, np.random.default_rng(seed))] == [
        one.test.digest for one in made
    ]


def slow_sessions(events, gap):
    """Return the sessions as lists of event numbers, in time order."""
    found = []
    for user in sorted({event[0] for event in events}):
        mine = sorted((i for i, event in enumerate(events) if event[0] == user), key=lambda i: events[i][2])
        for place, i in enumerate(mine):
            if place == 0 or (gap is not None and events[i][2] - events[mine[place - 1]][2] > gap):
                found.append([])
            found[-1].append(i)
    return found


@given(rows, st.integers(1, 20), st.one_of(st.none(), st.integers(1, 5)))
def test_sessions_ask_for_every_event_but_the_first_from_those_before_it(events, long, gap):
    data = build(events)
    cut = max(second for *_, second in events) - long
    found = slow_sessions(events, gap)
    before = [one for one in found if events[one[-1]][2] <= cut]
    after = [one for one in found if events[one[0]][2] > cut and len(one) > 1]
    try:
        made = split.sessions(data, f"{long}s", None if gap is None else f"{gap}s")
    except EmptyData:
        assert not before or not after or len({second for *_, second in events}) == 1
        return
    assert sorted(numbers(made.train)) == sorted(i for one in before for i in one)
    by_step = {made.test.frame["user"][row]: int(value) for row, value in enumerate(made.test.frame["value"].to_list())}
    assert len(by_step) == made.test.n_events
    asked = {}
    for step, target in by_step.items():
        held = made.history.frame.filter(pl.col("user") == step)["value"]
        asked[target] = [int(value) for value in held]
    assert asked == {one[j]: one[:j] for one in after for j in range(1, len(one))}
    for step, target in by_step.items():
        assert data.users.ids([made.units[step]]) == [events[target][0]]
    assert len(set(made.train.users)) == len(made.train.users) == len(made.units)
    assert not set(made.train.frame["user"]) & set(made.history.frame["user"])
    lost = sum(len(one) for one in found if events[one[0]][2] <= cut < events[one[-1]][2])
    alone = sum(events[one[0]][2] > cut and len(one) == 1 for one in found)
    told = re.search(r"left out: (\d+) events of sessions across the cut, (\d+) of sessions of a single", made.about)
    assert [int(number) for number in told.groups()] == [lost, alone]
    steps = sum(len(one) - 1 for one in after)
    assert made.train.n_events + steps + len(after) + lost + alone == len(events)


TEN = [("a", "s", i) for i in range(10)]


@pytest.mark.parametrize(
    ("make", "kind", "text"),
    [
        (
            lambda d: split.rolling(d, "3s", 0),
            InputError,
            "windows is out of range; got 0; allowed: 1 or more; next: roll 4",
        ),
        (
            lambda d: split.rolling(d, timedelta(0)),
            InputError,
            "test is no span of time; got 0:00:00; allowed: a duration such as 28d; next: write 28d",
        ),
        (lambda d: split.rolling(d, "3s", step=3), InputError, "step is no span of time; got 3; allowed: a duration"),
        (
            lambda d: split.rolling(d, "3s", 4),
            EmptyData,
            "the train side of window 1 of 4 is empty; got a window after 1969-12-31T23:59:57+00:00 and up to "
            "1970-01-01T00:00:00+00:00; allowed: windows that hold events, between 1970-01-01T00:00:00+00:00 and "
            "1970-01-01T00:00:09+00:00; next: roll fewer or longer windows",
        ),
        (lambda d: split.k_fold(d, 1), InputError, "k is out of range; got 1; allowed: 2 or more; next: use 5"),
        (
            lambda d: split.sessions(d, "3s", gap=timedelta(0)),
            InputError,
            "not a gap; got datetime.timedelta(0); allowed: a duration such as 30m, or None",
        ),
        (
            lambda d: split.sessions(d, "3s"),
            EmptyData,
            "the train side of the split is empty; got 0 sessions before the cut, 0 of two events or more after it; "
            "allowed: one session or more of each; next: choose another cut, or another gap",
        ),
    ],
)
def test_what_cannot_be_cut_so_is_refused(make, kind, text):
    with pytest.raises(kind) as caught:
        make(build(TEN))
    assert str(caught.value).startswith(text)


@pytest.mark.parametrize("way", [split.rolling, split.k_fold, split.sessions])
def test_only_a_dataset_is_cut(way):
    with pytest.raises(InputError, match=f"{way.__name__} takes a Dataset; got DataFrame"):
        way(pl.DataFrame({"user": ["ann"], "item": ["tea"], "at": [1]}))
