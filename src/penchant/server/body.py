"""Reads a JSON body into a type, strictly: what is doubtful is refused, and nothing of it is used."""

from __future__ import annotations

import json
import re
from typing import Any, TypeVar

import msgspec

from penchant.core.decoding import decode
from penchant.core.errors import InputError
from penchant.server.blame import blame
from penchant.server.errors import TooLarge, WrongContentType

__all__ = ["MalformedJson", "check_type", "read_json", "read_many", "read_struct"]

T = TypeVar("T")

_STOPPED = re.compile(r"invalid character \(byte (\d+)\)")
_CONSTANT = re.compile(rb"-?(?:NaN|Infinity)\b")


class MalformedJson(InputError):
    """The body is not JSON, or is JSON that two readers may understand differently."""

    code = "malformed_json"


def check_type(content_type: str | None) -> None:
    """Check that the body says it is JSON in UTF-8.

    >>> check_type("application/json; charset=utf-8")
    >>> check_type("text/csv")
    Traceback (most recent call last):
        ...
    penchant.server.errors.WrongContentType: the body is of a type that is not read here; got text/csv; \
allowed: application/json; next: send the header Content-Type: application/json

    Raises:
        WrongContentType: it says something else, or nothing.
    """
    kind, _, rest = (content_type or "").partition(";")
    charset = rest.partition("=")[2].strip(' "').lower() if "charset" in rest.lower() else "utf-8"
    if kind.strip().lower() != "application/json" or charset not in ("utf-8", "utf8"):
        raise WrongContentType(
            "the body is of a type that is not read here",
            got=content_type or "no Content-Type",
            allowed="application/json",
            then="send the header Content-Type: application/json",
        )


def read_json(raw: bytes) -> Any:
    """Return the body as plain values.

    >>> read_json(b'{"a": 1, "a": 2}')
    Traceback (most recent call last):
        ...
    penchant.server.body.MalformedJson: a key stands twice in one object; got a; next: keep one of them

    Raises:
        MalformedJson: it is empty, not UTF-8, not JSON, nested too deep, or has a key twice in one object.
    """
    if not raw.strip():
        raise MalformedJson("the body is empty", allowed="JSON", then="send an object or a list")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedJson("the body is not UTF-8", got=f"byte {raw[error.start]:#04x} at {error.start:,}") from error
    try:
        msgspec.json.decode(raw, type=msgspec.Raw)
        return json.loads(text, object_pairs_hook=_distinct, parse_constant=_no_constant)
    except RecursionError as error:
        raise MalformedJson("the body is nested too deep", then="flatten it") from error
    except (msgspec.DecodeError, json.JSONDecodeError) as error:
        _check_constants(error, raw)
        raise MalformedJson(
            "the body is not JSON", got=_place(error, text), then="check it with a JSON tool"
        ) from error
    except ValueError as error:
        raise MalformedJson("a number has too many digits", allowed="4,300 digits", then="send it as text") from error


def read_struct(raw: bytes, kind: type[T]) -> T:
    """Return the body as ``kind``.

    >>> from penchant.engine.answers import Ask
    >>> read_struct(b'{"placement": "for-you", "n": 5}', Ask).n
    5

    Raises:
        MalformedJson: it is not JSON.
        InputError: it is JSON of another shape; the error names the field.
    """
    value = read_json(raw)
    try:
        return decode(raw, kind)
    except (msgspec.ValidationError, RecursionError) as error:
        raise blame(str(error), kind, value) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise MalformedJson("the body is not JSON", got=str(error)) from error


def read_many(raw: bytes, one: type[T], many: type[list[T]], *, limit: int) -> list[T]:
    """Return the body's one ``one`` or list of them, as a list.

    >>> from penchant.core.nouns import Item
    >>> [item.id for item in read_many(b'[{"id": "a", "title": "Apple"}]', Item, list[Item], limit=10)]
    ['a']

    Raises:
        MalformedJson: it is not JSON.
        TooLarge: the list is longer than ``limit``.
        InputError: it is JSON of another shape; the error names the element and the field.
    """
    start = raw.lstrip()[:1]
    if start == b"{":
        return [read_struct(raw, one)]
    if start != b"[":
        got = json.dumps(read_json(raw), ensure_ascii=False)
        raise InputError("the body has the wrong type", got=got, allowed="an object or a list of objects")
    found = read_struct(raw, many)
    if len(found) > limit:
        raise TooLarge(
            "the list is too long",
            got=f"{len(found):,} elements",
            allowed=f"{limit:,}",
            then="send it in parts, or raise server.max_batch",
        )
    return found


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise MalformedJson("a key stands twice in one object", got=twice, then="keep one of them")
    return found


def _check_constants(error: Exception, raw: bytes) -> None:
    """Name what JavaScript and Python write for a number that is none, where the decoder stopped at it."""
    stopped = _STOPPED.search(str(error))
    at = int(stopped[1]) if stopped else len(raw)
    name = _CONSTANT.match(raw, at - raw[:at].endswith(b"-"))
    if name:
        _no_constant(name[0].decode())


def _no_constant(name: str) -> None:
    raise MalformedJson("a number is not finite", got=name, allowed="finite numbers")


def _place(error: Exception, text: str) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at line {error.lineno}, column {error.colno}"
    return str(error)
