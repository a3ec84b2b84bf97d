"""Errors that are found before the framework is asked: the same shape, written by hand."""

from __future__ import annotations

import msgspec

from penchant.core.errors import InputError, PenchantError
from penchant.server.errors import headers_of, problem_of, status_of

__all__ = ["AddressTooLong", "Disconnected", "HeadersTooLarge", "Overloaded", "TooSlow", "refusal"]


class AddressTooLong(InputError):
    """The query of an address has too many bytes."""

    code = "address_too_long"


class HeadersTooLarge(InputError):
    """The headers of a request have too many bytes."""

    code = "headers_too_large"


class TooSlow(InputError):
    """A request that did not arrive in time."""

    code = "too_slow"


class Disconnected(InputError):
    """A client that went away before its request was complete; nobody reads this answer."""

    code = "disconnected"


class Overloaded(PenchantError):
    """More connections than a process holds open at once."""

    code = "overloaded"


def refusal(error: PenchantError, request_id: str) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """Return status, headers and body of the answer to what is refused.

    >>> status, headers, body = refusal(TooSlow("the request did not arrive in time", allowed="30s"), "r1")
    >>> status, body
    (408, b'{"code":"too_slow","message":"the request did not arrive in time; allowed: 30s","field":null}')
    """
    body = msgspec.json.encode(problem_of(error, request_id))
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    headers += [(name.lower().encode(), value.encode()) for name, value in headers_of(error).items()]
    return status_of(error), headers, body
