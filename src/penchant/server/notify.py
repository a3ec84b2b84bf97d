"""Tells systemd when the server answers: one datagram to the socket that NOTIFY_SOCKET names."""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import uvicorn

__all__ = ["tell", "tell_when_started"]

log = logging.getLogger(__name__)


def tell(state: str) -> bool:
    """Send a state such as ``READY=1`` to whoever started this process; return whether somebody wants to know.

    >>> import tempfile
    >>> from unittest.mock import patch
    >>> with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as hears:
    ...     hears.bind(f"{folder}/notify")
    ...     with patch.dict(os.environ, {"NOTIFY_SOCKET": f"{folder}/notify"}):
    ...         tell("READY=1"), hears.recv(64)
    (True, b'READY=1')

    Source: the protocol of sd_notify(3).
    """
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return False
    if address.startswith("@"):
        address = f"\0{address[1:]}"  # a name that is no file
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as speaks:
            speaks.connect(address)
            speaks.sendall(state.encode())
    except OSError as error:
        log.warning("%s could not be told: %s", state, error)
        return False
    return True


def tell_when_started(server: uvicorn.Server) -> None:
    """Say ``READY=1`` from a thread once a server takes requests; nothing is done when nobody wants to know.

    >>> from litestar import Litestar
    >>> from penchant.server.run import server_of
    >>> tell_when_started(server_of(Litestar(openapi_config=None, logging_config=None)))
    """
    if "NOTIFY_SOCKET" in os.environ:
        threading.Thread(target=_wait_and_tell, args=(server,), name="penchant-notify", daemon=True).start()


def _wait_and_tell(server: uvicorn.Server) -> None:
    while not server.started and not server.should_exit:
        time.sleep(0.01)
    if server.started:
        tell("READY=1")
