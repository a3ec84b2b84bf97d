"""From JSON, MessagePack and plain values to types, by as many threads as like to.

msgspec learns how a type is read when it reads it for the first time, and another thread that comes by meanwhile reads
with half of that knowledge: the process ends with a segmentation fault (seen in 0.22). So a type is learnt here, by one
thread at a time, before anything is read into it.
"""

from __future__ import annotations

import threading
from collections.abc import Hashable
from functools import cache
from typing import Any, TypeVar, cast

import msgspec

__all__ = ["convert", "decode", "unpack"]

T = TypeVar("T")

_LEARNING = threading.Lock()


def decode(raw: bytes | str, kind: type[T]) -> T:
    """Return JSON as a value of ``kind``.

    >>> decode(b'["tea", "jam"]', list[str])
    ['tea', 'jam']

    Raises:
        msgspec.DecodeError: it is not JSON.
        msgspec.ValidationError: it is JSON of another shape.
    """
    return cast("T", _json(cast("Hashable", kind)).decode(raw))


def unpack(raw: bytes, kind: type[T]) -> T:
    """Return MessagePack as a value of ``kind``.

    >>> unpack(msgspec.msgpack.encode({"n": 3}), dict[str, int])
    {'n': 3}

    Raises:
        msgspec.DecodeError: it is not MessagePack.
        msgspec.ValidationError: it is MessagePack of another shape.
    """
    return cast("T", _msgpack(cast("Hashable", kind)).decode(raw))


def convert(value: Any, kind: type[T]) -> T:
    """Return plain values, such as dicts and lists, as a value of ``kind``.

    >>> convert({"n": 3}, dict[str, int])
    {'n': 3}

    Raises:
        msgspec.ValidationError: they have another shape.
    """
    _json(cast("Hashable", kind))
    return msgspec.convert(value, kind)


@cache
def _json(kind: Hashable) -> msgspec.json.Decoder[Any]:
    with _LEARNING:
        return msgspec.json.Decoder(kind)


@cache
def _msgpack(kind: Hashable) -> msgspec.msgpack.Decoder[Any]:
    with _LEARNING:
        return msgspec.msgpack.Decoder(kind)
