"""Which pages of other origins may ask from a browser, and how browsers are told (the Fetch standard's CORS)."""

from __future__ import annotations

from collections.abc import Iterable

from penchant.core.errors import Forbidden

__all__ = ["Cors"]

Headers = list[tuple[bytes, bytes]]

_METHODS = b"GET, POST, PUT"
_SENT = b"authorization, content-encoding, content-type, penchant-session, x-request-id"
_SHOWN = b"retry-after, x-request-id"
_KEPT = b"600"  # seconds for which a browser need not ask again


class Cors:
    """The origins that may ask; credentials such as cookies are never part of it.

    >>> cors = Cors(["https://shop.example"])
    >>> cors.headers("https://shop.example")[0]
    (b'access-control-allow-origin', b'https://shop.example')
    >>> cors.headers("https://evil.example")
    [(b'vary', b'origin')]
    """

    def __init__(self, origins: Iterable[str]) -> None:
        self._origins = frozenset(origins)
        self._any = "*" in self._origins

    def allows(self, origin: str) -> bool:
        """Return whether pages of an origin may ask."""
        return self._any or origin in self._origins

    def headers(self, origin: str | None) -> Headers:
        """Return what an answer says to a browser."""
        vary = [] if self._any or not self._origins else [(b"vary", b"origin")]
        if origin is None or not self.allows(origin):
            return vary
        named = b"*" if self._any else origin.encode("latin-1")
        return [(b"access-control-allow-origin", named), (b"access-control-expose-headers", _SHOWN), *vary]

    def preflight(self, origin: str) -> Headers:
        """Return the answer to a browser that asks whether it may ask.

        Raises:
            Forbidden: pages of this origin may not.
        """
        if not self.allows(origin):
            raise Forbidden(
                "pages of this origin may not ask",
                got=origin,
                allowed="an origin in access.origins",
                then="add the origin to access.origins",
            )
        return [
            *self.headers(origin),
            (b"access-control-allow-methods", _METHODS),
            (b"access-control-allow-headers", _SENT),
            (b"access-control-max-age", _KEPT),
        ]
