"""Sessions of unknown visitors, as public keys see them: nobody reaches any but their own."""

from __future__ import annotations

import base64
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cached_property
from hashlib import blake2b, sha256
from typing import Any

from msgspec import Struct

from penchant.core.clock import Clock, micros
from penchant.core.errors import Forbidden, Unauthorized
from penchant.core.nouns import Event
from penchant.store.store import Store
from penchant.trust.access import PUBLIC, Actor
from penchant.trust.moments import moment

__all__ = ["Opened", "Sessions", "VisitEvent"]

_NAMED = "sessions"  # in the store's table of secrets; the first server that needs it makes it


class Opened(Struct, frozen=True):
    """A session that begins.

    >>> Opened("s1.0f.1f.2f", "0f", datetime(2018, 1, 1)).session
    's1.0f.1f.2f'
    """

    session: str
    "To be sent along as the header Penchant-Session. Who has it has the session; nobody can make one up."
    id: str
    "What the shop's server calls it where it says whose it was: PUT /v1/sessions/{id}/user. It opens nothing."
    expires: datetime
    "When it ends."


class VisitEvent(Struct, frozen=True, forbid_unknown_fields=True):
    """Something a visitor did. It has no user and no time: the session says who, and the server's clock when.

    >>> VisitEvent("1095275").kind
    'view'
    """

    item: str
    "With which item."
    kind: str = "view"
    "What was done."
    value: float = 1.0
    "How much."
    id: str | None = None
    "Makes sending it again harmless; it means nothing outside this session."
    context: dict[str, str] = {}
    "Device, page... as text."
    slate: str | None = None
    "The slate it was done with: which answer showed the item."


class Sessions:
    """Makes and checks the tokens of sessions.

    A token is ``s1.<id>.<end>.<mac>``: 128 random bits, when it ends, and an HMAC-SHA-256 over these and the public key
    under a secret of the store, so all servers of one store accept it and none has to remember it. In the log of events
    it is an anonymous session as any other (:class:`penchant.trust.visits.Visits`): models learn from it when its
    visitor agreed, or turned out to be somebody who did, and it answers that same session unless the visitor said no.

    >>> from tempfile import TemporaryDirectory
    >>> from penchant.core.clock import FixedClock
    >>> page = Actor("storefront", frozenset({PUBLIC}), site="0123456789abcdef")
    >>> with TemporaryDirectory() as folder, Store.create(f"sqlite:///{folder}/shop.db") as store:
    ...     sessions = Sessions(store, FixedClock(datetime(2017, 12, 31)), timedelta(hours=8))
    ...     opened = sessions.open(page)
    ...     opened.expires.hour, sessions.check(page, opened.session) == opened.id
    (8, True)
    """

    def __init__(self, store: Store, clock: Clock, life: timedelta) -> None:
        self._store = store
        self._clock = clock
        self._life = life

    def open(self, actor: Actor) -> Opened:
        """Return a new session.

        Raises:
            Forbidden: the actor has no public key.
        """
        site = _site(actor)
        expires = self._clock.now() + self._life
        name, end = secrets.token_hex(16), micros(expires) // 1_000_000
        body = f"s1.{name}.{end:x}"
        return Opened(f"{body}.{self._mac(site, body)}", name, moment(end * 1_000_000))

    def check(self, actor: Actor, token: str | None) -> str:
        """Return the id of the session that a token opens.

        Raises:
            Forbidden: the actor has no public key.
            Unauthorized: there is no token, it is not one of this key and this store, or it has ended.
        """
        site = _site(actor)
        body, _, mac = (token or "").rpartition(".")
        wanted = self._mac(site, body)
        if not hmac.compare_digest(wanted.encode(), mac.encode("utf-8", "replace")):
            raise _refused("the session is not known" if token else "a session is needed")
        _, name, end = body.split(".")
        if micros(self._clock.now()) >= int(end, 16) * 1_000_000:
            raise _refused("the session has ended")
        return name

    def events(self, session: str, sent: Sequence[VisitEvent]) -> list[Event]:
        """Return what a visitor sent as events of their session, now. Ids are hashed with the session's.

        Otherwise a visitor could use up the ids of a shop's own orders, which would then count as known already.
        """
        now = self._clock.now()
        return [
            Event(
                "",
                event.item,
                event.kind,
                now,
                event.value,
                _bound(session, event.id),
                session=session,
                context=event.context,
                slate=event.slate,
            )
            for event in sent
        ]

    @cached_property
    def _secret(self) -> bytes:
        return bytes.fromhex(self._store.keys.secret(_NAMED, secrets.token_hex(32)))

    def _mac(self, site: str, body: str) -> str:
        text = f"{site}|{body}".encode("utf-8", "replace")
        return base64.urlsafe_b64encode(hmac.digest(self._secret, text, sha256)).decode().rstrip("=")


def _site(actor: Actor) -> str:
    if actor.site is None or not actor.may(PUBLIC):
        raise Forbidden(
            f"{actor.name!r} has no public key",
            allowed="a key made by 'penchant keys create --public'",
            then="with a key that is kept secret, use /v1/events and /v1/recommendations",
        )
    return actor.site


def _bound(session: str, given: str | None) -> Any:
    """Return an id that is this session's alone; one that cannot be an id stays as it is, to be rejected by name."""
    if given is None or not given or len(given) > 512:
        return given
    return blake2b(f"{session}\x1f{given}".encode("utf-8", "replace"), digest_size=16).hexdigest()


def _refused(what: str) -> Unauthorized:
    then = "POST /v1/session begins one; send it as the header Penchant-Session"
    return Unauthorized(what, allowed="a session of this key", then=then)
