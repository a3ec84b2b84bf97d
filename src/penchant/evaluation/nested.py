"""Cuts within cuts: what is put away for the one number, and the windows that a search is judged by."""

from __future__ import annotations

from datetime import date, timedelta

from msgspec.structs import replace

from penchant.core.clock import parse_duration
from penchant.core.errors import EmptyData
from penchant.data.dataset import Dataset
from penchant.data.expected import expect_dataset
from penchant.data.split import Split, temporal
from penchant.evaluation.ranking import truth

__all__ = ["nested"]


def nested(
    data: Dataset,
    test: str | timedelta | date = "28d",
    validation: str | timedelta | None = None,
    windows: int = 2,
    *,
    task: str = "new",
    min_users: int = 1,
) -> tuple[Split, list[Split]]:
    """Return the outer split, and the windows that its training side is cut into, the latest first.

    >>> from penchant.testing.worlds import bazaar
    >>> outer, inner = nested(bazaar(), "14d", "7d", 2)
    >>> latest = [int(split.test.column("at").max()) for split in (outer, *inner)]
    >>> latest == sorted(latest, reverse=True), inner[0].test.n_events + inner[0].train.n_events == outer.train.n_events
    (True, True)

    Raises:
        EmptyData: the data is too short to be cut so often, or in a window nobody has anything to foresee.
        InputError: a span is none.
    """
    expect_dataset(data, "tune")
    if isinstance(validation, str):
        parse_duration(validation, field="validation")
    outer = _cut(data, test, "test", task)
    known = outer.train.column("at")
    most = int(known.max() - known.min()) // (windows + 1)
    span = timedelta(microseconds=max(1, min(int(data.column("at").max() - known.max()), most)))
    inner: list[Split] = []
    for number in range(1, windows + 1):
        before = inner[-1].train if inner else outer.train
        inner.append(_cut(before, span if validation is None else validation, f"window {number} of {windows}", task))
    return _learnt(outer, min_users), [_learnt(split, min_users) for split in inner]


def _cut(data: Dataset, span: str | timedelta | date, what: str, task: str) -> Split:
    """Return a temporal split whose test side asks somebody something."""
    try:
        split = temporal(data, span)
        truth(split, task)
    except EmptyData as error:
        raise EmptyData(
            f"the data is too short to tune on: {what} cannot be cut off",
            got=f"{error.what}, {error.got}",
            then="shorten test or validation, or use fewer windows",
            field="data",
        ) from error
    return split


def _learnt(split: Split, min_users: int) -> Split:
    return split if min_users == 1 else replace(split, train=split.train.filter(min_users=min_users))
