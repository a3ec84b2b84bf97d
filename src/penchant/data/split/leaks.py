"""What the training side of a split knows that it could not have known."""

from __future__ import annotations

import numpy as np

from penchant.core.arrays import Int64
from penchant.data.dataset import Dataset

__all__ = ["LEAKS", "leaks"]

LEAKS = {
    "future": "models learn from what came after the test",
    "hindsight": "people are asked from what they did after the test",
    "people": "models learn from people who are said to be new",
    "twice": "events stand on both sides",
}
"""The leaks, by name.

- ``future``: an event of train is later than the earliest event of the test, whoever's they are.
- ``hindsight``: an event of a person's history is later than the earliest event of the same person in the test.
- ``people``: the split says that the people it asks are new (strong, sessions), yet train has events of theirs.
- ``twice``: an event of the test (user, item, time, kind and value) is in train or in the history as well. Where all
  events have one and the same time, times are not known, and a repeat cannot be told from a leak.
"""

_EVENT = ("user", "item", "at", "kind", "value")


def leaks(train: Dataset, history: Dataset, test: Dataset, *, new: bool = False) -> dict[str, str]:
    """Return which of LEAKS three parts have between them, with the counts in words; ``new`` people may have more.

    >>> import polars as pl
    >>> data = Dataset.from_events(pl.DataFrame({"user": ["ann"] * 3, "item": ["tea", "milk", "jam"], "at": [1, 2, 3]}))
    >>> early, late = data.select(data.column("at") < 3), data.select(data.column("at") > 1)
    >>> leaks(early, early, late)
    {'twice': '1 of 2 events to foresee is known already'}
    """
    found = {
        "future": _future(train, test),
        "hindsight": _hindsight(history, test),
        "people": _people(train, history) if new else "",
        "twice": _twice(train, history, test),
    }
    return {name: words for name, words in found.items() if words}


def _future(train: Dataset, test: Dataset) -> str:
    first = int(test.column("at").min(initial=np.iinfo(np.int64).max))
    late = int((train.column("at") > first).sum())
    return _said(late, train.n_events, "training event", "later than the first event to foresee")


def _hindsight(history: Dataset, test: Dataset) -> str:
    latest, first = _ends(history)[1], _ends(test)[0]
    n = min(len(latest), len(first))
    wise = int((latest[:n] > first[:n]).sum())
    both = int(((np.diff(history.indptr)[:n] > 0) & (np.diff(test.indptr)[:n] > 0)).sum())
    return _said(wise, both, "history", "later than what has to be foreseen")


def _ends(data: Dataset) -> tuple[Int64, Int64]:
    """Return int64[n_users]: when each user was first and last seen; later and earlier than anything when never."""
    at: Int64 = data.column("at")
    start, stop = data.indptr[:-1], data.indptr[1:]
    some = stop > start
    first = np.full(len(start), np.iinfo(np.int64).max)
    last = np.full(len(start), np.iinfo(np.int64).min)
    first[some], last[some] = at[start[some]], at[stop[some] - 1]
    return first, last


def _people(train: Dataset, history: Dataset) -> str:
    new = np.flatnonzero(np.diff(history.indptr))
    known = int(np.isin(new, train.column("user")).sum())
    return _said(known, len(new), "new person", "in the training events", plural="new people")


def _twice(train: Dataset, history: Dataset, test: Dataset) -> str:
    sides = [train] if history is train else [train, history]
    times = [side.column("at") for side in (*sides, test) if side.n_events]
    if not test.n_events or min(at.min() for at in times) == max(at.max() for at in times):
        return ""
    known = np.zeros(test.n_events, np.bool_)
    test_times = test.column("at")
    for side in sides:
        if side.n_events and side.column("at").max() >= test_times.min():
            rows = test.frame.with_row_index("_row")
            same = rows.join(side.frame.select(_EVENT), on=list(_EVENT), how="semi")["_row"].to_numpy()
            known[same] = True
    return _said(int(known.sum()), test.n_events, "event", "known already", of="events to foresee")


def _said(n: int, total: int, one: str, what: str, *, plural: str = "", of: str = "") -> str:
    many = of or plural or (f"{one[:-1]}ies" if one.endswith("y") else f"{one}s")
    return f"{n:,} of {total:,} {many} {'is' if n == 1 else 'are'} {what}" if n else ""
