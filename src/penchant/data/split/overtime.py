"""Splits in time: one moment for all, windows that roll on, and the last of each person."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import numpy as np

from penchant.core.arrays import Bool, Int64
from penchant.core.clock import micros, parse_duration
from penchant.core.errors import EmptyData, InputError
from penchant.data.dataset import Dataset
from penchant.data.expected import expect_dataset
from penchant.data.split.checks import count, iso, span
from penchant.data.split.cut import Split

__all__ = ["late", "leave_last_out", "rolling", "span_or_moment", "temporal"]

_SPAN = re.compile(r"[+-]?[\d.]+ *[A-Za-z]+")
_CUTS = "a duration such as 28d or a timedelta, or a moment: a datetime or a text such as 2011-04-01"


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
    first, last = span(at, "temporal")
    where = span_or_moment(test)
    held, place = late(at, where, last)
    if held.all() or not held.any():
        side = "test" if not held.any() else "train"
        raise EmptyData(
            f"the {side} side of the split is empty",
            got=test.isoformat() if isinstance(test, date) else str(test),
            allowed=f"a cut between {iso(first)} and {iso(last)}",
            then="hold out a later part" if side == "test" and isinstance(where, timedelta) else "choose another cut",
        )
    train, after = data.select(~held), data.select(held)
    known = len(np.intersect1d(train.column("user"), after.column("user")))
    about = (
        f"Temporal split {place}: {count(train)} before to learn from, {count(after)} to foresee; "
        f"{known:,} of these users {'has' if known == 1 else 'have'} a history."
    )
    return Split(train, train, after, "temporal", about)


def rolling(
    data: Dataset,
    test: str | timedelta = "28d",
    windows: int = 4,
    *,
    step: str | timedelta | None = None,
    train: str | timedelta | None = None,
) -> tuple[Split, ...]:
    """Hold out one window of time after the other; each is foreseen from what came before it. The last ends the data.

    >>> import polars as pl
    >>> days = [datetime(2017, 1, day) for day in range(1, 10)]
    >>> data = Dataset.from_events(pl.DataFrame({"user": ["ann"] * 9, "item": list("abcdefghi"), "at": days}))
    >>> for split in rolling(data, test="2d", windows=2):
    ...     print(split.about)
    Window 1 of 2, after 2017-01-05T00:00:00+00:00 and up to 2017-01-07T00:00:00+00:00: 5 events of 1 user before to \
learn from, 2 events of 1 user to foresee.
    Window 2 of 2, after 2017-01-07T00:00:00+00:00 and up to 2017-01-09T00:00:00+00:00: 7 events of 1 user before to \
learn from, 2 events of 1 user to foresee.

    Args:
        data: the events.
        test: how long a window is.
        windows: how many there are, earliest first.
        step: how far one begins after the one before; as long as it is when None, so that no event is held out twice.
        train: how long before a window to begin learning; from the beginning when None.

    Raises:
        EmptyData: a window, or what comes before it, is empty, or all events have the same time.
        InputError: a span is not above 0, or there is no window.

    Memory is a copy of the events for each window.
    """
    expect_dataset(data, "rolling")
    if windows < 1:
        raise InputError("windows is out of range", got=windows, allowed="1 or more", then="roll 4", field="windows")
    at: Int64 = data.column("at")
    _, last = span(at, "rolling")
    long = _length(test, "test")
    far = long if step is None else _length(step, "step")
    back = None if train is None else _length(train, "train")
    starts = [last - long - far * behind for behind in range(windows - 1, -1, -1)]
    return tuple(_window(data, start, long, back, f"Window {i} of {windows}") for i, start in enumerate(starts, 1))


def _window(data: Dataset, start: int, long: int, back: int | None, name: str) -> Split:
    at: Int64 = data.column("at")
    before, held = at <= start, (at > start) & (at <= start + long)
    if back is not None:
        before &= at > start - back
    if not before.any() or not held.any():
        raise EmptyData(
            f"the {'test' if before.any() else 'train'} side of {name.lower()} is empty",
            got=f"a window after {iso(start)} and up to {iso(start + long)}",
            allowed=f"windows that hold events, between {iso(int(at.min()))} and {iso(int(at.max()))}",
            then="roll fewer or longer windows",
        )
    train, test = data.select(before), data.select(held)
    about = (
        f"{name}, after {iso(start)} and up to {iso(start + long)}: {count(train)} before to learn from, "
        f"{count(test)} to foresee."
    )
    return Split(train, train, test, "rolling", about)


def _length(value: Any, field: str) -> int:
    """Return a span in microseconds."""
    found = parse_duration(value, field=field) if isinstance(value, str) else value
    if not isinstance(found, timedelta) or found <= timedelta():
        raise InputError(
            f"{field} is no span of time",
            got=str(value),
            allowed="a duration such as 28d",
            then="write 28d",
            field=field,
        )
    return found // timedelta(microseconds=1)


def leave_last_out(data: Dataset, n: int = 1) -> Split:
    """Hold out the last ``n`` events of every user who has more than ``n``; the others are only learnt from.

    Events of one user at the same time keep the order they came in. Others' future leaks into what is learnt from (the
    leak ``future``), and an event that is in the data twice may stand on both sides (``twice``).

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
    span(data.column("at"), "leave-last-out")
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
        f"{count(train)} to learn from, {count(last)} to foresee."
    )
    return Split(train, train, last, "leave-last-out", about, ("future", "twice"))


def span_or_moment(test: Any) -> timedelta | datetime:
    """Return how long before the end to cut, or when.

    >>> span_or_moment("28d"), span_or_moment("2011-04-01")
    (datetime.timedelta(days=28), datetime.datetime(2011, 4, 1, 0, 0))
    """
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


def late(at: Int64, test: timedelta | datetime, last: int) -> tuple[Bool, str]:
    """Return which events lie after the cut, and the cut in words.

    >>> late(np.array([0, 2_000_000]), timedelta(seconds=1), 2_000_000)
    (array([False,  True]), 'after 1970-01-01T00:00:01+00:00')
    """
    if isinstance(test, datetime):
        cut = micros(test)
        return at >= cut, f"from {iso(cut)} on"
    cut = last - test // timedelta(microseconds=1)
    return at > cut, f"after {iso(cut)}"
