"""A split and rankers small enough to follow by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import pytest

from penchant.core.nouns import TopK
from penchant.data.dataset import Dataset
from penchant.data.split import Split


class Recipe(msgspec.Struct, frozen=True):
    strength: float = 1.0


class FakeRanker:
    """Ranks by a function from dense histories [n, n_items] to scores [n, n_items], NaN where it cannot say."""

    def __init__(self, items: Any, scores: Callable[[np.ndarray], np.ndarray]) -> None:
        self.items = items
        self.learner = Recipe()
        self.calls: list[int] = []
        self._scores = scores

    def rows(self, data: Dataset) -> Any:
        return data.matrix

    def score_batch(self, histories: Any, k: int, exclude_seen: bool = True) -> TopK:
        self.calls.append(k)
        dense = histories.toarray()
        scores = np.array(np.broadcast_to(self._scores(dense), dense.shape), dtype=np.float32)
        if exclude_seen:
            rows = np.repeat(np.arange(len(dense)), np.diff(histories.indptr))
            scores[rows, histories.indices] = np.nan
        order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
        ranked = np.take_along_axis(scores, order, axis=1)
        items = np.where(np.isnan(ranked), -1, order).astype(np.int32)
        pad = ((0, 0), (0, k - items.shape[1]))
        return TopK(np.pad(items, pad, constant_values=-1), np.pad(ranked, pad, constant_values=np.nan))


def split_of(history: Any, test: Any, train: Any = None) -> Split:
    past = Dataset.from_matrix(np.asarray(history, float))
    learnt = past if train is None else Dataset.from_matrix(np.asarray(train, float))
    return Split(learnt, past, Dataset.from_matrix(np.asarray(test, float)), "temporal", "A split made by hand.")


@pytest.fixture(scope="session")
def ranker() -> type[FakeRanker]:
    return FakeRanker


@pytest.fixture(scope="session")
def make_split() -> Callable[..., Split]:
    return split_of


@pytest.fixture
def tastes() -> Split:
    """60 users of two tastes over 20 items: each did 4 of the 10 items of their taste, and will do 3 others of them."""
    rng = np.random.default_rng(7)
    history, test = np.zeros((60, 20)), np.zeros((60, 20))
    for user in range(60):
        order = rng.permutation(10) + 10 * (user % 2)
        history[user, order[:4]] = 1
        test[user, order[4:7]] = 1
    return split_of(history, test)


@pytest.fixture
def both(tastes: Split) -> dict[str, FakeRanker]:
    """One ranker that sees the taste, and one that ranks at random but alike for all."""
    items = tastes.train.items
    same = np.equal.outer(np.arange(20) // 10, np.arange(20) // 10)
    noise = np.random.default_rng(3).random(20)
    return {
        "popular": FakeRanker(items, lambda dense: noise),
        "taste": FakeRanker(items, lambda dense: dense @ same + noise),
    }
