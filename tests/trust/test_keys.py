"""Keys that end, that are limited, that follow one another."""

from __future__ import annotations

import traceback
from datetime import timedelta

import pytest

from penchant.core.clock import FixedClock
from penchant.core.errors import Forbidden, InputError, NotFound, RateLimited, Unauthorized
from penchant.core.exposure import AccessSettings
from penchant.core.settings import Settings
from penchant.trust.access import SYSTEM, Actor
from penchant.trust.caller import Caller
from penchant.trust.gate import Gate
from penchant.trust.keys import Terms

DAY = timedelta(days=1)
SHOP = Caller("203.0.113.7", "https://shop.example")


def test_a_key_stops_at_its_end_and_not_before(gate: Gate, clock: FixedClock) -> None:
    token = gate.keys.create(SYSTEM, "shop", ["admin"], Terms(lasts=DAY))
    clock.advance(DAY - timedelta(microseconds=1))
    assert gate.keys.authenticate(token).name == "shop"
    clock.advance(timedelta(microseconds=1))
    with pytest.raises(Unauthorized, match="the key expired at 2018-01-01T12:00:00"):
        gate.keys.authenticate(token)
    (key,) = gate.keys.list(SYSTEM)
    assert not key.works(clock.now())


def test_rotation_keeps_the_terms_and_ends_the_old_key_after_the_overlap(gate: Gate, clock: FixedClock) -> None:
    terms = Terms(lasts=10 * DAY, rate="5/m", networks=("10.0.0.0/8",))
    old = gate.keys.create(SYSTEM, "shop", ["events:write"], terms)
    clock.advance(2 * DAY)
    new = gate.keys.rotate(SYSTEM, old.split("_")[1], timedelta(hours=24))
    inside = Caller("10.1.2.3")
    assert gate.keys.authenticate(old, inside) == gate.keys.authenticate(new, inside)
    first, second = gate.keys.list(SYSTEM)
    assert (second.name, second.scopes, second.rate, second.networks) == (
        "shop",
        ("events:write",),
        "5/m",
        ("10.0.0.0/8",),
    )
    assert second.expires == clock.now().replace(tzinfo=second.created.tzinfo) + 10 * DAY, "as long as the old one"
    assert first.successor == second.id
    with pytest.raises(Forbidden):
        gate.keys.authenticate(new, Caller("11.1.2.3"))
    clock.advance(timedelta(hours=24))
    with pytest.raises(Unauthorized, match="expired"):
        gate.keys.authenticate(old, inside)
    gate.keys.authenticate(new, inside)


def test_an_overlap_never_lengthens_a_life(gate: Gate, clock: FixedClock) -> None:
    old = gate.keys.create(SYSTEM, "shop", ["admin"], Terms(lasts=timedelta(hours=1)))
    gate.keys.rotate(SYSTEM, old.split("_")[1], 7 * DAY)
    clock.advance(timedelta(hours=1))
    with pytest.raises(Unauthorized, match="expired"):
        gate.keys.authenticate(old)


def test_an_overlap_of_nothing_ends_the_old_key_at_once(gate: Gate) -> None:
    old = gate.keys.create(SYSTEM, "shop", ["admin"])
    new = gate.keys.rotate(SYSTEM, old.split("_")[1], timedelta(0))
    with pytest.raises(Unauthorized, match="expired"):
        gate.keys.authenticate(old)
    assert gate.keys.authenticate(new).may("admin")


def test_what_cannot_be_rotated(gate: Gate, clock: FixedClock) -> None:
    with pytest.raises(NotFound, match="no such key; got nokey"):
        gate.keys.rotate(SYSTEM, "nokey", DAY)
    key = gate.keys.create(SYSTEM, "shop", ["admin"]).split("_")[1]
    with pytest.raises(Forbidden):
        gate.keys.rotate(Actor("shop", frozenset({"users:read"})), key, DAY)
    gate.keys.rotate(SYSTEM, key, DAY)
    with pytest.raises(InputError, match=r"the key was rotated already; got .*next: rotate its successor"):
        gate.keys.rotate(SYSTEM, key, DAY)
    assert len(gate.keys.list(SYSTEM)) == 2
    clock.advance(DAY)
    with pytest.raises(InputError, match="the key does not work any more"):
        gate.keys.rotate(SYSTEM, key, DAY)


def test_a_key_is_for_its_networks_alone(gate: Gate) -> None:
    token = gate.keys.create(SYSTEM, "shop", ["admin"], Terms(networks=("203.0.113.0/24", "2001:db8::/32")))
    for inside in ("203.0.113.7", "::ffff:203.0.113.7", "2001:db8:5::1"):
        gate.keys.authenticate(token, Caller(inside))
    for outside in ("203.0.114.7", "2001:db9::1", None, "testclient"):
        with pytest.raises(Forbidden, match=f"not for use from this address; got {outside or 'no address'}; allowed:"):
            gate.keys.authenticate(token, Caller(outside))
    with pytest.raises(InputError, match=r"not a network; got 203.0.113.7/24"):
        gate.keys.create(SYSTEM, "shop", ["admin"], Terms(networks=("203.0.113.7/24",)))


def test_a_key_is_limited_and_no_other_with_it(gate: Gate) -> None:
    token = gate.keys.create(SYSTEM, "shop", ["admin"], Terms(rate="3/d"))
    other = gate.keys.create(SYSTEM, "other", ["admin"], Terms(rate="3/d"))
    for _ in range(3):
        gate.keys.authenticate(token)
    with pytest.raises(RateLimited, match="the key was used too often; allowed: 3/d; next: wait 28800 s") as caught:
        gate.keys.authenticate(token)
    assert 28_700 < caught.value.wait <= 28_800
    gate.keys.authenticate(other)


@pytest.fixture
def open_gate(settings: Settings, clock: FixedClock) -> Gate:
    access = AccessSettings(origins=("https://shop.example",))
    return Gate.create(Settings(store=settings.store, access=access), clock)


def test_a_public_key_is_limited_for_each_place(open_gate: Gate) -> None:
    with open_gate as gate:
        token = gate.keys.create(SYSTEM, "pages", [], Terms(rate="1/d", public=True))
        gate.keys.authenticate(token, SHOP)
        gate.keys.authenticate(token, Caller("203.0.113.8", SHOP.origin))
        gate.keys.authenticate(token, Caller("2001:db8:0:1::1", SHOP.origin))
        for again in ("203.0.113.7", "2001:db8:0:1:ffff::2"):  # the second has the same 64 bits in front
            with pytest.raises(RateLimited):
                gate.keys.authenticate(token, Caller(again, SHOP.origin))


def test_a_public_key_opens_no_scope_and_wants_an_origin(open_gate: Gate) -> None:
    with open_gate as gate:
        token = gate.keys.create(SYSTEM, "pages", [], Terms(public=True))
        assert token.startswith("pub_")
        who = gate.keys.authenticate(token, SHOP)
        assert who.scopes == {"session"}
        assert who.site == token.split("_")[1]
        for origin in (
            None,
            "https://evil.example",
            "https://shop.example.evil.example",
            "null",
            "http://shop.example",
        ):
            with pytest.raises(Forbidden, match=r"a public key is for pages of the origins that are listed; got "):
                gate.keys.authenticate(token, Caller(SHOP.address, origin))
        with pytest.raises(InputError, match="a public key has no other scopes; got users:read"):
            gate.keys.create(SYSTEM, "pages", ["users:read"], Terms(public=True))


def test_no_secret_of_a_key_is_ever_in_an_error(gate: Gate, clock: FixedClock) -> None:
    dead = gate.keys.create(
        SYSTEM, "shop", ["admin"], Terms(lasts=timedelta(seconds=1), rate="1/d", networks=("10.0.0.1",))
    )
    texts = []
    for caller in (Caller("10.0.0.1"), Caller("10.0.0.1"), Caller("10.0.0.2")):
        try:
            gate.keys.authenticate(dead, caller)
        except (Forbidden, RateLimited):
            texts.append(traceback.format_exc())
    clock.advance(DAY)
    for token in (dead, dead[:-1] + "A", dead + "\r\nX: 1"):
        with pytest.raises(Unauthorized) as caught:
            gate.keys.authenticate(token)
        texts.append("".join(traceback.format_exception(caught.value)))
    assert len(texts) == 5
    assert dead.split("_", 2)[2][:20] not in "".join(texts)
