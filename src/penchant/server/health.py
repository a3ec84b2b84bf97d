"""The routes for machines that watch: is it alive, can it answer, what did it count, how is it spoken to."""

from __future__ import annotations

from typing import Any

from litestar import MediaType, Response, get, head
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.datastructures import ResponseSpec
from prometheus_client import CONTENT_TYPE_LATEST

from penchant.engine.answers import Readiness
from penchant.server.door import Asked, actor_of, door_of
from penchant.server.openapi import describe
from penchant.server.shapes import Alive, Problem
from penchant.trust.access import require

__all__ = ["ROUTES"]

_TEXT = CONTENT_TYPE_LATEST.removesuffix("; charset=utf-8")  # the framework adds the charset
_READY = {503: ResponseSpec(Readiness, description="What is missing.", generate_examples=False)}
_KEYED = {
    401: ResponseSpec(Problem, description="No key, or one that is not known.", generate_examples=False),
    403: ResponseSpec(Problem, description="A known key without the scope metrics:read.", generate_examples=False),
}


@get("/healthz", sync_to_thread=False, summary="Is the process alive", security=[{}])
def healthz() -> Alive:
    """Say so, always with 200 while the process lives; asks neither the store nor the models."""
    return Alive()


@head("/healthz", sync_to_thread=False, include_in_schema=False)
def healthz_head() -> None:
    """Say the same without a body, as some that watch ask."""


@get("/readyz", sync_to_thread=True, responses=_READY, summary="Can questions be answered", security=[{}])
def readyz(request: Asked) -> Response[Readiness]:
    """Say 200 when questions are answered, be it degraded, by falling back; else 503; and what is missing."""
    ready = door_of(request).engine.ready()
    return Response(ready, status_code=200 if ready.ready else 503)


@get("/metrics", sync_to_thread=True, media_type=_TEXT, responses=_KEYED, summary="Counts and timings")
def metrics(request: Asked) -> str:
    """Return Prometheus' text format. Needs a key with the scope metrics:read."""
    require(actor_of(request), "metrics:read")
    return door_of(request).meters.text().decode()


@get("/openapi.json", sync_to_thread=True, include_in_schema=False, media_type=MediaType.JSON)
def openapi(request: Asked) -> dict[str, Any]:
    """Return the description of the API, OpenAPI 3.1."""
    state = request.app.state  # made once: anybody may ask for it, and making it takes long
    if "description" not in state:
        state["description"] = describe(request.app)
    described: dict[str, Any] = state["description"]
    return described


ROUTES: list[HTTPRouteHandler] = [healthz, healthz_head, readyz, metrics, openapi]
"All handlers of this module."
