"""The server listens where it should, has no banner, and stops when it is told to."""

from __future__ import annotations

import socket
from typing import Any

import httpx
import pytest

from penchant.core.errors import InputError
from penchant.server.app import create_app
from penchant.server.demo import Demo
from penchant.server.run import is_loopback, running, serve
from penchant.trust.access import SYSTEM


def test_it_answers_over_a_socket_and_then_stops(engine: Any) -> None:
    with running(create_app(engine)) as url:
        answer = httpx.get(f"{url}/healthz")
        assert answer.status_code == 200
        assert "server" not in answer.headers
        assert httpx.get(f"{url}/v1/users/a%2Fb/history").json()["code"] == "unauthorized"
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/healthz")


def test_the_shop_page_is_not_served_to_others(engine: Any) -> None:
    with pytest.raises(InputError) as caught:
        serve(engine, "0.0.0.0", 0, Demo(SYSTEM, str))
    assert str(caught.value) == (
        "the shop page asks for no key, so it is not served to others; got 0.0.0.0; "
        "allowed: 127.0.0.1, ::1, localhost; next: serve without the demo, or leave the host out"
    )


def test_a_taken_port_is_said(engine: Any) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(InputError) as caught:
            serve(engine, "127.0.0.1", port)
    assert str(caught.value) == (
        f"the address cannot be listened on; got 127.0.0.1:{port} (Address already in use); "
        "next: choose another with --host and --port, or stop what listens there"
    )


@pytest.mark.parametrize(
    ("host", "ours"), [("127.8.8.8", True), ("::1", True), ("10.0.0.1", False), ("shop.example", False)]
)
def test_loopback(host: str, ours: bool) -> None:
    assert is_loopback(host) is ours
