"""The routes under /v1/session: what a web page may ask with a public key, for the visitor who looks at it."""

from __future__ import annotations

from litestar import post
from litestar.handlers import HTTPRouteHandler
from litestar.params import RawBody

from penchant.core.errors import Unauthorized
from penchant.engine.answers import Answer
from penchant.engine.visiting import VisitAsk
from penchant.server.body import read_many, read_struct
from penchant.server.door import Asked, actor_of, check_query, door_of, sent
from penchant.server.routes import says
from penchant.trust.gate import Receipt
from penchant.trust.sessions import Opened, VisitEvent

__all__ = ["MOST", "ROUTES", "SESSION"]

SESSION = "Penchant-Session"
"The header that says which session is meant."

MOST = 100
"Events in one request."

_BYTES = 64 * 1024
_OWN: list[dict[str, list[str]]] = [{"public": [], "session": []}]


def session_of(request: Asked) -> str | None:
    """Return the token of the session that a request names, or None.

    Raises:
        Unauthorized: it names more than one.
    """
    found = request.headers.getall(SESSION, [])
    if len(found) > 1:
        raise Unauthorized("a request has one session", got=f"{len(found)} headers {SESSION}", allowed="one")
    return found[0] if found else None


@post(
    "/v1/session",
    status_code=201,
    sync_to_thread=True,
    responses=says(),
    security=[{"public": []}],
    summary="Begin a visitor's session",
    response_description="The session's token.",
)
def begin(request: Asked) -> Opened:
    """Return the token of a new session, which nobody else can know or make up. Needs a public key."""
    actor = actor_of(request)
    check_query(request)
    return door_of(request).engine.gate.sessions.open(actor)


@post(
    "/v1/session/events",
    status_code=202,
    sync_to_thread=True,
    responses=says(413, 415),
    request_max_body_size=_BYTES,
    security=_OWN,
    summary="Send what a visitor did",
    response_description="What became of it.",
)
def send(request: Asked, body: RawBody) -> Receipt:
    """Take one event of the visitor or a list of them. They have no user and no time: the session and the clock say so.

    Needs a public key and the header Penchant-Session. What is accepted is on disk and part of the next answer.
    """
    actor, door = sent(request), door_of(request)
    check_query(request)
    door.engine.gate.sessions.check(actor, session_of(request))
    events = read_many(body, VisitEvent, list[VisitEvent], limit=MOST)
    receipt = door.engine.gate.admit_visit(actor, session_of(request), events)
    door.meters.events(accepted=receipt.accepted, duplicates=receipt.duplicates, rejected=len(receipt.rejected))
    return receipt


@post(
    "/v1/session/recommendations",
    status_code=200,
    sync_to_thread=True,
    responses=says(404, 413, 415),
    request_max_body_size=_BYTES,
    security=_OWN,
    summary="Ask for a visitor's slate",
    response_description="The slate and its basis.",
)
def recommend(request: Asked, body: RawBody) -> Answer:
    """Answer from what the visitor's own session holds, and from nobody's history.

    Needs a public key and the header Penchant-Session.
    """
    actor, door = sent(request), door_of(request)
    check_query(request)
    door.engine.gate.sessions.check(actor, session_of(request))
    with door.turns:
        answer = door.engine.recommend_visit(actor, session_of(request), read_struct(body, VisitAsk))
    door.meters.slate(answer)
    return answer


ROUTES: list[HTTPRouteHandler] = [begin, send, recommend]
"All handlers under /v1/session."
