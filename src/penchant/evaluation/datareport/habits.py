"""What people do again, and what they do in one go."""

from __future__ import annotations

import numpy as np
import polars as pl
from msgspec import Struct

from penchant.core.arrays import Int64
from penchant.evaluation.datareport.spread import Spread
from penchant.evaluation.datareport.thresholds import IDLE, MIN_USERS

__all__ = ["Learnable", "Repeats", "Sessions"]

_DAY, _MINUTE = 86_400_000_000, 60_000_000


class Repeats(Struct, frozen=True):
    """How often a user takes an item again on another day (UTC).

    >>> day = 86_400_000_000
    >>> frame = pl.DataFrame({"user": [0, 0, 0], "item": [0, 0, 1], "at": [5, 3 * day, 5]})
    >>> found = Repeats.of("purchase", frame, 2)
    >>> found.pairs, found.repeated, found.rate, found.days
    (2, 1, 0.5, 3.0)
    """

    kind: str
    pairs: int
    "Pairs of a user and an item with an event of this kind."
    repeated: int
    "Those with events on two days or more."
    rate: float
    "repeated / pairs."
    events: float
    "Share of the events that fall on a day after the pair's first."
    users: float
    "Share of the users with a repeated pair."
    days: float | None
    "Median days from one such day of a pair to its next; None when nothing is repeated."

    @classmethod
    def of(cls, kind: str, frame: pl.DataFrame, n_items: int) -> Repeats:
        """Return the repeats of a frame (user, item, at) of at least one event of one kind."""
        pair = pl.col("user").cast(pl.Int64) * n_items + pl.col("item")
        days = frame.group_by(pair=pair, day=pl.col("at") // _DAY).agg(n=pl.len()).sort("pair", "day")
        again = (days["pair"] == days["pair"].shift(1)).fill_null(value=False)
        gaps = days["day"].diff().filter(again)
        repeated = days.filter(again)["pair"].unique()
        pairs = days.height - int(again.sum())
        return cls(
            kind=kind,
            pairs=pairs,
            repeated=len(repeated),
            rate=len(repeated) / pairs,
            events=float(days.filter(again)["n"].sum() / frame.height),
            users=(repeated // n_items).n_unique() / frame["user"].n_unique(),
            days=float(np.median(gaps.to_numpy())) if len(gaps) else None,
        )


class Sessions(Struct, frozen=True):
    """What people do in one go.

    >>> frame = pl.DataFrame({"user": [0, 0, 1], "at": [0, 60_000_000, 0]})
    >>> found = Sessions.of(frame, None, 30.0)
    >>> found.n, found.length.quantiles["max"], found.one, found.minutes
    (2, 2, 1.0, 0.5)
    """

    rule: str
    "What makes a session."
    n: int
    "Sessions."
    length: Spread
    "Events per session."
    per_user: Spread
    "Sessions per user."
    one: float
    "Share of the users with exactly one session."
    single: float
    "Share of the sessions with one event."
    minutes: float
    "Median minutes from a session's first event to its last."

    @classmethod
    def of(cls, frame: pl.DataFrame, names: pl.Series | None, idle: float = IDLE) -> Sessions:
        """Return the sessions of a frame (user, at) in the order of user and time.

        Args:
            frame: the events.
            names: what the data itself calls each event's session; None, or a null among them, for a rule of gaps.
            idle: minutes; a longer gap between two events of a user begins another session.
        """
        if names is not None and not names.null_count():
            rule = "the session ids of the data, within a user"
            groups = frame.select("user", "at").with_columns(session=names).group_by("user", "session")
        else:
            fresh = (frame["user"].diff().fill_null(1) != 0) | (frame["at"].diff().fill_null(0) > idle * _MINUTE)
            rule = f"a gap of more than {idle:g} minutes between two events of a user begins a session"
            groups = frame.select("user", "at").with_columns(session=fresh.cum_sum()).group_by("user", "session")
        found = groups.agg(n=pl.len(), took=pl.col("at").max() - pl.col("at").min())
        lengths, each = found["n"].to_numpy(), found.group_by("user").len()["len"].to_numpy()
        return cls(
            rule=rule,
            n=found.height,
            length=Spread.of("events per session", lengths),
            per_user=Spread.of("sessions per user", each),
            one=float((each == 1).mean()),
            single=float((lengths == 1).mean()),
            minutes=float(np.median(found["took"].to_numpy())) / _MINUTE,
        )


class Learnable(Struct, frozen=True):
    """What models that compare items find: the events that say yes, of items that enough users touched.

    >>> frame = pl.DataFrame({"user": [0, 1, 0], "item": [0, 0, 1], "at": [1, 2, 3]})
    >>> Learnable.of(frame, 2, min_users=2)
    Learnable(min_users=2, events=3, items=1, share=0.6666666666666666, per_item=1, pairing=0, ordered=1)
    """

    min_users: int
    "Users that an item needs."
    events: int
    "Events with a weight above 0."
    items: int
    "Items that so many users touched."
    share: float
    "Share of these events that fall on them; 0 when there are none."
    per_item: int
    "Median users per item."
    pairing: int
    "Users with at least two such items: only they say what goes together."
    ordered: int
    "Users with events at two different moments or more."

    @classmethod
    def of(cls, frame: pl.DataFrame, n_items: int, *, min_users: int = MIN_USERS) -> Learnable:
        """Return what is found in a frame (user, item, at) of events with a weight above 0."""
        pair: Int64 = (
            (frame["user"].cast(pl.Int64) * n_items + frame["item"]).unique().to_numpy()
            if frame.height
            else np.zeros(0, np.int64)
        )
        support = np.bincount(pair % n_items, minlength=n_items)
        kept = support >= min_users
        touched = np.sort(support[support > 0])
        own = np.bincount((pair // n_items)[kept[pair % n_items]]) if len(pair) else np.zeros(0, np.int64)
        moments = frame.group_by("user").agg(low=pl.col("at").min(), high=pl.col("at").max())
        return cls(
            min_users=min_users,
            events=frame.height,
            items=int(kept.sum()),
            share=float(kept[frame["item"].to_numpy()].mean()) if frame.height else 0.0,
            per_item=int(touched[(len(touched) + 1) // 2 - 1]) if len(touched) else 0,
            pairing=int((own >= 2).sum()),
            ordered=moments.filter(pl.col("high") > pl.col("low")).height,
        )
