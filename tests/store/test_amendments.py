"""Corrections and retractions: the same answer on both databases, whatever arrives first, however often."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from typing import Any

import polars as pl
import pytest

from penchant.core.nouns import RETRACT
from penchant.store import Store
from penchant.store.events import Who

Row = dict[str, Any]


@pytest.fixture
def store(ready_url: str) -> Iterator[Store]:
    with Store.create(ready_url) as made:
        yield made


def row(name: str, value: float = 1.0, *, replaces: str | None = None, **other: Any) -> Row:
    made = {"id": name, "user": "ann", "item": name, "kind": "purchase", "at": 5, "value": value, "session": None}
    return {**made, "channel": "web", "context": None, "replaces": replaces, "recorded": 1, **other}


def retract(name: str, target: str, **other: Any) -> Row:
    return row(name, replaces=target, kind=RETRACT, **other)


def counting(store: Store) -> list[str]:
    """Return the ids that every read agrees on."""
    read = sorted(store.events.read(Who(None))["item"].to_list())
    past = sorted(item for user in ("ann", "bob") for item in store.events.past(Who(None), user, 10_000).items)
    assert read == past, "training and history see the same"
    assert store.events.counts()[0] == len(read)
    return read


CASES = [
    ([row("e"), retract("r", "e")], []),
    ([row("e"), row("c", 2.0, replaces="e")], ["c"]),
    ([row("e"), row("c", replaces="e"), row("d", replaces="e")], ["d"]),
    ([row("e"), row("c", replaces="e"), row("d", replaces="c")], ["d"]),
    ([row("e"), row("c", replaces="e"), retract("r", "e")], []),
    ([row("e"), row("c", replaces="e"), row("d", replaces="c"), retract("r", "e")], []),
    ([row("e"), row("c", replaces="e"), retract("r", "c")], []),
    ([row("e"), retract("r", "e"), retract("s", "r")], []),
    ([row("e"), row("f", replaces="g"), row("g", replaces="f")], ["e"]),
    ([row("e"), retract("r", "nothing"), row("f")], ["e", "f"]),
    ([row("e"), retract("r", "e", user="bob")], ["e"]),
]


@pytest.mark.parametrize(("rows", "left"), CASES)
def test_what_counts_after(rows: list[Row], left: list[str], store: Store) -> None:
    for each in rows:
        store.events.append([each])
    assert counting(store) == left
    for each in rows:
        assert store.events.append([each]).duplicates == 1
    assert counting(store) == left, "sending them again changes nothing"


@pytest.mark.parametrize(("rows", "left"), [case for case in CASES if case[1] != ["d"]])
def test_the_order_of_arrival_does_not_matter(rows: list[Row], left: list[str], store: Store) -> None:
    for each in reversed(rows):
        store.events.append([each])
    assert counting(store) == left


@pytest.mark.parametrize(("rows", "left"), CASES)
def test_one_batch_and_one_table_say_the_same(rows: list[Row], left: list[str], store: Store) -> None:
    first = [row(f"before-{n}", user="bob") for n in range(3)]
    store.events.append(first)
    table = pl.DataFrame(rows, schema_overrides={"session": pl.String, "context": pl.String, "replaces": pl.String})
    store.events.append_table(table, recorded=1)
    assert counting(store) == sorted([*left, *(each["id"] for each in first)])
    store.events.append(
        [
            {
                **each,
                "id": f"{each['id']}2",
                "item": f"{each['id']}2",
                "replaces": each["replaces"] and f"{each['replaces']}2",
            }
            for each in rows
        ]
    )
    assert [name for name in counting(store) if name.endswith("2") and "before" not in name] == [f"{n}2" for n in left]


def test_what_was_taken_back_before_it_came_never_counts(store: Store) -> None:
    table = pl.DataFrame(
        [row(f"e{n}") for n in range(5)],
        schema_overrides={"replaces": pl.String, "session": pl.String, "context": pl.String},
    )
    store.events.append([retract("r", "e1"), row("c", replaces="e3")])
    store.events.append_table(table, recorded=1)
    assert counting(store) == ["c", "e0", "e2", "e4"]
    assert store.events.busiest(5) == ["ann"]
    assert store.events.users(Who(None)) == 1
    store.events.append([retract(f"r{n}", name) for n, name in enumerate(("c", "e0", "e2", "e4"))])
    assert (counting(store), store.events.busiest(5), store.events.counts()) == ([], [], (0, 0))


def oracle(log: list[Row]) -> list[str]:
    """Return the ids that count, from the rules alone: slow and plain."""
    by_id = {each["id"]: each for each in log}

    def naming(target: str, user: str) -> list[Row]:
        return [each for each in log if each["replaces"] == target and each["user"] == user]

    def doomed(each: Row, seen: frozenset[str]) -> bool:
        target = each["replaces"]
        if target is None or target in seen:
            return False
        if any(other["kind"] == RETRACT for other in naming(target, each["user"])):
            return True
        above = by_id.get(target)
        return above is not None and above["user"] == each["user"] and doomed(above, seen | {target})

    left = []
    for each in log:
        siblings = naming(each["replaces"], each["user"]) if each["replaces"] else [each]
        last = siblings[-1] is each
        if each["kind"] != RETRACT and not naming(each["id"], each["user"]) and last and not doomed(each, frozenset()):
            left.append(each["id"])
    return sorted(left)


@pytest.mark.parametrize("seed", range(6))
def test_random_logs_count_as_the_rules_say(seed: int, store: Store) -> None:
    rng = random.Random(seed)
    names = [f"e{n}" for n in range(60)]
    rng.shuffle(names)
    log: list[Row] = []
    for name in names:
        other = [each for each in names if each != name]
        target = rng.choice(other) if rng.random() < 0.5 else None
        kind = RETRACT if target and rng.random() < 0.3 else "view"
        log.append(row(name, replaces=target, kind=kind, user=rng.choice(["ann", "ann", "bob"])))
    rest = list(log)
    while rest:
        size = rng.choice([1, 2, 7])
        store.events.append(rest[:size])
        rest = rest[size:]
    assert counting(store) == oracle(log)


def test_an_event_and_its_retraction_at_the_same_moment(ready_url: str) -> None:
    """Two processes' worth of stores: neither sees the other's row before it is written, and yet it is taken back."""
    with Store.create(ready_url) as one, Store.open(ready_url) as two:
        for n in range(25):
            start = threading.Barrier(2)

            def send(store: Store, what: Row, start: threading.Barrier = start) -> None:
                start.wait(60)
                store.events.append([what])

            threads = [
                threading.Thread(target=send, args=(one, row(f"e{n}"))),
                threading.Thread(target=send, args=(two, retract(f"r{n}", f"e{n}"))),
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(60)
        assert counting(one) == []
