"""Scopes and keys."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import polars as pl
import pytest

from penchant.core.clock import FixedClock
from penchant.core.errors import Forbidden, InputError, NotFound, Unauthorized, UnknownName
from penchant.core.nouns import Event, Item
from penchant.trust.access import SCOPES, SYSTEM, Actor, require
from penchant.trust.gate import Gate
from penchant.trust.purpose import Purpose

EVENT = Event("ann", "tea", "view", datetime(2017, 1, 1))
TABLE = pl.DataFrame({"user": ["ann"], "item": ["tea"], "kind": ["view"], "at": [1], "value": [1.0]})
DOORS: list[tuple[str, Callable[[Gate, Actor], object]]] = [
    ("events:write", lambda gate, who: gate.admit(who, [EVENT])),
    ("events:write", lambda gate, who: gate.admit_table(who, TABLE)),
    ("admin", lambda gate, who: gate.read(who, Purpose.TRAIN)),
    ("recommend:read", lambda gate, who: gate.read(who, Purpose.PERSONALIZE)),
    ("recommend:read", lambda gate, who: gate.history(who, Purpose.PERSONALIZE, "ann")),
    ("users:read", lambda gate, who: gate.history(who, Purpose.ACCESS, "ann")),
    ("metrics:read", lambda gate, who: gate.counts(who)),
    ("items:write", lambda gate, who: gate.catalogue.put(who, [Item("tea", "Tea")])),
    ("items:write", lambda gate, who: gate.catalogue.put_table(who, pl.DataFrame({"id": ["a"], "title": ["A"]}))),
    ("consent:write", lambda gate, who: gate.consent.grant(who, "ann", ["train"], basis="form")),
    ("consent:write", lambda gate, who: gate.consent.withdraw(who, "ann", ["train"], basis="form")),
    ("users:read", lambda gate, who: gate.consent.state(who, "ann")),
    ("admin", lambda gate, who: gate.keys.create(who, "shop", ["admin"])),
    ("admin", lambda gate, who: gate.keys.list(who)),
    ("admin", lambda gate, who: gate.artifacts.record(who, "d", "p", models={}, metrics={})),
    ("admin", lambda gate, who: gate.artifacts.forget(who, 1)),
]


@pytest.mark.parametrize(("scope", "door"), DOORS)
def test_each_door_opens_to_its_scope_alone(scope: str, door: Callable[[Gate, Actor], object], gate: Gate) -> None:
    others = Actor("shop", frozenset(SCOPES) - {scope, "admin"})
    with pytest.raises(Forbidden, match=rf"'shop' may not {SCOPES[scope]}; got scopes: .*allowed: scope {scope};"):
        door(gate, others)
    assert gate.counts(SYSTEM).events == 0
    door(gate, Actor("shop", frozenset({scope})))
    door(gate, SYSTEM)


@pytest.mark.parametrize("change", ["promote", "revoke"])
def test_changing_what_is_in_service_needs_admin(change: str, gate: Gate) -> None:
    door = gate.artifacts.promote if change == "promote" else gate.keys.revoke
    with pytest.raises(Forbidden, match="allowed: scope admin"):
        door(Actor("shop", frozenset(SCOPES) - {"admin"}), "x")
    with pytest.raises(NotFound, match=r"no such .*; got x; next: "):
        door(SYSTEM, "x")


def test_admin_holds_all_and_nothing_holds_nothing() -> None:
    for scope in SCOPES:
        require(SYSTEM, scope)
        with pytest.raises(Forbidden, match="got scopes: none"):
            require(Actor("nobody", frozenset()), scope)


def test_a_token_works_until_it_is_revoked(gate: Gate, clock: FixedClock) -> None:
    token = gate.keys.create(SYSTEM, "shop", ["recommend:read", "events:write"])
    assert gate.keys.authenticate(token) == Actor("shop", frozenset({"recommend:read", "events:write"}))
    (key,) = gate.keys.list(SYSTEM)
    assert (key.name, key.scopes, key.revoked) == ("shop", ("events:write", "recommend:read"), None)
    clock.advance(timedelta(hours=1))
    gate.keys.revoke(SYSTEM, key.id)
    with pytest.raises(Unauthorized, match="the key was revoked at 2017-12-31T13:00:00"):
        gate.keys.authenticate(token)
    clock.advance(timedelta(hours=1))
    gate.keys.revoke(SYSTEM, key.id)
    assert gate.keys.list(SYSTEM)[0].revoked == clock.now() - timedelta(hours=1), "the first moment stays"


def test_the_store_cannot_give_a_token_back(gate: Gate) -> None:
    token = gate.keys.create(SYSTEM, "shop", ["admin"])
    with gate._store._database.reading() as connection:
        row = connection.exec_driver_sql("SELECT * FROM api_keys").one()
    secret = token.split("_", 2)[2]
    assert len(secret) == 43
    assert secret not in repr(row) + repr(gate.keys.list(SYSTEM))


def test_wrong_tokens_are_refused_alike(gate: Gate) -> None:
    token = gate.keys.create(SYSTEM, "shop", ["admin"])
    other = gate.keys.create(SYSTEM, "other", ["admin"])
    swapped = token[:20] + other[20:]
    for wrong in (
        "",
        "pk",
        token[:-1],
        token + "x",
        token.upper(),
        swapped,
        "pk_" + "0" * 16 + "_" + "A" * 43,
        "pk_\ud800",
    ):
        with pytest.raises(
            Unauthorized, match="the key is not known; allowed: a key of this store; next: send"
        ) as caught:
            gate.keys.authenticate(wrong)
        assert token[20:] not in str(caught.value)


def test_keys_with_unknown_or_no_scopes_or_no_name_are_not_made(gate: Gate) -> None:
    with pytest.raises(UnknownName, match=r"unknown scope; got event:write; .*did you mean 'events:write'"):
        gate.keys.create(SYSTEM, "shop", ["event:write"])
    with pytest.raises(InputError, match="a key needs a scope; allowed: admin, consent:write"):
        gate.keys.create(SYSTEM, "shop", [])
    for name in ("", "  ", "x" * 201):
        with pytest.raises(InputError, match=r"a key needs a name; got .*allowed: 1 to 200 characters"):
            gate.keys.create(SYSTEM, name, ["admin"])
    assert gate.keys.list(SYSTEM) == ()
