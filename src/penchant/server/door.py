"""What every route needs: the engine, the meters, and who asks."""

from __future__ import annotations

import os
from threading import BoundedSemaphore
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import unquote

from litestar import Request
from msgspec import Struct, field

from penchant.core.errors import InputError, Unauthorized
from penchant.server.body import check_type
from penchant.server.meters import Meters
from penchant.trust.access import Actor
from penchant.trust.caller import NOWHERE, Caller

if TYPE_CHECKING:
    from penchant.engine.engine import Engine

__all__ = ["Asked", "Door", "actor_of", "caller_of", "check_query", "door_of", "id_of", "sent", "token_of"]

Asked = Request[Any, Any, Any]
"A request, as handlers get it."

_HEADER = "Authorization: Bearer <key>"

WAITING = 32
"Threads for requests: those that write events mostly wait for the disk, and share a wait when they wait together."

ANSWERING = len(os.sched_getaffinity(0)) + 2 if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1) + 2
"Answers that are worked out at once: as many as there are processors, and two that wait for the store."


class Door(Struct, frozen=True, eq=False):
    """The engine behind an app, and the app's counters.

    >>> from penchant.testing import shop
    >>> with shop() as engine:
    ...     Door(engine, Meters()).engine.ready().ready
    True
    """

    engine: Engine
    "Answers everything."
    meters: Meters
    "Counts what was answered."
    turns: BoundedSemaphore = field(default_factory=lambda: BoundedSemaphore(ANSWERING))
    "Held by who works out an answer, so that no more do at once than processors can use; who writes events needs none."


def door_of(request: Asked) -> Door:
    """Return the door of the app a request came to."""
    return cast("Door", request.app.state["door"])


def token_of(header: str | None) -> str | None:
    """Return the key in an Authorization header, or None when there is no header.

    >>> token_of("Bearer abc"), token_of(None)
    ('abc', None)

    Raises:
        Unauthorized: the header is of another scheme. It is not repeated in the text, for it may hold a secret.
    """
    if header is None:
        return None
    scheme, _, token = header.strip().partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthorized("the Authorization header holds no key", allowed=_HEADER)
    return token.strip()


def actor_of(request: Asked) -> Actor:
    """Return who asks.

    Raises:
        Unauthorized: there is no key, or one that is not known.
        Forbidden: it may not be used from there.
        RateLimited: it was used too often.
    """
    token = token_of(request.headers.get("authorization"))
    return door_of(request).engine.authenticate(token, caller_of(request))


def caller_of(request: Asked) -> Caller:
    """Return where a request comes from, as the edge found out."""
    return cast("Caller", request.scope.get("state", {}).get("caller", NOWHERE))


def sent(request: Asked) -> Actor:
    """Return who sends a JSON body, having checked that it says it is one.

    Raises:
        Unauthorized: there is no key, or one that is not known.
        WrongContentType: the body is not JSON by its own account.
    """
    actor = actor_of(request)
    check_type(request.headers.get("content-type"))
    return actor


def id_of(segment: str) -> str:
    """Return the id in one segment of a path; it may hold any character, percent-encoded.

    >>> id_of("a%2Fb%20%C3%A9")
    'a/b é'

    Raises:
        InputError: it is not UTF-8.
    """
    try:
        return unquote(segment, errors="strict")
    except UnicodeDecodeError as error:
        raise InputError("the id in the path is not UTF-8", got=segment, allowed="percent-encoded UTF-8") from error


def check_query(request: Asked, *known: str) -> None:
    """Check that a request has no query parameter but the known ones, each at most once.

    Raises:
        InputError: it has.
    """
    pairs = request.query_params.multi_items()
    names = [name for name, _ in pairs]
    for name in names:
        if name not in known:
            allowed = ", ".join(known) or "none here"
            raise InputError("unknown query parameter", got=name, allowed=allowed, then="leave it out", field=name)
        if names.count(name) > 1:
            raise InputError("a query parameter stands twice", got=name, then="send it once", field=name)
