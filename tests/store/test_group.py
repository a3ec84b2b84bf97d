"""Who writes at once shares a transaction; nobody's fault is another's, and nobody waits without end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from penchant.core.errors import Busy, StoreError
from penchant.store import Store
from penchant.store.group import Group

Batches = Sequence[Sequence[dict[str, Any]]]


def rows(*names: str) -> list[dict[str, Any]]:
    other = {"user": "ann", "item": "tea", "kind": "view", "at": 1, "value": 1.0, "session": None, "channel": "web"}
    return [{"id": name, **other, "context": None, "replaces": None, "recorded": 1} for name in names]


class Disk:
    """Writes when it is let, and remembers what it was given at once."""

    def __init__(self) -> None:
        self.writes: list[list[int]] = []
        self.free = threading.Event()
        self.begun = threading.Event()

    def __call__(self, batches: Batches) -> list[int]:
        self.begun.set()
        self.free.wait(60)
        self.writes.append([len(batch) for batch in batches])
        if any(row["item"] is None for batch in batches for row in batch):
            raise StoreError("an item is missing")
        return [len(batch) for batch in batches]


def together(calls: Sequence[Callable[[], object]]) -> list[object]:
    """Call everything at once; return what each said, an error as its text."""
    said: list[object] = [None] * len(calls)

    def call(number: int) -> None:
        try:
            said[number] = calls[number]()
        except StoreError as error:
            said[number] = f"{type(error).__name__}: {error.what}"

    threads = [threading.Thread(target=call, args=(number,)) for number in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive(), "somebody waits without end"
    return said


def waiting(group: Group, wanted: int) -> None:
    while group._rows < wanted:
        threading.Event().wait(0.001)


def test_those_who_wait_are_written_together() -> None:
    disk = Disk()
    group = Group(disk, waiting=1000)
    first = threading.Thread(target=lambda: group.add(rows("first")))
    first.start()
    disk.begun.wait(60)
    others = [threading.Thread(target=lambda n=n: group.add(rows(*map(str, range(n))))) for n in range(1, 9)]
    for thread in others:
        thread.start()
    waiting(group, sum(range(1, 9)))
    disk.free.set()
    for thread in (first, *others):
        thread.join(60)
    assert disk.writes[0] == [1]
    assert sorted(disk.writes[1]) == list(range(1, 9)), "one transaction for all eight"
    assert len(disk.writes) == 2


def test_a_batch_that_fails_fails_alone() -> None:
    disk = Disk()
    group = Group(disk, waiting=1000)
    wrong = [{**rows("x")[0], "item": None}]
    first = threading.Thread(target=lambda: group.add(rows("first")))
    first.start()
    disk.begun.wait(60)
    calls = [lambda: group.add(rows("a", "b")), lambda: group.add(wrong), lambda: group.add(rows("c"))]
    threading.Thread(target=lambda: (waiting(group, 4), disk.free.set())).start()
    assert together(calls) == [2, "StoreError: an item is missing", 1]
    first.join(60)
    assert disk.writes[2:] == [[1]] * 3 or sorted(disk.writes[2:]) == [[1], [1], [2]], "each was tried by itself"


def test_more_than_may_wait_is_refused_and_nothing_of_it_is_kept() -> None:
    disk = Disk()
    group = Group(disk, waiting=3)
    writers = [threading.Thread(target=lambda n=n: group.add(rows(f"w{n}"))) for n in range(4)]
    writers[0].start()
    disk.begun.wait(60)
    for writer in writers[1:]:
        writer.start()
    waiting(group, 3)
    with pytest.raises(
        Busy, match=r"more to write than it can keep up with; got 3 events waiting; allowed: 3; next: se"
    ):
        group.add(rows("late"))
    disk.free.set()
    for writer in writers:
        writer.join(60)
    assert sum(map(sum, disk.writes)) == 4
    assert group.add(rows(*map(str, range(9)))) == 9, "a long batch is taken when nobody waits"


def test_an_interrupted_caller_does_not_keep_the_others_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    disk = Disk()
    group = Group(disk, waiting=100)
    first = threading.Thread(target=lambda: group.add(rows("first")))
    first.start()
    disk.begun.wait(60)

    def interrupted(_seconds: float | None = None) -> bool:
        raise KeyboardInterrupt

    real = threading.Event.wait
    mine = threading.get_ident()
    monkeypatch.setattr(
        threading.Event,
        "wait",
        lambda event, seconds=None: interrupted() if threading.get_ident() == mine else real(event, seconds),
    )
    with pytest.raises(KeyboardInterrupt):
        group.add(rows("mine"))
    monkeypatch.undo()
    last = threading.Thread(target=lambda: group.add(rows("last")))
    last.start()
    waiting(group, 1)
    disk.free.set()
    for thread in (first, last):
        thread.join(60)
        assert not thread.is_alive()
    assert disk.writes == [[1], [1]]


def test_threads_that_send_the_same_ids_add_each_once(ready_url: str) -> None:
    with Store.create(ready_url) as store:
        shared = [f"e{n}" for n in range(40)]
        calls = [lambda n=n: store.events.append(rows(*(shared[n:] + shared[:n]))) for n in range(8)]
        done = together(calls)
        assert sum(each.accepted for each in done) == 40
        assert {each.accepted + each.duplicates for each in done} == {40}
        assert store.events.counts() == (40, 1)


def test_a_full_queue_is_told_as_busy_by_the_store(ready_url: str) -> None:
    with Store.create(ready_url, waiting=1) as store:
        held = threading.Event()
        real, begun = store.events._group._write, threading.Event()

        def slow(batches: Batches) -> list[int]:
            begun.set()
            held.wait(60)
            return real(batches)

        store.events._group._write = slow
        writers = [threading.Thread(target=store.events.append, args=(rows(f"w{n}"),)) for n in range(2)]
        writers[0].start()
        begun.wait(60)
        writers[1].start()
        waiting(store.events._group, 1)
        with pytest.raises(Busy):
            store.events.append(rows("late"))
        held.set()
        for writer in writers:
            writer.join(60)
        assert store.events.counts() == (2, 1)
