"""What msgspec complains about, taken apart and said in plain words."""

from __future__ import annotations

import re

from msgspec import Struct

__all__ = ["WRONG_TYPE", "Complaint", "complaint", "plain_type"]

WRONG_TYPE = "has the wrong type"
"The fault of a value that is of another type than it should be."

_PATH = re.compile(r"^(?P<text>.*?)(?: - at `(?:key in )?\$(?P<path>.*)`)?$", re.DOTALL)
_EXPECTED = re.compile(r"^Expected `(?P<type>[^`]+)`(?P<limit> [^,]+)?")
_WORDS = {
    "str": "a string",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "object": "an object",
    "array": "a list",
    "null": "null",
    "datetime": "a time such as 2017-12-31T10:00:00Z",
}


class Complaint(Struct, frozen=True):
    """A decoder's complaint in parts.

    >>> complaint("Expected `int`, got `str` - at `$.epochs`")
    Complaint(path='epochs', fault='has the wrong type', allowed='a whole number')
    """

    path: str
    "Where it is, without the leading ``$.``; empty for the whole."
    fault: str
    "What is wrong with it; reads on after the name of the field."
    allowed: str | None
    "What may stand there, as far as it was said."


def complaint(text: str) -> Complaint:
    """Return what a text of msgspec's complains about.

    >>> complaint("Expected `float` > 0.0 - at `$.l2`")
    Complaint(path='l2', fault='is out of range', allowed='a number > 0')
    >>> complaint("Invalid enum value 'bm26' - at `$.weighting`").fault
    'is not one of its values'
    """
    match = _PATH.match(text)
    plain, path = (match["text"], match["path"] or "") if match else (text, "")
    path = path.removeprefix(".")
    expected = _EXPECTED.match(plain)
    if plain.startswith("Invalid enum value"):
        return Complaint(path, "is not one of its values", None)
    if expected is None:
        return Complaint(path, f"cannot be used: {plain}", None)
    words = plain_type(expected["type"])
    if expected["limit"]:
        return Complaint(path, "is out of range", f"{words} {_whole(expected['limit'].strip())}")
    return Complaint(path, WRONG_TYPE, words)


def plain_type(text: str) -> str:
    """Return the name of a type in words; of several, joined by "or".

    >>> plain_type("int | null")
    'a whole number or null'
    """
    return " or ".join(_WORDS.get(part.strip(), part.strip()) for part in text.split("|"))


def _whole(limit: str) -> str:
    """Return a limit such as ``> 0.0`` as people write it: ``> 0``."""
    return re.sub(r"(\d)\.0$", r"\1", limit)
