"""A split that comes as two: events to learn from, and events to foresee."""

from __future__ import annotations

import numpy as np
import polars as pl

from penchant.core.errors import EmptyData
from penchant.data.dataset import Dataset
from penchant.data.expected import expect_dataset
from penchant.data.split.checks import count
from penchant.data.split.cut import Split
from penchant.data.vocabulary import Vocabulary

__all__ = ["given"]


def given(train: Dataset, test: Dataset) -> Split:
    """Take a split as somebody else has made it, such as that of a benchmark; nothing leaks unless it is allowed.

    >>> past = Dataset.from_events(pl.DataFrame({"user": ["ann", "bob"], "item": ["tea", "jam"], "at": [1, 2]}))
    >>> later = Dataset.from_events(pl.DataFrame({"user": ["ann"], "item": ["rye"], "at": [3]}))
    >>> split = given(past, later)
    >>> print(split.about)
    Split as given: 2 events of 2 users to learn from, 1 event of 1 user to foresee; 1 of these users has a history.
    >>> list(split.train.items), split.test.history("ann").items.tolist()
    (['jam', 'rye', 'tea'], [1])

    Raises:
        EmptyData: one side has no events.
    """
    for side, data in (("train", train), ("test", test)):
        expect_dataset(data, "given")
        if not data.n_events:
            raise EmptyData(f"the {side} side of the split is empty", then="check where it was exported")
    users, items = (
        Vocabulary.of(pl.concat([getattr(train, name).series, getattr(test, name).series]))
        for name in ("users", "items")
    )
    catalogue = test.catalogue if train.catalogue is None else train.catalogue
    past, later = (_over(data, users, items, catalogue) for data in (train, test))
    known = len(np.intersect1d(past.column("user"), later.column("user")))
    about = (
        f"Split as given: {count(past)} to learn from, {count(later)} to foresee; "
        f"{known:,} of these users {'has' if known == 1 else 'have'} a history."
    )
    return Split(past, past, later, "given", about)


def _over(data: Dataset, users: Vocabulary, items: Vocabulary, catalogue: pl.DataFrame | None) -> Dataset:
    """Return the same events in the codes of other vocabularies, in order of user, then time."""
    codes = users.codes(data.users.series)[data.column("user")]
    frame = data.over(items).frame.with_columns(user=pl.Series(codes, dtype=pl.Int32))
    return Dataset(users, items, frame.sort("user", "at", maintain_order=True), catalogue, data.weights)
