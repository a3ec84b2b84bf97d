"""Studies: nothing without a yes, nothing left after a no, an order that chance decides, and no token stored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from string import hexdigits

import pytest
import sqlalchemy as sa

from penchant.core.clock import FixedClock
from penchant.core.errors import Forbidden, InputError, NotFound, StoreError
from penchant.evaluation.questionnaire import CONSTRUCTS
from penchant.store.store import Store
from penchant.store.tables import participants, ratings
from penchant.trust.access import SYSTEM, Actor
from penchant.trust.participants import Card, stands_first
from penchant.trust.studies import Studies

ALL = {side: dict.fromkeys(CONSTRUCTS, 3) for side in "ab"}
CARDS = {"a": (Card("tea", "Tea"),), "b": (Card("jam", "Jam"),)}


@pytest.fixture
def store(ready_url: str) -> Iterator[Store]:
    with Store.create(ready_url) as made:
        yield made


@pytest.fixture
def studies(store: Store) -> Studies:
    made = Studies(store, FixedClock(datetime(2017, 12, 31, tzinfo=UTC)))
    made.create(SYSTEM, "tea", "ease", "popular")
    return made


def rows(store: Store) -> tuple[int, int]:
    with store._database.reading() as connection:
        return tuple(
            connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
            for table in (participants, ratings)
        )


def test_without_a_yes_nothing_is_stored(studies: Studies, store: Store):
    with pytest.raises(InputError, match="nobody takes part without agreeing"):
        studies.join("tea", terms="I agree", agreed=False)
    with pytest.raises(NotFound, match="nobody takes part under this address"):
        studies.answer("made-up", "a", ALL)
    with pytest.raises(NotFound):
        studies.show("made-up", "9f2c", CARDS)
    assert rows(store) == (0, 0)


def test_the_database_itself_holds_no_answer_of_nobody(store: Store):
    row = {"participant": "nobody", "slate": "a", "construct": "trust", "value": 3}
    with pytest.raises(StoreError, match=r"(?i)foreign key"), store._database.writing() as connection:
        connection.execute(sa.insert(ratings), row)


def test_withdrawal_leaves_nothing(studies: Studies, store: Store):
    stays, goes = (studies.join("tea", terms="I agree", agreed=True) for _ in range(2))
    for token in (stays, goes):
        studies.show(token, "9f2c", CARDS)
        studies.answer(token, "a", ALL)
    assert rows(store) == (2, 28)
    studies.withdraw(goes)
    assert rows(store) == (1, 14)
    assert [each.number for each in studies.answers(SYSTEM, "tea")] == [0]
    for again in (studies.withdraw, studies.participant):
        with pytest.raises(NotFound):
            again(goes)
    assert studies.participant(studies.join("tea", terms="I agree", agreed=True)).number == 2  # not given twice


@pytest.mark.parametrize("ready_url", ["sqlite"], indirect=True)
def test_no_token_is_stored(studies: Studies, tmp_path: Path):
    token = studies.join("tea", terms="I agree", agreed=True)
    assert set(token) <= set(hexdigits)  # no command takes it for an option
    stored = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"popular" in stored
    assert token.encode() not in stored


def test_answers_are_all_or_none_and_given_once(studies: Studies, store: Store):
    token = studies.join("tea", terms="I agree", agreed=True)
    with pytest.raises(InputError, match="there are no lists to judge yet"):
        studies.answer(token, "a", ALL)
    studies.show(token, "9f2c", CARDS)
    studies.show(token, "other", {"a": (), "b": ()})
    for wrong in (0, 6, None):
        with pytest.raises(InputError, match="an answer is missing"):
            studies.answer(token, "a", {**ALL, "b": {**ALL["b"], "trust": wrong}})
    with pytest.raises(InputError, match="prefers is unknown; got c"):
        studies.answer(token, "c", ALL)
    assert rows(store) == (1, 0)
    studies.answer(token, "a", ALL)
    studies.answer(token, "b", {side: dict.fromkeys(CONSTRUCTS, 5) for side in "ab"})
    (found,) = studies.answers(SYSTEM, "tea")
    assert (found.prefers, found.ratings, found.slates, found.bundle) == (
        "a",
        ALL,
        {"a": ["tea"], "b": ["jam"]},
        "9f2c",
    )


def test_who_has_not_answered_is_not_among_the_answers(studies: Studies):
    studies.show(studies.join("tea", terms="I agree", agreed=True), "9f2c", CARDS)
    assert studies.answers(SYSTEM, "tea") == ()
    assert [row[1:] for row in studies.list(SYSTEM)] == [(1, 0)]


def test_a_closed_or_full_study_takes_nobody_else_but_lets_people_finish(studies: Studies):
    studies.create(SYSTEM, "small", "ease", "popular", places=1)
    token = studies.join("small", terms="I agree", agreed=True)
    with pytest.raises(Forbidden, match="the study takes nobody else"):
        studies.join("small", terms="I agree", agreed=True)
    studies.close(SYSTEM, "tea")
    assert not studies.get("tea").open
    with pytest.raises(Forbidden):
        studies.join("tea", terms="I agree", agreed=True)
    studies.show(token, "9f2c", CARDS)
    studies.answer(token, "neither", ALL)
    assert len(studies.answers(SYSTEM, "small")) == 1


def test_the_order_is_chance_that_can_be_repeated_and_that_balances(studies: Studies):
    orders = ["".join(stands_first(seed, number) for number in range(40)) for seed in range(50)]
    assert all(Counter(order[block : block + 4]) == {"a": 2, "b": 2} for order in orders for block in range(0, 40, 4))
    assert len(set(orders)) == 50
    first = Counter(order[0] for order in orders)
    assert 12 <= first["a"] <= 38
    tokens = [studies.join("tea", terms="I agree", agreed=True) for _ in range(8)]
    assert [studies.participant(token).first for token in tokens] == list(orders[0][:8])


def test_only_an_administrator_makes_closes_and_reads_studies(studies: Studies):
    shop = Actor("shop", frozenset({"recommend:read"}))
    for ask in (
        lambda: studies.create(shop, "x", "a", "b"),
        lambda: studies.close(shop, "tea"),
        lambda: studies.answers(shop, "tea"),
        lambda: studies.list(shop),
    ):
        with pytest.raises(Forbidden):
            ask()


@pytest.mark.parametrize("name", ["", "Tea", "a/b", "-a", "a" * 65, "tea time", "style.css"])
def test_names_can_stand_in_an_address(studies: Studies, name: str):
    with pytest.raises(InputError, match="the name of a study stands in its address"):
        studies.create(SYSTEM, name, "ease", "popular")


def test_slips_in_making_a_study_are_named(studies: Studies):
    for words, other in (
        ("there is a study of this name; got tea", {"name": "tea"}),
        ("a study compares two models; got ease twice", {"b": "ease"}),
        ("n is out of range; got 0; allowed: 1 to 20", {"n": 0}),
        ("places is out of range; got 0", {"places": 0}),
        ("seed is out of range; got -1", {"seed": -1}),
    ):
        asked = {"name": "new", "a": "ease", "b": "popular", **other}
        with pytest.raises(InputError, match=words):
            studies.create(SYSTEM, **asked)
    for ask in (studies.get, lambda name: studies.close(SYSTEM, name), lambda name: studies.answers(SYSTEM, name)):
        with pytest.raises(NotFound, match="there is no such study; got other"):
            ask("other")
