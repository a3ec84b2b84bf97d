"""What no person does: the same event twice, a hundred a minute, one every ten seconds."""

from __future__ import annotations

import numpy as np
import polars as pl
from msgspec import Struct

from penchant.core.arrays import Bool, Int64
from penchant.evaluation.datareport import thresholds as limit

__all__ = ["Suspicion", "suspicions"]


class Suspicion(Struct, frozen=True):
    """What one rule found. It says how many, never who.

    >>> Suspicion("duplicates", "all alike", 3, 8, 0.04).events
    8
    """

    name: str
    "duplicates, rates, large, regular, or any: users that one of the three before found."
    rule: str
    "What is counted, with its threshold."
    users: int
    "Users it holds for."
    events: int
    "Events: the copies beyond the first of duplicates, else all of these users' events."
    share: float
    "Of all events."


def suspicions(frame: pl.DataFrame) -> tuple[Suspicion, ...]:
    """Return what every rule finds in a frame (user, item, kind, at, value) in the order of user and time.

    >>> frame = pl.DataFrame({"user": [0, 0, 1], "item": [0, 0, 1], "kind": "view", "at": [5, 5, 9], "value": 1.0})
    >>> [(found.name, found.users, found.events) for found in suspicions(frame)][0]
    ('duplicates', 1, 1)
    """
    users = frame["user"].to_numpy()
    per_user = np.bincount(users)
    moments = frame.select("user", "at").unique(maintain_order=True)
    own, at = moments["user"].to_numpy(), moments["at"].to_numpy()
    active, total = int((per_user > 0).sum()), frame.height
    large = (per_user > limit.LARGE_SHARE * total) & (per_user > limit.LARGE_TIMES * total / active)
    fast, regular = np.zeros_like(large), np.zeros_like(large)
    fast[_fast(own, at)] = True
    regular[_regular(own, at)] = True
    rules = {
        "rates": (
            f"more than {limit.RATE_MOMENTS} different moments of a user within {limit.RATE_SECONDS} seconds",
            fast,
        ),
        "large": (
            f"a user with more than {limit.LARGE_SHARE:.0%} of all events and {limit.LARGE_TIMES:g} times the mean",
            large,
        ),
        "regular": (
            f"{limit.REGULAR_GAPS} gaps or more between a user's moments, whose standard deviation is below "
            f"{limit.REGULAR_CV:g} of their mean: a script, or a standing order",
            regular,
        ),
        "any": ("one of the three rules about users", fast | large | regular),
    }
    found = [_of_users(name, rule, who, per_user) for name, (rule, who) in rules.items()]
    return (_duplicates(frame), *found)


def _duplicates(frame: pl.DataFrame) -> Suspicion:
    """Count events that equal an earlier one; they stand beside each other once sorted."""
    columns = ["user", "at", "item", "kind", "value"]
    ordered = frame.select(pl.col(columns).exclude("kind"), pl.col("kind").to_physical()).sort(columns)
    same = ordered.select(
        same=pl.all_horizontal(pl.col(name) == pl.col(name).shift(1) for name in columns).fill_null(value=False)
    )["same"]
    copies = ordered.filter(same)["user"]
    rule = "user, item, kind, time and value as in another event; the copies beyond the first"
    return Suspicion("duplicates", rule, copies.n_unique(), len(copies), len(copies) / frame.height)


def _of_users(name: str, rule: str, who: Bool, per_user: Int64) -> Suspicion:
    events = int(per_user[who].sum())
    return Suspicion(name, rule, int(who.sum()), events, events / int(per_user.sum()))


def _fast(own: Int64, at: Int64) -> Int64:
    """Return the users with too many moments in too short a time."""
    n = limit.RATE_MOMENTS
    late = own[n:]
    found: Int64 = late[(own[n:] == own[:-n]) & (at[n:] - at[:-n] <= limit.RATE_SECONDS * 1_000_000)]
    return found


def _regular(own: Int64, at: Int64) -> Int64:
    """Return the users whose gaps are all but equal."""
    inside = own[1:] == own[:-1]
    gaps, owner = np.diff(at)[inside].astype(np.float64), own[1:][inside]
    n = np.bincount(owner)
    mean = np.bincount(owner, gaps) / np.maximum(n, 1)
    deviation = np.sqrt(np.bincount(owner, (gaps - mean[owner]) ** 2) / np.maximum(n, 1))
    return np.flatnonzero((n >= limit.REGULAR_GAPS) & (deviation < limit.REGULAR_CV * mean))
