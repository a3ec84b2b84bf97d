"""Events that take back or replace an earlier one, and which events therefore no longer count.

An event says with ``replaces`` that it stands in the place of an earlier event of the same person; when its kind is
``retract``, nothing stands there any more. Rows of the log are never changed: which of them no longer count is kept in
the table ``superseded``, which is worked out anew, in the transaction that adds them, for all that an addition touches.
So it does not matter which of two such events arrives first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from penchant.core.nouns import RETRACT
from penchant.store.sql import insert
from penchant.store.tables import TEXT, events, superseded

__all__ = ["Named", "amended", "any_amended", "counting", "settle"]

Named = Callable[[sa.CTE], sa.Select[Any]]
"From (user, target) to the seq of the events of these people with these ids."

_BATCH = 500  # ids in one question; SQLite allows 32,766 parameters

_touched = sa.Table(
    "touched", sa.MetaData(), sa.Column("user", TEXT), sa.Column("target", TEXT), prefixes=["TEMPORARY"]
)

_NAMING = sa.select(1).where(events.c.replaces.is_not(None)).order_by(events.c.replaces).limit(1)
"Whether any event names another, in the order of the small index that holds only these, so that nothing else is read."


def counting(seq: sa.ColumnElement[int] = events.c.seq) -> sa.ColumnElement[bool]:
    """Return the SQL condition that an event counts; every read of the log has it.

    It counts when it was not taken back, nothing replaced it, and it is not itself the taking back of another.

    >>> print(" ".join(str(counting(sa.column("seq"))).split()))
    NOT (EXISTS (SELECT 1 FROM superseded WHERE superseded.seq = seq))
    """
    return ~sa.select(1).select_from(superseded).where(superseded.c.seq == seq).exists()


def any_amended(connection: sa.Connection) -> bool:
    """Return whether the log holds any event that names another.

    >>> from tempfile import TemporaryDirectory
    >>> from penchant.store.store import Store
    >>> with TemporaryDirectory() as folder, Store.create(f"sqlite:///{folder}/shop.db") as store:
    ...     with store._database.reading() as connection:
    ...         any_amended(connection)
    False
    """
    return connection.execute(_NAMING).first() is not None


def amended(connection: sa.Connection, ids: Sequence[str]) -> set[tuple[str, str]]:
    """Return which of the ids are named by an event, and by whose: pairs of user and id.

    >>> from tempfile import TemporaryDirectory
    >>> from penchant.store.store import Store
    >>> with TemporaryDirectory() as folder, Store.create(f"sqlite:///{folder}/shop.db") as store:
    ...     with store._database.reading() as connection:
    ...         amended(connection, ["e1"])
    set()
    """
    found: set[tuple[str, str]] = set()
    for start in range(0, len(ids), _BATCH):
        named = events.c.replaces.in_(ids[start : start + _BATCH])
        rows = connection.execute(sa.select(events.c.user, events.c.replaces).where(named))
        found |= {(user, target) for user, target in rows}
    return found


def settle(connection: sa.Connection, touched: Iterable[tuple[str, str]], named: Named | None = None) -> None:
    """Work out anew which events no longer count, given the (user, id) that were named or, being named, arrived.

    An event does not count when an event of the same person names it; when it is a retraction; when a later one names
    what it names; or when what it names, or what that names in turn, was retracted. Doing this twice changes nothing.

    >>> from tempfile import TemporaryDirectory
    >>> from penchant.store.events import Who
    >>> from penchant.store.store import Store
    >>> row = {"user": "ann", "item": "tea", "at": 1, "session": None, "channel": "web", "context": None, "recorded": 2}
    >>> said = [("r1", "retract", 1.0, "e1"), ("e1", "purchase", 2.0, None), ("c2", "purchase", 3.0, "e2")]
    >>> said += [("e2", "purchase", 5.0, None)]
    >>> rows = [{**row, "id": a, "kind": b, "value": c, "replaces": d} for a, b, c, d in said]
    >>> with TemporaryDirectory() as folder, Store.create(f"sqlite:///{folder}/shop.db") as store:
    ...     _ = store.events.append(rows)
    ...     store.events.past(Who(None), "ann", limit=10).values
    (3.0,)

    Args:
        connection: in the transaction that added the rows.
        touched: pairs of user and id.
        named: how events are found by their ids where the log has no index of them.
    """
    pairs = [{"user": user, "target": target} for user, target in touched]
    if not pairs:
        return
    connection.execute(sa.schema.CreateTable(_touched, if_not_exists=True))
    connection.execute(sa.delete(_touched))
    connection.execute(sa.insert(_touched), pairs)
    connection.exec_driver_sql("ANALYZE touched")  # a plan for a few, or for a million
    for query in ((named or _named)(_chain()), _outdone(), _doomed()):
        connection.execute(insert(connection, superseded).from_select(["seq"], query).on_conflict_do_nothing())
    connection.execute(sa.delete(_touched))


def _chain() -> sa.CTE:
    """Return the touched ids and all that these replace in turn."""
    chain = sa.select(_touched.c.user, _touched.c.target).cte("chain", recursive=True)
    up = sa.select(events.c.user, events.c.replaces).where(
        events.c.user == chain.c.user, events.c.id == chain.c.target, events.c.replaces.is_not(None)
    )
    return chain.union(up)


def _named(chain: sa.CTE) -> sa.Select[Any]:
    """Select what is named by an event of the same person."""
    return sa.select(events.c.seq).where(events.c.user == chain.c.user, events.c.id == chain.c.target)


def _outdone() -> sa.Select[Any]:
    """Select retractions, and replacements after which another of the same event arrived."""
    chain, later = _chain(), events.alias("later")
    outdone = sa.select(1).where(
        later.c.user == events.c.user, later.c.replaces == events.c.replaces, later.c.seq > events.c.seq
    )
    same = sa.and_(events.c.user == chain.c.user, events.c.replaces == chain.c.target)
    return sa.select(events.c.seq).where(same, sa.or_(events.c.kind == RETRACT, outdone.exists()))


def _doomed() -> sa.Select[Any]:
    """Select whatever stands in the place of an event that was retracted, however many steps away."""
    chain, retraction = _chain(), events.alias("retraction")
    gone = sa.select(chain.c.user, chain.c.target).where(
        sa.select(1)
        .where(
            retraction.c.user == chain.c.user,
            retraction.c.replaces == chain.c.target,
            retraction.c.kind == RETRACT,
        )
        .exists()
    )
    doomed = gone.cte("doomed", recursive=True)
    down = sa.select(events.c.user, events.c.id).where(
        events.c.user == doomed.c.user, events.c.replaces == doomed.c.target
    )
    doomed = doomed.union(down)
    return sa.select(events.c.seq).where(events.c.user == doomed.c.user, events.c.replaces == doomed.c.target)
