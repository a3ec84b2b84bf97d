"""Runs the app: on the machine's own address unless told otherwise, until it is told to stop, and then gracefully."""

from __future__ import annotations

import gc
import ipaddress
import logging
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

import uvicorn
from litestar import Litestar

from penchant.core.errors import InputError
from penchant.core.settings import Settings
from penchant.server.app import create_app
from penchant.server.demo import Demo
from penchant.server.hosting import hosting
from penchant.server.notify import tell_when_started

if TYPE_CHECKING:
    from penchant.engine.engine import Engine

__all__ = ["GRACE", "check_address", "is_loopback", "keep", "listen", "running", "serve", "server_of", "stopping"]

log = logging.getLogger(__name__)

GRACE = 10
"Seconds that open requests get to finish when the server is told to stop."


def is_loopback(host: str) -> bool:
    """Return whether an address reaches this machine only.

    >>> is_loopback("127.0.0.1"), is_loopback("::1"), is_loopback("localhost"), is_loopback("0.0.0.0")
    (True, True, True, False)
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_address(host: str, port: int) -> None:
    """Check that an address can be listened on, before long work whose end would be to listen there.

    >>> import socket
    >>> with socket.create_server(("127.0.0.1", 0)) as taken:
    ...     check_address("127.0.0.1", taken.getsockname()[1])  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    penchant.core.errors.InputError: the address cannot be listened on; got 127.0.0.1:...

    Raises:
        InputError: something else listens there, or this machine has no such address.
    """
    listen(host, port).close()


def serve(engine: Engine, host: str, port: int, demo: Demo | None = None) -> None:
    """Serve until SIGINT or SIGTERM; open requests are finished first. The caller closes the engine.

    >>> from penchant.testing import shop
    >>> from penchant.trust.access import SYSTEM
    >>> with shop() as engine:
    ...     serve(engine, "0.0.0.0", 8080, Demo(SYSTEM, str))  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    penchant.core.errors.InputError: the shop page asks for no key, so it is not served to others; got 0.0.0.0; ...

    Raises:
        InputError: the shop page is to be served on an address that others can reach, or the address is taken.
    """
    if demo is not None and not is_loopback(host):
        raise InputError(
            "the shop page asks for no key, so it is not served to others",
            got=host,
            allowed="127.0.0.1, ::1, localhost",
            then="serve without the demo, or leave the host out",
            field="host",
        )
    with listen(host, port) as listener:
        server = server_of(create_app(engine, demo=demo))
        before = {signal.SIGTERM: signal.signal(signal.SIGTERM, stopping(server))}
        before[signal.SIGHUP] = signal.signal(signal.SIGHUP, _unheeded)
        try:
            engine.models.watch()
            tell_when_started(server)
            keep()
            server.run(sockets=[listener])
        finally:
            for each, handler in before.items():
                signal.signal(each, handler)


def keep() -> None:
    """Look for garbage among all there is now once more and then never again: it is what serving needs to the end.

    >>> import gc
    >>> keep()
    >>> gc.get_freeze_count() > 0
    True
    >>> gc.unfreeze()
    """
    gc.collect()
    gc.freeze()


def stopping(server: uvicorn.Server) -> Callable[[int, FrameType | None], None]:
    """Return a handler of signals by which a server stops, also while it is not running yet, and its process ends well.

    >>> from litestar import Litestar
    >>> server = server_of(Litestar(openapi_config=None, logging_config=None))
    >>> stopping(server)(signal.SIGTERM, None)
    >>> server.should_exit
    True
    """

    def stop(_number: int, _frame: FrameType | None) -> None:
        server.should_exit = True

    return stop


def _unheeded(_number: int, _frame: FrameType | None) -> None:
    """Say that one process cannot replace itself: it goes on as it is."""
    log.warning("SIGHUP is not heeded by a server of one process; restart it, or serve with --workers 2 or more")


@contextmanager
def running(app: Litestar, host: str = "127.0.0.1") -> Iterator[str]:
    """Serve an app from a thread at a free port, for as long as the block lasts; yields its address.

    >>> from litestar import Litestar
    >>> with running(Litestar(openapi_config=None, logging_config=None)) as url:
    ...     url.startswith("http://127.0.0.1:")
    True
    """
    with listen(host, 0) as listener:
        server = server_of(app)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="penchant-server")
        thread.start()
        try:
            while not server.started:
                thread.join(0.01)
                if not thread.is_alive():
                    raise RuntimeError("the server stopped before it had started; its log says why")
            yield f"http://{host}:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


def server_of(app: Litestar) -> uvicorn.Server:
    """Return what serves an app, not started yet.

    >>> from litestar import Litestar
    >>> server_of(Litestar(openapi_config=None, logging_config=None)).started
    False
    """
    door = app.state.get("door")
    config = uvicorn.Config(
        app,
        **hosting(Settings() if door is None else door.engine.settings),
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=GRACE,
        lifespan="on",
        ws="none",
    )
    return uvicorn.Server(config)


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that is bound to an address; it does not listen yet.

    >>> with listen("127.0.0.1", 0) as bound:
    ...     bound.getsockname()[0]
    '127.0.0.1'

    Raises:
        InputError: something else listens there, or this machine has no such address.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise InputError(
            "the address cannot be listened on",
            got=f"{host}:{port} ({error.strerror or error})",
            then="choose another with --host and --port, or stop what listens there",
            field="port",
        ) from error
    return listener
