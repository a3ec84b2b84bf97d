"""What every store must do, whatever database is behind it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import polars as pl
import sqlalchemy as sa

from penchant.core.errors import StoreError, StoreVersion
from penchant.store.events import Who
from penchant.store.store import Store

__all__ = ["STORE_CHECKS", "MakeStore", "check_store"]

MakeStore = Callable[[], Store]
"Returns a new, empty store each time; the caller removes what it made."


def check_store(make_store: MakeStore) -> None:
    """Run every check on fresh stores; an AssertionError says which promise does not hold.

    >>> import tempfile, itertools
    >>> folder, number = tempfile.TemporaryDirectory(), itertools.count()
    >>> check_store(lambda: Store.create(f"sqlite:///{folder.name}/{next(number)}.db"))
    >>> folder.cleanup()
    """
    for check in STORE_CHECKS:
        with make_store() as store:
            check(store)


def _event(name: str, user: str = "ann", at: int = 1, **other: Any) -> dict[str, Any]:
    row = {"id": name, "user": user, "item": "tea", "kind": "view", "at": at, "value": 1.5}
    return {**row, "session": None, "channel": "web", "context": None, "replaces": None, "recorded": 9, **other}


def _item(name: str) -> dict[str, Any]:
    row = {"id": name, "title": name, "text": "", "categories": "[]", "price": None, "currency": None}
    return {**row, "available": True, "published": None, "attributes": "{}"}


def _answer(user: str, granted: bool, purpose: str = "train") -> dict[str, Any]:
    return {"user": user, "purpose": purpose, "granted": granted, "basis": "test", "at": 1}


def _events_count_once(store: Store) -> None:
    """Check: an id that is known already adds nothing, in one call, in the next and in a table."""
    done = store.events.append([_event("a"), _event("b"), _event("a")])
    _same((done.accepted, done.duplicates), (2, 1))
    table = pl.DataFrame([_event("b"), _event("c"), _event("c")], infer_schema_length=None)
    table = table.with_columns(pl.col("session", "context", "replaces").cast(pl.String))
    done = store.events.append_table(table, recorded=9)
    _same((done.accepted, done.duplicates), (1, 2))
    _same(store.events.counts(), (3, 1))


def _tables_and_rows_agree(store: Store) -> None:
    """Check: a table into an empty store, and rows one by one, read back the same, in order of arrival."""
    rows = [_event(f"e{n}", user=f"u{n % 3}", at=7 - n, session="s", context='{"a":"b"}') for n in range(7)]
    store.events.append_table(pl.DataFrame(rows, schema_overrides={"replaces": pl.String}), recorded=9)
    read = store.events.read(Who(None))
    _same(read["user"].to_list(), [row["user"] for row in rows])
    _same(read["at"].to_list(), [row["at"] for row in rows])
    _same(read.schema, {"user": pl.String, "item": pl.String, "kind": pl.String, "at": pl.Int64, "value": pl.Float64})
    _same(store.events.append(rows).duplicates, 7)
    _same(store.events.append([_event("e9", at=9)]).accepted, 1)
    _same(store.events.read(Who(None))["at"].to_list(), [*(row["at"] for row in rows), 9])


def _pasts_are_in_time_order(store: Store) -> None:
    """Check: one person's past: the newest, oldest first; of equal times the one that arrived first comes first."""
    rows = [_event(f"e{n}", at=at, item=f"i{n}") for n, at in enumerate([5, 3, 5, 1])]
    store.events.append([*rows, _event("other", user="bob")])
    _same(store.events.past(Who(None), "ann", 10).items, ("i3", "i1", "i0", "i2"))
    newest = store.events.past(Who(None), "ann", 2)
    _same((newest.items, newest.at, newest.values), (("i0", "i2"), (5, 5), (1.5, 1.5)))
    _same(len(store.events.past(Who(None), "nobody", 10)), 0)


def _consent_decides(store: Store) -> None:
    """Check: reads hold those who agreed to that purpose; the default speaks for those who never answered."""
    store.events.append([_event(name, user=name) for name in ("yes", "no", "unasked")])
    store.consent.put([_answer("yes", granted=True), _answer("no", granted=False), _answer("no", True, "other")])
    for default, allowed in ((False, ["yes"]), (True, ["yes", "unasked"])):
        who = Who("train", default)
        _same(store.events.read(who)["user"].to_list(), allowed)
        _same(store.events.users(who), len(allowed))
        for user in ("yes", "no", "unasked"):
            _same(bool(len(store.events.past(who, user, 5))), (user in allowed))
            _same(store.consent.permits("train", user, default), (user in allowed))
    store.consent.put([_answer("yes", granted=False)])
    _same(store.events.read(Who("train")).height, 0)
    _same([row.granted for row in store.consent.of("yes")], [False])


def _items_have_versions(store: Store) -> None:
    """Check: each put gets the next version, and a reader sees what changed since its own."""
    _same(store.items.changed(0), ([], 0))
    first = store.items.put([_item("tea"), _item("milk")])
    second = store.items.put([{**_item("tea"), "title": "green tea"}])
    _same(second > first > 0, True)
    rows, version = store.items.changed(first)
    _same(([row.title for row in rows], version), (["green tea"], second))
    _same([row.id for row in store.items.changed(0)[0]], ["milk", "tea"])
    _same(store.items.changed(second), ([], second))
    _same(store.items.count(), 2)


def _failures_leave_nothing(store: Store) -> None:
    """Check: a write that fails half-way leaves no row of it."""
    bad = {**_event("b"), "item": None}
    wrong = pl.DataFrame([_event("a"), bad]).with_columns(pl.col("session", "context", "replaces").cast(pl.String))
    _fails(lambda: store.events.append([_event("a"), bad]))
    _fails(lambda: store.events.append_table(wrong, recorded=9))
    _fails(lambda: store.items.put([_item("tea"), {**_item("milk"), "title": None}]))
    _same(store.events.counts(), (0, 0))
    _same(store.items.changed(0), ([], 0))
    _same(store.events.append([_event("a"), _event("a")]).accepted, 1)  # the indexes are back


def _reopening_finds_everything(store: Store) -> None:
    """Check: what was written is there for another connection, and after closing."""
    store.events.append([_event("a")])
    store.items.put([_item("tea")])
    with Store.open(store.url) as again:
        _same(again.events.counts(), (1, 1))
    store.close()
    with Store.create(store.url) as again:
        _same((again.events.counts(), again.items.count()), ((1, 1), 1))


def _newer_stores_are_refused(store: Store) -> None:
    """Check: a schema that this code does not know is not touched."""
    engine = sa.create_engine(store.url)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    for opening in (Store.open, Store.create):
        error = _fails(partial(opening, store.url))
        _same(type(error), StoreVersion)
        _same("from a newer version of Penchant; got schema 9999" in str(error), True)


def _one_artifact_is_in_service(store: Store) -> None:
    """Check: promoting one ends the one before it; an unknown one changes nothing; forgetting spares it."""
    for created, digest in enumerate(("a", "b", "c")):
        store.artifacts.put({"digest": digest, "path": digest, "created": created, "models": "{}", "metrics": "{}"})
    _same(store.artifacts.promoted(), None)
    _same(store.artifacts.promote("b", 5), True)
    _same(store.artifacts.promote("a", 6), True)
    _same(store.artifacts.promote("z", 7), False)
    _same([row.digest for row in store.artifacts.all() if row.promoted is not None], ["a"])
    _same(store.artifacts.forget(1), [])  # c is the newest, a is in service, b was before it
    _same(store.artifacts.promote("c", 8, by="ann", why="better"), True)
    _same([row.digest for row in store.artifacts.forget(1)], ["b"])
    _same([row.digest for row in store.artifacts.all()], ["c", "a"])


def _rollback_goes_back_and_further_back(store: Store) -> None:
    """Check: each rollback undoes one promotion; what is undone or forgotten does not come back."""
    _same(store.artifacts.rollback(9), None)
    for at, digest in enumerate(("a", "b", "b", "c", "d")):
        store.artifacts.put({"digest": digest, "path": digest, "created": at, "models": "{}", "metrics": "{}"})
        _same(store.artifacts.promote(digest, at), True)
    _same(store.artifacts.rollback(9), ("d", "c"))
    _same(store.artifacts.rollback(10), ("c", "b"))
    _same(store.artifacts.promoted().digest, "b")  # type: ignore[union-attr]
    _same(store.artifacts.promote("d", 11), True)
    _same(store.artifacts.rollback(12), ("d", "b"))
    _same([(row.digest, row.undone) for row in store.artifacts.promotions(3)], [("d", 12), ("d", 9), ("c", 10)])
    _same([row.digest for row in store.artifacts.forget(1)], ["c"])
    _same(store.artifacts.rollback(13), ("b", "a"))
    _same(store.artifacts.rollback(14), None)
    _same(store.artifacts.promoted().digest, "a")  # type: ignore[union-attr]


def _a_lease_has_one_holder(store: Store) -> None:
    """Check: who holds a lease keeps it until it ends; nobody promotes under a lease that was lost."""
    _same(store.leases.get("train"), None)
    _same([store.leases.take("train", who, now, now + 10) for who, now in (("a", 0), ("b", 9))], [True, False])
    _same((store.leases.renew("train", "b", 9, 19), store.leases.renew("train", "a", 9, 19)), (False, True))
    store.artifacts.put({"digest": "x", "path": "x", "created": 1, "models": "{}", "metrics": "{}"})
    _same(store.artifacts.promote("x", 18, lease=("train", "b")), False)
    _same(store.artifacts.promote("x", 18, lease=("train", "a")), True)
    _same(store.artifacts.promote("x", 19, lease=("train", "a")), False)
    _same((store.leases.take("train", "b", 19, 29), store.leases.renew("train", "a", 20, 30)), (True, False))
    _same((store.leases.release("train", "a", 21), store.leases.release("train", "b", 22)), (False, True))
    row = store.leases.get("train")
    _same(None if row is None else (row.holder, row.done), ("", 22))
    _same(store.leases.take("train", "c", 22, 32), True)


def _same(got: object, wanted: object) -> None:
    if got != wanted:
        raise AssertionError(f"got {got!r}, wanted {wanted!r}")


def _fails(work: Callable[[], object]) -> StoreError:
    try:
        work()
    except StoreError as error:
        return error
    raise AssertionError("this must be refused")


def _participants_go_with_all_they_said(store: Store) -> None:
    """Check: a study fills up, answers are given once, and who is erased leaves nothing; numbers do not come back."""
    study = {"name": "s", "a": "x", "b": "y", "n": 5, "places": 2, "seed": 0, "created": 1}
    _same((store.studies.add(study), store.studies.add(study)), (True, False))
    asked = [{"id": key, "terms": "t", "agreed": 1} for key in ("p", "q", "r")]
    _same([store.studies.join("s", row, lambda number: "ab"[number]) for row in asked], [0, 1, None])
    _same((store.studies.show("p", "d", "{}"), store.studies.show("p", "e", "[]")), (True, False))
    said = {("a", "trust"): 4, ("b", "trust"): 2}
    _same((store.studies.answer("p", "a", said), store.studies.answer("p", "b", said)), (True, False))
    people, ratings = store.studies.answers("s")
    _same([tuple(row) for row in people], [(0, "a", "d", "{}", "a")])
    _same([tuple(row) for row in ratings], [(0, "a", "trust", 4), (0, "b", "trust", 2)])
    _same((store.studies.counts("s"), store.studies.erase("p"), store.studies.erase("p")), ((2, 1), True, False))
    _same((store.studies.counts("s"), store.studies.answers("s")), ((1, 0), ([], [])))
    _same(store.studies.join("s", asked[2], lambda number: "a"), None)  # a place that was taken is not free again
    _same((store.studies.close("s", 7), store.studies.close("s", 9), store.studies.close("t", 9)), (True, True, False))
    _same([row.closed for row in store.studies.all()], [7])


STORE_CHECKS: tuple[Callable[[Store], None], ...] = (
    _events_count_once,
    _tables_and_rows_agree,
    _pasts_are_in_time_order,
    _consent_decides,
    _items_have_versions,
    _failures_leave_nothing,
    _reopening_finds_everything,
    _newer_stores_are_refused,
    _one_artifact_is_in_service,
    _rollback_goes_back_and_further_back,
    _a_lease_has_one_holder,
    _participants_go_with_all_they_said,
)
"Every check, to run one at a time."
