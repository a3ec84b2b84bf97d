"""Every error leaves as one shape, ``{"code", "message", "field"}``; the status comes from one table."""

from __future__ import annotations

import logging
from typing import Any

from litestar import MediaType, Request, Response
from litestar.exceptions import HTTPException, MethodNotAllowedException, ValidationException

from penchant.core.errors import InputError, NotFound, PenchantError
from penchant.server.blame import blame_text
from penchant.server.log import log_crash, log_line
from penchant.server.shapes import Problem

__all__ = [
    "STATUS",
    "Crash",
    "MethodNotAllowed",
    "TooLarge",
    "WrongContentType",
    "answer_error",
    "logged",
    "problem_of",
    "request_id_of",
    "status_of",
]

STATUS: dict[str, int] = {
    "bad_input": 400,
    "malformed_json": 400,
    "unknown_name": 400,
    "missing_column": 400,
    "empty_data": 400,
    "unauthorized": 401,
    "access": 403,
    "forbidden": 403,
    "not_found": 404,
    "method_not_allowed": 405,
    "retrain_needed": 409,
    "too_large": 413,
    "wrong_content_type": 415,
    "busy": 429,
    "internal": 500,
    "error": 500,
    "bad_settings": 500,
    "missing_extra": 500,
    "bad_artifact": 503,
    "artifact_damaged": 503,
    "artifact_version": 503,
    "not_ready": 503,
    "store_failed": 503,
    "store_missing": 503,
    "store_version": 503,
}
"The HTTP status of each code."

_OURS = frozenset(code for code, status in STATUS.items() if status >= 500) - {"not_ready"}
"Codes whose text is for the operator's log, not for whoever asked."


class WrongContentType(InputError):
    """The body is not JSON by its own account."""

    code = "wrong_content_type"


class TooLarge(InputError):
    """The body has too many bytes, or the list in it too many elements."""

    code = "too_large"


class MethodNotAllowed(InputError):
    """The path exists, the method does not."""

    code = "method_not_allowed"


class Crash(PenchantError):
    """An exception that nobody expected; what it was is in the log only."""

    code = "internal"


def status_of(error: PenchantError) -> int:
    """Return the HTTP status of an error.

    >>> status_of(NotFound("no such item", got="x")), status_of(TooLarge("too much"))
    (404, 413)
    """
    return STATUS.get(error.code, 500)


def problem_of(error: PenchantError, request_id: str) -> Problem:
    """Return what is told to whoever asked: the error itself, or, when it is the operator's, where to look.

    >>> problem_of(NotFound("no such item", got="x"), "r1").message
    'no such item; got x'
    >>> problem_of(PenchantError("disk /dev/sdb1 is full"), "r1").message
    'the server could not answer; next: tell its operator that the log names request r1'
    """
    if error.code in _OURS or status_of(error) == 500:
        what = error.what if isinstance(error, Crash) else "the server could not answer"
        then = f"tell its operator that the log names request {request_id}"
        return Problem(error.code, str(PenchantError(what, then=then)))
    return Problem(error.code, str(error), error.field)


def answer_error(request: Request[Any, Any, Any], error: Exception) -> Response[Problem]:
    """Return the response for any exception; what is not expected is logged, and told as ``internal``."""
    known = logged(request, error)
    problem = problem_of(known, request_id_of(request))
    return Response(problem, status_code=status_of(known), media_type=MediaType.JSON, headers=_headers(known))


def logged(request: Request[Any, Any, Any], error: Exception) -> PenchantError:
    """Return any exception as one of ours; what is the operator's business is logged."""
    request_id = request_id_of(request)
    if isinstance(error, HTTPException) and error.status_code < 500:
        error = _from_litestar(request, error)
    if not isinstance(error, PenchantError):
        log_crash(request_id, error)
        return Crash("the server failed in a way nobody expected")
    if error.code in _OURS:
        log_line(logging.ERROR, "failed", request=request_id, code=error.code, message=str(error))
    return error


def request_id_of(request: Request[Any, Any, Any]) -> str:
    """Return the id that the answer and the log lines of a request carry."""
    return str(request.scope.get("state", {}).get("request_id", "-"))


def _headers(error: PenchantError) -> dict[str, str]:
    if error.code == "unauthorized":
        return {"WWW-Authenticate": 'Bearer realm="penchant"'}
    if error.code == "busy":
        return {"Retry-After": "1"}
    if isinstance(error, MethodNotAllowed):
        return {"Allow": error.allowed or ""}
    return {}


def _from_litestar(request: Request[Any, Any, Any], error: HTTPException) -> PenchantError:
    """Translate what the framework found wrong before a handler was reached."""
    if error.status_code == 404:
        return NotFound("no such route", got=request.url.path, then="GET /openapi.json lists them")
    if isinstance(error, MethodNotAllowedException):
        known = sorted((error.headers or {}).get("allow", "").replace(" ", "").split(","))
        allowed = ", ".join(method for method in known if method)
        return MethodNotAllowed("this route has no such method", got=request.method, allowed=allowed)
    if error.status_code == 413:
        limit = request.app.request_max_body_size
        return TooLarge(
            "the body is too large",
            got=_announced(request),
            allowed=f"{limit:,} bytes",
            then="send it in parts, or raise server.max_body",
        )
    if isinstance(error, ValidationException) and isinstance(error.extra, list) and error.extra:
        first = error.extra[0]
        key = str(first.get("key", ""))
        got = request.query_params.get(key)
        return blame_text(str(first.get("message", "")), field=key or None, got=got)
    return InputError(error.detail)


def _announced(request: Request[Any, Any, Any]) -> str | None:
    length = request.headers.get("content-length", "")
    return f"{int(length):,} bytes" if length.isdecimal() else None
