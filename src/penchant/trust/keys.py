"""API keys: made once, shown once, checked on every request."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from msgspec import Struct

from penchant.core.clock import Clock, micros
from penchant.core.errors import Forbidden, InputError, NotFound, RateLimited, Unauthorized
from penchant.store.keys import KeyRow
from penchant.store.sql import dump, parse
from penchant.store.store import Store
from penchant.trust.access import PUBLIC, Actor, check_scopes, require
from penchant.trust.caller import NOWHERE, Caller, networks_of, place_of, within
from penchant.trust.moments import moment
from penchant.trust.rates import Buckets, parse_rate

__all__ = ["ANY", "Key", "Keys", "Terms"]

_TOKEN = re.compile(r"(?:pk|pub)_([0-9a-f]{16})_([A-Za-z0-9_-]{43})", re.ASCII)
_NAME = 200
_NOBODY = hashlib.sha256(b"").hexdigest()  # compared with when there is no such key, so that this takes as long


class Terms(Struct, frozen=True):
    """What a key is limited to.

    >>> Terms(lasts=timedelta(days=90), rate="600/m").public
    False
    """

    lasts: timedelta | None = None
    "How long it works; None for ever."
    rate: str | None = None
    "Requests, such as 600/m; None for any number. Of a public key it is counted for each address."
    networks: tuple[str, ...] = ()
    "Addresses and networks that it may be used from; none for everywhere."
    public: bool = False
    "Whether it may stand in web pages: then it opens the routes of a visitor's own session and nothing else."


ANY = Terms()
"No limit at all."


class Key(Struct, frozen=True):
    """A key as it can be shown: all but the token.

    >>> Key("0123456789abcdef", "shop", ("events:write",), datetime(2017, 1, 1)).revoked is None
    True
    """

    id: str
    "The part of the token that is not secret."
    name: str
    "Whose it is."
    scopes: tuple[str, ...]
    "What it allows."
    created: datetime
    "When it was made."
    revoked: datetime | None = None
    "When it was made useless."
    expires: datetime | None = None
    "When it stops working by itself."
    rate: str | None = None
    "Requests it is limited to."
    networks: tuple[str, ...] = ()
    "Where it may be used from; none for everywhere."
    public: bool = False
    "Whether it may stand in web pages."
    successor: str | None = None
    "The id of the key that replaces it."

    def works(self, now: datetime) -> bool:
        """Return whether it still opens anything.

        >>> Key("0123456789abcdef", "shop", (), datetime(2017, 1, 1)).works(datetime(2018, 1, 1))
        True
        """
        return self.revoked is None and (self.expires is None or micros(now) < micros(self.expires))


class Keys:
    """The keys of one store.

    A token is ``pk_<id>_<secret>``, of a public key ``pub_<id>_<secret>``, with 256 random bits of secret. What is
    stored is its SHA-256: a slow hash such as argon2 protects secrets that can be guessed, and 256 random bits cannot,
    so a request need not pay for one. Nothing that is raised here repeats a token.

    >>> from tempfile import TemporaryDirectory
    >>> from pathlib import Path
    >>> from penchant.core.clock import SystemClock
    >>> from penchant.trust.access import SYSTEM
    >>> with TemporaryDirectory() as folder, Store.create(f"sqlite:///{folder}/shop.db") as store:
    ...     keys = Keys(store, SystemClock(), Path(folder, "counters"))
    ...     token = keys.create(SYSTEM, "the shop's pages", ["recommend:read"])
    ...     keys.authenticate(token).scopes
    frozenset({'recommend:read'})
    """

    def __init__(self, store: Store, clock: Clock, shared: Path, origins: Sequence[str] = ()) -> None:
        """Take the store, a clock, the folder of the counters, and the origins a public key may be used from."""
        self._store = store
        self._clock = clock
        self._origins = frozenset(origins)
        self._used = Buckets(shared / "keys-4096", 4096)
        self._visited = Buckets(shared / "visitors-32768", 32768)  # apart, so that a crowd of addresses evicts no key

    def create(self, actor: Actor, name: str, scopes: Iterable[str], terms: Terms = ANY) -> str:
        """Return a new token; it cannot be had again.

        Raises:
            Forbidden: the actor is not an administrator.
            UnknownName: a scope does not exist.
            InputError: there is no scope, or one of a public key; the name is empty or too long; a term is not one.
        """
        require(actor, "admin")
        chosen = _scopes(scopes, terms)
        if not name.strip() or len(name) > _NAME:
            raise InputError("a key needs a name", got=name, allowed=f"1 to {_NAME} characters", field="name")
        if terms.rate is not None:
            parse_rate(terms.rate, "rate")
        networks_of(terms.networks, "network")
        now = self._clock.now()
        token, row = _made(name, chosen, micros(now), public=terms.public)
        row["expires"] = None if terms.lasts is None else micros(now + terms.lasts)
        row |= {"rate": terms.rate, "networks": dump(terms.networks) if terms.networks else None}
        self._store.keys.add(row)
        return token

    def rotate(self, actor: Actor, key: str, overlap: timedelta) -> str:
        """Return the token of a new key like an old one, which keeps working for ``overlap``, or until its own end.

        The new key lasts as long as the old one was made to last. Sessions of a public key go on.

        Raises:
            Forbidden: the actor is not an administrator.
            NotFound: there is no key with this id.
            InputError: the key does not work any more, or was rotated already.
        """
        require(actor, "admin")
        old, now = self._store.keys.get(key), self._clock.now()
        if old is None:
            raise _missing(key)
        if not _key(old).works(now):
            raise InputError("the key does not work any more", got=key, then="'penchant keys create' makes a new one")
        token, row = _made(old.name, parse(old.scopes, tuple[str, ...]), micros(now), public=old.public)
        row["expires"] = None if old.expires is None else micros(now) + old.expires - old.created
        row |= {"rate": old.rate, "networks": old.networks, "family": old.family or old.id}
        if not self._store.keys.replace(key, row, micros(now + overlap)):
            then = "rotate its successor, as 'penchant keys list' shows it"
            raise InputError("the key was rotated already", got=key, then=then)
        return token

    def list(self, actor: Actor) -> tuple[Key, ...]:
        """Return every key, oldest first, those that do not work any more too.

        Raises:
            Forbidden: the actor is not an administrator.
        """
        require(actor, "admin")
        return tuple(_key(row) for row in self._store.keys.all())

    def revoke(self, actor: Actor, key: str) -> None:
        """Make a key useless, from the next request on.

        Raises:
            Forbidden: the actor is not an administrator.
            NotFound: there is no key with this id.
        """
        require(actor, "admin")
        if not self._store.keys.revoke(key, micros(self._clock.now())):
            raise _missing(key)

    def authenticate(self, token: str, caller: Caller = NOWHERE) -> Actor:
        """Return who holds a token; one indexed read each time, so that a revoked key fails at once.

        Raises:
            Unauthorized: the token is not known, or its key was revoked or has expired.
            Forbidden: the key may not be used from this address, or not by pages of this origin.
            RateLimited: the key was used too often.
        """
        found = _TOKEN.fullmatch(token)
        row = self._store.keys.get(found[1]) if found else None
        known = hmac.compare_digest(_NOBODY if row is None else row.hash, _digest(token) if found else "")
        if row is None or not known:
            raise _refused("the key is not known")
        if row.revoked is not None:
            raise _refused(f"the key was revoked at {moment(row.revoked).isoformat()}")
        if row.expires is not None and micros(self._clock.now()) >= row.expires:
            raise _refused(f"the key expired at {moment(row.expires).isoformat()}")
        self._check_place(row, caller)
        if row.rate is not None:
            self._count(row, row.rate, caller)
        scopes = frozenset(parse(row.scopes, tuple[str, ...]))
        return Actor(row.name, scopes, (row.family or row.id) if row.public else None)

    def close(self) -> None:
        """Let go of the counters."""
        self._used.close()
        self._visited.close()

    def _check_place(self, row: KeyRow, caller: Caller) -> None:
        if row.networks is not None and not within(caller.address, networks_of(parse(row.networks, tuple[str, ...]))):
            then = "ask from there; behind a proxy, its address must be in server.trusted_proxies"
            raise Forbidden(
                "this key is not for use from this address",
                got=caller.address or "no address",
                allowed="the networks of the key",
                then=then,
            )
        if row.public and "*" not in self._origins and caller.origin not in self._origins:
            raise Forbidden(
                "a public key is for pages of the origins that are listed",
                got=caller.origin or "no Origin header",
                allowed="an origin in access.origins",
                then="add the origin to access.origins",
            )

    def _count(self, row: KeyRow, text: str, caller: Caller) -> None:
        rate = parse_rate(text)
        if row.public:
            wait = self._visited.take(f"{row.family or row.id} {place_of(caller.address)}", rate)
        else:
            wait = self._used.take(row.id, rate)
        if wait:
            raise RateLimited.after(wait, allowed=text)


def _scopes(scopes: Iterable[str], terms: Terms) -> tuple[str, ...]:
    if not terms.public:
        return tuple(sorted(check_scopes(scopes)))
    asked = sorted(scopes)
    if asked:
        raise InputError(
            "a public key has no other scopes",
            got=", ".join(asked),
            allowed="the routes under /v1/session, which it always opens",
            then="leave the scopes out, or make a second key for a server of yours",
            field="scope",
        )
    return (PUBLIC,)


def _made(name: str, scopes: Sequence[str], now: int, *, public: bool) -> tuple[str, dict[str, Any]]:
    key = secrets.token_hex(8)
    token = f"{'pub' if public else 'pk'}_{key}_{secrets.token_urlsafe(32)}"
    row = {"id": key, "name": name, "hash": _digest(token), "scopes": dump(scopes), "created": now, "public": public}
    return token, row


def _key(row: KeyRow) -> Key:
    return Key(
        row.id,
        row.name,
        parse(row.scopes, tuple[str, ...]),
        moment(row.created),
        _maybe(row.revoked),
        _maybe(row.expires),
        row.rate,
        parse(row.networks, tuple[str, ...]) if row.networks else (),
        bool(row.public),
        row.successor,
    )


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _refused(what: str) -> Unauthorized:
    then = "send 'Authorization: Bearer <key>'; 'penchant keys create' makes one"
    return Unauthorized(what, allowed="a key of this store", then=then)


def _missing(key: str) -> NotFound:
    return NotFound("no such key", got=key, then="'penchant keys list' shows the ids")


def _maybe(at: int | None) -> datetime | None:
    return None if at is None else moment(at)
