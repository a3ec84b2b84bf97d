"""The routes under /v1: each reads what was sent, asks the engine once, and hands back what it said."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import get, post, put
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, QueryParameter, RawBody

from penchant.core.decoding import convert
from penchant.core.errors import InputError
from penchant.core.nouns import Event, Filters, Item
from penchant.engine.answers import MAX_N, Answer, Ask, HistoryAnswer
from penchant.server.blame import blame
from penchant.server.body import read_many, read_struct
from penchant.server.door import Asked, actor_of, check_query, door_of, id_of, sent
from penchant.server.shapes import Agreement, Consent, Problem, Stored
from penchant.trust.access import require
from penchant.trust.gate import Receipt

__all__ = ["ROUTES", "says"]

N = Annotated[int, QueryParameter(ge=1, le=MAX_N, description="How many are wanted.")]

_SAYS = {
    400: "Something in the request cannot be used; nothing of it was.",
    401: "No key, or one that is not known.",
    403: "A known key without the scope this needs.",
    404: "No such thing.",
    413: "The body has too many bytes, or its list too many elements.",
    415: "The body is not application/json.",
    429: "Too much waits already; Retry-After says when to send it again.",
    503: "The store or the models are not there.",
}


def says(*extra: int) -> dict[int, ResponseSpec]:
    """Return the errors that a route with a key may answer: those of every such route, and some more.

    >>> sorted(says(404))
    [400, 401, 403, 404, 503]
    """
    return {
        status: ResponseSpec(Problem, description=_SAYS[status], generate_examples=False)
        for status in sorted({400, 401, 403, 503, *extra})
    }


@post(
    "/v1/events",
    status_code=202,
    sync_to_thread=True,
    responses=says(413, 415, 429),
    summary="Send events",
    response_description="What became of them.",
)
def send_events(request: Asked, body: RawBody) -> Receipt:
    """Take one event or a list of them. What is accepted is on disk, and part of the person's next answer.

    A body that is wrong in its shape (an unknown field, a wrong type, a time that is none) is refused as a whole with
    400, and the error names the element, as in [3].value. Events of the right shape that cannot be true (an empty id, a
    time in the future) are listed in `rejected` by index, and the others are accepted.
    """
    actor, door = sent(request), door_of(request)
    check_query(request)
    events = read_many(body, Event, list[Event], limit=door.engine.settings.server.max_batch)
    receipt = door.engine.ingest(actor, events)
    door.meters.events(accepted=receipt.accepted, duplicates=receipt.duplicates, rejected=len(receipt.rejected))
    return receipt


@put(
    "/v1/items/{id:str}",
    sync_to_thread=True,
    responses=says(413, 415),
    summary="Put one item into the catalogue",
    response_description="It is in the catalogue.",
)
def put_item(request: Asked, id: FromPath[str], body: RawBody) -> Stored:
    """Replace the item as a whole. The id may be left out of the body, or be equal to the one in the path."""
    actor = sent(request)
    check_query(request)
    name, raw = id_of(id), read_struct(body, dict[str, Any])
    if raw.setdefault("id", name) != name:
        raise InputError(
            "the id in the body is not the one in the path",
            got=str(raw["id"]),
            allowed=name,
            then="leave it out of the body",
            field="id",
        )
    try:
        item = convert(raw, Item)
    except msgspec.ValidationError as error:
        raise blame(str(error), Item, raw) from error
    door_of(request).engine.put_items(actor, [item])
    return Stored(1)


@put(
    "/v1/items",
    sync_to_thread=True,
    responses=says(413, 415),
    summary="Put many items into the catalogue",
    response_description="They are in the catalogue.",
)
def put_items(request: Asked, body: RawBody) -> Stored:
    """Put one item or a list of them; all are stored or none."""
    actor, door = sent(request), door_of(request)
    check_query(request)
    items = read_many(body, Item, list[Item], limit=door.engine.settings.server.max_batch)
    door.engine.put_items(actor, items)
    return Stored(len(items))


@post(
    "/v1/recommendations",
    status_code=200,
    sync_to_thread=True,
    responses=says(413, 415),
    summary="Ask for a slate",
    response_description="The slate and its basis.",
)
def recommend(request: Asked, body: RawBody) -> Answer:
    """Return the best items for a placement, each with the addends of its score; `policy` says on what basis."""
    actor, door = sent(request), door_of(request)
    require(actor, "recommend:read")
    check_query(request)
    with door.turns:
        answer = door.engine.recommend(actor, read_struct(body, Ask))
    door.meters.slate(answer)
    return answer


@get(
    "/v1/items/{id:str}/similar",
    sync_to_thread=True,
    responses=says(404),
    summary="Ask for items like one",
    response_description="The slate and its basis.",
)
def similar(request: Asked, id: FromPath[str], n: N = 10) -> Answer:
    """Answer the placement `similar`, asked for one item."""
    actor, door = actor_of(request), door_of(request)
    require(actor, "recommend:read")
    check_query(request, "n")
    with door.turns:
        answer = door.engine.similar(actor, id_of(id), n, Filters())
    door.meters.slate(answer)
    return answer


@get(
    "/v1/users/{id:str}/history",
    sync_to_thread=True,
    responses=says(404),
    summary="Ask what a person did",
    response_description="The events.",
)
def history(request: Asked, id: FromPath[str], n: N = 50) -> HistoryAnswer:
    """Return the newest events of a person, latest first, and what the person agreed to."""
    actor = actor_of(request)
    check_query(request, "n")
    return door_of(request).engine.history(actor, id_of(id), n)


@put(
    "/v1/users/{id:str}/consent",
    sync_to_thread=True,
    responses=says(413, 415),
    summary="Record a yes or a no",
    response_description="What holds now.",
)
def consent(request: Asked, id: FromPath[str], body: RawBody) -> Agreement:
    """Record what the person agreed to, or took back; it holds from the next answer on.

    Needs the scopes consent:write and users:read, for the answer says what the person agreed to.
    """
    actor = sent(request)
    require(actor, "consent:write")
    require(actor, "users:read")
    check_query(request)
    user, said = id_of(id), read_struct(body, Consent)
    engine = door_of(request).engine
    return Agreement(user, engine.set_consent(actor, user, said.purposes, granted=said.granted, basis=said.basis))


ROUTES: list[HTTPRouteHandler] = [send_events, put_item, put_items, recommend, similar, history, consent]
"All handlers under /v1."
