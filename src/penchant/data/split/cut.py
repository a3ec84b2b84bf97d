"""A dataset in two parts, with the leaks between them."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from penchant.core.arrays import Int64
from penchant.core.errors import InputError, UnknownName
from penchant.data.dataset import Dataset
from penchant.data.split.leaks import LEAKS, leaks

__all__ = ["Split"]

_NEW = ("strong", "sessions")
"The kinds that ask people or sessions which train does not hold."


class Split(Struct, frozen=True, eq=False):
    """A dataset cut in two, and the histories that the test users are asked from; all share one pair of vocabularies.

    >>> import polars as pl
    >>> from penchant.data.split import leave_last_out
    >>> events = pl.DataFrame({"user": ["ann", "ann", "bob"], "item": ["tea", "milk", "tea"], "at": [1, 2, 3]})
    >>> split = leave_last_out(Dataset.from_events(events))
    >>> split.train.n_events, split.test.history("ann").items.tolist()
    (2, [0])
    """

    train: Dataset
    "What models are fitted on."
    history: Dataset
    "What each test user is asked from: `train` itself, except where train holds other people or sessions."
    test: Dataset
    "What has to be foreseen."
    kind: str
    "temporal, rolling, leave-last-out, random, k-fold, strong, sessions or given."
    about: str
    "A sentence that states the split, with its counts."
    allow: tuple[str, ...] = ()
    "The names in LEAKS of what this way of splitting lets through, and says so."
    units: Int64 | None = None
    """int64[n_users]: which person each row of the history is about, when one has several rows; None when each row is
    a person of its own."""

    def __repr__(self) -> str:
        return self.about

    @property
    def leaks(self) -> dict[str, str]:
        """What the training side knows that it could not have known, by name, in words; allowed or not.

        >>> import polars as pl
        >>> from penchant.data.split import leave_last_out
        >>> events = pl.DataFrame({"user": ["ann", "ann", "bob"], "item": ["tea", "milk", "tea"], "at": [1, 2, 3]})
        >>> leave_last_out(Dataset.from_events(events)).leaks
        {'future': '1 of 2 training events is later than the first event to foresee'}

        Time is O(events), and O(events log events) where the sides overlap in time.
        """
        return leaks(self.train, self.history, self.test, new=self.kind in _NEW)

    def allowing(self, *names: str) -> Split:
        """Return the split with these leaks allowed too.

        >>> from penchant.data.split import temporal
        >>> past, later = Dataset.from_matrix([[1, 0]]), Dataset.from_matrix([[0, 1]])
        >>> Split(past, past, later, "by hand", "By hand.").allowing("future").allow
        ('future',)

        Raises:
            UnknownName: there is no such leak.
        """
        for name in names:
            if name not in LEAKS:
                raise UnknownName.of("leak", name, LEAKS, field="allow")
        return msgspec.structs.replace(self, allow=tuple(dict.fromkeys((*self.allow, *names))))

    def check(self) -> dict[str, str]:
        """Return the leaks, all of which are allowed by name.

        >>> import polars as pl
        >>> events = pl.DataFrame({"user": ["ann", "bob"], "item": ["tea", "jam"], "at": [1, 2]})
        >>> data = Dataset.from_events(events)
        >>> past = data.select(data.column("at") == 2)
        >>> Split(past, past, data.select(data.column("at") == 1), "by hand", "By hand.").check()
        Traceback (most recent call last):
            ...
        penchant.core.errors.InputError: models learn from what came after the test; got 1 of 1 training events is \
later than the first event to foresee; allowed: a split without this leak, or one that says that it has it; \
next: split.temporal(data), or split.allowing('future')

        Raises:
            InputError: there is a leak that the split does not allow.
        """
        found = self.leaks
        for name, words in found.items():
            if name not in self.allow:
                raise InputError(
                    LEAKS[name],
                    got=words,
                    allowed="a split without this leak, or one that says that it has it",
                    then=f"split.temporal(data), or split.allowing({name!r})",
                    field="split",
                )
        return found
