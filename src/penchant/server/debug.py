"""The route for those who run a deployment and ask how one answer came about."""

from __future__ import annotations

from litestar import post
from litestar.handlers import HTTPRouteHandler
from litestar.params import RawBody

from penchant.engine.answers import Ask
from penchant.engine.watching import Debugged
from penchant.server.body import read_struct
from penchant.server.door import Asked, check_query, door_of, sent
from penchant.server.routes import says
from penchant.trust.access import require

__all__ = ["ROUTES"]


@post(
    "/v1/debug/recommendations",
    status_code=200,
    sync_to_thread=True,
    responses=says(404, 413, 415),
    summary="Ask how a slate comes about",
    response_description="The slate, and every step to it with its time and its numbers of candidates.",
)
def recommendations(request: Asked, body: RawBody) -> Debugged:
    """Answer as POST /v1/recommendations does, with every step. Needs a key with the scope admin.

    `before` and `after` say how many candidates came into a step and how many were left; of the gate, how many events
    of the history were read. The answer is not counted among the slates.
    """
    actor, door = sent(request), door_of(request)
    require(actor, "admin")
    check_query(request)
    with door.turns:
        return door.engine.debug(actor, read_struct(body, Ask))


ROUTES: list[HTTPRouteHandler] = [recommendations]
"All handlers of this module."
