"""A request's body as it comes in: in time, and unpacked when it was packed, never further than it may be."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Iterable, Iterator

from litestar.types import HTTPReceiveMessage, HTTPRequestEvent, Receive, Scope

from penchant.server.body import MalformedJson
from penchant.server.errors import WrongContentType
from penchant.server.refusal import Disconnected, TooSlow

__all__ = ["Inflow", "check_encoding", "inflow_of", "unpacked"]

_PIECE = 65_536
_GZIP = 16 + zlib.MAX_WBITS
_PACKED = {b"": b"", b"identity": b"", b"gzip": b"gzip", b"x-gzip": b"gzip"}


def check_encoding(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Return whether a body is packed with gzip.

    >>> check_encoding([(b"content-encoding", b"gzip")]), check_encoding([])
    (True, False)
    >>> check_encoding([(b"content-encoding", b"br")])
    Traceback (most recent call last):
        ...
    penchant.server.errors.WrongContentType: the body is packed in a way that is not read here; got br; \
allowed: gzip, identity; next: send it as it is

    Raises:
        WrongContentType: it is packed in another way, or more than once.
    """
    said = b", ".join(value for name, value in headers if name == b"content-encoding").strip().lower()
    if said not in _PACKED:
        raise WrongContentType(
            "the body is packed in a way that is not read here",
            got=said.decode("latin-1"),
            allowed="gzip, identity",
            then="send it as it is",
        )
    return _PACKED[said] == b"gzip"


def unpacked(decoder: zlib._Decompress, packed: bytes) -> Iterator[bytes]:
    """Yield what a part of a gzip stream unpacks to, in pieces of at most 64 KiB, so that a bomb is stopped at any.

    >>> import gzip
    >>> bomb = gzip.compress(bytes(10_000_000))
    >>> next(unpacked(zlib.decompressobj(_GZIP), bomb)) == bytes(65_536)
    True

    Raises:
        MalformedJson: it is not gzip, or something follows its end.
    """
    while packed:
        try:
            piece = decoder.decompress(packed, _PIECE)
        except zlib.error as error:
            raise _broken("it is not gzip") from error
        if decoder.unused_data:
            raise _broken("something follows its end")
        packed = decoder.unconsumed_tail
        if piece:
            yield piece


class Inflow:
    """An ASGI receive around another one.

    >>> import gzip
    >>> from concurrent.futures import ThreadPoolExecutor
    >>> async def receive() -> HTTPReceiveMessage:
    ...     return {"type": "http.request", "body": gzip.compress(b"[1, 2]"), "more_body": False}
    >>> async def read() -> bytes:
    ...     inflow, body, more = Inflow(receive, 30.0, packed=True), b"", True
    ...     while more:
    ...         message = await inflow()
    ...         body, more = body + message["body"], message["more_body"]
    ...     return body
    >>> with ThreadPoolExecutor(1) as threads:
    ...     threads.submit(asyncio.run, read()).result()
    b'[1, 2]'
    """

    def __init__(self, receive: Receive, seconds: float, *, packed: bool) -> None:
        self._receive = receive
        self._seconds = seconds
        self._until: float | None = None
        self._decoder = zlib.decompressobj(_GZIP) if packed else None
        self._pieces: Iterator[bytes] = iter(())
        self._last = False
        self._ended = False

    async def __call__(self) -> HTTPReceiveMessage:
        """Return the next message.

        Raises:
            TooSlow: the body took too long.
            Disconnected: the client went away before all of it was there.
            MalformedJson: it is packed, and broken.
        """
        if self._ended:  # what comes after the body is only that the client goes away, whenever that may be
            return await self._receive()  # type: ignore[return-value]
        if self._decoder is None:
            return await self._next()
        while True:
            piece = next(self._pieces, None)
            if piece is not None:
                return {"type": "http.request", "body": piece, "more_body": True}
            if self._last:
                self._ended = True
                if not self._decoder.eof:
                    raise _broken("its end is missing")
                return {"type": "http.request", "body": b"", "more_body": False}
            message = await self._next()
            self._last, self._ended = self._ended, False
            self._pieces = unpacked(self._decoder, message["body"])

    async def _next(self) -> HTTPRequestEvent:
        loop = asyncio.get_running_loop()
        if self._until is None:
            self._until = loop.time() + self._seconds
        try:
            async with asyncio.timeout_at(self._until):
                message = await self._receive()
        except TimeoutError as error:
            then = "send it faster, or in smaller parts"
            raise TooSlow("the body did not arrive in time", allowed=f"{self._seconds:g} s", then=then) from error
        if message["type"] != "http.request":
            raise Disconnected("the client went away before its request was complete")
        self._ended = not message.get("more_body", False)
        return message


def inflow_of(scope: Scope, receive: Receive, seconds: float) -> Inflow:
    """Return the body of a request, unpacked; its headers are changed to fit.

    >>> scope = {"headers": [(b"content-encoding", b"gzip"), (b"content-length", b"26"), (b"host", b"x")]}
    >>> _ = inflow_of(scope, None, 30.0)
    >>> scope["headers"]
    [(b'host', b'x')]

    Raises:
        WrongContentType: it is packed in a way that is not read here.
    """
    packed = check_encoding(scope["headers"])
    if packed:  # the length announced is that of what is packed; the encoding is gone
        gone = (b"content-encoding", b"content-length")
        scope["headers"] = [pair for pair in scope["headers"] if pair[0] not in gone]
    return Inflow(receive, seconds, packed=packed)


def _broken(how: str) -> MalformedJson:
    return MalformedJson("the body cannot be unpacked", got=how, allowed="one gzip stream", then="pack it again")
