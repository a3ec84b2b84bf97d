"""Whether an event may enter the log."""

from __future__ import annotations

import math
import re
from datetime import datetime

from msgspec import Struct

from penchant.core.clock import micros
from penchant.core.nouns import RETRACT, Event

__all__ = ["LONGEST", "Rejection", "fault", "flaw"]

LONGEST = 512
"Characters of an id."

_CONTEXT = 16_384
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


class Rejection(Struct, frozen=True):
    """An event that was not admitted, and why.

    >>> Rejection(2, "bad_time", "at lies in the future").index
    2
    """

    index: int
    "Its place in what was sent, from 0."
    code: str
    "bad_id, bad_time, bad_value, bad_context, bad_replaces, or of a visitor bad_kind."
    message: str
    "What, got, allowed."


def flaw(text: object, longest: int = LONGEST) -> str | None:
    """Return what is wrong with an id, or None.

    >>> flaw("900"), flaw(""), flaw("a" * 600), flaw("tab" + chr(9))
    (None, 'is empty', 'has 600 characters', 'has a control character')
    """
    if not isinstance(text, str):
        return f"is a {type(text).__name__}"
    if not text:
        return "is empty"
    if len(text) > longest:
        return f"has {len(text)} characters"
    return "has a control character" if _CONTROL.search(text) else None


def fault(event: Event, latest: int) -> tuple[str, str] | None:
    """Return the code and the text of what is wrong with an event, or None.

    >>> noon = datetime(2017, 1, 1, 12)
    >>> fault(Event("900", "1095275", "view", noon), micros(noon)) is None
    True
    >>> fault(Event("", "1095275", "view", noon), micros(noon))
    ('bad_id', 'user is empty; allowed: text of 1 to 512 characters without control characters')

    Args:
        event: what was sent.
        latest: the last moment allowed, in microseconds since 1970 UTC.
    """
    allowed = f"allowed: text of 1 to {LONGEST} characters without control characters"
    if _plain(event):
        return _bad_time(event.at, latest)
    anonymous = event.user == "" and event.session is not None
    for name in ("item", "kind", "channel") if anonymous else ("user", "item", "kind", "channel"):
        wrong = flaw(getattr(event, name))
        if wrong:
            return "bad_id", f"{name} {wrong}; {allowed}"
    for name in ("id", "session", "slate"):
        wrong = None if getattr(event, name) is None else flaw(getattr(event, name))
        if wrong:
            return "bad_id", f"{name} {wrong}; {allowed}, or leave it out"
    price = None if event.price is None else _bad_value(event.price, "price")
    time, value = _bad_time(event.at, latest), _bad_value(event.value)
    return time or value or price or _bad_context(event.context) or _bad_replaces(event, allowed)


def _plain(event: Event) -> bool:
    """Return whether an event, but for its time, is one of the many that are easily seen to have nothing wrong."""
    ids = [event.user, event.item, event.kind, event.channel]
    ids += [text for text in (event.id, event.session, event.slate) if text is not None]
    return (
        type(event.value) is float
        and math.isfinite(event.value)
        and event.context == {}
        and event.replaces is None
        and event.price is None
        and event.kind != RETRACT
        and {*map(type, ids)} == {str}
        and min(map(len, ids)) > 0
        and max(map(len, ids)) <= LONGEST
        and _CONTROL.search("".join(ids)) is None
    )


def _bad_time(at: object, latest: int) -> tuple[str, str] | None:
    try:
        when = micros(at) if isinstance(at, datetime) else None
    except OverflowError:
        when = latest + 1
    if when is None:
        return "bad_time", f"at is a {type(at).__name__}; allowed: a time"
    if when > latest:
        return "bad_time", f"at lies in the future; got {at}; allowed: what has happened (settings: events.future)"
    return ("bad_time", f"at lies before 1970; got {at}; allowed: 1970-01-01 or later") if when < 0 else None


def _bad_value(value: object, name: str = "value") -> tuple[str, str] | None:
    try:
        finite = isinstance(value, int | float) and math.isfinite(value)
    except OverflowError:
        finite = False
    return None if finite else ("bad_value", f"{name} is not a finite number; got {str(value)[:50]}")


def _bad_replaces(event: Event, allowed: str) -> tuple[str, str] | None:
    if event.replaces is None:
        text = f"a {RETRACT} names no event; allowed: the id of an event in replaces"
        return ("bad_replaces", text) if event.kind == RETRACT else None
    wrong = flaw(event.replaces)
    if wrong:
        return "bad_replaces", f"replaces {wrong}; {allowed}, or leave it out"
    same = "replaces is its own id; allowed: the id of another event"
    return ("bad_replaces", same) if event.replaces == event.id else None


def _bad_context(context: object) -> tuple[str, str] | None:
    allowed = f"allowed: an object of text, at most {_CONTEXT} characters in all"
    if not isinstance(context, dict):
        return "bad_context", f"context is a {type(context).__name__}; {allowed}"
    size = 0
    for text in (part for pair in context.items() for part in pair):
        if not isinstance(text, str) or any("\ud800" <= letter <= "\udfff" for letter in text):
            return "bad_context", f"context holds what is not text; {allowed}"
        size += len(text)
    return ("bad_context", f"context has {size} characters; {allowed}") if size > _CONTEXT else None
