"""What people did in one go, as integers that add up over people."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from penchant.core.arrays import Int32, Int64
from penchant.core.errors import InputError
from penchant.data.dataset import Dataset
from penchant.models.state import State

__all__ = ["Sessions"]

_MINUTE = 60_000_000

Content = tuple[int, bytes]
"What a session is told apart by: its last moment, and its items with their places."


class Sessions(State, frozen=True, eq=False, kw_only=True):
    """Sessions from the oldest to the newest, each from its latest item back. It holds no ids of people.

    Sessions of one moment are in the order of their items, so that the same sessions are the same arrays, whoever
    came first; one is taken out by what it holds.

    >>> import polars as pl
    >>> rows = [("a", "tea", 1), ("a", "jam", 2), ("a", "tea", 3), ("b", "tea", 2)]
    >>> data = Dataset.from_events(pl.DataFrame(rows, schema=["user", "item", "at"], orient="row"))
    >>> both = Sessions.of(data, None)
    >>> both.at.tolist(), both.indptr.tolist(), both.items.tolist(), both.steps.tolist()  # items: jam, tea
    ([2, 3], [0, 1, 3], [1, 1, 0], [0, 0, 1])
    >>> both.plus(Sessions.of(data.select(data.column("user") == 1), None), -1).at.tolist()
    [3]
    """

    indptr: Int64
    "int64[n + 1], from 0."
    items: Int32
    "int32[nnz], distinct items of each session, the latest first."
    steps: Int32
    "int32[nnz], how many events of the session came after the item's last."
    at: Int64
    "int64[n], microseconds of the last event of each session, ascending."

    @classmethod
    def of(cls, data: Dataset, idle: float | None) -> Self:
        """Return the sessions of a dataset: the items of each whose weights sum to more than 0.

        Args:
            data: the events; what one user did is one session.
            idle: minutes without an event after which another session begins; None for never.
        """
        user, at, item = data.column("user"), data.column("at"), data.column("item").astype(np.int64)
        fresh = np.ones(len(user), np.bool_)
        fresh[1:] = user[1:] != user[:-1]
        if idle is not None:
            fresh[1:] |= np.diff(at) > idle * _MINUTE
        session = np.cumsum(fresh) - 1
        last = np.append(np.flatnonzero(fresh)[1:], len(user)) - 1
        pair = (session * data.n_items + item)[::-1]
        pairs, first, inverse = np.unique(pair, return_index=True, return_inverse=True)
        kept = np.bincount(inverse, weights=data.column("weight")[::-1], minlength=len(pairs)) > 0
        place = np.sort(len(user) - 1 - first[kept])
        owner = session[place]
        order = np.lexsort((-place, owner))
        place, owner = place[order], owner[order]
        named, lengths = np.unique(owner, return_counts=True)
        return cls(
            indptr=_starts(lengths),
            items=item[place].astype(np.int32),
            steps=(last[owner] - place).astype(np.int32),
            at=at[last[named]].astype(np.int64),
        ).sorted()

    def __len__(self) -> int:
        return len(self.at)

    def over(self, codes: Int32, n_items: int) -> Self:
        """Return the same sessions in another vocabulary."""
        return type(self)(indptr=self.indptr, items=codes[self.items], steps=self.steps, at=self.at)

    def plus(self, other: Self, sign: int) -> Self:
        """Return the sessions with others added or taken away.

        Raises:
            InputError: one that is to be taken away is not there.
        """
        return self._with(other) if sign > 0 else self._lacking(other)

    def take(self, sessions: Any) -> Self:
        """Return some of the sessions (int[m]) in the order they are named in."""
        lengths = np.diff(self.indptr)[sessions]
        indptr = _starts(lengths)
        entry = np.arange(indptr[-1]) + np.repeat(self.indptr[sessions] - indptr[:-1], lengths)
        return type(self)(indptr=indptr, items=self.items[entry], steps=self.steps[entry], at=self.at[sessions])

    def sorted(self) -> Self:
        """Return the sessions in the one order there is."""
        if (np.diff(self.at) > 0).all():
            return self
        order = np.argsort(self.at, kind="stable")
        _, first, counts = np.unique(self.at[order], return_index=True, return_counts=True)
        for start, count in zip(first[counts > 1].tolist(), counts[counts > 1].tolist(), strict=True):
            tied = order[start : start + count].tolist()
            order[start : start + count] = sorted(tied, key=self.content)
        return self.take(order)

    def content(self, session: int) -> Content:
        """Return what tells a session apart; those of one moment sort alike in every vocabulary that keeps an order.

        >>> one = Sessions(indptr=np.int64([0, 1]), items=np.int32([4]), steps=np.int32([0]), at=np.int64([7]))
        >>> one.content(0)[0], len(one.content(0)[1])
        (7, 12)
        """
        own = slice(self.indptr[session], self.indptr[session + 1])
        parts = np.concatenate([[own.stop - own.start], self.items[own], self.steps[own]])
        return int(self.at[session]), parts.astype(">u4").tobytes()

    def _with(self, other: Self) -> Self:
        both = type(self)(
            indptr=np.concatenate([self.indptr, self.indptr[-1] + other.indptr[1:]]),
            items=np.concatenate([self.items, other.items]),
            steps=np.concatenate([self.steps, other.steps]),
            at=np.concatenate([self.at, other.at]),
        )
        newer = len(self) > 0 and len(other) > 0 and other.at[0] > self.at[-1]
        return both if newer else both.sorted()

    def _lacking(self, other: Self) -> Self:
        """Find each session among those of its moment; of equal ones it is all the same which goes."""
        there: dict[Content, list[int]] = {}
        for session in np.flatnonzero(np.isin(self.at, other.at)).tolist():
            there.setdefault(self.content(session), []).append(session)
        gone = np.zeros(len(self), np.bool_)
        for session in range(len(other)):
            equal = there.get(other.content(session))
            if not equal:
                raise InputError(
                    "a session that is to be forgotten is not in the model",
                    got=f"one that ended at {int(other.at[session])} microseconds",
                    allowed="whole people, with the events that the model learnt of them",
                )
            gone[equal.pop()] = True
        return self.take(np.flatnonzero(~gone))


def _starts(lengths: Any) -> Int64:
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
