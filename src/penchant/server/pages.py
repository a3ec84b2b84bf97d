"""The routes of the shop page: plain forms that work without JavaScript, and swap in place with it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qs, urlencode, urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import MediaType, Response, Router, get, post
from litestar.datastructures import CacheControlHeader
from litestar.exceptions import HTTPException
from litestar.params import RawBody
from litestar.static_files import create_static_files_router

from penchant.core.errors import Forbidden, InputError, PenchantError
from penchant.server.door import Asked
from penchant.server.errors import logged, problem_of, request_id_of, status_of
from penchant.server.shop import DONE, LISTS, Change, Look, Shop

__all__ = ["shop_routers"]

_HERE = Path(__file__).parent
_HOSTS = ("127.0.0.1", "localhost", "::1")
_TEMPLATES = Environment(
    loader=FileSystemLoader(_HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def shop_routers() -> list[Router]:
    """Return the page's routes and its files; the app's state holds the :class:`Shop`.

    >>> [router.path for router in shop_routers()]
    ['/', '/static']
    """
    files = create_static_files_router(
        path="/static",
        directories=[_HERE / "static"],
        include_in_schema=False,
        cache_control=CacheControlHeader(max_age=300),
    )
    page = Router(
        "/",
        route_handlers=[show, act, agree],
        include_in_schema=False,
        exception_handlers={PenchantError: fail, HTTPException: fail, Exception: fail},
    )
    return [page, files]


@get("/", sync_to_thread=True, media_type=MediaType.HTML)
def show(request: Asked) -> Response[str]:
    """Show a household's page, the first one's when none was picked."""
    _same_site(request)
    shop, asked = shop_of(request), request.query_params
    user = asked.get("user", "").strip() or shop.first
    if user is None:
        return _page("empty.html.j2", {})
    entered = frozenset(_entered(text) for text in asked.getall("new", []))
    change = shop.told(asked.get("did", ""), asked.get("on", ""), entered, moved="moved" in asked)
    return _shown(request, Look(user, asked.get("item") or None), change)


@post("/act", sync_to_thread=True, status_code=200, media_type=MediaType.HTML)
def act(request: Asked, body: RawBody) -> Response[str]:
    """Record that a household bought an item, or is not interested in it."""
    _same_site(request)
    form = _form(body)
    kind = _one_of(form, "kind", DONE)
    change = shop_of(request).act(_text(form, "user"), _text(form, "on"), kind)
    return _after(request, Look(_text(form, "user"), form.get("item") or None), change)


@post("/agree", sync_to_thread=True, status_code=200, media_type=MediaType.HTML)
def agree(request: Asked, body: RawBody) -> Response[str]:
    """Record a household's yes or no to being personalized for."""
    _same_site(request)
    form = _form(body)
    granted = _one_of(form, "granted", ("yes", "no")) == "yes"
    change = shop_of(request).consent(_text(form, "user"), granted)
    return _after(request, Look(_text(form, "user"), form.get("item") or None), change)


def fail(request: Asked, error: Exception) -> Response[str]:
    """Return any error as a page, or as the line above the lists when the page swaps in place."""
    known = logged(request, error)
    problem, status = problem_of(known, request_id_of(request)), status_of(known)
    if _swapping(request):
        headers = {"HX-Retarget": "#status", "HX-Reswap": "innerHTML"}
        return Response(
            _render("error_line.html.j2", {"problem": problem}),
            status_code=status,
            headers=headers,
            media_type=MediaType.HTML,
        )
    return Response(_render("error.html.j2", {"problem": problem}), status_code=status, media_type=MediaType.HTML)


def shop_of(request: Asked) -> Shop:
    """Return the shop of the app a request came to."""
    return cast("Shop", request.app.state["shop"])


def _shown(request: Asked, look: Look, change: Change) -> Response[str]:
    shop = shop_of(request)
    view = shop.view(look, change)
    if _swapping(request):
        return _page("swap.html.j2", {"view": view})
    return _page("shop.html.j2", {"view": view, "households": shop.households})


def _after(request: Asked, look: Look, change: Change) -> Response[str]:
    """Swap the lists in place, or, without JavaScript, send the browser to the page that shows them."""
    if _swapping(request):
        return _shown(request, look, change)
    pairs = [("user", look.user), *([("item", look.item)] if look.item else []), ("did", change.did), ("on", change.on)]
    pairs += [("new", f"{placement}/{item}") for placement, item in sorted(change.entered)]
    pairs += [("moved", "1")] if change.moved else []
    return Response("", status_code=303, headers={"Location": f"/?{urlencode(pairs)}"}, media_type=MediaType.HTML)


def _swapping(request: Asked) -> bool:
    return request.headers.get("hx-request") == "true"


def _same_site(request: Asked) -> None:
    """Check that a request comes from the page itself: the page asks for no key, so other sites must not reach it.

    Raises:
        Forbidden: it is meant for another host name, or was sent by another site.
    """
    host = urlsplit(f"//{request.headers.get('host', '')}")
    if host.hostname not in _HOSTS:
        got, allowed = str(host.hostname), ", ".join(_HOSTS)
        raise Forbidden("the shop page answers this machine only", got=got, allowed=allowed)
    if request.method == "GET":
        return
    origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site")
    other = origin is not None and urlsplit(origin).netloc != host.netloc
    if other or site not in (None, "same-origin", "none"):
        raise Forbidden("another site sent this", got=origin or site, allowed="forms of the page itself")


def _form(body: bytes) -> dict[str, str]:
    try:
        fields = parse_qs(body.decode(), keep_blank_values=True, strict_parsing=bool(body), max_num_fields=20)
    except ValueError as error:
        raise InputError("the form cannot be read", got=str(error), then="reload the page") from error
    return {name: values[-1] for name, values in fields.items()}


def _text(form: dict[str, str], name: str) -> str:
    if not form.get(name, "").strip():
        raise InputError(f"{name} is missing", then="reload the page", field=name)
    return form[name]


def _one_of(form: dict[str, str], name: str, known: Any) -> str:
    if form.get(name) not in known:
        raise InputError(f"{name} is unknown", got=form.get(name), allowed=", ".join(known), field=name)
    return form[name]


def _entered(text: str) -> tuple[str, str]:
    placement, _, item = text.partition("/")
    return (placement if placement in LISTS else "", item)


def _page(name: str, values: dict[str, Any]) -> Response[str]:
    return Response(_render(name, values), media_type=MediaType.HTML)


def _render(name: str, values: dict[str, Any]) -> str:
    return _TEMPLATES.get_template(name).render(values)


def _day(at: datetime) -> str:
    return f"{at.day} {at:%b %Y}"


_TEMPLATES.filters["day"] = _day
