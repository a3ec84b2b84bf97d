"""The routes that ask for more than one slate, and those of anonymous sessions."""

from __future__ import annotations

from litestar import post, put
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, RawBody

from penchant.engine.pages import Page, PageAnswer
from penchant.engine.ranking import RankAsk, Ranking
from penchant.server.body import read_struct
from penchant.server.door import Asked, check_query, door_of, id_of, sent
from penchant.server.routes import says
from penchant.server.shapes import Consent, Linked, SessionAgreement, SessionUser
from penchant.trust.access import require

__all__ = ["ROUTES"]


@post(
    "/v1/pages",
    status_code=200,
    sync_to_thread=True,
    responses=says(404, 413, 415),
    summary="Ask for all slates of a page",
    response_description="The slates, in the order they were asked for.",
)
def ask_page(request: Asked, body: RawBody) -> PageAnswer:
    """Answer several placements at once for one person, whose history is read once; no item stands in two slates."""
    actor, door = sent(request), door_of(request)
    require(actor, "recommend:read")
    check_query(request)
    with door.turns:
        found = door.engine.page(actor, read_struct(body, Page))
    for slate in found.slates:
        door.meters.slate(slate)
    return found


@post(
    "/v1/rankings",
    status_code=200,
    sync_to_thread=True,
    responses=says(404, 413, 415),
    summary="Put a list in order",
    response_description="The list in order, and what could not be put in order.",
)
def ask_ranking(request: Asked, body: RawBody) -> Ranking:
    """Rank the items that are given for a person; seen and sold-out items stay, and what has no score comes apart."""
    actor, door = sent(request), door_of(request)
    require(actor, "recommend:read")
    check_query(request)
    with door.turns:
        found = door.engine.rank(actor, read_struct(body, RankAsk))
    door.meters.slate(found.slate)
    return found


@put(
    "/v1/sessions/{id:str}/user",
    sync_to_thread=True,
    responses=says(404, 413, 415),
    summary="Say whose an anonymous session was",
    response_description="The session is theirs.",
)
def link_session(request: Asked, id: FromPath[str], body: RawBody) -> Linked:
    """Link the session to the person who signed in: its events are part of their history from the next answer on.

    A session is one person's for good; after signing out, begin a new one.
    """
    actor = sent(request)
    require(actor, "events:write")
    check_query(request)
    session, said = id_of(id), read_struct(body, SessionUser)
    door_of(request).engine.gate.visits.link(actor, session, said.user)
    return Linked(session, said.user)


@put(
    "/v1/sessions/{id:str}/consent",
    sync_to_thread=True,
    responses=says(404, 413, 415),
    summary="Record a visitor's yes or no",
    response_description="What was recorded.",
)
def session_consent(request: Asked, id: FromPath[str], body: RawBody) -> SessionAgreement:
    """Record what the visitor of an anonymous session agreed to, or took back; it holds from the next answer on."""
    actor = sent(request)
    require(actor, "consent:write")
    check_query(request)
    session, said = id_of(id), read_struct(body, Consent)
    visits = door_of(request).engine.gate.visits
    visits.answer(actor, session, said.purposes, granted=said.granted, basis=said.basis)
    return SessionAgreement(session, dict.fromkeys(said.purposes, said.granted))


ROUTES: list[HTTPRouteHandler] = [ask_page, ask_ranking, link_session, session_consent]
"All handlers of this module."
