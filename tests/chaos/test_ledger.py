"""The comparison itself notices what it is there to notice."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from penchant.core.clock import SystemClock
from penchant.core.nouns import Event
from penchant.trust.access import SYSTEM
from penchant.trust.gate import Gate

from .ledger import check
from .load import Load
from .served import Address, settings_of

MISHAPS = {
    "DELETE FROM events WHERE id LIKE 'mine/told/%'": "acknowledged events are gone",
    "DELETE FROM events WHERE id = 'mine/untold/3'": "3 of 4 events of the batch mine/untold are there",
    "UPDATE events SET item = 'other' WHERE id = 'mine/told/1'": "mine/told/1 is not what was sent",
    "INSERT INTO events (id, user, item, kind, at, value, channel, recorded)"
    " SELECT id, user, item, kind, at, value, channel, recorded FROM events WHERE id = 'mine/told/1'": "mine/told/1",
}


@pytest.mark.parametrize("mishap", MISHAPS)
def test_what_is_lost_halved_changed_or_doubled_is_noticed(folder: Path, key: str, mishap: str) -> None:
    load, at = Load(Address("", key), "mine"), datetime(2026, 1, 1, 10, tzinfo=UTC)
    for name in ("mine/told", "mine/untold"):
        load.sent[name] = [
            {"id": f"{name}/{place}", "user": "u1", "item": "i1", "kind": "view", "at": at.isoformat()}
            for place in range(4)
        ]
    load.acknowledged.add("mine/told")
    settings = settings_of(folder)
    with Gate.open(settings, SystemClock()) as gate:
        rows = [Event("u1", "i1", "view", at, id=row["id"]) for batch in load.sent.values() for row in batch]
        assert gate.admit(SYSTEM, rows).accepted == 8
    assert check(load, settings.store) == 8
    with closing(sqlite3.connect(folder / "shop.db")) as store, store:
        store.execute("DROP INDEX events_id")
        store.execute(mishap)
    with pytest.raises(AssertionError, match=MISHAPS[mishap]):
        check(load, settings.store)
