"""What each way of splitting lets through, for any data, and what is refused."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penchant.core.errors import EmptyData, InputError, UnknownName
from penchant.data import split
from penchant.data.dataset import Dataset
from penchant.data.split import LEAKS, Split

rows = st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from("stu"), st.integers(0, 12)), min_size=2, max_size=40)


def build(events):
    users, items, at = zip(*events, strict=True)
    return Dataset.from_events(pl.DataFrame({"user": users, "item": items, "at": at}))


def part(data, picked):
    return data.select(np.array(picked, bool))


def events_of(data):
    return list(data.frame.select("user", "item", "at").rows())


def slow(train, history, test, kind):
    """Every pair of events, one after the other."""
    learnt, known, late = events_of(train), events_of(history), events_of(test)
    first = min((at for *_, at in late), default=None)
    found = {}
    if first is not None and any(at > first for *_, at in learnt):
        found["future"] = sum(at > first for *_, at in learnt)
    wise = {u for u, _, at in known for v, _, then in late if u == v and at > then}
    if wise:
        found["hindsight"] = len(wise)
    both = {u for u, *_ in known} & {u for u, *_ in learnt}
    if kind == "strong" and both:
        found["people"] = len(both)
    times = {at for *_, at in learnt + known + late}
    twice = sum(event in learnt or event in known for event in late)
    if len(times) > 1 and twice:
        found["twice"] = twice
    return found


@given(rows, st.data())
def test_the_leaks_of_any_three_parts_are_those_of_a_plain_loop(events, draw):
    data = build(events)
    picks = st.lists(st.booleans(), min_size=data.n_events, max_size=data.n_events)
    train, test = part(data, draw.draw(picks)), part(data, draw.draw(picks))
    history = draw.draw(st.sampled_from([train, part(data, draw.draw(picks))]))
    kind = draw.draw(st.sampled_from(["strong", "by hand"]))
    found = Split(train, history, test, kind, "By hand.").leaks
    expected = slow(train, history, test, kind)
    assert {name: int(words.split()[0].replace(",", "")) for name, words in found.items()} == expected


def all_of(data):
    """Every split that can be made of this data, in every way."""
    ways = {
        "temporal": lambda: [split.temporal(data, "4s")],
        "rolling": lambda: split.rolling(data, "3s", 2),
        "sessions": lambda: [split.sessions(data, "4s", gap="1s")],
        "leave-last-out": lambda: [split.leave_last_out(data)],
        "random": lambda: [split.random(data)],
        "k-fold": lambda: split.k_fold(data, 2),
        "strong": lambda: [split.strong(data)],
    }
    for kind, make in ways.items():
        try:
            yield from ((kind, made) for made in make())
        except EmptyData:
            continue


@given(rows)
def test_a_protocol_lets_through_what_it_names_and_global_ones_let_through_nothing(events):
    data = build([(user, item, at * 1_000_000) for user, item, at in events])
    for kind, made in all_of(data):
        assert made.kind == kind
        assert made.check().keys() <= set(made.allow)
        if kind in ("temporal", "rolling", "sessions"):
            assert not made.leaks.keys() - ({"twice"} if kind == "sessions" else set())
            assert made.train.column("at").max() <= made.test.column("at").min()


def test_each_protocol_has_the_leaks_it_names():
    """So that what is allowed is not idle: on these events every named leak is there."""
    doubled = [("a", "s", 1), ("a", "t", 2), ("a", "u", 3), ("a", "u", 3), ("b", "s", 9), ("b", "t", 9), ("b", "t", 9)]
    data = build(doubled)
    assert set(split.leave_last_out(data).leaks) == {"future", "twice"}
    seen = {kind: set() for kind in ("random", "k-fold", "strong")}
    for seed in range(20):
        for made in (split.random(data, 0.4, seed), *split.k_fold(data, 2, seed), split.strong(data, 0.5, 0.5, seed)):
            seen[made.kind] |= made.leaks.keys()
    assert seen["random"] == seen["k-fold"] == {"future", "hindsight", "twice"}
    assert {"future", "twice", "hindsight"} >= seen["strong"] >= {"twice", "hindsight"}


def test_a_leak_is_refused_until_it_is_allowed_by_name():
    data = build([("a", "s", 1), ("a", "t", 5), ("b", "s", 3)])
    past, later = part(data, [1, 1, 0]), part(data, [0, 0, 1])
    made = Split(past, past, later, "by hand", "By hand.")
    with pytest.raises(InputError) as caught:
        made.check()
    assert str(caught.value) == (
        "models learn from what came after the test; got 1 of 2 training events is later than the first event to "
        "foresee; allowed: a split without this leak, or one that says that it has it; next: split.temporal(data), or "
        "split.allowing('future')"
    )
    allowed = made.allowing("future").allowing("future", "twice")
    assert allowed.allow == ("future", "twice")
    assert list(allowed.check()) == ["future"]
    assert made.allow == ()
    with pytest.raises(UnknownName, match="unknown leak; got futur; allowed: future, hindsight, people, twice"):
        made.allowing("futur")


def test_new_people_who_are_learnt_from_are_refused():
    data = build([("a", "s", 1), ("a", "t", 2), ("a", "u", 3)])
    made = Split(part(data, [1, 0, 0]), part(data, [0, 1, 0]), part(data, [0, 0, 1]), "strong", "By hand.")
    with pytest.raises(InputError, match=f"{LEAKS['people']}; got 1 of 1 new people is in the training events"):
        made.check()


def test_without_times_a_repeat_is_no_leak():
    past, later = Dataset.from_matrix([[1, 1, 0]]), Dataset.from_matrix([[1, 0, 1]])
    assert not Split(past, past, later, "by hand", "By hand.").leaks
