"""Made-up events of any number, with the shape of real ones."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import polars as pl
import scipy.sparse as sp

from penchant.core.arrays import Float64, Int32, Int64
from penchant.core.errors import InputError
from penchant.core.executor import LOCAL, blocks
from penchant.data.dataset import Dataset
from penchant.data.vocabulary import Vocabulary
from penchant.kernels.tastes import Habits, Picks, Tastes, pick_block

__all__ = ["generated"]

EXPONENT = 1.1
"Of the power law: the share of the item of rank r goes with (r + OFFSET)^-EXPONENT."
OFFSET = 3.0
SPREAD = 1.0
"Standard deviation of the logarithm of how much a person does."
MAIN = 0.8
"How much of an item belongs to its first taste; the rest belongs to its second."
HABITS = Habits(np.array([0.6, 0.9, 1.0]), curious=0.15, stays=0.6)
SPAN = 2 * 365 * 86_400 * 1_000_000
"Microseconds from the first event there can be to the last: two years."


def generated(
    n_users: int = 20_000, n_items: int = 8_000, n_events: int = 1_000_000, *, rng: int = 0, tastes: int = 48
) -> Dataset:
    """Return made-up events of any number: few items that many want, few people who do much, and tastes.

    Popularity is a power law and activity log-normal. Every item belongs to two tastes, every person has three, and
    stays with one for a while, so that events have an order to learn from. Nobody has an item twice. Times lie within
    two years, 2024 and 2025.

    >>> data = generated(200, 100, 2000)
    >>> data
    Dataset(200 users, 100 items, 2,000 events)
    >>> data.support.max() > 3 * np.median(data.support)
    np.True_

    Memory is 40 bytes an event, time about 0.3 microseconds an event.

    Args:
        n_users: people, with ids "0", "1" and on.
        n_items: items, likewise; 10 or more.
        n_events: events, at least one a person; a person has at most a quarter of the items.
        rng: seed; the same seed gives the same events, whatever the number of threads.
        tastes: how many tastes there are.

    Raises:
        InputError: so many events do not fit so many people and items.
    """
    most = _most(n_users, n_items, n_events)
    source = np.random.default_rng(rng)
    counts = _activity(n_users, n_events, most, source)
    starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    offered = _offered(n_items, max(1, min(tastes, n_items // 8)), source)
    picks = Picks(np.empty(n_events, np.int32), np.empty(n_events, np.float64))
    seeds = source.integers(0, 2**63, n_users, dtype=np.uint64)
    joined = source.random(n_users) * 0.8
    at, columns = np.empty(n_events, np.int64), np.empty(n_events, np.int32)

    def part(block: tuple[int, int]) -> None:
        low, high = starts[block[0]], starts[block[1]]
        own, mine = slice(low, high), Picks(picks.items[low:high], picks.waits[low:high])
        places = starts[block[0] : block[1] + 1] - low
        pick_block(seeds[slice(*block)], places, offered, HABITS, mine)
        at[own] = _moments(mine.waits, places, joined[slice(*block)])
        columns[own] = _sorted(mine.items, places, n_items)

    for _ in LOCAL.map(part, blocks(n_users, 4096)):
        pass
    return _dataset(starts, columns, picks.items, at, n_items)


def _most(n_users: int, n_items: int, n_events: int) -> int:
    """Return the most events a person may have; raise InputError when so many do not fit."""
    most = max(1, n_items // 4)
    if n_items < 10 or not n_users <= n_events <= n_users * most // 2:
        raise InputError(
            "so many events do not fit so many people and items",
            got=f"{n_users:,} people, {n_items:,} items, {n_events:,} events",
            allowed="10 items or more, and from one event a person to an eighth of people times items",
        )
    return most


def _activity(n_users: int, n_events: int, most: int, source: np.random.Generator) -> Int64:
    """Return int64[n_users]: how many events each person has; log-normal, from 1 to ``most``, and n_events in all."""
    wish = np.exp(source.normal(0.0, SPREAD, n_users))
    low, high = 0.0, float(most) / wish.min()
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if np.clip(np.floor(middle * wish), 1, most).sum() <= n_events else (low, middle)
    counts = np.clip(np.floor(low * wish), 1, most).astype(np.int64)
    missing = int(n_events - counts.sum())
    while missing:
        room = np.flatnonzero(counts < most)[:missing]
        counts[room] += 1
        missing -= len(room)
    return counts


def _offered(n_items: int, n_tastes: int, source: np.random.Generator) -> Tastes:
    """Return the items of each taste and the cumulated shares of them; at the end those of everybody's taste."""
    share = (np.arange(n_items) + OFFSET) ** -EXPONENT
    popularity = share[source.permutation(n_items)]
    first = source.permutation(np.arange(n_items) % n_tastes)
    second = source.integers(0, n_tastes, n_items)
    everything = np.arange(n_items)
    taste = np.concatenate([first, second, np.full(n_items, n_tastes)])
    item = np.tile(everything, 3)
    weight = np.concatenate([MAIN * popularity, (1 - MAIN) * popularity, popularity])
    order = np.argsort(taste, kind="stable")
    starts = np.searchsorted(taste[order], np.arange(n_tastes + 2)).astype(np.int64)
    reach = weight[order]
    for start, stop in pairwise(starts):
        reach[start:stop] = np.cumsum(reach[start:stop]) / reach[start:stop].sum()
    return Tastes(starts, item[order].astype(np.int32), reach)


def _moments(waits: Float64, starts: Int64, joined: Float64) -> Int64:
    """Return int64[e] microseconds since 1970: from when a person joined to the end, in proportion to the waits."""
    passed, counts = np.cumsum(waits), np.diff(starts)
    before = np.repeat(passed[starts[:-1]] - waits[starts[:-1]], counts)
    whole = np.repeat(passed[starts[1:] - 1], counts) - before
    since = np.repeat(joined, counts)
    share = since + (1 - since) * (passed - before) / np.maximum(whole, 1e-300)
    return np.int64(1_704_067_200_000_000) + (share * SPAN).astype(np.int64)


def _sorted(items: Int32, starts: Int64, n_items: int) -> Int32:
    """Return int32[e]: each person's items in ascending order."""
    person = np.repeat(np.arange(len(starts) - 1, dtype=np.int64), np.diff(starts))
    key = person * n_items + items
    key.sort()
    return (key - person * n_items).astype(np.int32)


def _dataset(starts: Int64, columns: Int32, items: Int32, at: Int64, n_items: int) -> Dataset:
    """Return the dataset: the matrix has each person's items in their order, the events in that of time."""
    n_users, n_events = len(starts) - 1, len(items)
    one = np.ones(n_events, np.float32)
    index = starts.astype(np.int32) if n_events < 2**31 else starts
    matrix = sp.csr_array((one, columns, index), shape=(n_users, n_items))
    frame = pl.DataFrame(
        {
            "user": np.repeat(np.arange(n_users, dtype=np.int32), np.diff(starts)),
            "item": items,
            "at": at,
            "value": np.ones(n_events),
            "weight": one,
        }
    ).with_columns(kind=pl.lit("purchase", pl.Categorical))
    users, vocabulary = (Vocabulary(pl.int_range(n, eager=True).cast(pl.String)) for n in (n_users, n_items))
    return Dataset(users, vocabulary, frame, matrix=matrix)
