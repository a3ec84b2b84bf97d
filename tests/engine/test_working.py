"""The worker: what it makes is what training makes; what is worse stays out; one of all trains."""

from __future__ import annotations

import threading
from datetime import timedelta
from pathlib import Path

import msgspec
import numpy as np
import pytest

from penchant.core.clock import FixedClock
from penchant.core.errors import NotFound, UnknownName
from penchant.core.nouns import Event
from penchant.core.settings import Settings, WorkerSettings
from penchant.engine.challenging import Champion, challenge
from penchant.engine.engine import Engine
from penchant.engine.training import consented_data, fit_models, recipes, served, train
from penchant.engine.working import LEASE, round_of, run_round, work
from penchant.trust.access import SYSTEM
from penchant.trust.gate import Gate

DAY = 86_400_000_000


def ruled(settings: Settings, **rule: object) -> Settings:
    return msgspec.structs.replace(settings, worker=msgspec.structs.replace(settings.worker, **rule))


def bought(engine: Engine, clock: FixedClock, tag: str, users: range) -> None:
    """Have some people buy something each."""
    rng = np.random.default_rng(len(tag))
    rows = [Event(f"u{n}", f"i{rng.integers(40)}", "purchase", clock.now(), id=f"{tag}-{n}") for n in users]
    assert engine.ingest(SYSTEM, rows).accepted == len(rows)


def test_bringing_models_up_to_date_gives_what_training_gives(
    settings: Settings, clock: FixedClock, tmp_path: Path
) -> None:
    with Engine.open(settings, clock) as engine:
        train(engine.gate, SYSTEM, settings)
        clock.advance(timedelta(hours=1))
        bought(engine, clock, "old and new people", range(20))
        rows = [Event("u1", f"never seen {n % 2}", "purchase", clock.now(), id=f"new-{n}") for n in range(4)]
        engine.ingest(SYSTEM, [msgspec.structs.replace(row, user=f"u{n}") for n, row in enumerate(rows)])
        done = run_round(engine.gate, SYSTEM, settings)
        elsewhere = msgspec.structs.replace(settings, artifacts=str(tmp_path / "elsewhere"))
        trained = train(engine.gate, SYSTEM, elsewhere)
    assert done is not None
    assert set(done.how.values()) == {"updated", "fitted"}
    assert {"ease", "item-knn"} <= {name for name, way in done.how.items() if way == "updated"}
    assert done.digest == trained.digest, "bit for bit, facts and all"


def test_a_person_who_takes_back_consent_is_not_in_what_is_updated(settings: Settings, clock: FixedClock) -> None:
    with Engine.open(settings, clock) as engine:
        train(engine.gate, SYSTEM, settings)
        engine.set_consent(SYSTEM, "u3", ["train"], granted=False, basis="letter")
        clock.advance(timedelta(hours=1))
        done = run_round(engine.gate, SYSTEM, settings)
        assert done is not None
        assert done.digest == train(engine.gate, SYSTEM, settings).digest
        assert set(done.how.values()) == {"fitted"}, "what was learnt cannot be told from the log any more"


def test_nothing_new_trains_nothing(engine: Engine) -> None:
    train(engine.gate, SYSTEM, engine.settings)
    before = engine.gate.artifacts.promotions()
    done = run_round(engine.gate, SYSTEM, engine.settings)
    assert done is not None
    assert (done.promoted, set(done.how.values())) == (False, {"kept"})
    assert engine.gate.artifacts.promotions() == before


def test_what_is_significantly_worse_is_not_promoted_and_the_row_says_why(
    settings: Settings, clock: FixedClock
) -> None:
    """The new recipe of the placement is a bad one: what was popular with a half-life of a minute."""
    with Engine.open(settings, clock) as engine:
        train(engine.gate, SYSTEM, settings)
        models = {**settings.models, "ease": {"learner": "popular", "half_life": 0.0001}}
        placements = {**settings.placements, "for-you": msgspec.structs.replace(settings.placements["for-you"])}
        placements["for-you"] = msgspec.structs.replace(placements["for-you"], blend={"ease": 1.0}, exclude_seen=False)
        before = msgspec.structs.replace(settings, placements=placements)
        worse = ruled(msgspec.structs.replace(before, models=models), newest="20d")
        in_charge = engine.gate.artifacts.promoted()
        done = run_round(engine.gate, SYSTEM, worse)
        assert done is not None
        assert not done.promoted, done.why
        assert done.why.endswith("significantly worse than what is in charge")
        assert engine.gate.artifacts.promoted() == in_charge
        (row,) = [row for row in engine.gate.artifacts.list() if row.digest == done.digest]
    check = row.metrics["check"]
    assert check["champion"] > check["challenger"]
    assert check["high"] < 0
    assert (check["why"], check["metric"]) == (done.why, "ndcg@10")


def test_what_is_below_the_floor_is_not_promoted(settings: Settings, clock: FixedClock) -> None:
    with Engine.open(settings, clock) as engine:
        data = consented_data(engine.gate, SYSTEM, settings)
    found = challenge(ruled(settings, newest="20d", floor=0.99), data, None)
    assert not found.promote
    assert found.why.endswith("and worker.floor asks for 0.99")
    assert challenge(ruled(settings, newest="20d", floor=0.001), data, None).promote


def test_models_that_know_fewer_items_are_compared_as_they_are(settings: Settings, clock: FixedClock) -> None:
    rule = ruled(settings, newest="20d")
    with Engine.open(settings, clock) as engine:
        data = consented_data(engine.gate, SYSTEM, settings)
        early = data.column("at") < data.column("at").max() - 25 * DAY
        few = data.items.codes(["i1", "i2", "i3", "i4", "i5", "i6"])
        small = data.select(early & np.isin(data.column("item"), few))
        narrow = type(data).from_events(
            small.frame.with_columns(
                user=small.users.series.gather(small.column("user")),
                item=small.items.series.gather(small.column("item")),
            )
        )
    scorers, _ = fit_models(recipes(settings, served(settings)), narrow)
    found = challenge(rule, data, Champion(scorers, int(narrow.column("at").max())))
    assert found.promote
    assert found.champion is not None
    assert found.challenger is not None
    assert found.champion < found.challenger
    assert found.low is not None


def test_what_was_rolled_back_is_not_promoted_again(settings: Settings, clock: FixedClock) -> None:
    with Engine.open(settings, clock) as engine:
        first = train(engine.gate, SYSTEM, settings).digest
        clock.advance(timedelta(hours=1))
        bought(engine, clock, "more", range(30))
        done = run_round(engine.gate, SYSTEM, settings)
        assert done is not None
        assert done.promoted, done.why
        assert engine.gate.artifacts.rollback(SYSTEM) == (done.digest, first)
        again = run_round(engine.gate, SYSTEM, settings)
        assert again is not None
        assert (again.digest, again.promoted) == (done.digest, False)
        assert again.why.startswith("this bundle was rolled back at ")
        assert engine.ready().model == first


def test_who_lost_the_lease_promotes_nothing(settings: Settings, clock: FixedClock) -> None:
    with Engine.open(settings, clock) as engine:
        before = train(engine.gate, SYSTEM, settings).digest
        clock.advance(timedelta(hours=1))
        bought(engine, clock, "more", range(30))
        with engine.gate.leases.held(LEASE, "slow") as slow:
            assert slow is not None
            clock.advance(timedelta(minutes=2))
            with engine.gate.leases.held(LEASE, "quick") as quick:
                assert quick is not None, "the lease of who does not renew it ends"
                with pytest.raises(NotFound, match=r"the lease ran out before the bundle was promoted; got slow"):
                    round_of(engine.gate, SYSTEM, settings, slow)
        assert engine.ready().model == before


def test_of_two_workers_one_trains_and_the_other_waits_its_time(settings: Settings, clock: FixedClock) -> None:
    rounds: list[str] = []
    stop = threading.Event()
    with Gate.open(settings, clock) as one, Gate.open(settings, clock) as other:

        def working(gate: Gate, name: str) -> None:
            work(gate, SYSTEM, settings, stop, lambda done: rounds.append(name))

        threads = [threading.Thread(target=working, args=pair) for pair in ((one, "one"), (other, "other"))]
        for thread in threads:
            thread.start()
        while not rounds:
            threads[0].join(0.05)
        threads[0].join(1.0)
        stop.set()
        for thread in threads:
            thread.join(60)
            assert not thread.is_alive()
        assert len(rounds) == 1
        assert one.leases.get(LEASE).done == clock.now()
        assert one.leases.get(LEASE).holder == ""


def test_a_placement_that_does_not_exist_is_said(engine: Engine) -> None:
    with pytest.raises(UnknownName, match="unknown placement; got for-yuo"):
        run_round(engine.gate, SYSTEM, ruled(engine.settings, placement="for-yuo"))
    assert WorkerSettings().placement in Settings().placements
