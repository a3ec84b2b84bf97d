"""Turns what a decoder complains about into an error that names the field, what was got and what is allowed."""

from __future__ import annotations

import difflib
import json
import re
from typing import Any

from msgspec import inspect

from penchant.core.errors import InputError
from penchant.core.wording import WRONG_TYPE, complaint

__all__ = ["blame", "blame_text"]

_PATH = re.compile(r"^(?P<text>.*?)(?: - at `(?P<key>key in )?\$(?P<path>.*)`)?$", re.DOTALL)
_NAMED = re.compile(r"`(?P<name>[^`]*)`")
_TIME = "a time such as 2017-12-31T10:00:00Z (RFC 3339)"
_MISSING = object()


def blame(text: str, kind: Any, value: Any) -> InputError:
    """Return the error for a decoder's ``text`` about ``value`` (plain JSON types), which should have been ``kind``.

    >>> from penchant.core.nouns import Event
    >>> print(blame("Expected `str`, got `int` - at `$.user`", Event, {"user": 900}))
    user has the wrong type; got 900; allowed: a string
    >>> print(blame("Object contains unknown field `usr`", Event, {"usr": "900"}))
    unknown field; got usr; allowed: user, item, kind, at, value, id, session, channel, context, replaces, \
slate, price; next: did you mean 'user'?
    """
    match = _PATH.match(text)
    steps = _steps(match["path"] or "") if match else []
    plain = match["text"] if match else text
    if "unknown field" in plain:
        return _unknown(plain, _fields(inspect.type_info(kind), steps), steps)
    return blame_text(plain, field=_spell(steps), got=_at(value, steps), within="..." in steps, quote=True)


def blame_text(text: str, *, field: str | None, got: object, within: bool = False, quote: bool = False) -> InputError:
    """Return the error for a complaint about one named value, or about some value ``within`` it.

    Where the type is at fault, ``quote`` shows a string in its quotes, as JSON has it: "10" is not 10.

    >>> print(blame_text("Expected `int` >= 1", field="n", got=0))
    n is out of range; got 0; allowed: a whole number >= 1
    >>> print(blame_text("Expected `int`, got `str`", field="n", got="10", quote=True))
    n has the wrong type; got "10"; allowed: a whole number
    """
    name = f"a value in {field or 'the body'}" if within else field or "the body"
    shown = got if isinstance(got, str) else _json(got)
    if "missing required" in text:
        missing = _name(text)
        whole = f"{field}.{missing}" if field else missing
        return InputError(f"{whole} is missing", allowed="it has no default", then=f"send {missing}", field=whole)
    if "RFC3339" in text:
        return InputError(f"{name} is not a time", got=shown, allowed=_TIME, field=field)
    if "out of range" in text:
        return InputError(f"{name} is out of range", got=shown, allowed="a finite number", field=field)
    found = complaint(text)
    if quote and found.fault == WRONG_TYPE:
        shown = _json(got)
    return InputError(f"{name} {found.fault}", got=shown, allowed=found.allowed, field=field)


def _unknown(text: str, known: list[str], steps: list[str | int]) -> InputError:
    name = _name(text)
    near = difflib.get_close_matches(name, known, n=1)
    then = f"did you mean {near[0]!r}?" if near else "leave it out"
    return InputError(
        "unknown field", got=name, allowed=", ".join(known) or None, then=then, field=_spell([*steps, name])
    )


def _name(text: str) -> str:
    found = _NAMED.search(text)
    return found["name"] if found else ""


def _steps(path: str) -> list[str | int]:
    """Return the keys and indices of a path such as ``[3].context[...]``; ``[...]`` is some key of an object."""
    found = re.findall(r"\[(\d+)\]|\[(\.\.\.)\]|\.([^.\[]+)", path)
    return [int(index) if index else dots or key for index, dots, key in found]


def _spell(steps: list[str | int]) -> str | None:
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps if step != "...")
    return text.removeprefix(".") or None


def _at(value: Any, steps: list[str | int]) -> Any:
    """Return what lies at a path, or `_MISSING`; under ``[...]`` it is the object itself."""
    for step in steps:
        listed = isinstance(value, list) and isinstance(step, int) and step < len(value)
        if listed or (isinstance(value, dict) and step in value):
            value = value[step]
        elif step != "...":
            return _MISSING
    return value


def _fields(node: inspect.Type, steps: list[str | int]) -> list[str]:
    """Return the field names of the struct that lies at a path of a type."""
    if isinstance(node, inspect.UnionType):
        found = (_fields(inner, steps) for inner in node.types)
        return next((names for names in found if names), [])
    if isinstance(node, inspect.StructType):
        if not steps:
            return [field.encode_name for field in node.fields]
        inner = [field.type for field in node.fields if field.encode_name == steps[0]]
        return _fields(inner[0], steps[1:]) if inner else []
    if isinstance(node, (inspect.ListType, inspect.VarTupleType)) and steps:
        return _fields(node.item_type, steps[1:])
    return []


def _json(value: object) -> str | None:
    """Return a value as the sender wrote it, so that null is null and not None."""
    if value is _MISSING:
        return None
    return json.dumps(value, ensure_ascii=False)
