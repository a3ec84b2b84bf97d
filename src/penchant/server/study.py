"""The pages of a user study: consent, picks, two lists side by side with questions, and the way out again."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import MediaType, Response, Router, get, post
from litestar.exceptions import HTTPException
from litestar.params import FromPath, RawBody

from penchant.core.errors import Forbidden, InputError, NotFound, PenchantError
from penchant.engine.studying import PICKS, Studying
from penchant.evaluation.questionnaire import CONSTRUCTS, SCALE, SIDES
from penchant.server.door import Asked, door_of, id_of
from penchant.server.errors import logged, problem_of, request_id_of, status_of
from penchant.trust.participants import Participant

__all__ = ["TERMS", "study_router"]

TERMS = (
    "You pick a few items that you like. Two ways of recommending each make a list from your picks, and you say what "
    "you think of the two lists.",
    "Stored are the two lists with the reasons shown, their order, your ratings and which list you prefer: under a "
    "number, and used for comparing the two ways of recommending. You are not asked for your name, and no cookie is "
    "set.",
    "Taking part is voluntary. The page you come to has an address of its own that only you know. With it you can "
    "withdraw at any time, and then everything you said here is deleted.",
)
"What a participant agrees to; what is stored names this text by its digest."

_HERE = Path(__file__).parent
_FIELDS = 64  # in one form
_TEMPLATES = Environment(
    loader=FileSystemLoader(_HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def study_router() -> Router:
    """Return the routes of every study's pages; they need no key, for participants have none.

    >>> study_router().path
    '/study'
    """
    return Router(
        "/study",
        route_handlers=[style, invite, join, step, pick, judge, withdraw],
        include_in_schema=False,
        exception_handlers={PenchantError: fail, HTTPException: fail, Exception: fail},
    )


@get("/style.css", sync_to_thread=True, media_type=MediaType.CSS)
def style() -> str:
    """Return what the pages look like."""
    return (_HERE / "static" / "study.css").read_text(encoding="utf-8")


@get("/{name:str}", sync_to_thread=True, media_type=MediaType.HTML)
def invite(request: Asked, name: FromPath[str]) -> Response[str]:
    """Say what the study is about, and ask for consent."""
    study = _studies(request).gate.studies.get(id_of(name))
    return _page("study_invite.html.j2", {"study": study, "terms": TERMS})


@post("/{name:str}", sync_to_thread=True, status_code=303, media_type=MediaType.HTML)
def join(request: Asked, name: FromPath[str], body: RawBody) -> Response[str]:
    """Take somebody in who agreed, and send them to a page of their own."""
    _same_site(request)
    agreed = _form(body).get("agreed", [""])[-1] == "yes"
    token = _studies(request).gate.studies.join(id_of(name), terms="\n".join(TERMS), agreed=agreed)
    return _sent_to(id_of(name), token)


@get("/{name:str}/{token:str}", sync_to_thread=True, media_type=MediaType.HTML)
def step(request: Asked, name: FromPath[str], token: FromPath[str]) -> Response[str]:
    """Show a participant what comes next for them."""
    studies, who = _studies(request), _participant(request, name, token)
    home = f"/study/{quote(id_of(name), safe='')}/{quote(id_of(token), safe='')}"
    if who.answered:
        return _page("study_done.html.j2", {"home": home})
    if who.slates is None:
        offered = studies.offered(id_of(token))
        return _page("study_pick.html.j2", {"home": home, "offered": offered, "least": min(PICKS, len(offered))})
    lists = [(place, who.slates[side]) for place, side in _places(who).items()]
    return _page(
        "study_judge.html.j2", {"home": home, "lists": lists, "constructs": CONSTRUCTS, "scale": SCALE, "words": _WORDS}
    )


@post("/{name:str}/{token:str}/pick", sync_to_thread=True, status_code=303, media_type=MediaType.HTML)
def pick(request: Asked, name: FromPath[str], token: FromPath[str], body: RawBody) -> Response[str]:
    """Make the two lists from what a participant likes."""
    _same_site(request)
    _participant(request, name, token)
    _studies(request).pick(id_of(token), _form(body).get("pick", []))
    return _sent_to(id_of(name), id_of(token))


@post("/{name:str}/{token:str}/answer", sync_to_thread=True, status_code=303, media_type=MediaType.HTML)
def judge(request: Asked, name: FromPath[str], token: FromPath[str], body: RawBody) -> Response[str]:
    """Store what a participant says of the two lists, all of it or nothing."""
    _same_site(request)
    who = _participant(request, name, token)
    form = {key: values[-1] for key, values in _form(body).items()}
    ratings: dict[str, dict[str, int]] = {side: {} for side in SIDES}
    for place, side in _places(who).items():
        for construct in CONSTRUCTS:
            value = form.get(f"{place}-{construct}", "")
            if value not in _POINTS:
                raise InputError(
                    "an answer is missing",
                    got=value or "nothing",
                    allowed=", ".join(_POINTS),
                    then="go back and answer all questions; nothing was stored",
                    field=f"{place}-{construct}",
                )
            ratings[side][construct] = _POINTS[value]
    prefers = {**{str(place): side for place, side in _places(who).items()}, "neither": "neither"}
    chosen = form.get("prefers", "")
    if chosen not in prefers:
        then = "go back and say which list you prefer; nothing was stored"
        raise InputError("an answer is missing", allowed=", ".join(prefers), then=then, field="prefers")
    _studies(request).gate.studies.answer(id_of(token), prefers[chosen], ratings)
    return _sent_to(id_of(name), id_of(token))


@post("/{name:str}/{token:str}/withdraw", sync_to_thread=True, status_code=200, media_type=MediaType.HTML)
def withdraw(request: Asked, name: FromPath[str], token: FromPath[str]) -> Response[str]:
    """Delete everything that a participant said."""
    _same_site(request)
    _participant(request, name, token)
    _studies(request).gate.studies.withdraw(id_of(token))
    return _page("study_gone.html.j2", {})


def fail(request: Asked, error: Exception) -> Response[str]:
    """Return any error as a page."""
    known = logged(request, error)
    problem = problem_of(known, request_id_of(request))
    page = _TEMPLATES.get_template("study_error.html.j2").render({"problem": problem})
    return Response(page, status_code=status_of(known), media_type=MediaType.HTML)


_POINTS = {str(point): point for point in SCALE}
_WORDS = {1: "First list", 2: "Second list"}


def _studies(request: Asked) -> Studying:
    return door_of(request).engine.studies


def _participant(request: Asked, name: str, token: str) -> Participant:
    """Return who a page belongs to.

    Raises:
        NotFound: nobody, or somebody of another study.
    """
    who = _studies(request).gate.studies.participant(id_of(token))
    if who.study != id_of(name):
        raise NotFound("nobody takes part under this address", then="check that it is whole")
    return who


def _places(who: Participant) -> dict[int, str]:
    """Return which slate stands first and which second."""
    return {1: who.first, 2: next(side for side in SIDES if side != who.first)}


def _sent_to(name: str, token: str) -> Response[str]:
    place = f"/study/{quote(name, safe='')}/{quote(token, safe='')}"
    return Response("", status_code=303, headers={"Location": place}, media_type=MediaType.HTML)


def _same_site(request: Asked) -> None:
    """Check that a form was sent by the page itself.

    Raises:
        Forbidden: another site sent it.
    """
    origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site")
    other = origin is not None and urlsplit(origin).netloc != request.headers.get("host", "")
    if other or site not in (None, "same-origin", "none"):
        raise Forbidden("another site sent this", got=origin or site, allowed="forms of the page itself")


def _form(body: bytes) -> dict[str, list[str]]:
    try:
        return parse_qs(body.decode(), keep_blank_values=True, strict_parsing=bool(body), max_num_fields=_FIELDS)
    except ValueError as error:
        raise InputError("the form cannot be read", got=str(error), then="reload the page") from error


def _page(name: str, values: dict[str, Any]) -> Response[str]:
    return Response(_TEMPLATES.get_template(name).render(values), media_type=MediaType.HTML)
