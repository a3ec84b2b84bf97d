"""The description of the API: the framework knows the routes, msgspec knows the bodies; here the two are joined."""

from __future__ import annotations

import copy
from typing import Any

import msgspec
from litestar import Litestar, Router
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme
from litestar.routes import BaseRoute
from litestar.types import ControllerRouterHandler

from penchant.core.nouns import Event, Item
from penchant.engine.answers import Answer, Ask, HistoryAnswer, Readiness
from penchant.engine.pages import Page, PageAnswer
from penchant.engine.ranking import RankAsk, Ranking
from penchant.engine.visiting import VisitAsk
from penchant.engine.watching import Debugged
from penchant.server.examples import ANSWERS, BODIES, PROBLEMS
from penchant.server.shapes import Agreement, Alive, Consent, Linked, Problem, SessionAgreement, SessionUser, Stored
from penchant.trust.gate import Receipt
from penchant.trust.sessions import Opened, VisitEvent
from penchant.version import __version__

__all__ = ["CONFIG", "describe"]

_KINDS: tuple[type, ...] = (
    *(Event, Item, Ask, Answer, HistoryAnswer, Readiness, Receipt, Consent, Agreement, Stored, Alive, Problem),
    *(Opened, VisitEvent, VisitAsk, Debugged),
    *(Page, PageAnswer, RankAsk, Ranking, SessionUser, Linked, SessionAgreement),
)
_BODIES = {
    ("post", "/v1/events"): ("Event", True),
    ("put", "/v1/items"): ("Item", True),
    ("put", "/v1/items/{id}"): ("ItemWithoutId", False),
    ("post", "/v1/recommendations"): ("Ask", False),
    ("put", "/v1/users/{id}/consent"): ("Consent", False),
    ("post", "/v1/debug/recommendations"): ("Ask", False),
    ("post", "/v1/session/events"): ("VisitEvent", True),
    ("post", "/v1/session/recommendations"): ("VisitAsk", False),
    ("post", "/v1/pages"): ("Page", False),
    ("post", "/v1/rankings"): ("RankAsk", False),
    ("put", "/v1/sessions/{id}/user"): ("SessionUser", False),
    ("put", "/v1/sessions/{id}/consent"): ("Consent", False),
}
_ALWAYS = {
    "408": "The body did not arrive in time.",
    "414": "The query has too many bytes.",
    "431": "The headers have too many bytes.",
    "503": "The server holds too many connections.",
}
_KEYED = {"429": "The key was used too often; Retry-After says when to ask again."}
_METHODS = ("get", "put", "post")


class _Nowhere(Router):
    """Takes no routes: the framework's own pages about the description load their scripts from elsewhere."""

    def register(self, value: ControllerRouterHandler) -> list[BaseRoute]:
        """Take nothing."""
        return []


CONFIG = OpenAPIConfig(
    title="Penchant",
    version=__version__,
    description="Recommendations you can account for: events in, explained slates out.",
    openapi_router=_Nowhere("/", route_handlers=[]),
    render_plugins=[JsonRenderPlugin()],
    use_handler_docstrings=True,
    components=Components(
        security_schemes={
            "key": SecurityScheme(
                type="http", scheme="bearer", description="A key made by 'penchant keys create --scope ...'."
            ),
            "public": SecurityScheme(
                type="http", scheme="bearer", description="A key made by 'penchant keys create --public'."
            ),
            "session": SecurityScheme(
                type="apiKey",
                name="Penchant-Session",
                security_scheme_in="header",
                description="A token from POST /v1/session.",
            ),
        }
    ),
    security=[{"key": []}],
)
"What the framework is told."


def describe(app: Litestar) -> dict[str, Any]:
    """Return OpenAPI 3.1 as plain values: the framework's routes with msgspec's schemas, bodies and examples.

    >>> from penchant.server.app import create_app
    >>> from penchant.testing import shop
    >>> with shop() as engine:
    ...     document = describe(create_app(engine))
    >>> document["openapi"][:3], document["paths"]["/v1/events"]["post"]["requestBody"]["required"]
    ('3.1', True)
    """
    document = copy.deepcopy(app.openapi_schema.to_schema())
    document["components"]["schemas"].update(_schemas())
    for path, item in document["paths"].items():
        for method in (each for each in _METHODS if each in item):
            operation = item[method]
            _limits(operation)
            _body(operation, method, path)
            for status, response in operation["responses"].items():
                _example(response, method, path, status)
    return document


def _schemas() -> dict[str, Any]:
    _, found = msgspec.json.schema_components(_KINDS, ref_template="#/components/schemas/{name}")
    for schema in found.values():
        schema["description"] = schema.get("description", "").partition("\n\n")[0]
    without = copy.deepcopy(found["Item"])
    without["required"].remove("id")
    without["title"] = "ItemWithoutId"
    return {**found, "ItemWithoutId": without}


def _body(operation: dict[str, Any], method: str, path: str) -> None:
    if (method, path) not in _BODIES:
        return
    name, many = _BODIES[method, path]
    one = {"$ref": f"#/components/schemas/{name}"}
    schema: dict[str, Any] = {"oneOf": [one, {"type": "array", "items": one}]} if many else one
    content = {"schema": schema, "example": BODIES[method, path]}
    operation["requestBody"] = {"required": True, "content": {"application/json": content}}


def _limits(operation: dict[str, Any]) -> None:
    """Add what every route may answer, and what every route with a key may."""
    keyed = operation.get("security") != [{}]
    schema = {"$ref": "#/components/schemas/Problem"}
    for status, says in {**_ALWAYS, **(_KEYED if keyed else {})}.items():
        content = {"application/json": {"schema": schema}}
        operation["responses"].setdefault(status, {"description": says, "content": content})


def _example(response: dict[str, Any], method: str, path: str, status: str) -> None:
    content = response.get("content", {}).get("application/json")
    if content is None:
        return
    if (method, path, status) in ANSWERS:
        content["example"] = ANSWERS[method, path, status]
    elif "Problem" in content["schema"].get("$ref", ""):
        content["example"] = PROBLEMS[status]
