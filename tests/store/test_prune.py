"""Old events go, with their ids and what was worked out from them; all else stays as it was."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from penchant.core.errors import InputError
from penchant.store import Store
from penchant.store.events import Appended, Who

DAY = 86_400_000_000
QUARTER = 92 * DAY
START = 1_500_000_000_000_000


@pytest.fixture
def store(ready_url: str) -> Iterator[Store]:
    with Store.create(ready_url) as made:
        yield made


def row(key: str, at: int, **others: Any) -> dict[str, Any]:
    basic = {"id": key, "user": "ann", "item": key, "kind": "view", "at": at, "value": 1.0, "channel": "web"}
    return {**basic, "session": None, "context": None, "recorded": START, **others}


def past(store: Store) -> tuple[str, ...]:
    return store.events.past(Who(None), "ann", limit=100).items


def test_what_is_older_is_gone_and_what_is_not_stays(store: Store) -> None:
    rows = [row(f"e{n}", START + n * QUARTER // 3) for n in range(12)]
    store.events.append(rows)
    assert store.events.prune(rows[7]["at"]) == 7
    assert past(store) == tuple(f"e{n}" for n in range(7, 12))
    assert store.events.prune(rows[7]["at"]) == 0
    assert store.events.append(rows) == Appended(7, 5), "ids of events that are gone are new"
    assert past(store) == tuple(f"e{n}" for n in range(12))


def test_what_was_taken_back_stays_so_and_what_is_named_is_waited_for(store: Store) -> None:
    correction = row("c1", START + QUARTER, replaces="e1")
    store.events.append([row("e1", START), row("e2", START), correction])
    assert past(store) == ("e2", "c1")
    assert store.events.prune(START + DAY) == 2
    assert past(store) == ("c1",)
    store.events.append([row("e1", START)])
    assert past(store) == ("c1",), "an event that is sent again stays replaced"


def test_nothing_is_left_of_what_was_superseded(store: Store) -> None:
    store.events.append([row("e1", START), row("r1", START + 1, kind="retract", replaces="e1"), row("e2", START + DAY)])
    store.events.prune(START + DAY)
    with store._database.reading() as connection:
        left = {
            t: connection.exec_driver_sql(f"SELECT count(*) FROM {t}").scalar_one() for t in ("events", "superseded")
        }
        tables = sa.inspect(connection).get_table_names()
        ids = (
            connection.exec_driver_sql("SELECT id FROM event_ids").scalars().all() if "event_ids" in tables else ["e2"]
        )
    assert left == {"events": 1, "superseded": 0}
    assert ids == ["e2"]


def test_text_that_no_database_can_keep_is_refused_and_not_repeated(store: Store) -> None:
    with pytest.raises(InputError, match="half of a surrogate pair") as caught:
        store.events.append([row("e1", START, context=chr(0xD800) + "secret")])
    assert "secret" not in str(caught.value)
    with pytest.raises(InputError, match="half of a surrogate pair"):
        store.events.past(Who(None), chr(0xDFFF), limit=1)
    assert store.events.append([row("e1", START)]) == Appended(1, 0)
