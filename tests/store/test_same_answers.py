"""The same events give the same answers, whichever database they lie in; and a copied store is the same store."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import sqlalchemy as sa

from penchant.core.clock import FixedClock
from penchant.core.errors import StoreError
from penchant.core.nouns import RETRACT, Event, Item
from penchant.core.settings import ConsentSettings, Settings, TrainSettings
from penchant.engine.answers import Ask
from penchant.engine.engine import Engine
from penchant.engine.training import train
from penchant.store import Store
from penchant.store.copying import copy_all, held
from penchant.store.events import Who
from penchant.store.tables import METADATA
from penchant.testing.postgres import PostgresServer
from penchant.trust.access import SYSTEM
from penchant.trust.gate import Gate
from penchant.trust.moving import copy_store
from penchant.trust.purpose import Purpose
from penchant.trust.slates import Served, Thing

NOW = datetime(2026, 6, 1, tzinfo=UTC)
USERS = [*(f"u{n}" for n in range(30)), "Zoë", "ann", "Ann", "ÄNNE", "_", "x" * 500]
ITEMS = [*(f"i{n}" for n in range(25)), "Tee", "tee", "ü", "🛒"]
_THINGS = tuple(Thing(item, place, 1.0 / place) for place, item in enumerate(ITEMS, start=1))
SESSIONS = ("s1", "s2", "ß")
SLATES = [
    Served(name, NOW - timedelta(days=900), "for-you", "p", "b", "m", "d", _THINGS, **who)
    for name, who in (("sl1", {"user": "ann"}), ("sl2", {"session": "s1"}), ("sl3", {}))
]


@pytest.fixture
def both(tmp_path: Path, postgres: PostgresServer, postgres_store: str) -> Iterator[tuple[Engine, Engine]]:
    urls = (f"sqlite:///{tmp_path}/shop.db", postgres.database(like=postgres_store))
    engines = []
    for number, url in enumerate(urls):
        settings = Settings(
            store=url,
            artifacts=f"{tmp_path}/artifacts{number}",
            train=TrainSettings(min_users=1),
            consent=ConsentSettings(),
        )
        Gate.create(settings, FixedClock(NOW)).close()
        engines.append(Engine.open(settings, FixedClock(NOW)))
    yield engines[0], engines[1]
    for engine in engines:
        engine.close()
    postgres.drop(urls[1])


def story(seed: int) -> list[Callable[[Gate], object]]:
    """Return what happens to a store: single events, batches, tables, corrections, consent, the catalogue."""
    rng = random.Random(seed)

    def event(number: int) -> Event:
        at = NOW - timedelta(seconds=rng.randrange(86_400 * 900))
        name = f"e{number}" if rng.random() < 0.7 else None
        target = f"e{rng.randrange(number + 40)}" if number and rng.random() < 0.15 else None
        kind = RETRACT if target and rng.random() < 0.4 else rng.choice(["view", "purchase", "rating", "dislike"])
        value = rng.choice([1.0, -1.0, 3.5, 1 / 3, 1e-300, 7])
        other = {"id": name, "replaces": None if target == name else target}
        other |= {"slate": rng.choice([None, "sl1", "sl2"]), "price": rng.choice([None, 2.5])}
        if kind == RETRACT and other["replaces"] is None:
            kind = "view"
        session = rng.choice([None, *SESSIONS])
        user = rng.choice(USERS) if session is None or rng.random() < 0.7 else ""
        return Event(user, rng.choice(ITEMS), kind, at, value, session=session, **other)

    steps: list[Callable[[Gate], object]] = [
        lambda gate: gate.catalogue.put(SYSTEM, [Item(i, f"Title {i}") for i in ITEMS])
    ]
    number = 0
    for size in (1, 1, 40, 200, 1, 300, 7):
        batch = [event(number + n) for n in range(size)]
        number += size
        steps.append(lambda gate, batch=batch: gate.admit(SYSTEM, batch))
        if rng.random() < 0.5:
            steps.append(lambda gate, batch=batch: gate.admit(SYSTEM, batch[::-1]))
    rows = [
        (e.user, e.item, e.kind, e.at, float(e.value), e.id, e.session, e.replaces, e.slate, e.price)
        for e in map(event, range(number, number + 400))
    ]
    names = ["user", "item", "kind", "at", "value", "id", "session", "replaces", "slate", "price"]
    table = pl.DataFrame(rows, schema=names, orient="row", infer_schema_length=None)
    table = table.with_columns(pl.col("id", "session", "replaces", "slate").cast(pl.String))
    steps.insert(rng.randrange(1, len(steps)), lambda gate: gate.admit_table(SYSTEM, table))
    steps.append(lambda gate: gate.slates.log(SYSTEM, SLATES))
    steps.append(lambda gate: gate.visits.answer(SYSTEM, "s1", ["train", "personalize"], granted=True, basis="banner"))
    steps.append(lambda gate: gate.visits.link(SYSTEM, "s2", "ann"))
    for user in rng.sample(USERS, 28):
        steps.append(lambda gate, user=user: gate.consent.grant(SYSTEM, user, ["train", "personalize"], basis="form"))
    for user in rng.sample(USERS, 6):
        steps.append(lambda gate, user=user: gate.consent.withdraw(SYSTEM, user, ["train"], basis="letter"))
    return steps


def told(gate: Gate) -> dict[str, Any]:
    """Return everything that a store can be asked."""
    return {
        "read": gate.read(SYSTEM, Purpose.TRAIN).to_dict(as_series=False),
        "pasts": [
            gate.history(SYSTEM, purpose, user, limit) for purpose in Purpose for user in USERS for limit in (1, 9, 500)
        ],
        "counts": gate.counts(SYSTEM),
        "sessions": [gate.session(SYSTEM, session) for session in SESSIONS],
        "outcomes": gate.slates.outcomes(SYSTEM, NOW - timedelta(days=9999)).to_dict(as_series=False),
        "days": gate.slates.days(SYSTEM, NOW - timedelta(days=9999)).to_dict(as_series=False),
        "sums": gate.slates.sums(SYSTEM, NOW - timedelta(days=9999)),
        "people": [*gate.people(SYSTEM, Purpose.PERSONALIZE, 5)],
        "busiest": gate.busiest(SYSTEM, 50),
        "consent": [[(s.purpose, s.granted, s.basis) for s in gate.consent.state(SYSTEM, user)] for user in USERS],
        "items": gate.catalogue.changed(0),
    }


@pytest.mark.parametrize("seed", range(4))
def test_both_databases_say_the_same_after_every_kind_of_write(both: tuple[Engine, Engine], seed: int) -> None:
    for step in story(seed):
        assert step(both[0].gate) == step(both[1].gate)
    assert told(both[0].gate) == told(both[1].gate)
    assert both[0].gate.counts(SYSTEM).events > 300


def test_both_databases_train_the_same_models_and_give_the_same_slates(both: tuple[Engine, Engine]) -> None:
    for engine in both:
        for step in story(11):
            step(engine.gate)
    bundles = [train(engine.gate, SYSTEM, engine.settings) for engine in both]
    assert bundles[0].digest == bundles[1].digest
    for user in USERS:
        asked = [engine.recommend(SYSTEM, Ask(placement="for-you", user=user, n=5)) for engine in both]
        assert asked[0].policy == asked[1].policy
        assert asked[0].items == asked[1].items


@pytest.mark.parametrize(
    "way", ["sqlite to postgres", "postgres to sqlite", "postgres to postgres", "sqlite to sqlite"]
)
def test_a_copied_store_is_the_same_store(
    both: tuple[Engine, Engine], way: str, tmp_path: Path, postgres: PostgresServer
) -> None:
    source, _, target = way.partition(" to ")
    engine = both[source == "postgres"]
    for step in story(5):
        step(engine.gate)
    url = f"sqlite:///{tmp_path}/copy.db" if target == "sqlite" else postgres.database()
    copied = copy_store(SYSTEM, engine.settings.store, url)
    with Gate.open(Settings(store=url), FixedClock(NOW)) as gate:
        assert told(gate) == told(engine.gate)
        assert gate.about(SYSTEM).rows == {each.table: each.rows for each in copied} == engine.gate.about(SYSTEM).rows
        again = [Event("ann", "tee", "view", NOW, id=f"new{n}") for n in range(3)]
        assert gate.admit(SYSTEM, again).accepted == 3, "numbers and parts go on"
        assert gate.admit(SYSTEM, [Event("ann", "x", "view", NOW, id="e5")]).accepted == 0, "ids are known"
    if target == "postgres":
        postgres.drop(url)


def test_every_table_is_copied_or_said_to_be_of_one_database_only(store_url: str) -> None:
    with Store.create(store_url) as store:
        inside = {table.name for table in METADATA.sorted_tables if "only" not in table.info}
        assert set(held(store)) == inside
        with store._database.reading() as connection:
            there = set(sa.inspect(connection).get_table_names()) - {"alembic_version", "event_ids"}
        assert there == inside


def test_a_target_that_holds_something_is_refused_and_left_as_it_was(both: tuple[Engine, Engine]) -> None:
    both[0].gate.catalogue.put(SYSTEM, [Item("tea", "Tea")])
    both[1].gate.admit(SYSTEM, [Event("ann", "tea", "view", NOW)])
    with pytest.raises(StoreError, match=r"the target is not empty; got postgresql://.*rows in events; allowed: a new"):
        copy_store(SYSTEM, both[0].settings.store, both[1].settings.store)
    assert (both[1].gate.counts(SYSTEM).events, both[1].gate.catalogue.count()) == (1, 0)


@pytest.mark.parametrize("target", [0, 1])
def test_a_copy_that_arrives_otherwise_keeps_nothing(
    both: tuple[Engine, Engine], target: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, other = both[1 - target].gate._store, both[target].gate._store
    source.events.append_table(
        pl.DataFrame(
            {"id": ["a", "b"], "user": "u", "item": "i", "kind": "k", "at": [1, 2], "value": 1.0}
        ).with_columns(
            pl.lit(None, pl.String).alias("session"),
            pl.lit("web").alias("channel"),
            pl.lit(None, pl.String).alias("context"),
        ),
        recorded=1,
    )
    real = other._database.log.fill
    monkeypatch.setattr(other._database.log, "fill", lambda connection, rows: real(connection, rows[1:]))
    with pytest.raises(
        StoreError, match=r"the table events arrived otherwise than it was sent; got 1 rows, .*allowed: 2 ro"
    ):
        copy_all(source, other)
    assert other.events.read(Who(None)).is_empty()
    monkeypatch.undo()
    copy_all(source, other)
    assert other.events.counts() == (2, 1)
