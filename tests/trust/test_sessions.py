"""A visitor reaches their own session, and with nothing anybody else's."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from penchant.core.clock import FixedClock
from penchant.core.errors import Forbidden, Unauthorized
from penchant.core.exposure import AccessSettings
from penchant.core.settings import Settings
from penchant.trust.access import SYSTEM, Actor
from penchant.trust.caller import Caller
from penchant.trust.gate import Gate
from penchant.trust.keys import Terms
from penchant.trust.purpose import Purpose
from penchant.trust.sessions import VisitEvent

PAGE = Caller("203.0.113.7", "https://shop.example")


@pytest.fixture
def gate(settings: Settings, clock: FixedClock) -> Iterator[Gate]:
    access = AccessSettings(origins=("https://shop.example",), session_life="2h")
    with Gate.create(Settings(store=settings.store, access=access), clock) as gate:
        yield gate


def page(gate: Gate) -> Actor:
    return gate.keys.authenticate(gate.keys.create(SYSTEM, "pages", [], Terms(public=True)), PAGE)


def test_what_one_visitor_does_is_theirs_alone(gate: Gate) -> None:
    who = page(gate)
    mine, other = gate.sessions.open(who).session, gate.sessions.open(who).session
    assert mine != other
    receipt = gate.admit_visit(who, mine, [VisitEvent("tea"), VisitEvent("milk", "add_to_cart")])
    assert (receipt.accepted, receipt.rejected) == (2, ())
    assert gate.visit(who, mine).items == ("tea", "milk")
    assert gate.visit(who, other).items == ()
    assert (gate.counts(SYSTEM).events, gate.counts(SYSTEM).users) == (2, 0), "a visitor is nobody yet"


def test_a_visitor_who_signs_in_keeps_what_they_did(gate: Gate) -> None:
    who = page(gate)
    opened = gate.sessions.open(who)
    gate.admit_visit(who, opened.session, [VisitEvent("tea")])
    gate.consent.grant(SYSTEM, "ann", [Purpose.PERSONALIZE, Purpose.TRAIN], basis="form")
    assert gate.history(SYSTEM, Purpose.PERSONALIZE, "ann").items == ()
    gate.visits.link(SYSTEM, opened.id, "ann")
    assert gate.history(SYSTEM, Purpose.PERSONALIZE, "ann").items == ("tea",)
    assert gate.read(SYSTEM, Purpose.TRAIN)["user"].to_list() == ["ann"]
    assert gate.visit(who, opened.session).items == ("tea",)


def test_a_visitor_who_says_no_is_not_answered_from_their_session(gate: Gate) -> None:
    who = page(gate)
    opened, other = gate.sessions.open(who), gate.sessions.open(who)
    for each in (opened, other):
        gate.admit_visit(who, each.session, [VisitEvent("tea")])
    gate.visits.answer(SYSTEM, opened.id, ["personalize"], granted=False, basis="banner")
    assert gate.visit(who, opened.session).items == ()
    assert gate.visit(who, other.session).items == ("tea",)
    assert gate.read(SYSTEM, Purpose.TRAIN).is_empty()


def test_a_person_called_like_a_session_is_not_one(gate: Gate) -> None:
    who = page(gate)
    opened = gate.sessions.open(who)
    gate.admit_visit(who, opened.session, [VisitEvent("tea")])
    gate.consent.grant(SYSTEM, [opened.id, f"session:{opened.id}"], [Purpose.PERSONALIZE], basis="form")
    for user in (opened.id, f"session:{opened.id}"):
        assert gate.history(SYSTEM, Purpose.PERSONALIZE, user).items == ()


def test_a_session_cannot_be_made_up_or_changed(gate: Gate) -> None:
    who = page(gate)
    good = gate.sessions.open(who).session
    version, name, end, mac = good.split(".")
    later = f"{int(end, 16) + 9999:x}"
    forged = [
        None, "", ".", "...", "s1", name, f"session:{name}", good[:-1], good + "A", good.upper(),
        f"{version}.{name}.{later}.{mac}", f"{version}.{'0' * 32}.{end}.{mac}", f"s2.{name}.{end}.{mac}",
        f"{version}.{name}.{end}.{'A' * 43}", f"{version}.{name}.{end}.", "s1.é.\ud800.x", "900", "' OR 1=1 --",
    ]  # fmt: skip
    for token in forged:
        with pytest.raises(Unauthorized, match=r"session is (not known|needed); allowed: a session of this key"):
            gate.visit(who, token)
        with pytest.raises(Unauthorized):
            gate.admit_visit(who, token, [VisitEvent("tea")])
    assert gate.counts(SYSTEM).events == 0
    assert gate.visit(who, good).items == ()


def test_a_session_belongs_to_the_key_that_began_it_and_to_its_successors(gate: Gate) -> None:
    token = gate.keys.create(SYSTEM, "pages", [], Terms(public=True))
    who, stranger = gate.keys.authenticate(token, PAGE), page(gate)
    session = gate.sessions.open(who).session
    with pytest.raises(Unauthorized, match="the session is not known"):
        gate.visit(stranger, session)
    second = gate.keys.rotate(SYSTEM, token.split("_")[1], timedelta(hours=1))
    third = gate.keys.rotate(SYSTEM, second.split("_")[1], timedelta(hours=1))
    for successor in (second, third):
        assert gate.visit(gate.keys.authenticate(successor, PAGE), session).items == ()


def test_a_session_ends(gate: Gate, clock: FixedClock) -> None:
    who = page(gate)
    opened = gate.sessions.open(who)
    clock.advance(timedelta(hours=2) - timedelta(seconds=1))
    gate.visit(who, opened.session)
    clock.advance(timedelta(seconds=1))
    with pytest.raises(Unauthorized, match="the session has ended"):
        gate.visit(who, opened.session)


def test_another_server_of_the_same_store_knows_it_and_one_of_another_store_does_not(
    gate: Gate, settings: Settings, clock: FixedClock, tmp_path: Path
) -> None:
    who = page(gate)
    session = gate.sessions.open(who).session
    with Gate.open(settings, clock) as again:
        assert again.visit(who, session).items == ()
    elsewhere = Settings(store=f"sqlite:///{tmp_path}/other.db")
    with Gate.create(elsewhere, clock) as other, pytest.raises(Unauthorized):
        other.visit(who, session)


def test_a_secret_key_has_no_session(gate: Gate) -> None:
    for actor in (SYSTEM, Actor("shop", frozenset({"events:write", "recommend:read"}))):
        with pytest.raises(
            Forbidden, match="has no public key; allowed: a key made by 'penchant keys create --public'"
        ):
            gate.sessions.open(actor)
        with pytest.raises(Forbidden):
            gate.visit(actor, None)


def test_a_visitor_can_neither_repeat_an_event_nor_use_up_a_shops_ids(gate: Gate) -> None:
    who = page(gate)
    mine, other = gate.sessions.open(who).session, gate.sessions.open(who).session
    event = VisitEvent("tea", id="order-1/line-1")
    assert gate.admit_visit(who, mine, [event]).accepted == 1
    assert gate.admit_visit(who, mine, [event]).duplicates == 1
    assert gate.admit_visit(who, other, [event]).accepted == 1
    (row,) = gate.sessions.events("user", [VisitEvent("tea")])
    shops = row.__class__("ann", "tea", "purchase", row.at, id="order-1/line-1")
    assert gate.admit(SYSTEM, [shops]).accepted == 1


def test_what_a_visitor_may_not_send_is_rejected_by_index_and_the_rest_kept(gate: Gate) -> None:
    who = page(gate)
    session = gate.sessions.open(who).session
    sent = [
        VisitEvent("tea", "purchase", 1e9),
        VisitEvent("tea"),
        VisitEvent(""),
        VisitEvent("tea", id="x" * 600),
        VisitEvent("tea", value=float("inf")),
        VisitEvent("milk", "click"),
    ]
    receipt = gate.admit_visit(who, session, sent)
    assert receipt.accepted == 2
    assert [(each.index, each.code) for each in receipt.rejected] == [
        (0, "bad_kind"), (2, "bad_id"), (3, "bad_id"), (4, "bad_value"),
    ]  # fmt: skip
    assert "'purchase'; allowed: view, impression, click, add_to_cart, dislike" in receipt.rejected[0].message


def test_models_do_not_learn_from_visitors_and_no_key_reads_them_as_a_person(gate: Gate) -> None:
    who = page(gate)
    session = gate.sessions.open(who).session
    gate.admit_visit(who, session, [VisitEvent("tea")])
    assert gate.read(SYSTEM, Purpose.TRAIN).height == 0
    user = gate.sessions.check(who, session)
    assert gate.history(SYSTEM, Purpose.PERSONALIZE, user).items == ()
    for purpose in (Purpose.PERSONALIZE, Purpose.ACCESS):
        with pytest.raises(Forbidden, match="next: a public key is for the routes under /v1/session"):
            gate.history(who, purpose, user)
