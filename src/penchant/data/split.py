"""Ways to cut a dataset in two: what a model may learn from, and what it has to foresee."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import numpy as np
from msgspec import Struct

from penchant.core.arrays import Bool, Int64
from penchant.core.chance import generator
from penchant.core.clock import micros, parse_duration
from penchant.core.errors import EmptyData, InputError
from penchant.data.dataset import Dataset
from penchant.data.expected import expect_dataset

__all__ = ["Split", "leave_last_out", "random", "strong", "temporal"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SPAN = re.compile(r"[+-]?[\d.]+ *[A-Za-z]+")
_CUTS = "a duration such as 28d or a timedelta, or a moment: a datetime or a text such as 2011-04-01"


class Split(Struct, frozen=True, eq=False):
    """A dataset cut in two, and the histories that the test users are asked from; all share one pair of vocabularies.

    >>> import polars as pl
    >>> events = pl.DataFrame({"user": ["ann", "ann", "bob"], "item": ["tea", "milk", "tea"], "at": [1, 2, 3]})
    >>> split = leave_last_out(Dataset.from_events(events))
    >>> split.train.n_events, split.test.history("ann").items.tolist()
    (2, [0])
    """

    train: Dataset
    "What models are fitted on."
    history: Dataset
    "What each test user is asked from: `train` itself, except in strong generalisation, where it holds other people."
    test: Dataset
    "What has to be foreseen."
    kind: str
    "temporal, leave-last-out, random or strong."
    about: str
    "A sentence that states the split, with its counts."

    def __repr__(self) -> str:
        return self.about


def temporal(data: Dataset, test: str | timedelta | date = "28d") -> Split:
    """Hold out the end of the data: everything from one moment on, for all users alike.

    A duration, such as ``"28d"`` or a timedelta, holds out the events less than that long before the latest one; a
    moment, such as a datetime or ``"2011-04-01"``, holds out the events at or after it (without a zone it is UTC).

    >>> import polars as pl
    >>> days = [datetime(2017, 1, day) for day in (1, 20, 30)]
    >>> data = Dataset.from_events(pl.DataFrame({"user": ["ann"] * 3, "item": ["tea", "milk", "jam"], "at": days}))
    >>> print(temporal(data, test="7d").about)
    Temporal split after 2017-01-23T00:00:00+00:00: 2 events of 1 user before to learn from, \
1 event of 1 user to foresee; 1 of these users has a history.
    >>> temporal(data, test="2017-01-20").test.n_events
    2

    Raises:
        EmptyData: one side would be empty, or all events have the same time.
        InputError: ``test`` is neither a duration nor a moment.
    """
    expect_dataset(data, "temporal")
    at: Int64 = data.column("at")
    first, last = _span(at, "temporal")
    span = _span_or_moment(test)
    held, place = _late(at, span, last)
    if held.all() or not held.any():
        side = "test" if not held.any() else "train"
        raise EmptyData(
            f"the {side} side of the split is empty",
            got=test.isoformat() if isinstance(test, date) else str(test),
            allowed=f"a cut between {_iso(first)} and {_iso(last)}",
            then="hold out a later part" if side == "test" and isinstance(span, timedelta) else "choose another cut",
        )
    train, late = data.select(~held), data.select(held)
    known = len(np.intersect1d(train.column("user"), late.column("user")))
    about = (
        f"Temporal split {place}: {_count(train)} before to learn from, {_count(late)} to foresee; "
        f"{known:,} of these users {'has' if known == 1 else 'have'} a history."
    )
    return Split(train, train, late, "temporal", about)


def leave_last_out(data: Dataset, n: int = 1) -> Split:
    """Hold out the last ``n`` events of every user who has more than ``n``; the others are only learnt from.

    Events of one user at the same time keep the order they came in.

    >>> import polars as pl
    >>> events = pl.DataFrame({"user": ["ann", "ann", "bob"], "item": ["tea", "milk", "tea"], "at": [1, 2, 3]})
    >>> print(leave_last_out(Dataset.from_events(events)).about)
    Leave-last-out split: the last 1 event of each user with more than 1; 2 events of 2 users to learn from, \
1 event of 1 user to foresee.

    Raises:
        InputError: ``n`` is below 1.
        EmptyData: no user has more than ``n`` events, or all events have the same time.
    """
    expect_dataset(data, "leave_last_out")
    if n < 1:
        raise InputError("n is out of range", got=n, allowed="1 or more", then="hold out 1", field="n")
    _span(data.column("at"), "leave-last-out")
    counts = np.diff(data.indptr)
    user = data.column("user")
    from_end = data.indptr[1:][user] - np.arange(data.n_events)
    held = (from_end <= n) & (counts[user] > n)
    if not held.any():
        most = int(counts.max())
        raise EmptyData(
            "the test side of the split is empty",
            got=f"n={n}",
            allowed=f"n below {most:,}, the events of the busiest user" if most > 1 else "users with 2 events or more",
            then="hold out fewer events" if most > 1 else "bring more events",
        )
    train, last = data.select(~held), data.select(held)
    about = (
        f"Leave-last-out split: the last {n:,} {'event' if n == 1 else 'events'} of each user with more than {n:,}; "
        f"{_count(train)} to learn from, {_count(last)} to foresee."
    )
    return Split(train, train, last, "leave-last-out", about)


def random(data: Dataset, share: float = 0.2, rng: int | np.random.Generator = 0) -> Split:
    """Hold out a random share of all events.

    The future leaks into what is learnt from; prefer :func:`temporal` when the times mean something.

    >>> data = Dataset.from_matrix(np.ones((10, 10)))
    >>> random(data, share=0.3, rng=0).test.n_events
    30

    Raises:
        InputError: ``share`` is not between 0 and 1.
        EmptyData: one side would be empty.
    """
    expect_dataset(data, "random")
    _check_share(share, "share")
    n = _part(data.n_events, share, "events")
    held = np.zeros(data.n_events, np.bool_)
    held[generator(rng).permutation(data.n_events)[:n]] = True
    train, test = data.select(~held), data.select(held)
    about = f"Random split: {_count(train)} to learn from, {_count(test)} ({share:.0%} of all events) to foresee."
    return Split(train, train, test, "random", about)


def strong(data: Dataset, users: float = 0.2, share: float = 0.2, rng: int | np.random.Generator = 0) -> Split:
    """Hold out a random share of people; models never see them, and have to foresee the rest of what they did.

    Of each new user a random ``share`` of the events (at least one) is the test, and the others are the history that
    is folded in. Only users with two events or more can be new; the others are learnt from.

    >>> split = strong(Dataset.from_matrix(np.ones((10, 5))), users=0.3, rng=0)
    >>> split.train.n_events, split.history.n_events, split.test.n_events
    (35, 12, 3)

    Raises:
        InputError: ``users`` or ``share`` is not between 0 and 1.
        EmptyData: there are not enough users with two events.
    """
    expect_dataset(data, "strong")
    _check_share(users, "users")
    _check_share(share, "share")
    source = generator(rng)
    counts = np.diff(data.indptr)
    able, active = np.flatnonzero(counts >= 2), int((counts > 0).sum())
    if active < 2 or not len(able):
        raise EmptyData(
            "there are not enough users to keep some apart",
            got=f"{active:,} users, {len(able):,} of them with two events or more",
            allowed="two users or more, one of them with two events",
            then="bring more events",
        )
    n = min(_part(active, users, "users"), len(able))
    new = np.zeros(data.n_users, np.bool_)
    new[source.permutation(able)[:n]] = True
    user = data.column("user")
    held = new[user] & _share_of_each(data, share, source)
    folded = new[user] & ~held
    train, history, test = data.select(~new[user]), data.select(folded), data.select(held)
    about = (
        f"Strong generalisation: {_count(train)} to learn from; of {n:,} new {'user' if n == 1 else 'users'}, "
        f"{history.n_events:,} events are their history and {test.n_events:,} are to be foreseen."
    )
    return Split(train, history, test, "strong", about)


def _span_or_moment(test: Any) -> timedelta | datetime:
    """Return how long before the end to cut, or when."""
    if isinstance(test, datetime):
        return test
    if isinstance(test, date):
        return datetime.combine(test, time(), UTC)
    if isinstance(test, timedelta):
        if test <= timedelta():
            raise InputError("a span to hold out is above 0", got=str(test), then="write 28d", field="test")
        return test
    if isinstance(test, str) and _SPAN.fullmatch(test):
        return parse_duration(test, field="test")
    try:
        return datetime.fromisoformat(test)
    except (TypeError, ValueError) as error:
        raise InputError("not a place to cut at", got=repr(test), allowed=_CUTS, field="test") from error


def _late(at: Int64, test: timedelta | datetime, last: int) -> tuple[Bool, str]:
    """Return which events lie after the cut, and the cut in words."""
    if isinstance(test, datetime):
        cut = micros(test)
        return at >= cut, f"from {_iso(cut)} on"
    cut = last - test // timedelta(microseconds=1)
    return at > cut, f"after {_iso(cut)}"


def _share_of_each(data: Dataset, share: float, rng: np.random.Generator) -> Bool:
    """Return bool[n_events]: a random share of every user's events, at least one and never all (of two or more)."""
    counts = np.diff(data.indptr)
    wanted = np.clip(np.rint(counts * share).astype(np.int64), 1, np.maximum(counts - 1, 1))
    user = data.column("user")
    order = np.lexsort((rng.random(data.n_events), user))
    held = np.zeros(data.n_events, np.bool_)
    held[order] = np.arange(data.n_events) - data.indptr[user] < wanted[user]
    return held


def _span(at: Int64, kind: str) -> tuple[int, int]:
    first, last = int(at.min(initial=np.iinfo(np.int64).max)), int(at.max(initial=np.iinfo(np.int64).min))
    if not len(at):
        raise EmptyData("there are no events to split", then="check the file and its quality report")
    if first == last:
        raise EmptyData(
            "all events have the same time, so there is no before and after",
            got=_iso(first),
            allowed=f"events at two times or more for a {kind} split",
            then="use split.random or split.strong",
        )
    return first, last


def _check_share(value: Any, name: str) -> None:
    if not 0 < value < 1:
        raise InputError(
            f"{name} is out of range", got=value, allowed="a share between 0 and 1", then="use 0.2", field=name
        )


def _part(total: int, share: float, what: str) -> int:
    if total < 2:
        raise EmptyData(
            "there is nothing to split", got=f"{total} {what}", allowed="2 or more", then="bring more events"
        )
    return min(max(round(total * share), 1), total - 1)


def _count(data: Dataset) -> str:
    users = len(np.unique(data.column("user")))
    return f"{data.n_events:,} event{'s' * (data.n_events != 1)} of {users:,} user{'s' * (users != 1)}"


def _iso(at: int) -> str:
    try:
        return (_EPOCH + timedelta(microseconds=at)).isoformat()
    except OverflowError:
        return f"{at:,} microseconds since 1970"
