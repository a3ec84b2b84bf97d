"""Splits by chance: of events, of events in folds, and of people."""

from __future__ import annotations

import numpy as np

from penchant.core.arrays import Bool
from penchant.core.chance import generator
from penchant.core.errors import EmptyData, InputError
from penchant.data.dataset import Dataset
from penchant.data.expected import expect_dataset
from penchant.data.split.checks import check_share, count, part
from penchant.data.split.cut import Split

__all__ = ["k_fold", "random", "strong"]

_ALLOW = ("future", "hindsight", "twice")


def random(data: Dataset, share: float = 0.2, rng: int | np.random.Generator = 0) -> Split:
    """Hold out a random share of all events.

    The future leaks into what is learnt from (the leaks ``future`` and ``hindsight``), and an event that is in the data
    twice may stand on both sides (``twice``); prefer :func:`temporal` when the times mean something.

    >>> data = Dataset.from_matrix(np.ones((10, 10)))
    >>> random(data, share=0.3, rng=0).test.n_events
    30

    Raises:
        InputError: ``share`` is not between 0 and 1.
        EmptyData: one side would be empty.
    """
    expect_dataset(data, "random")
    check_share(share, "share")
    n = part(data.n_events, share, "events")
    held = np.zeros(data.n_events, np.bool_)
    held[generator(rng).permutation(data.n_events)[:n]] = True
    train, test = data.select(~held), data.select(held)
    about = f"Random split: {count(train)} to learn from, {count(test)} ({share:.0%} of all events) to foresee."
    return Split(train, train, test, "random", about, _ALLOW)


def k_fold(data: Dataset, k: int = 5, rng: int | np.random.Generator = 0) -> tuple[Split, ...]:
    """Deal all events at random into ``k`` folds, and hold out one after the other.

    Every event is held out once, and learnt from k - 1 times. What leaks is what leaks in :func:`random`.

    >>> splits = k_fold(Dataset.from_matrix(np.ones((10, 10))), k=3)
    >>> [split.test.n_events for split in splits]
    [34, 33, 33]
    >>> print(splits[0].about)
    Fold 1 of 3: 66 events of 10 users to learn from, 34 events of 9 users to foresee, dealt at random.

    Raises:
        InputError: ``k`` is below 2.
        EmptyData: there are fewer events than folds.

    Memory is k copies of the events.
    """
    expect_dataset(data, "k_fold")
    if k < 2:
        raise InputError("k is out of range", got=k, allowed="2 or more", then="use 5", field="k")
    if data.n_events < k:
        raise EmptyData(
            "there are fewer events than folds", got=f"{data.n_events:,}", then="use fewer folds", field="k"
        )
    fold = np.empty(data.n_events, np.int64)
    fold[generator(rng).permutation(data.n_events)] = np.arange(data.n_events) * k // data.n_events
    splits = []
    for i in range(k):
        train, test = data.select(fold != i), data.select(fold == i)
        about = f"Fold {i + 1} of {k}: {count(train)} to learn from, {count(test)} to foresee, dealt at random."
        splits.append(Split(train, train, test, "k-fold", about, _ALLOW))
    return tuple(splits)


def strong(data: Dataset, users: float = 0.2, share: float = 0.2, rng: int | np.random.Generator = 0) -> Split:
    """Hold out a random share of people; models never see them, and have to foresee the rest of what they did.

    Of each new user a random ``share`` of the events (at least one) is the test, and the others are the history that
    is folded in. Only users with two events or more can be new; the others are learnt from. The leaks ``future``,
    ``hindsight`` and ``twice`` are let through, as in :func:`random`.

    >>> split = strong(Dataset.from_matrix(np.ones((10, 5))), users=0.3, rng=0)
    >>> split.train.n_events, split.history.n_events, split.test.n_events
    (35, 12, 3)

    Raises:
        InputError: ``users`` or ``share`` is not between 0 and 1.
        EmptyData: there are not enough users with two events.
    """
    expect_dataset(data, "strong")
    check_share(users, "users")
    check_share(share, "share")
    source = generator(rng)
    counts = np.diff(data.indptr)
    able, active = np.flatnonzero(counts >= 2), int((counts > 0).sum())
    if active < 2 or not len(able):
        raise EmptyData(
            "there are not enough users to keep some apart",
            got=f"{active:,} users, {len(able):,} of them with two events or more",
            allowed="two users or more, one of them with two events",
            then="bring more events",
        )
    n = min(part(active, users, "users"), len(able))
    new = np.zeros(data.n_users, np.bool_)
    new[source.permutation(able)[:n]] = True
    user = data.column("user")
    held = new[user] & _share_of_each(data, share, source)
    folded = new[user] & ~held
    train, history, test = data.select(~new[user]), data.select(folded), data.select(held)
    about = (
        f"Strong generalisation: {count(train)} to learn from; of {n:,} new {'user' if n == 1 else 'users'}, "
        f"{history.n_events:,} events are their history and {test.n_events:,} are to be foreseen."
    )
    return Split(train, history, test, "strong", about, _ALLOW)


def _share_of_each(data: Dataset, share: float, rng: np.random.Generator) -> Bool:
    """Return bool[n_events]: a random share of every user's events, at least one and never all (of two or more)."""
    counts = np.diff(data.indptr)
    wanted = np.clip(np.rint(counts * share).astype(np.int64), 1, np.maximum(counts - 1, 1))
    user = data.column("user")
    order = np.lexsort((rng.random(data.n_events), user))
    held = np.zeros(data.n_events, np.bool_)
    held[order] = np.arange(data.n_events) - data.indptr[user] < wanted[user]
    return held
