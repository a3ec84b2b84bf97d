"""Small worlds whose right answers are known by construction."""

from __future__ import annotations

import numpy as np
import polars as pl

from penchant.data.dataset import Dataset

__all__ = ["bazaar", "checkerboard"]


def checkerboard(n: int = 50, *, missing: float = 0.0, rng: int = 0) -> Dataset:
    """Return n users x n items in which even users like even items and odd users odd ones.

    Whatever is recommended to a user must have the user's colour.

    >>> checkerboard(4).matrix.toarray().tolist()[:2]
    [[1.0, 0.0, 1.0, 0.0], [0.0, 1.0, 0.0, 1.0]]

    Args:
        n: users and items.
        missing: share of the likes left out at random.
        rng: seed of what is left out.
    """
    board = np.equal.outer(np.arange(n) % 2, np.arange(n) % 2).astype(np.float32)
    board *= np.random.default_rng(rng).random((n, n)) >= missing
    return Dataset.from_matrix(board)


def bazaar(n_users: int = 89, n_items: int = 47, n_events: int = 1500, *, rng: int = 0) -> Dataset:
    """Return a busy little market: a few items that most people want, repeats, returns, dislikes, and a quiet corner.

    Some purchases have quantity 0 and some are taken back again, so that stored zeros occur; the last item is disliked
    only, the one before it nobody touched; the last person did nothing that weighs anything.

    >>> bazaar()
    Dataset(89 users, 47 items, 1,500 events)

    Args:
        n_users: people, with ids ``person-000`` and on.
        n_items: items, with ids ``item-000`` and on; 4 or more.
        n_events: events; more than users.
        rng: seed.
    """
    source = np.random.default_rng(rng)
    share = 1.0 / np.arange(1, n_items - 1)
    item = source.choice(n_items - 2, n_events, p=share / share.sum())
    kind = source.choice(["view", "purchase", "dislike"], n_events, p=[0.6, 0.33, 0.07])
    item[:3], kind[:3] = n_items - 1, "dislike"
    user = np.concatenate([np.arange(n_users), source.integers(0, n_users, n_events - n_users)])
    value = source.choice([1.0, 2.0, 0.0, -1.0], n_events, p=[0.8, 0.1, 0.05, 0.05])
    value[user == n_users - 1] = 0.0
    events = pl.DataFrame(
        {
            "user": [f"person-{u:03}" for u in user],
            "item": [f"item-{i:03}" for i in item],
            "at": np.sort(source.integers(0, 60 * 86_400, n_events)) * 1_000_000,
            "kind": kind,
            "value": value,
        }
    )
    catalogue = pl.DataFrame({"id": [f"item-{i:03}" for i in range(n_items)]})
    return Dataset.from_events(events, catalogue)
