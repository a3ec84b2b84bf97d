"""The outermost layer: who asks, ids for requests, security headers, limits, one log line each, paths as sent."""

from __future__ import annotations

import logging
import re
import time
import uuid

from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from penchant.core.clock import parse_duration
from penchant.core.errors import PenchantError
from penchant.core.settings import Settings
from penchant.server.cors import Cors, Headers
from penchant.server.errors import Crash
from penchant.server.inflow import inflow_of
from penchant.server.log import REQUEST, log_crash, log_line
from penchant.server.meters import Meters
from penchant.server.refusal import AddressTooLong, refusal
from penchant.server.tracing import Traces
from penchant.trust.caller import Caller, client_of, networks_of, within

__all__ = ["CSP", "SECURITY", "Edge"]

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"What a page may load: its own files and nothing else; no inline script or style."

SECURITY: Headers = [
    (b"content-security-policy", CSP.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
]
"What every answer says to browsers."

_PRIVATE = [(b"cache-control", b"no-store")]
_TRACE = ("traceparent", "tracestate")
_TLS = [(b"strict-transport-security", b"max-age=31536000")]
_KEYS = (b"pk_", b"pub_")  # a key that was sent as an id by mistake must not get into the log
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
    >>> app.asgi_handler = Edge(app.asgi_handler, Meters(), Settings())
    >>> with TestClient(app) as client:
    ...     answer = client.get("/ping", headers={"X-Request-ID": "r1"})
    >>> answer.headers["x-request-id"], answer.headers["x-content-type-options"]
    ('r1', 'nosniff')
    """

    def __init__(self, app: ASGIApp, meters: Meters, settings: Settings, traces: Traces | None = None) -> None:
        self._traces = traces
        self._app = app
        self._meters = meters
        self._cors = Cors(settings.access.origins)
        self._proxies = networks_of(settings.server.trusted_proxies)
        self._query = settings.limits.max_query
        self._seconds = parse_duration(settings.limits.receive).total_seconds()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection."""
        if scope["type"] == ScopeType.WEBSOCKET:
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope)
        caller, tls = self._caller(scope)
        scope["state"] |= {"request_id": request_id, "caller": caller}
        REQUEST.set(request_id)  # every request is a task of its own, and so has a context of its own
        raw = scope.get("raw_path")
        if raw:
            scope["path"] = raw.partition(b"?")[0].decode("ascii", "replace")
        tags = [*SECURITY, *self._cors.headers(caller.origin), (b"x-request-id", request_id.encode())]
        tags += _TLS if tls else []
        if self._traces is None:
            await self._timed(scope, receive, send, tags)
            return
        headers = {name: _header(scope, name.encode()).decode("latin-1") for name in _TRACE}
        with self._traces.request(headers, scope["method"], request_id) as span:
            status = await self._timed(scope, receive, send, tags)
            self._traces.answered(span, scope["method"], str(scope.get("path_template") or "unmatched"), status)

    async def _timed(self, scope: HTTPScope, receive: Receive, send: Send, tags: Headers) -> int:
        """Answer a request, whatever happens; return the status."""
        started, status, request_id = time.perf_counter(), 0, scope["state"]["request_id"]

        async def outward(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                own = list(message["headers"])
                private = [] if any(key == b"cache-control" for key, _ in own) else _PRIVATE
                message["headers"] = [*own, *tags, *private]
            await send(message)

        try:
            await self._answer(scope, receive, outward)
        except PenchantError as error:
            self._meters.problem(error.code)
            await _refuse(error, request_id, outward)
        except Exception as error:  # noqa: BLE001 - the last resort: it is logged, and told as internal
            log_crash(request_id, error)
            self._meters.problem(Crash.code)
            if status:  # half of an answer has left; it cannot be taken back, only broken off
                raise _Broken from None
            await _refuse(Crash("the server failed in a way nobody expected"), request_id, outward)
        finally:
            self._tell(scope, request_id, status or 500, time.perf_counter() - started)
        return status

    async def _answer(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        if len(scope["query_string"]) > self._query:
            raise AddressTooLong(
                "the query is too long", got=f"{len(scope['query_string']):,} bytes", allowed=f"{self._query:,} bytes"
            )
        asked = scope["state"]["caller"].origin
        if scope["method"] == "OPTIONS" and asked is not None and _header(scope, b"access-control-request-method"):
            headers = [pair for pair in self._cors.preflight(asked) if pair not in self._cors.headers(asked)]
            scope["path_template"] = "preflight"
            await send({"type": "http.response.start", "status": 204, "headers": headers})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            return
        await self._app(scope, inflow_of(scope, receive, self._seconds), send)

    def _caller(self, scope: HTTPScope) -> tuple[Caller, bool]:
        """Return who asks, and whether they do over TLS; proxies are believed when they are ours."""
        client = scope.get("client")
        peer = client[0] if client else None
        tls = scope["scheme"] == "https"
        forwarded = ""
        if self._proxies:
            forwarded = ",".join(v.decode("latin-1") for k, v in scope["headers"] if k == b"x-forwarded-for")
            said = _header(scope, b"x-forwarded-proto")
            tls = tls or (within(peer, self._proxies) and said.strip().lower() == b"https")
        origin = _header(scope, b"origin").decode("latin-1")
        return Caller(client_of(peer, forwarded, self._proxies), origin or None), tls

    def _tell(self, scope: HTTPScope, request_id: str, status: int, seconds: float) -> None:
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


class _Broken(Exception):
    """Ends a connection on which half of an answer was sent; what went wrong is in the log already."""


async def _refuse(error: PenchantError, request_id: str, send: Send) -> None:
    status, headers, body = refusal(error, request_id)
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


def _header(scope: HTTPScope, name: bytes) -> bytes:
    return next((value for key, value in scope["headers"] if key == name), b"")


def _request_id(scope: HTTPScope) -> str:
    given = _header(scope, b"x-request-id")
    kept = _ID.fullmatch(given) and not given.lower().startswith(_KEYS)
    return given.decode() if kept else uuid.uuid4().hex
