"""Keys that were known lately: what they may still do while the store cannot be asked."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable

from penchant.core.errors import StoreError
from penchant.trust.access import PUBLIC, Actor
from penchant.trust.caller import Caller

__all__ = ["Known"]

_SECONDS = 900.0
"How long a key is remembered after the store last knew it."

_MOST = 1000
"Keys that are remembered."

_SCOPE = "recommend:read"
"All that such a key may do, and a public key what it may at all; one that was revoked meanwhile learns nothing new."


class Known:
    """Remembers who held which key from where, by a digest.

    >>> from penchant.trust.caller import NOWHERE
    >>> ann = Actor("ann", frozenset({"admin"}))
    >>> def down(token: str, caller: Caller) -> Actor:
    ...     raise StoreError("the store failed")
    >>> known = Known(lambda: 0.0)
    >>> known.authenticate("pk", NOWHERE, lambda token, caller: ann) == ann
    True
    >>> known.authenticate("pk", NOWHERE, down).scopes
    frozenset({'recommend:read'})
    """

    def __init__(self, timer: Callable[[], float]) -> None:
        self._timer = timer
        self._seen: OrderedDict[bytes, tuple[Actor, float]] = OrderedDict()

    def authenticate(self, token: str, caller: Caller, ask: Callable[[str, Caller], Actor]) -> Actor:
        """Return who holds a token, as the store says; while it is down, as it said a quarter of an hour ago at most.

        Raises:
            StoreError: the store is down, and did not know the key lately as one that may ask.
        """
        where = f"{caller.address}\n{caller.origin}\n{token}"
        key = hashlib.sha256(where.encode(errors="surrogatepass")).digest()
        try:
            actor = ask(token, caller)
        except StoreError as error:
            known = self._seen.get(key)
            if known is None or self._timer() - known[1] > _SECONDS:
                raise
            actor = known[0]
            kept = actor.scopes & {PUBLIC} | ({_SCOPE} if actor.may(_SCOPE) else set())
            if not kept:
                raise
            return Actor(actor.name, kept, actor.site, down=error)
        except Exception:
            self._seen.pop(key, None)
            raise
        self._seen[key] = (actor, self._timer())
        self._seen.move_to_end(key)
        while len(self._seen) > _MOST:
            self._seen.popitem(last=False)
        return actor
