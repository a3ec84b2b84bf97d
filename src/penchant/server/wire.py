"""One connection: what is too large, too slow or no HTTP at all is cut off before a request is made of it."""

from __future__ import annotations

import asyncio
import uuid
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from penchant.core.clock import parse_duration
from penchant.core.errors import InputError, PenchantError
from penchant.core.exposure import LimitSettings
from penchant.server.edge import SECURITY
from penchant.server.refusal import HeadersTooLarge, Overloaded, TooSlow, refusal

__all__ = ["Wire", "wire_of"]


class Wire(HttpToolsProtocol):
    """A connection with limits: of its headers, of the time they take, of idling, of not reading answers.

    >>> wire_of(LimitSettings(max_headers=8192)).limits.max_headers
    8192
    """

    limits = LimitSettings()
    "What a connection may do; a class of its own for each app, for that is what the server takes."
    receive = 30.0
    "Seconds that the headers may take, and that a client may leave an answer unread."

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self._parsed = 0  # bytes of its headers that were understood
        self._head = 0  # bytes of the request whose headers are not all there
        self._within = True  # whether those headers are still to come
        self._wrong: PenchantError | None = None
        self._patience: asyncio.TimerHandle | None = None
        self._unread: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request, unless there are too many connections."""
        super().connection_made(transport)
        if len(self.connections) > self.limits.max_connections:
            self._refuse(Overloaded("the server holds too many connections", then="try again in a moment"))
            return
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget all clocks."""
        self._stop()
        self._read()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on, as long as it is not too much."""
        if self.transport.is_closing() or self.parser is None:
            return
        if self._within:
            self._head += len(data)
            if self._patience is None:  # whatever begins here, an empty line too, is on the clock
                self._wait()
        super().data_received(data)
        if self._within and self._head > self.limits.max_headers and not self.transport.is_closing():
            self._refuse(self._too_large())

    def on_message_begin(self) -> None:
        """Begin to count the headers of a request."""
        super().on_message_begin()
        self._within, self._parsed = True, 0

    def on_url(self, url: bytes) -> None:
        """Count the address among the headers."""
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Count a header."""
        self._count(len(name) + len(value) + 4)
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Hand the request on."""
        self._within, self._head = False, 0
        self._stop()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Be ready for the next one."""
        super().on_message_complete()
        self._within = True
        self._stop()
        if self.cycle.response_complete:  # it was answered before it ended; what uvicorn waits for has passed
            self._wait()

    def on_response_complete(self) -> None:
        """Read what is left of a request that was answered before it ended, for some time, so that it can be read."""
        super().on_response_complete()
        if self.cycle is not None and self.cycle.more_body and self._patience is None:
            self._wait()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP, or too much of it."""
        default = InputError("this is not HTTP that is spoken here", allowed="HTTP/1.1")
        self._refuse(self._wrong or default)

    def pause_writing(self) -> None:
        """Give a client that does not read its answer some time, and not for ever."""
        super().pause_writing()
        if self._unread is None:
            self._unread = self.loop.call_later(self.receive, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on: the client reads."""
        self._read()
        super().resume_writing()

    def timeout_keep_alive_handler(self) -> None:
        """Close an idle connection, also when its last answer was not read to the end."""
        super().timeout_keep_alive_handler()
        if self._unread is None:
            self._unread = self.loop.call_later(self.receive, self.transport.abort)

    def _count(self, size: int) -> None:
        self._parsed += size
        if self._parsed > self.limits.max_headers:
            self._wrong = self._too_large()
            raise ValueError("too large")  # the parser stops, and asks for the answer to what is no HTTP

    def _too_large(self) -> HeadersTooLarge:
        return HeadersTooLarge("the headers are too large", allowed=f"{self.limits.max_headers:,} bytes")

    def _wait(self) -> None:
        self._patience = self.loop.call_later(self.receive, self._late)

    def _stop(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _read(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def _late(self) -> None:
        self._patience = None
        if self.transport.is_closing():
            return
        busy = self.cycle is not None and not self.cycle.response_complete
        if busy or not self._head:  # an answer is on its way, or nothing was ever asked: there is nothing to answer
            self.transport.close()
        else:
            self._refuse(TooSlow("the headers did not arrive in time", allowed=f"{self.receive:g} s"))

    def _refuse(self, error: PenchantError) -> None:
        """Answer an error by hand and hang up."""
        self._stop()
        name = uuid.uuid4().hex
        status, headers, body = refusal(error, name)
        headers += [*SECURITY, (b"x-request-id", name.encode()), (b"connection", b"close")]
        lines = [b"%s: %s" % pair for pair in headers]
        first = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}".encode()
        self.transport.write(b"\r\n".join([first, *lines, b"", body]))
        self.transport.close()
        self._unread = self._unread or self.loop.call_later(self.receive, self.transport.abort)


def wire_of(limits: LimitSettings) -> type[Wire]:
    """Return the class of connections with these limits.

    >>> wire_of(LimitSettings(receive="5s")).receive
    5.0
    """
    seconds = parse_duration(limits.receive).total_seconds()
    return type("Wire", (Wire,), {"limits": limits, "receive": seconds})
