"""The outermost layer: ids for requests, security headers, timing, one log line each, paths as they were sent."""

from __future__ import annotations

import logging
import re
import time
import uuid

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from penchant.server.log import log_line
from penchant.server.meters import Meters

__all__ = ["CSP", "Edge"]

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"What a page may load: its own files and nothing else; no inline script or style."

_HEADERS = [
    (b"content-security-policy", CSP.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
]
_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")


class Edge:
    """An ASGI app around another one.

    Ids in paths may hold any character, ``/`` too, so routing looks at the path as it was sent, percent-encoded; the
    handlers decode their segment. A request id that comes in is kept when it is 1 to 64 of ``A-Za-z0-9._-``.

    >>> from litestar import Litestar, get
    >>> from litestar.testing import TestClient
    >>> @get("/ping", sync_to_thread=False)
    ... def ping() -> str:
    ...     return "pong"
    >>> app = Litestar([ping], openapi_config=None, logging_config=None)
    >>> app.asgi_handler = Edge(app.asgi_handler, Meters())
    >>> with TestClient(app) as client:
    ...     answer = client.get("/ping", headers={"X-Request-ID": "r1"})
    >>> answer.headers["x-request-id"], answer.headers["x-content-type-options"]
    ('r1', 'nosniff')
    """

    def __init__(self, app: ASGIApp, meters: Meters) -> None:
        self._app = app
        self._meters = meters

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection."""
        if scope["type"] == ScopeType.WEBSOCKET:
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope)
        scope["state"]["request_id"] = request_id
        raw = scope.get("raw_path")
        if raw:
            scope["path"] = raw.partition(b"?")[0].decode("ascii", "replace")
        started, status = time.perf_counter(), 500

        async def outward(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                private = [] if any(key == b"cache-control" for key, _ in message["headers"]) else _PRIVATE
                tagged = (b"x-request-id", request_id.encode())
                message["headers"] = [*message["headers"], *_HEADERS, *private, tagged]
            await send(message)

        try:
            await self._app(scope, receive, outward)
        finally:
            seconds = time.perf_counter() - started
            route = str(scope.get("path_template") or "unmatched")
            self._meters.request(route, scope["method"], status, seconds)
            log_line(
                logging.INFO,
                "request",
                request=request_id,
                method=scope["method"],
                route=route,
                status=status,
                ms=round(seconds * 1000, 2),
            )


_PRIVATE = [(b"cache-control", b"no-store")]


def _request_id(scope: Scope) -> str:
    given = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"")
    return given.decode() if _ID.fullmatch(given) else uuid.uuid4().hex
