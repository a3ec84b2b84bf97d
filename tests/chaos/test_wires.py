"""Connections that crawl, stop half-way or break: what was not received whole leaves nothing, and others go on."""

from __future__ import annotations

import json
import random
import socket
import struct
import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from .conftest import Totals
from .ledger import check
from .load import Load
from .served import Server, serving, settings_of, until

RESET = struct.pack("ii", 1, 0)  # linger for no time: closing sends a reset


def request(server: Server, name: str) -> tuple[bytes, bytes]:
    """Return the head and the body of a post of five events."""
    event = {"user": "u1", "item": "i1", "kind": "view", "at": "2026-01-01T10:00:00Z"}
    body = json.dumps([event | {"id": f"{name}/{place}"} for place in range(5)]).encode()
    head = f"POST /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: {server.headers['Authorization']}\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode(), body


def connected(server: Server) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=60)


def reset_inside(server: Server, name: str, chance: random.Random) -> None:
    """Hang up rudely somewhere in the head or the body."""
    sent = b"".join(request(server, name))
    with connected(server) as wire:
        wire.sendall(sent[: chance.randrange(1, len(sent))])
        time.sleep(chance.choice((0.0, 0.05)))
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)


def half_closed(server: Server, name: str, chance: random.Random) -> None:
    """Say that nothing more will come, somewhere in the body, and listen."""
    head, body = request(server, name)
    with connected(server) as wire:
        wire.sendall(head + body[: chance.randrange(len(body))])
        wire.shutdown(socket.SHUT_WR)
        while wire.recv(65_536):
            pass


def unheard(server: Server, name: str, chance: random.Random) -> None:
    """Send all of it, and hang up before the answer: it is kept whole or not at all."""
    with connected(server) as wire:
        wire.sendall(b"".join(request(server, name)))
        time.sleep(chance.choice((0.0, 0.002, 0.02)))
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)


def kept(store: str) -> list[str]:
    engine = sa.create_engine(store, poolclass=sa.NullPool)
    with engine.connect() as connection:
        return list(connection.execute(sa.text("SELECT id FROM events WHERE id LIKE 'wire/%'")).scalars())


@pytest.mark.chaos
def test_connections_that_crawl_or_break_leave_nothing_half_there(
    folder: Path, key: str, seed: str, chance: random.Random, totals: Totals
) -> None:
    store = settings_of(folder).store
    with serving(folder, key) as server:
        load = Load(server, seed, writers=1)
        with load.running():
            crawling = [connected(server) for _ in range(20)]
            for number, wire in enumerate(crawling):
                head, body = request(server, f"wire/slow/{number}")
                wire.sendall(head + body[:number])
            for number in range(30):
                for harm in (reset_inside, half_closed, unheard):
                    harm(server, f"wire/{harm.__name__}/{number}", chance)
            load.goes_on()
            for wire in crawling:
                with wire:
                    assert b" 408 " in wire.recv(65_536), "limits.receive is 2 s"
            load.goes_on()
        assert not load.wrong, load.wrong[:5]
        names = [name.rpartition("/")[0] for name in kept(store)]
        assert all(name.startswith("wire/unheard/") for name in names), "the others were never sent whole"
        assert {names.count(name) for name in names} <= {5}
        for number in range(30):
            events = json.loads(request(server, f"wire/unheard/{number}")[1])
            receipt = server.post("/v1/events", events).json()
            there = 5 if f"wire/unheard/{number}" in names else 0
            assert receipt in (
                {"accepted": 5 - there, "duplicates": there, "rejected": []},
                {"accepted": 0, "duplicates": 5, "rejected": []},
            )
        until(lambda: len(kept(store)) == 150, "all of them")
        totals.add(load, check(load, store))
        assert server.stop() == 0
