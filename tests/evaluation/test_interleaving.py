"""Interleaving: the draft is fair and exact, credit goes to who picked, and the sign test says no more than it may."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, binomtest

import penchant as pt
from penchant.core.errors import EmptyData, InputError
from penchant.data.dataset import Dataset
from penchant.data.split import Split
from penchant.evaluation.interleaving import Interleaved, Preferences, interleave, team_draft
from penchant.evaluation.interval import Effect, Inconclusive
from penchant.evaluation.preference import preference
from penchant.evaluation.ranking import Users

from .conftest import FakeRanker

rankings = st.lists(st.integers(0, 12), max_size=9)


def slow_draft(a: list[Any], b: list[Any], n: int, coins: list[int]) -> Interleaved[Any]:
    """Algorithm 2 of the paper as it is printed, and then what only one ranking still has."""
    items: list[Any] = []
    teams: list[str] = []
    coins = list(coins)
    while len(items) < n and set(a) - set(items) and set(b) - set(items):
        picked_a, picked_b = teams.count("a"), teams.count("b")
        if picked_a < picked_b or (picked_a == picked_b and coins.pop(0) == 1):
            items.append(next(item for item in a if item not in items))
            teams.append("a")
        else:
            items.append(next(item for item in b if item not in items))
            teams.append("b")
    for item in [*a, *b]:
        if len(items) < n and item not in items:
            items.append(item)
            teams.append("")
    return Interleaved(tuple(items), tuple(teams))


@given(rankings, rankings, st.integers(1, 12), st.integers(0, 99))
def test_the_draft_is_the_algorithm_of_the_paper(a, b, n, seed):
    coins = np.random.default_rng(seed).integers(0, 2, (1, (n + 1) // 2), dtype=np.int8)[0].tolist()
    assert team_draft(a, b, n, rng=seed) == slow_draft(a, b, n, coins)


@given(rankings, rankings, st.integers(1, 12), st.integers(0, 99))
def test_a_draft_holds_each_item_once_and_teams_differ_by_one_at_most(a, b, n, seed):
    slate = team_draft(a, b, n, rng=seed)
    assert len(slate.items) == len(set(slate.items)) == min(n, len({*a, *b}))
    assert len(slate.items) == len(slate.team)
    assert abs(slate.team.count("a") - slate.team.count("b")) <= 1
    for team, ranking in (("a", a), ("b", b)):
        own = [item for item, whose in zip(slate.items, slate.team, strict=True) if whose == team]
        assert all(ranking.index(one) < ranking.index(next_) for one, next_ in pairwise(own))
    if min(len(set(a)), len(set(b))) >= n:
        assert "" not in slate.team  # rankings as long as the slate never run out


def test_an_empty_ranking_leaves_the_slate_to_the_other_and_nobody_gets_credit():
    slate = team_draft([], ["tea", "milk"], n=3)
    assert slate == Interleaved(("tea", "milk"), ("", ""))
    assert slate.credit(["tea"]) == 0
    assert team_draft([], [], n=3) == Interleaved((), ())


def test_empty_slots_and_repeats_are_passed_over():
    assert set(team_draft(np.int32([4, -1, 4, 5]), np.int32([4, 5, -1]), n=4).items) == {4, 5}


@pytest.mark.parametrize("n", [3, 4])
def test_either_ranking_is_as_likely_to_pick_any_place(n):
    a, b, rng, drafts = ["x", "y", "z", "w"], ["y", "x", "q", "z"], np.random.default_rng(1), 6000
    teams = np.array([[team == "a" for team in team_draft(a, b, n, rng).team] for _ in range(drafts)])
    # every place is A's in half of the drafts, to within 4 standard errors
    assert np.abs(teams.mean(axis=0) - 0.5).max() < 4 * 0.5 / np.sqrt(drafts)


def test_clicks_that_have_nothing_to_do_with_the_rankings_prefer_neither():
    rng, total, users = np.random.default_rng(2), [], 6000
    for _ in range(users):
        a, b = rng.permutation(8)[: rng.integers(1, 8)].tolist(), rng.permutation(8)[: rng.integers(1, 8)].tolist()
        slate = team_draft(a, b, 5, rng)
        places = rng.random(len(slate.items)) < 0.6 / np.arange(1, len(slate.items) + 1)  # the top is clicked most
        total.append(slate.credit([item for item, hit in zip(slate.items, places, strict=True) if hit]))
    assert abs(np.mean(total)) < 4 * np.std(total) / np.sqrt(users)


def test_a_click_counts_for_who_picked_it_and_once():
    slate = Interleaved(("tea", "milk", "jam", "rice"), ("a", "b", "a", ""))
    assert slate.credit(["tea", "tea", "milk", "rice"]) == 0
    assert slate.credit(["tea", "jam"]) == 2
    assert slate.credit([]) == 0
    with pytest.raises(InputError, match="a click on an item that was not shown; got 'salt'"):
        slate.credit(["salt"])


@given(st.integers(0, 40), st.integers(0, 40))
def test_the_sign_test_is_scipys_with_half_of_what_was_observed(wins, losses):
    found = preference([2] * wins + [-1] * losses + [0] * 3)
    if not wins + losses:
        assert isinstance(found, Inconclusive)
        return
    n = wins + losses
    exact = binomtest(wins, n).pvalue
    tie = wins == losses
    assert found.p == pytest.approx(1.0 if tie else exact - binom.pmf(wins, n, 0.5))
    assert found.value == pytest.approx((wins - losses) / n)
    assert -1 <= found.low <= found.value <= found.high <= 1
    # the interval excludes 0 when, and only when, the test rejects
    assert (found.verdict != "cannot tell") == (found.p < 0.05)
    wide = binomtest(wins, n).proportion_ci(method="exact")
    assert 2 * wide.low - 1 <= found.low + 1e-9
    assert found.high - 1e-9 <= 2 * wide.high - 1


def test_preferring_b_is_preferring_a_the_other_way_round():
    one, other = preference([1] * 30 + [-1] * 12), preference([-1] * 30 + [1] * 12)
    assert (one.low, one.high, one.p) == pytest.approx((-other.high, -other.low, other.p))


def test_outcomes_that_are_none_are_refused():
    with pytest.raises(InputError, match="an outcome is not a finite number"):
        preference([1, np.nan])
    with pytest.raises(InputError, match="level is out of range; got 95"):
        preference([1], level=95)


@pytest.fixture
def world() -> Split:
    """200 users who had item 0 and go on to want item 1."""
    had, later = np.zeros((200, 6)), np.zeros((200, 6))
    had[:, 0] = later[:, 1] = 1
    past, test = Dataset.from_matrix(sp.csr_array(had)), Dataset.from_matrix(sp.csr_array(later))
    return Split(past, past, test, "temporal", "By hand.")


def ranker(split: Split, *order: int) -> FakeRanker:
    scores = np.full(6, np.nan)
    scores[list(order)] = np.arange(len(order), 0, -1)
    return FakeRanker(split.train.items, lambda dense: scores[None, :])


def test_who_finds_what_was_wanted_is_preferred_by_everybody(world):
    found = interleave({"good": ranker(world, 1, 2), "bad": ranker(world, 3, 4)}, world, n=2)
    assert (found.for_a, found.for_b, found.neither, found.same) == (200, 0, 0, 0)
    assert str(found).startswith("good is preferred to bad by 100% [99, 100] of those with a preference (200 of 200")
    swapped = interleave({"bad": ranker(world, 3, 4), "good": ranker(world, 1, 2)}, world, n=2)
    assert str(swapped) == str(found)
    assert swapped.verdict == "worse"


def test_identical_rankers_give_no_preference(world):
    found = interleave({"one": ranker(world, 1, 2, 3), "two": ranker(world, 1, 2, 3)}, world, n=3)
    assert (found.same, found.for_a, found.for_b) == (200, 0, 0)
    assert str(found) == "cannot tell whether one or two is preferred: nobody has a preference (0 of 200 users)"
    assert found.needed is None


def test_rankers_that_are_as_good_cannot_be_told_apart(world):
    # both show what is wanted, at the top: the coin alone says whose it is
    found = interleave({"one": ranker(world, 1, 2), "two": ranker(world, 1, 3)}, world, n=3)
    assert found.for_a + found.for_b == 200
    assert found.lead.p > 0.01
    assert str(found).startswith("cannot tell whether one or two is preferred: 48% [41, 55] of those with")


def test_the_replay_is_the_draft_of_each_user(world):
    rng = np.random.default_rng(5)
    orders = rng.permuted(np.tile(np.arange(1, 6), (2, 200, 1)), axis=2)

    def own(which: int) -> FakeRanker:
        scores = np.full((200, 6), np.nan)
        np.put_along_axis(scores, orders[which], np.broadcast_to(np.arange(5, 0, -1.0), (200, 5)), axis=1)
        return FakeRanker(world.train.items, lambda dense: scores)

    found = interleave({"one": own(0), "two": own(1)}, world, n=4, rng=9)
    coins = np.random.default_rng(9).integers(0, 2, (200, 2), dtype=np.int8)
    outcomes = []
    for user in range(200):
        a, b = orders[0, user, :4].tolist(), orders[1, user, :4].tolist()
        slate = slow_draft(a, b, 4, coins[user].tolist())
        outcomes.append(0 if a == b else slate.credit([1] if 1 in slate.items else []))
    assert (found.for_a, found.for_b) == (outcomes.count(1), outcomes.count(-1))


def test_the_number_of_users_that_is_asked_for_would_do():
    lead = preference([1] * 54 + [-1] * 46)
    found = Preferences("one", "two", 10, 54, 46, 100, 0, lead, Users(200, 200, 0, 0))
    assert lead.verdict == "cannot tell"
    assert re.search(r"54% \[44, 64\] .* would need about 2,4\d\d users", str(found))
    votes = np.random.default_rng(3).binomial(found.needed // 2, 0.54, 400)
    told = [preference([1] * k + [-1] * (found.needed // 2 - k)).verdict == "better" for k in votes]
    assert 0.74 < np.mean(told) < 0.86


def test_slips_are_named(world):
    one = ranker(world, 1)
    with pytest.raises(InputError, match="interleaving takes two models; got 1"):
        interleave({"one": one}, world)
    with pytest.raises(InputError, match="interleaving takes two models; got FakeRanker"):
        interleave(one, world)
    with pytest.raises(InputError, match="two is not a fitted model; got Popular"):
        interleave({"one": one, "two": pt.Popular()}, world)
    with pytest.raises(InputError, match="n is out of range; got 0"):
        interleave({"one": one, "two": one}, world, n=0)
    with pytest.raises(InputError, match="n is out of range"):
        team_draft([1], [2], n=0)
    with pytest.raises(InputError, match="rng is not a seed"):
        team_draft([1], [2], rng="seed")
    with pytest.raises(EmptyData, match="no user has anything to foresee"):
        interleave({"one": one, "two": one}, world, task="repeat")


def test_the_names_are_in_the_package():
    assert (pt.interleave, pt.team_draft, pt.preference) == (interleave, team_draft, preference)
    assert isinstance(pt.preference([1, -1]), Effect)
