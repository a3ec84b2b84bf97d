"""Clocks that jump by days and years, forward and back, under a server that goes on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest

from penchant.core.clock import FixedClock, SystemClock
from penchant.engine.engine import Engine
from penchant.engine.working import LEASE, run_round, work
from penchant.server.app import create_app
from penchant.server.run import running
from penchant.testing.postgres import PostgresServer
from penchant.trust.access import SYSTEM
from penchant.trust.gate import Gate

from .served import Address, make_shop, settings_of

JUMPS = (timedelta(days=3), timedelta(days=3650), timedelta(days=-3653), timedelta(days=-40), timedelta(hours=960))


class Jumping(NamedTuple):
    """A server in this process, and the clock it goes by."""

    server: Address
    clock: FixedClock
    engine: Engine


@pytest.fixture(params=["sqlite", "postgres"])
def jumping(request: pytest.FixtureRequest, folder: Path) -> Iterator[Jumping]:
    if request.param == "postgres":
        postgres: PostgresServer = request.getfixturevalue("mortal")
        key = make_shop(folder, postgres.database())
    else:
        key = make_shop(folder)
    clock = FixedClock(datetime.now(UTC))
    with Engine.open(settings_of(folder), clock) as engine, running(create_app(engine)) as url:
        yield Jumping(Address(url, key), clock, engine)


def event(name: str, at: datetime) -> dict[str, str]:
    return {"id": name, "user": "jumper", "item": "i1", "kind": "view", "at": at.isoformat()}


@pytest.mark.chaos
def test_events_count_once_whatever_the_clock_does(jumping: Jumping) -> None:
    server, clock, _ = jumping
    true = clock.now()
    sent: list[list[dict[str, str]]] = []
    for number, jump in enumerate(JUMPS):
        clock.advance(jump)
        sent.append([event(f"jump-{number}-{place}", clock.now() - timedelta(hours=place)) for place in range(3)])
        assert server.post("/v1/events", sent[-1]).json() == {"accepted": 3, "duplicates": 0, "rejected": []}
        for batch in sent:
            receipt = server.post("/v1/events", batch).json()
            ahead = datetime.fromisoformat(batch[0]["at"]) > clock.now() + timedelta(days=1)
            if ahead:  # sent again in the past of its own time
                assert receipt["accepted"] == 0
                assert {fault["code"] for fault in receipt["rejected"]} == {"bad_time"}
            else:
                assert receipt == {"accepted": 0, "duplicates": 3, "rejected": []}
        assert server.ask("jumper").status_code == 200
        assert server.get("/readyz").status_code == 200
    assert abs(clock.now() - true) < timedelta(days=4)
    history = server.get("/v1/users/jumper/history?n=100").json()["events"]
    assert len(history) == 3 * len(JUMPS)
    times = [datetime.fromisoformat(entry["at"]) for entry in history]
    assert times == sorted(times, reverse=True)


@pytest.mark.chaos
def test_training_goes_on_after_the_clock_was_years_ahead(jumping: Jumping) -> None:
    server, clock, engine = jumping
    clock.advance(timedelta(days=3650))
    assert run_round(engine.gate, SYSTEM, engine.settings) is not None
    clock.advance(timedelta(days=-3650))
    assert server.post("/v1/events", event("news", clock.now())).json()["accepted"] == 1
    assert trains_again(engine.gate, engine), "the last training lies in the future"
    assert server.ask().status_code == 200


def trains_again(gate: Gate, engine: Engine) -> bool:
    """Return whether a worker finds that it is time, and does a round."""
    rounds: list[object] = []

    class Once:
        """Told to stop after the first round, or the first time that it would wait."""

        def __init__(self) -> None:
            self.waited = False

        def is_set(self) -> bool:
            return self.waited or bool(rounds)

        def wait(self, seconds: float) -> None:
            self.waited = True

    work(gate, SYSTEM, engine.settings, Once(), rounds.append)  # type: ignore[arg-type]
    return bool(rounds)


def test_a_lease_of_a_killed_worker_whose_clock_was_ahead_ends_all_the_same(folder: Path, key: str) -> None:
    clock = FixedClock(datetime.now(UTC) + timedelta(days=3650))
    settings = settings_of(folder)
    with (
        Gate.open(settings, clock) as ahead,
        ahead.leases.held(LEASE, "killed"),
        Gate.open(settings, SystemClock()) as gate,
    ):
        lease = gate.leases.get(LEASE)
        assert lease.holder == "killed"
        assert lease.free(gate.now()), "no lease lasts ten years"
        with gate.leases.held(LEASE, "another") as held:
            assert held is not None
            assert gate.leases.get(LEASE).holder == "another"
