"""Answers, and the bundles in service."""

from __future__ import annotations

from datetime import timedelta

import polars as pl
import pytest

from penchant.core.clock import FixedClock
from penchant.core.errors import InputError, NotFound, UnknownName
from penchant.trust.access import SYSTEM
from penchant.trust.consent import State
from penchant.trust.gate import Gate


def test_a_person_can_see_where_they_stand(gate: Gate, clock: FixedClock) -> None:
    gate.consent.grant(SYSTEM, "ann", ["train"], basis="checkout form")
    clock.advance(timedelta(days=1))
    gate.consent.withdraw(SYSTEM, "ann", ["train"], basis="mail of 2 January")
    assert gate.consent.state(SYSTEM, "ann") == (
        State("train", granted=False, basis="mail of 2 January", at=clock.now()),
        State("personalize", granted=False, basis="settings: consent.default", at=None),
    )


def test_many_people_at_once_each_counted_once(gate: Gate) -> None:
    people = pl.Series([str(n) for n in range(3000)] + ["0"])
    assert gate.consent.grant(SYSTEM, people, ["train", "personalize"], basis="import") == 3000
    assert [state.granted for state in gate.consent.state(SYSTEM, "2999")] == [True, True]


def test_what_is_not_an_answer_is_refused_and_nothing_is_recorded(gate: Gate) -> None:
    with pytest.raises(UnknownName, match=r"unknown purpose; got trian; allowed: personalize, train; next: .*'train'"):
        gate.consent.grant(SYSTEM, "ann", ["personalize", "trian"], basis="form")
    with pytest.raises(UnknownName, match="unknown purpose; got access"):
        gate.consent.grant(SYSTEM, "ann", ["access"], basis="form")
    with pytest.raises(InputError, match="basis is empty"):
        gate.consent.grant(SYSTEM, "ann", ["train"], basis="")
    with pytest.raises(InputError, match="user is empty; got ; allowed: 1 to 512"):
        gate.consent.grant(SYSTEM, ["ann", ""], ["train"], basis="form")
    assert {state.at for state in gate.consent.state(SYSTEM, "ann")} == {None}


def test_bundles_are_promoted_one_at_a_time_and_forgotten_in_time(gate: Gate, clock: FixedClock) -> None:
    for digest in ("a", "b", "c"):
        gate.artifacts.record(SYSTEM, digest, f"artifacts/{digest}", models={"ease": 1}, metrics={"ndcg@10": 0.1})
        clock.advance(timedelta(hours=1))
    assert gate.artifacts.promoted() is None
    gate.artifacts.promote(SYSTEM, "b")
    gate.artifacts.promote(SYSTEM, "a")
    with pytest.raises(NotFound, match="no such artifact; got z; next: run 'penchant train'"):
        gate.artifacts.promote(SYSTEM, "z")
    serving = gate.artifacts.promoted()
    assert serving is not None
    assert (serving.digest, serving.path, serving.promoted) == ("a", "artifacts/a", clock.now())
    assert (serving.models, serving.metrics) == ({"ease": 1}, {"ndcg@10": 0.1})
    gate.artifacts.record(SYSTEM, "a", "elsewhere/a", models={}, metrics={})
    assert gate.artifacts.promoted() is not None, "recording again keeps it in service"
    gate.artifacts.record(SYSTEM, "d", "artifacts/d", models={}, metrics={})
    clock.advance(timedelta(hours=1))
    assert {gone.digest for gone in gate.artifacts.forget(SYSTEM, 2)} == {"c"}, "b was in service before a"
    assert {left.digest for left in gate.artifacts.list()} == {"a", "b", "d"}
    with pytest.raises(InputError, match="keep is out of range; got 0; allowed: 1 or more"):
        gate.artifacts.forget(SYSTEM, 0)


def test_consent_for_many_at_once_leaves_every_recorded_answer_as_it_is(gate: Gate) -> None:
    gate.consent.withdraw(SYSTEM, ["ann"], ["train"], basis="letter")
    gate.consent.grant(SYSTEM, ["bob"], ["train"], basis="form")
    kept = gate.consent.grant_unasked(SYSTEM, ["ann", "bob", "eve"], ["train", "personalize"], basis="import")
    assert kept == 1
    said = {
        user: {state.purpose: (state.granted, state.basis) for state in gate.consent.state(SYSTEM, user)}
        for user in ("ann", "bob", "eve")
    }
    assert said == {
        "ann": {"train": (False, "letter"), "personalize": (True, "import")},
        "bob": {"train": (True, "form"), "personalize": (True, "import")},
        "eve": {"train": (True, "import"), "personalize": (True, "import")},
    }
