"""Pages: a cursor carries the question it belongs to and everything that was shown, so that no server remembers it.

What follows is the best of what was not shown, by the models and the history of then. Nothing is shown twice, and
nothing is dropped, whatever changed in between; and where nothing changed, the pages are one long slate in parts.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import zlib

import msgspec
from msgspec import Struct

from penchant.core.decoding import unpack
from penchant.core.errors import InputError
from penchant.engine.answers import MAX_N, Ask

__all__ = ["Cursor", "read_cursor", "write_cursor"]

_CHECK = 8
"Bytes that tell a cursor from what is none."

_LARGEST = 4 * 1024 * 1024
"Bytes that a cursor may unfold to."


class Cursor(Struct, frozen=True, array_like=True):
    """Where the next page begins.

    >>> Cursor("9f2c", "personal", 2, ("tea", "jam")).position
    2
    """

    question: str
    "Which question it belongs to."
    basis: str
    "The step that answered; later pages do not go back before it."
    position: int
    "Items on the pages before."
    shown: tuple[str, ...]
    "Items that are not to come again."


def _question(ask: Ask) -> str:
    """Return what two asks of the same question have in common: all but how many, how fast, and which page."""
    same = msgspec.structs.replace(ask, n=1, cursor=None, deadline_ms=None, experiment=None, context={})
    if isinstance(ask.session, tuple):  # events sent along grow while somebody turns pages
        same = msgspec.structs.replace(same, session=())
    return hashlib.blake2b(msgspec.json.encode(same), digest_size=9).hexdigest()


def write_cursor(ask: Ask, basis: str, position: int, shown: tuple[str, ...]) -> str | None:
    """Return the cursor of the next page as text; None when so much was shown that there is none.

    >>> ask = Ask(placement="for-you", user="ann")
    >>> read_cursor(msgspec.structs.replace(ask, cursor=write_cursor(ask, "personal", 1, ("tea",)), n=5)).shown
    ('tea',)
    """
    if len(shown) >= MAX_N:
        return None
    body = zlib.compress(msgspec.msgpack.encode(Cursor(_question(ask), basis, position, shown)), 1)
    return base64.urlsafe_b64encode(_check(body) + body).decode().rstrip("=")


def read_cursor(ask: Ask) -> Cursor | None:
    """Return the cursor of a question, or None when it asks for the first page.

    >>> read_cursor(Ask(placement="for-you", cursor="AAAA"))
    Traceback (most recent call last):
        ...
    penchant.core.errors.InputError: the cursor is not one that was handed out; got AAAA; \
allowed: the next of an answer, as it is; next: begin again without it

    Raises:
        InputError: it is not one of ours, was changed, or belongs to another question.
    """
    if ask.cursor is None:
        return None
    try:
        raw = base64.b64decode(ask.cursor + "=" * (-len(ask.cursor) % 4), altchars=b"-_", validate=True)
        if raw[:_CHECK] != _check(raw[_CHECK:]):
            raise ValueError("changed")
        unfold = zlib.decompressobj()
        cursor = unpack(unfold.decompress(raw[_CHECK:], _LARGEST), Cursor)
    except (ValueError, binascii.Error, zlib.error, msgspec.MsgspecError) as error:
        raise InputError(
            "the cursor is not one that was handed out",
            got=ask.cursor,
            allowed="the next of an answer, as it is",
            then="begin again without it",
            field="cursor",
        ) from error
    if cursor.question != _question(ask):
        raise InputError(
            "the cursor belongs to another question",
            allowed="the same placement, user, session, item and filters as for the first page",
            then="begin again without it",
            field="cursor",
        )
    return cursor


def _check(body: bytes) -> bytes:
    return hashlib.blake2b(body, digest_size=_CHECK, person=b"penchant-cursor").digest()
