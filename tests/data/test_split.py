"""What each way of splitting promises, for any data."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penchant.core.errors import EmptyData, InputError
from penchant.data import split
from penchant.data.dataset import Dataset

rows = st.lists(
    st.tuples(st.sampled_from("abcdef"), st.sampled_from("stuvwxyz"), st.integers(0, 30)), min_size=2, max_size=60
)

CUTS = "a duration such as 28d or a timedelta, or a moment: a datetime or a text such as 2011-04-01"


def build(events: list[tuple[str, str, int]]) -> Dataset:
    users, items, seconds = zip(*events, strict=True)
    at = [second * 1_000_000 for second in seconds]
    value = [float(i) for i in range(1, len(events) + 1)]
    table = pl.DataFrame({"user": users, "item": items, "at": at, "value": value})
    return Dataset.from_events(table)


def numbered(*parts: Dataset) -> list[float]:
    return sorted(value for part in parts for value in part.frame["value"])


def cut_or_none(make):
    try:
        return make()
    except EmptyData:
        return None


def assert_partition(data: Dataset, *parts: Dataset) -> None:
    assert numbered(*parts) == numbered(data)
    for part in parts:
        assert part.users == data.users
        assert part.items == data.items


@given(rows, st.integers(1, 40))
def test_temporal_parts_the_events_at_one_moment(events, seconds):
    data = build(events)
    cut = cut_or_none(lambda: split.temporal(data, f"{seconds}s"))
    if cut is None:
        assert max(second for *_, second in events) - seconds < min(second for *_, second in events)
        return
    assert_partition(data, cut.train, cut.test)
    assert cut.history is cut.train
    assert cut.train.frame["at"].max() < cut.test.frame["at"].min()
    assert cut.test.frame["at"].min() > data.frame["at"].max() - seconds * 1_000_000
    assert cut.kind == "temporal"
    assert f"{cut.train.n_events:,} event" in cut.about
    assert f"{cut.test.n_events:,} event" in cut.about


@given(rows, st.integers(1, 3))
def test_leave_last_out_takes_the_latest_of_each_user_and_the_later_row_of_a_tie(events, n):
    data = build(events)
    cut = cut_or_none(lambda: split.leave_last_out(data, n))
    of_user = {u: [i for i, event in enumerate(events) if event[0] == u] for u, *_ in events}
    oracle = {
        float(i + 1)
        for mine in of_user.values()
        if len(mine) > n
        for i in sorted(mine, key=lambda i: events[i][2])[-n:]
    }
    if cut is None:
        assert not oracle or len({second for *_, second in events}) == 1
        return
    assert_partition(data, cut.train, cut.test)
    assert set(cut.test.frame["value"]) == oracle
    for user in set(cut.test.frame["user"]):
        train = cut.train.frame.filter(pl.col("user") == user)["at"]
        assert train.max() <= cut.test.frame.filter(pl.col("user") == user)["at"].min()


@given(rows, st.floats(0.01, 0.99), st.integers(0, 5))
def test_random_holds_out_the_share_and_is_repeatable(events, share, seed):
    data = build(events)
    cut = split.random(data, share, rng=seed)
    assert_partition(data, cut.train, cut.test)
    assert cut.test.n_events == min(max(round(share * len(events)), 1), len(events) - 1)
    again = split.random(data, share, rng=np.random.default_rng(seed))
    assert again.test.digest == cut.test.digest


@given(rows, st.floats(0.01, 0.99), st.floats(0.01, 0.99), st.integers(0, 5))
def test_strong_keeps_people_apart(events, users, share, seed):
    data = build(events)
    cut = cut_or_none(lambda: split.strong(data, users, share, rng=seed))
    counts = {u: sum(event[0] == u for event in events) for u, *_ in events}
    if cut is None:
        assert len(counts) < 2 or max(counts.values()) < 2
        return
    assert_partition(data, cut.train, cut.history, cut.test)
    known, new = set(cut.train.frame["user"]), set(cut.history.frame["user"])
    assert known
    assert not known & new
    assert set(cut.test.frame["user"]) == new
    for user in new:
        total = counts[data.users.ids([user])[0]]
        held = cut.test.frame.filter(pl.col("user") == user).height
        assert held == min(max(round(total * share), 1), total - 1)
    again = split.strong(data, users, share, rng=seed)
    assert (again.test.digest, again.history.digest) == (cut.test.digest, cut.history.digest)


def test_another_seed_is_another_split():
    data = Dataset.from_matrix(np.ones((20, 10)))
    assert split.random(data, rng=0).test.digest != split.random(data, rng=1).test.digest
    assert split.strong(data, rng=0).test.digest != split.strong(data, rng=1).test.digest


def test_temporal_at_a_moment_holds_out_what_lies_at_it_or_after():
    days = [datetime(2017, 1, day, tzinfo=UTC) for day in (1, 2, 3)]
    data = Dataset.from_events(pl.DataFrame({"user": ["a"] * 3, "item": ["x", "y", "z"], "at": days}))
    cut = split.temporal(data, datetime(2017, 1, 2))
    assert cut.test.n_events == 2
    assert cut.about == (
        "Temporal split from 2017-01-02T00:00:00+00:00 on: 1 event of 1 user before to learn from, "
        "2 events of 1 user to foresee; 1 of these users has a history."
    )


TWO = [("a", "x", 0), ("a", "y", 5), ("b", "x", 9)]


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (
            lambda d: split.temporal(d, "28d"),
            "the train side of the split is empty; got 28d; allowed: a cut between 1970-01-01T00:00:00+00:00 and "
            "1970-01-01T00:00:09+00:00; next: choose another cut",
        ),
        (
            lambda d: split.temporal(d, datetime(2030, 1, 1)),
            "the test side of the split is empty; got 2030-01-01T00:00:00; allowed: a cut between "
            "1970-01-01T00:00:00+00:00 and 1970-01-01T00:00:09+00:00; next: choose another cut",
        ),
        (
            lambda d: split.leave_last_out(d, 2),
            "the test side of the split is empty; got n=2; allowed: n below 2, the events of the busiest user; "
            "next: hold out fewer events",
        ),
    ],
)
def test_an_empty_side_is_refused(make, text):
    with pytest.raises(EmptyData) as caught:
        make(build(TWO))
    assert str(caught.value) == text


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda d: split.leave_last_out(d, 0), "n is out of range; got 0; allowed: 1 or more; next: hold out 1"),
        (
            lambda d: split.random(d, 1.0),
            "share is out of range; got 1.0; allowed: a share between 0 and 1; next: use 0.2",
        ),
        (
            lambda d: split.strong(d, users=0.0),
            "users is out of range; got 0.0; allowed: a share between 0 and 1; next: use 0.2",
        ),
        (
            lambda d: split.strong(d, share=float("nan")),
            "share is out of range; got nan; allowed: a share between 0 and 1; next: use 0.2",
        ),
        (
            lambda d: split.temporal(d, "28 days"),
            "not a duration; got 28 days; allowed: a positive number and a unit: s, m, h, d or w; "
            "next: write 28d or 12h",
        ),
        (
            lambda d: split.temporal(d, 28),
            f"not a place to cut at; got 28; allowed: {CUTS}",
        ),
        (lambda d: split.temporal(d, "04/01/2011"), f"not a place to cut at; got '04/01/2011'; allowed: {CUTS}"),
        (lambda d: split.temporal(d, "2011-02-30"), f"not a place to cut at; got '2011-02-30'; allowed: {CUTS}"),
        (lambda d: split.temporal(d, ""), f"not a place to cut at; got ''; allowed: {CUTS}"),
        *[
            (
                make,
                "rng is not a seed; got 'x'; allowed: a whole number of 0 or more, or a numpy.random.Generator; "
                "next: write rng=0",
            )
            for make in (lambda d: split.random(d, rng="x"), lambda d: split.strong(d, rng="x"))
        ],
        (lambda d: split.temporal(d, timedelta()), "a span to hold out is above 0; got 0:00:00; next: write 28d"),
    ],
)
def test_a_parameter_out_of_range_is_refused(make, text):
    with pytest.raises(InputError) as caught:
        make(build(TWO))
    assert str(caught.value) == text


@pytest.mark.parametrize(("cut", "kind"), [(split.temporal, "temporal"), (split.leave_last_out, "leave-last-out")])
def test_times_that_are_all_equal_have_no_before_and_after(cut, kind):
    with pytest.raises(EmptyData) as caught:
        cut(Dataset.from_matrix(np.ones((2, 2))))
    assert str(caught.value) == (
        "all events have the same time, so there is no before and after; got 1970-01-01T00:00:00+00:00; "
        f"allowed: events at two times or more for a {kind} split; next: use split.random or split.strong"
    )


def test_too_little_data_is_refused():
    one = Dataset.from_matrix(np.ones((1, 1)))
    with pytest.raises(EmptyData, match="there is nothing to split; got 1 events; allowed: 2 or more"):
        split.random(one)
    with pytest.raises(EmptyData, match="there are not enough users to keep some apart; got 1 users, 0 of them with"):
        split.strong(one)
    empty = one.select(np.zeros(1, bool))
    with pytest.raises(EmptyData, match="there are no events to split"):
        split.temporal(empty)


@pytest.mark.parametrize(
    ("test", "same"),
    [
        (timedelta(days=3), "3d"),
        ("2017-01-04", datetime(2017, 1, 4)),
        (date(2017, 1, 4), datetime(2017, 1, 4)),
        ("2017-01-04T01:00:00+01:00", datetime(2017, 1, 4)),
        ("2017-01-04 06:30", datetime(2017, 1, 4, 6, 30)),
    ],
)
def test_a_cut_can_be_said_in_several_ways(test, same):
    days = [datetime(2017, 1, day) for day in range(1, 9)]
    table = pl.DataFrame({"user": ["ann", "bob"] * 4, "item": list("abcdefgh"), "at": days})
    data = Dataset.from_events(table)
    assert split.temporal(data, test).about == split.temporal(data, same).about


def test_a_split_shows_what_it_is_about():
    made = split.random(build([("a", "s", 1), ("a", "t", 2), ("b", "s", 3)]), rng=0)
    assert repr(made) == made.about


@pytest.mark.parametrize("way", [split.temporal, split.leave_last_out, split.random, split.strong])
def test_only_a_dataset_is_cut(way):
    table = pl.DataFrame({"user": ["ann"], "item": ["tea"], "at": [1]})
    name = way.__name__
    with pytest.raises(InputError) as caught:
        way(table)
    assert str(caught.value) == f"{name} takes a Dataset; got DataFrame; next: {name}(Dataset.from_events(...))"
