"""Who asks, and what they may ask for."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from penchant.core.errors import Forbidden, InputError, StoreError, UnknownName

__all__ = ["PUBLIC", "SCOPES", "SYSTEM", "Actor", "check_scopes", "require"]

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

PUBLIC = "session"
"What a public key may do, and no other key: write the events of a visitor's own session, and be answered from it."


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
    site: str | None = None
    "Of a public key: what sessions are bound to. None for all that keep their key to themselves."
    down: StoreError | None = None
    "Why the actor may do less than their key allows: the store that knows it could not be asked."

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
        StoreError: the key may allow it, but the store could not be asked.
    """
    if not actor.may(scope):
        if actor.down is not None:
            raise actor.down
        public = "a public key is for the routes under /v1/session"
        raise Forbidden(
            f"{actor.name!r} may not {SCOPES[scope]}",
            got=f"scopes: {', '.join(sorted(actor.scopes)) or 'none'}",
            allowed=f"scope {scope}",
            then=public if actor.site else f"use a key with that scope ('penchant keys create --scope {scope}')",
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
