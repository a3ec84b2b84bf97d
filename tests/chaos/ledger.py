"""What is in the store, read past all of the house's own code, against what was posted and acknowledged."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

import sqlalchemy as sa

from penchant.core.clock import micros

from .load import Load


class Found:
    """The events of one load that a store holds, in one consistent look at it."""

    def __init__(self, url: str, seed: object) -> None:
        engine = sa.create_engine(_spelled(url), poolclass=sa.NullPool)
        query = sa.text('SELECT id, "user", item, kind, at FROM events WHERE id LIKE :like')
        with engine.connect() as connection:
            self.rows = connection.execute(query, {"like": f"{seed}/%"}).fetchall()
            if connection.dialect.name == "postgresql":
                _check_ids(connection)


def _spelled(url: str) -> str:
    return url.replace("postgresql://", "postgresql+psycopg://")


def _check_ids(connection: sa.Connection) -> None:
    """Check that the parted log and its table of ids say the same; both were looked at within a moment under load."""
    lonely = (
        "SELECT count(*) FROM events e FULL JOIN (SELECT * FROM event_ids WHERE seq IS NOT NULL) i"
        " ON i.id = e.id AND i.seq = e.seq AND i.at = e.at WHERE e.id IS NULL OR i.id IS NULL"
    )
    assert connection.exec_driver_sql(lonely).scalar_one() == 0


def check(load: Load, url: str) -> int:
    """Check that acknowledged events are there once, as they were sent, and no batch in part; return how many are."""
    promised = load.promised()  # before the look: what is acknowledged meanwhile may be in it or not
    rows = Found(url, load.seed).rows
    count = Counter(row.id for row in rows)
    assert max(count.values(), default=1) == 1, [name for name, times in count.items() if times > 1][:5]
    lost = promised - count.keys()
    assert not lost, f"{len(lost)} of {len(promised)} acknowledged events are gone, such as {sorted(lost)[:5]}"
    check_whole(load, {row.id for row in rows})
    known = {event["id"]: event for batch in list(load.sent.values()) for event in batch}
    for row in rows:
        event = known[row.id]
        at = micros(datetime.fromisoformat(event["at"]))
        sent = (event["user"], event["item"], event["kind"], at)
        assert tuple(row)[1:] == sent, f"{row.id} is not what was sent: {row} for {sent}"
    return len(rows)


def check_whole(load: Load, ids: set[str]) -> None:
    """Check that of every batch all events are there or none."""
    for name, batch in list(load.sent.items()):
        there = sum(event["id"] in ids for event in batch)
        assert there in (0, len(batch)), f"{there} of {len(batch)} events of the batch {name} are there"


def sound(url: str) -> str:
    """Return what SQLite says of its own file; 'ok' when nothing is wrong."""
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        return str(connection.exec_driver_sql("PRAGMA integrity_check").scalar_one())
