"""What every way of splitting asks of its data, and the words it uses."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from penchant.core.arrays import Int64
from penchant.core.errors import EmptyData, InputError
from penchant.data.dataset import Dataset

__all__ = ["check_share", "count", "iso", "part", "span"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def span(at: Int64, kind: str) -> tuple[int, int]:
    """Return the first and the last time; raise EmptyData when there are not two.

    >>> span(np.array([3, 1]), "temporal")
    (1, 3)
    """
    first, last = int(at.min(initial=np.iinfo(np.int64).max)), int(at.max(initial=np.iinfo(np.int64).min))
    if not len(at):
        raise EmptyData("there are no events to split", then="check the file and its quality report")
    if first == last:
        raise EmptyData(
            "all events have the same time, so there is no before and after",
            got=iso(first),
            allowed=f"events at two times or more for a {kind} split",
            then="use split.random or split.strong",
        )
    return first, last


def check_share(value: Any, name: str) -> None:
    """Raise InputError when a parameter is no share.

    >>> check_share(0.2, "share")
    """
    if not 0 < value < 1:
        raise InputError(
            f"{name} is out of range", got=value, allowed="a share between 0 and 1", then="use 0.2", field=name
        )


def part(total: int, share: float, what: str) -> int:
    """Return how many of ``total`` a share is: at least one, and never all.

    >>> part(10, 0.01, "users"), part(10, 0.99, "users")
    (1, 9)
    """
    if total < 2:
        raise EmptyData(
            "there is nothing to split", got=f"{total} {what}", allowed="2 or more", then="bring more events"
        )
    return min(max(round(total * share), 1), total - 1)


def count(data: Dataset, whose: str = "user") -> str:
    """Return how many events of how many users there are, in words.

    >>> count(Dataset.from_matrix([[1, 1], [0, 0]]))
    '2 events of 1 user'
    """
    users = len(np.unique(data.column("user")))
    return f"{data.n_events:,} event{'s' * (data.n_events != 1)} of {users:,} {whose}{'s' * (users != 1)}"


def iso(at: int) -> str:
    """Return microseconds since 1970 as a date and time.

    >>> iso(0)
    '1970-01-01T00:00:00+00:00'
    """
    try:
        return (_EPOCH + timedelta(microseconds=at)).isoformat()
    except OverflowError:
        return f"{at:,} microseconds since 1970"
