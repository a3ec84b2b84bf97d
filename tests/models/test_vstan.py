"""VSTAN against its formulas, written out; its sessions as counts that add up; the index as it grows."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penchant.core.errors import EmptyData, InputError
from penchant.core.nouns import History
from penchant.data.dataset import Dataset
from penchant.models.arrivals import Arrivals
from penchant.models.sessions import Sessions
from penchant.models.vstan import VSTAN, SessionNeighbours
from penchant.testing.claim import same_arrays
from penchant.testing.worlds import bazaar

MINUTE = 60_000_000
Rows = list[tuple[str, str, int]]


def dataset(rows: Rows) -> Dataset:
    return Dataset.from_events(pl.DataFrame(rows, schema=["user", "item", "at"], orient="row"))


def clicks(seed: int, users: int = 60, items: int = 15) -> Rows:
    """Return sessions of 1 to 9 clicks with repeats, ended at moments of which some are shared."""
    rng = np.random.default_rng(seed)
    rows = []
    for user in range(users):
        start = int(rng.integers(0, 40)) * 1000 * MINUTE
        length = int(rng.integers(1, 10))
        picked = rng.choice(items, length, p=(share := 1 / np.arange(1, items + 1)) / share.sum())
        rows += [(f"s{user:03}", f"i{item:02}", start + step * MINUTE) for step, item in enumerate(picked)]
    return rows


def slowly(learner: VSTAN, data: Dataset, asked: list[int]) -> dict[int, float]:
    """Return the scores of METHODS' formulas, session by session; positions count from 1."""
    sessions = [data.history_of(user) for user in range(data.n_users)]
    sessions = sorted((s for s in sessions if len(s)), key=lambda s: int(s.at[-1]))
    size = len(asked)
    place = {item: p for p, item in enumerate(asked, 1) if p > size - learner.last}
    says = {item: math.exp((p - size) / (learner.l_spw or math.inf)) for item, p in place.items()}
    norm = math.sqrt(sum(w * w for w in says.values()))
    newest = int(sessions[-1].at[-1])
    found = []
    for session in [s for s in reversed(sessions) if set(place) & set(s.items.tolist())][: learner.sample_size]:
        own = {int(item): p for p, item in enumerate(session.items, 1)}
        age = (newest - int(session.at[-1])) / 86_400_000_000
        near = sum(says[i] for i in own if i in says) / (norm * math.sqrt(len(own)))
        found.append((near * math.exp(-age / (learner.l_snh or math.inf)), own))
    found.sort(key=lambda pair: -pair[0])
    count = {i: sum(i in s.items for s in sessions) for i in range(data.n_items)}
    scores: dict[int, float] = {}
    for near, own in found[: learner.k]:
        shared = [i for i in own if i in place]
        middle = max(own[i] for i in shared)
        back = size - max(place[i] for i in shared)
        for j, p in own.items():
            worth = math.exp(-abs(p - middle) / (learner.l_inh or math.inf))
            worth *= 1 + learner.l_idf * math.log(len(sessions) / count[j])
            scores[j] = scores.get(j, 0.0) + near * worth * math.exp(-back / (learner.l_ipw or math.inf))
    if not learner.current:
        scores.pop(asked[-1], None)
    return scores


@pytest.mark.parametrize(
    "learner",
    [
        VSTAN(),
        VSTAN(k=1000, sample_size=7),
        VSTAN(k=1000, last=3, l_spw=None, l_snh=9.0, l_inh=0.7, l_ipw=1.5, l_idf=0.0),
        VSTAN(k=1000, last=60, l_spw=0.5, l_inh=None, l_idf=5.0, current=True),
    ],
    ids=repr,
)
def test_a_score_is_that_of_the_formula(learner: VSTAN) -> None:
    rows = [(user, item, at + int(user[1:])) for user, item, at in clicks(1)]  # no two end at one moment
    data = dataset(rows)
    scorer = learner.fit(data)
    for asked in ([0], [3, 1], [2, 5, 2, 7], [9, 0, 1, 0, 4, 11, 0], [1, 2, 3] * 30):
        wanted = np.full(data.n_items, np.nan)
        for item, score in slowly(learner, data, asked).items():
            wanted[item] = score
        np.testing.assert_allclose(scorer.score(History.of(asked)), wanted, rtol=1e-5)


def test_only_the_most_similar_of_the_sample_take_part() -> None:
    """All of one length share one item; k of them by recency, as similarities tie."""
    data = dataset([(f"s{n}", item, n * MINUTE) for n in range(9) for item in ("a", f"b{n}")])
    scores = VSTAN(k=3, sample_size=6).fit(data).score(History.of([data.items.code("a")]))
    assert [i for i, score in zip(data.items, scores, strict=True) if not np.isnan(score)] == ["b6", "b7", "b8"]


def test_the_last_event_decides_where_an_item_stands_and_whether_it_is_liked() -> None:
    scorer = VSTAN().fit(dataset(clicks(2)))
    again, once = scorer.score(History.of([1, 2, 1])), scorer.score(History.of([4, 2, 1], [0, 1, 1]))
    np.testing.assert_array_equal(again, once)
    gone = scorer.score(History.of([2, 1, 1], [1, 1, -1]))
    np.testing.assert_array_equal(gone, scorer.score(History.of([2, 4, 4], [1, 0, 0])))


@given(st.lists(st.tuples(st.integers(0, 6), st.sampled_from([1.0, 1.0, 3.0, 0.0, -1.0])), min_size=1, max_size=90))
def test_the_order_of_a_history_survives_the_matrix(entries: list[tuple[int, float]]) -> None:
    """However often items come back: a batch reads the order from sums of powers of 1/4."""
    scorer = learnt()
    items, weights = zip(*entries, strict=True)
    codes, signal, latest = scorer._row(History.of(items, weights))
    back = len(entries) - 1 - latest
    for code, says, steps in zip(codes.tolist(), signal.tolist(), back.tolist(), strict=True):
        last = max(p for p, (item, weight) in enumerate(entries) if item == code)
        weighty = [p for p, (item, weight) in enumerate(entries) if item == code and weight]
        assert steps == len(entries) - 1 - last
        if weighty and len(entries) - weighty[-1] <= 60:
            assert (says > 0) == (entries[weighty[-1]][1] > 0)
            assert round(-math.log(abs(says), 4)) == len(entries) - 1 - weighty[-1]


def learnt() -> SessionNeighbours:
    scorer: SessionNeighbours = VSTAN().fit(dataset(clicks(0)))
    return scorer


def test_a_pause_begins_another_session() -> None:
    rows = [("a", "x", 0), ("a", "y", MINUTE), ("a", "x", 40 * MINUTE), ("a", "z", 41 * MINUTE), ("b", "z", 5)]
    state = VSTAN(idle=30.0).fit(dataset(rows)).state
    assert state.at.tolist() == [5, MINUTE, 41 * MINUTE]
    assert [state.items[a:b].tolist() for a, b in pairwise(state.indptr)] == [[2], [1, 0], [2, 0]]
    assert len(VSTAN().fit(dataset(rows)).state) == 2


sessions = st.lists(
    st.tuples(st.integers(0, 4), st.lists(st.integers(0, 5), min_size=1, max_size=4)), min_size=1, max_size=12
)


@given(sessions, sessions)
def test_sessions_add_up_whoever_comes_first(one: Any, other: Any) -> None:
    first, second = counted("a", one), counted("b", other)
    both = first.plus(second, 1)
    assert_same(both, second.plus(first, 1))
    assert_same(both.plus(second, -1), first)
    assert_same(both.plus(first, -1), second)
    wider = np.int32([1, 2, 5, 6, 8, 9])
    assert_same(first.over(wider, 10).plus(second.over(wider, 10), 1), both.over(wider, 10))


def counted(name: str, drawn: list[tuple[int, list[int]]]) -> Sessions:
    """Return sessions that end at the moments drawn; all six items are in the vocabulary."""
    rows = [
        (f"{name}{n}", f"{item}", 100 * at + step - len(items))
        for n, (at, items) in enumerate(drawn)
        for step, item in enumerate(items)
    ]
    frame = pl.DataFrame(rows, schema=["user", "item", "at"], orient="row")
    return Sessions.of(Dataset.from_events(frame, pl.DataFrame({"id": [f"{i}" for i in range(6)]})), None)


def assert_same(one: Sessions, other: Sessions) -> None:
    for name, values in one.arrays().items():
        assert values.dtype == other.arrays()[name].dtype
        np.testing.assert_array_equal(values, other.arrays()[name])


def test_who_is_not_there_cannot_be_taken_out() -> None:
    data = dataset(clicks(3))
    scorer = VSTAN().fit(data)
    stranger = dataset([("s", "i00", 1), ("s", "i01", 2)])
    with pytest.raises(InputError, match="a session that is to be forgotten is not in the model; got one that ended"):
        scorer.without(stranger)
    with pytest.raises(EmptyData, match="nobody is left to learn from"):
        scorer.without(data)


def test_an_artifact_holds_no_ids_of_people(tmp_path: Any) -> None:
    place = VSTAN().fit(bazaar()).save(tmp_path / "model")
    assert not any(b"person-" in file.read_bytes() for file in place.iterdir())


@pytest.mark.parametrize("late", [False, True], ids=["in order", "late"])
def test_sessions_that_arrive_are_as_if_they_had_been_there(late: bool) -> None:
    rows = clicks(5)
    ends = {user: at for user, _, at in rows}
    users = sorted(ends, key=lambda user: (ends[user], user))
    first = dataset([row for row in rows if row[0] in users[:40]] + [("z", f"i{i:02}", 0) for i in range(15)])
    arrivals = Arrivals(VSTAN().fit(first))
    untouched = [VSTAN().fit(first), arrivals.scorer]
    come, data = users[40:], dataset(rows)
    for user in reversed(come) if late else come:
        history = data.history(user)
        arrivals.add(History(first.items.codes(data.items.ids(history.items)), history.weights, history.at))
    wanted = untouched[0].updated(data.select(np.isin(data.column("user"), [data.users.code(u) for u in come])))
    same_arrays(arrivals.scorer, wanted, "sessions that arrived")
    same_arrays(*untouched, "what was taken before")


def test_a_session_of_nothing_known_does_not_arrive() -> None:
    arrivals = Arrivals(learnt())
    for nothing in (History.of([]), History.of([-1]), History.of([2, 2], [1, -1])):
        arrivals.add(nothing)
    same_arrays(arrivals.scorer, learnt(), "nothing arrived")
