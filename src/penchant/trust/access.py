"""Who asks, and what they may ask for."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct

from penchant.core.clock import Clock, micros
from penchant.core.errors import Forbidden, InputError, NotFound, Unauthorized, UnknownName
from penchant.store.sql import dump, parse
from penchant.store.store import Store
from penchant.trust.moments import moment

__all__ = ["SCOPES", "SYSTEM", "Actor", "Key", "Keys", "check_scopes", "require"]

SCOPES = {
    "events:write": "send events",
    "items:write": "change the catalogue",
    "recommend:read": "ask for recommendations",
    "users:read": "read what a person did and agreed to",
    "consent:write": "record what people agree to",
    "metrics:read": "read counts and timings",
    "admin": "everything",
}
"Scope to what it allows."

_TOKEN = re.compile(r"pk_([0-9a-f]{16})_([A-Za-z0-9_-]{43})")
_NAME = 200


class Actor(Struct, frozen=True):
    """Someone who asks, and the scopes they hold.

    >>> shop = Actor("shop", frozenset({"events:write"}))
    >>> shop.may("events:write"), shop.may("admin")
    (True, False)
    """

    name: str
    "Who it is, for the records."
    scopes: frozenset[str]
    "What they may do; `admin` holds all."

    def may(self, scope: str) -> bool:
        """Return whether the actor holds a scope."""
        return scope in self.scopes or "admin" in self.scopes


SYSTEM = Actor("system", frozenset({"admin"}))
"The command line on the machine itself: who can read the store's file needs no key."


def require(actor: Actor, scope: str) -> None:
    """Return when the actor holds the scope.

    >>> require(Actor("shop", frozenset({"events:write"})), "users:read")
    Traceback (most recent call last):
        ...
    penchant.core.errors.Forbidden: 'shop' may not read what a person did and agreed to; got scopes: events:write; \
allowed: scope users:read; next: use a key with that scope ('penchant keys create --scope users:read')

    Raises:
        Forbidden: it does not.
    """
    if not actor.may(scope):
        raise Forbidden(
            f"{actor.name!r} may not {SCOPES[scope]}",
            got=f"scopes: {', '.join(sorted(actor.scopes)) or 'none'}",
            allowed=f"scope {scope}",
            then=f"use a key with that scope ('penchant keys create --scope {scope}')",
        )


def check_scopes(scopes: Iterable[str]) -> frozenset[str]:
    """Return the scopes as a set.

    >>> sorted(check_scopes(["recommend:read", "events:write"]))
    ['events:write', 'recommend:read']

    Raises:
        UnknownName: one does not exist.
        InputError: there are none.
    """
    asked = frozenset(scopes)
    for scope in sorted(asked - SCOPES.keys()):
        raise UnknownName.of("scope", scope, SCOPES, field="scope")
    if not asked:
        raise InputError("a key needs a scope", allowed=", ".join(sorted(SCOPES)), then="add --scope", field="scope")
    return asked


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
    "When it stopped working."


class Keys:
    """API keys: made once, shown once, checked on every request, revoked at once.

    A token is ``pk_<id>_<secret>`` with 256 random bits of secret. What is stored is its SHA-256: a slow hash such as
    argon2 protects secrets that can be guessed, and 256 random bits cannot, so a request need not pay for one.

    >>> from tempfile import TemporaryDirectory
    >>> from penchant.core.clock import SystemClock
    >>> with TemporaryDirectory() as folder, Store.create(f"sqlite:///{folder}/shop.db") as store:
    ...     keys = Keys(store, SystemClock())
    ...     token = keys.create(SYSTEM, "the shop's pages", ["recommend:read"])
    ...     keys.authenticate(token)
    Actor(name="the shop's pages", scopes=frozenset({'recommend:read'}))
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def create(self, actor: Actor, name: str, scopes: Iterable[str]) -> str:
        """Return a new token; it cannot be had again.

        Raises:
            Forbidden: the actor is not an administrator.
            UnknownName: a scope does not exist.
            InputError: there is no scope, or the name is empty or too long.
        """
        require(actor, "admin")
        chosen = check_scopes(scopes)
        if not name.strip() or len(name) > _NAME:
            raise InputError("a key needs a name", got=name, allowed=f"1 to {_NAME} characters", field="name")
        key = secrets.token_hex(8)
        token = f"pk_{key}_{secrets.token_urlsafe(32)}"
        row = {"id": key, "name": name, "hash": _digest(token), "scopes": dump(sorted(chosen))}
        self._store.keys.add({**row, "created": micros(self._clock.now())})
        return token

    def list(self, actor: Actor) -> tuple[Key, ...]:
        """Return every key, oldest first, the revoked ones too.

        Raises:
            Forbidden: the actor is not an administrator.
        """
        require(actor, "admin")
        return tuple(
            Key(row.id, row.name, parse(row.scopes, tuple[str, ...]), moment(row.created), _maybe(row.revoked))
            for row in self._store.keys.all()
        )

    def revoke(self, actor: Actor, key: str) -> None:
        """Make a key useless, from the next request on.

        Raises:
            Forbidden: the actor is not an administrator.
            NotFound: there is no key with this id.
        """
        require(actor, "admin")
        if not self._store.keys.revoke(key, micros(self._clock.now())):
            raise NotFound("no such key", got=key, then="'penchant keys list' shows the ids")

    def authenticate(self, token: str) -> Actor:
        """Return who holds a token; one indexed read each time, so that a revoked key fails at once.

        Raises:
            Unauthorized: the token is not known, or its key was revoked.
        """
        found = _TOKEN.fullmatch(token)
        row = self._store.keys.get(found[1]) if found else None
        if row is None or not hmac.compare_digest(row.hash, _digest(token)):
            raise _refused("the key is not known")
        if row.revoked is not None:
            raise _refused(f"the key was revoked at {moment(row.revoked).isoformat()}")
        return Actor(row.name, frozenset(parse(row.scopes, tuple[str, ...])))


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _refused(what: str) -> Unauthorized:
    then = "send 'Authorization: Bearer <key>'; 'penchant keys create' makes one"
    return Unauthorized(what, allowed="a key of this store", then=then)


def _maybe(at: int | None) -> datetime | None:
    return None if at is None else moment(at)
