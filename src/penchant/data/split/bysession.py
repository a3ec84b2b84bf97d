"""Sessions revealed event by event, and what comes next in each."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
from msgspec import Struct

from penchant.core.arrays import Bool, Int64
from penchant.core.clock import parse_duration
from penchant.core.errors import EmptyData, InputError
from penchant.data.dataset import Dataset
from penchant.data.expected import expect_dataset
from penchant.data.split.checks import count, span
from penchant.data.split.cut import Split
from penchant.data.split.overtime import late, span_or_moment
from penchant.data.vocabulary import Vocabulary

__all__ = ["sessions"]


class _Sessions(Struct, frozen=True, eq=False):
    """Where each session begins and ends among the events, and whose it is."""

    starts: Int64
    stops: Int64
    user: Int64
    number: Int64

    def ids(self, users: Vocabulary, gap: bool) -> pl.Series:
        names = users.series.gather(self.user)
        if not gap:
            return names
        return names + "#" + pl.Series(self.number).cast(pl.String)


def sessions(data: Dataset, test: str | timedelta | date = "1d", gap: str | timedelta | None = None) -> Split:
    """Reveal each late session event by event: every event but the first has to be foreseen from those before it.

    Sessions that end before the cut are learnt from; of those that begin after it, with two events or more, each
    event but the first is a question of its own, and its history is what the session held before. Sessions that run
    across the cut are left out, and so are late ones of a single event. In all three parts a user is a session, or,
    in history and test, a step of one; intervals draw people, whose steps belong together. Ask with
    ``evaluate(..., task="any")``, since what comes next may be what was there before. Who is asked for an event that is
    in the data twice may know it already (the leak ``twice``).

    >>> seconds = pl.Series([0, 5, 60, 62, 65]) * 1_000_000
    >>> items = ["tea", "milk", "tea", "jam", "milk"]
    >>> data = Dataset.from_events(pl.DataFrame({"user": ["ann"] * 5, "item": items, "at": seconds}))
    >>> split = sessions(data, test="30s", gap="20s")
    >>> print(split.about)
    Session split after 1970-01-01T00:00:35+00:00: 2 events of 1 session before to learn from, 2 events of 1 session \
to foresee, each from those before it; left out: 0 events of sessions across the cut, 0 of sessions of a single event.
    >>> step = split.test.users.code("ann#2 step 3")
    >>> [part.history_of(step).items.tolist() for part in (split.history, split.test)]
    [[2, 0], [1]]

    Args:
        data: the events.
        test: where to cut, as in :func:`temporal`.
        gap: a person's session ends when nothing is done for longer than this; None when each user of the data is a
            session already.

    Raises:
        EmptyData: one side would be empty, or all events have the same time.
        InputError: ``test`` or ``gap`` cannot be used.

    A session of n events makes n (n - 1) / 2 rows of history, 48 bytes each.

    Source: Hidasi et al., "Session-based Recommendations with Recurrent Neural Networks", ICLR 2016, section 4;
    iterative revealing: Ludewig and Jannach, "Evaluation of session-based recommendation algorithms", UMUAI 2018,
    section 5.2.
    """
    expect_dataset(data, "sessions")
    at: Int64 = data.column("at")
    _, last = span(at, "session")
    held, place = late(at, span_or_moment(test), last)
    made = _found(data, _micros(gap))
    before, after = ~held[made.stops - 1], held[made.starts]
    single = after & (made.stops - made.starts < 2)
    asked = after & ~single
    if not before.any() or not asked.any():
        side = "train" if not before.any() else "test"
        raise EmptyData(
            f"the {side} side of the split is empty",
            got=f"{int(before.sum()):,} sessions before the cut, {int(asked.sum()):,} of two events or more after it",
            allowed="one session or more of each",
            then="choose another cut, or another gap",
        )
    split = _split(data, made, before, asked, gap is not None)
    lost, alone = (int((made.stops - made.starts)[part].sum()) for part in (~before & ~after, single))
    n = int(asked.sum())
    about = (
        f"Session split {place}: {count(split.train, 'session')} before to learn from, "
        f"{split.test.n_events:,} event{'s' * (split.test.n_events != 1)} of {n:,} session{'s' * (n != 1)} to foresee, "
        f"each from those before it; left out: {lost:,} events of sessions across the cut, {alone:,} of sessions of a "
        "single event."
    )
    return Split(split.train, split.history, split.test, "sessions", about, ("twice",), split.units)


def _micros(gap: str | timedelta | None) -> int | None:
    if gap is None:
        return None
    found = parse_duration(gap, field="gap") if isinstance(gap, str) else gap
    if not isinstance(found, timedelta) or found <= timedelta():
        raise InputError("not a gap", got=repr(gap), allowed="a duration such as 30m, or None", field="gap")
    return found // timedelta(microseconds=1)


def _found(data: Dataset, gap: int | None) -> _Sessions:
    user = data.column("user").astype(np.int64)
    new = np.diff(user, prepend=-1) != 0
    if gap is not None:
        new |= np.diff(data.column("at"), prepend=data.column("at")[:1]) > gap
    starts = np.flatnonzero(new)
    owner = user[starts]
    first = np.diff(owner, prepend=-1) != 0
    begun = np.maximum.accumulate(np.where(first, np.arange(len(owner)), 0))
    return _Sessions(starts, np.append(starts[1:], len(user)), owner, np.arange(len(owner)) - begun + 1)


def _split(data: Dataset, made: _Sessions, before: Bool, asked: Bool, gap: bool) -> Split:
    """Return the three parts over one vocabulary: sessions to learn from, then steps of sessions to foresee."""
    ids = made.ids(data.users, gap)
    n = int(before.sum())
    learnt = _rows(made.starts[before], (made.stops - made.starts)[before])
    lengths = (made.stops - made.starts)[asked] - 1
    seen = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths) + 1
    begin = np.repeat(made.starts[asked], lengths)
    codes = n + np.arange(len(seen))
    steps = ids.filter(pl.Series(asked)).gather(np.repeat(np.arange(len(lengths)), lengths))
    steps = steps + " step " + pl.Series(seen + 1).cast(pl.String)
    users = Vocabulary(pl.concat([ids.filter(pl.Series(before)), steps]))

    def part(rows: Int64, owners: Int64) -> Dataset:
        frame = data.frame[rows].with_columns(user=pl.Series(owners, dtype=pl.Int32))
        return Dataset(users, data.items, frame, data.catalogue, data.weights)

    train = part(learnt, np.repeat(np.arange(n), (made.stops - made.starts)[before]))
    history = part(_rows(begin, seen), np.repeat(codes, seen))
    units = np.concatenate([made.user[before], np.repeat(made.user[asked], lengths)])
    return Split(train, history, part(begin + seen, codes), "sessions", "", (), units)


def _rows(starts: Int64, lengths: Int64) -> Int64:
    """Return the rows of every stretch, one stretch after the other."""
    offset = np.repeat(starts - (np.cumsum(lengths) - lengths), lengths)
    rows: Int64 = offset + np.arange(len(offset))
    return rows
