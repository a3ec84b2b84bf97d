"""The parts of the event log in PostgreSQL: a quarter of a year each, made when the first event of it comes.

Everything before the year 2000 lies in one part, so that the number of parts stays small whatever times are sent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import TypeVar

import sqlalchemy as sa

from penchant.core.clock import micros
from penchant.core.errors import StoreError

__all__ = ["DAY", "Partitions", "part_of"]

T = TypeVar("T")

_FIRST = 2000
_LOCK = 0x70617274  # the letters of part
_PARTS = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'events'::regclass"
DAY = 86_400_000_000
"Microseconds of a day; no part ends within one."


def part_of(at: int) -> str:
    """Return the name of the part that an event at ``at`` (microseconds since 1970 UTC) lies in.

    >>> part_of(0), part_of(1_500_000_000_000_000), part_of(1_514_764_799_999_999), part_of(1_514_764_800_000_000)
    ('events_before_2000', 'events_2017q3', 'events_2017q4', 'events_2018q1')
    """
    day = datetime.fromtimestamp(at // 1_000_000, UTC)
    return f"events_{day.year}q{(day.month + 2) // 3}" if day.year >= _FIRST else f"events_before_{_FIRST}"


def _bounds(name: str) -> tuple[str, str]:
    if "before" in name:
        return "MINVALUE", str(micros(datetime(_FIRST, 1, 1)))
    year, quarter = int(name[7:-2]), int(name[-1])
    ends = datetime(year + quarter // 4, 3 * (quarter % 4) + 1, 1)
    return str(micros(datetime(year, 3 * quarter - 2, 1))), str(micros(ends))


class Partitions:
    """The parts that are known to be there; others are made.

    >>> Partitions(lambda: None).needed([0, 1, 1_500_000_000_000_000])
    ['events_2017q3', 'events_before_2000']
    """

    def __init__(self, transaction: Callable[[], AbstractContextManager[sa.Connection]]) -> None:
        """Take what begins a transaction."""
        self._transaction = transaction
        self._known: set[str] = set()

    def needed(self, moments: Iterable[int]) -> list[str]:
        """Return the names of the parts that are not known to be there, in order."""
        days = {at // DAY for at in moments}
        return sorted({part_of(day * DAY) for day in days} - self._known)

    def ensure(self, moments: Iterable[int]) -> None:
        """Make the parts that are missing, each in a transaction of its own; readers and writers go on meanwhile."""
        for name in self.needed(moments):
            with self._transaction() as connection:
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
                if connection.execute(sa.select(sa.func.to_regclass(name))).scalar_one() is None:
                    first, end = _bounds(name)
                    # Made first and attached then: a table that is made as a part would wait for all who read.
                    connection.exec_driver_sql(f"CREATE TABLE {name} (LIKE events INCLUDING ALL)")
                    attach = f"ALTER TABLE events ATTACH PARTITION {name} FOR VALUES FROM ({first}) TO ({end})"
                    connection.exec_driver_sql(attach)
            self._known.add(name)

    def drop(self, before: int) -> int:
        """Drop the parts that end before a moment, with what no longer counted in them; return how many events."""
        gone = 0
        for name in self._ended(before):
            with self._transaction() as connection:
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
                connection.exec_driver_sql("LOCK TABLE events IN ACCESS EXCLUSIVE MODE")
                connection.exec_driver_sql(f"DELETE FROM superseded WHERE seq IN (SELECT seq FROM {name})")  # noqa: S608
                gone += connection.exec_driver_sql(f"SELECT count(*) FROM {name}").scalar_one()  # noqa: S608
                connection.exec_driver_sql(f"DROP TABLE {name}")
            self._known.discard(name)
        return gone

    def _ended(self, before: int) -> list[str]:
        with self._transaction() as connection:
            names = connection.exec_driver_sql(_PARTS).scalars().all()
        return sorted(name for name in names if int(_bounds(name)[1]) <= before)

    def retried(self, moments: Iterable[int], work: Callable[[], T]) -> T:
        """Do work on parts that are there; once more when one was dropped since it was last seen."""
        self.ensure(moments)
        try:
            return work()
        except StoreError as error:
            if "no partition of relation" not in str(error):
                raise
        self._known.clear()
        self.ensure(moments)
        return work()
