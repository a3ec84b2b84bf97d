"""SLIST against its equations, written out cut by cut."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
import pytest

from penchant.core.nouns import History
from penchant.data.dataset import Dataset
from penchant.models.slist import SLIST


def sequences(seed: int, users: int = 30, items: int = 9) -> list[list[int]]:
    rng = np.random.default_rng(seed)
    drawn = [rng.integers(0, items, rng.integers(1, 8)).tolist() for _ in range(users)]
    return [*drawn, list(range(items))]


def dataset(drawn: Sequence[Sequence[int]]) -> Dataset:
    rows = [(f"u{u:02}", f"i{i}", at) for u, sequence in enumerate(drawn) for at, i in enumerate(sequence)]
    return Dataset.from_events(pl.DataFrame(rows, schema=["user", "item", "at"], orient="row"))


def written_out(drawn: Sequence[Sequence[int]], learner: SLIST, n: int) -> np.ndarray:
    """Return B of Choi et al., eq. 15, with dense rows for every cut."""
    x, s, t = [], [], []
    for sequence in drawn:
        x.append(np.isin(np.arange(n), sequence).astype(float))
        for cut in range(1, len(sequence)):
            before, after = np.zeros(n), np.zeros(n)
            for place, item in enumerate(sequence):
                if place < cut:
                    before[item] = max(before[item], np.exp(-(cut - 1 - place) / learner.delta))
                else:
                    after[item] = max(after[item], np.exp(-(place - cut) / learner.delta))
            s.append(before)
            t.append(after)
    xx, ss, st = (np.array(a).T @ np.array(b) for a, b in ((x, x), (s, s), (s, t)))
    a = learner.alpha
    weights = np.linalg.solve(a * xx + (1 - a) * ss + learner.l2 * np.eye(n), a * xx + (1 - a) * st)
    if not learner.repeats:
        np.fill_diagonal(weights, 0)
    return weights


@pytest.mark.parametrize(
    "learner", [SLIST(l2=2.0), SLIST(l2=5.0, alpha=0.7, delta=3.0, repeats=True), SLIST(alpha=0.0)]
)
def test_weights_are_the_closed_form(learner: SLIST) -> None:
    drawn = sequences(1)
    scorer = learner.fit(dataset(drawn))
    np.testing.assert_allclose(scorer.weights, written_out(drawn, learner, 9), rtol=2e-3, atol=2e-4)


def test_a_history_fades_with_its_positions() -> None:
    scorer = SLIST(delta_inf=2.0).fit(dataset(sequences(2)))
    score = scorer.score(History.of([0, 3, 5]))
    fading = np.exp(-np.arange(3)[::-1] / 2.0)
    np.testing.assert_allclose(score, fading @ scorer.weights[[0, 3, 5]], rtol=1e-5)


def test_what_follows_is_told_from_what_comes_before() -> None:
    scorer = SLIST(l2=0.1, alpha=0.0).fit(dataset([[0, 1], [0, 1], [2, 0], [1, 2]]))
    assert scorer.recommend_one(["i0"], n=1).ids == ("i1",)
    assert scorer.recommend_one(["i1"], n=1).ids == ("i2",)


def test_chunks_of_events_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    data = dataset(sequences(3))
    whole = SLIST().fit(data)
    monkeypatch.setattr("penchant.models.sequences._CHUNK", 7)
    assert SLIST().fit(data).weights.tobytes() == whole.weights.tobytes()


def test_items_beyond_the_limit_keep_their_distance() -> None:
    drawn = [[0, 4, 1]] * 3 + [[0, 1]] * 3 + [[2, 3, 0]]
    wide, narrow = (SLIST(l2=1.0, max_items=limit).fit(dataset(drawn)).state for limit in (None, 2))
    assert narrow.codes.tolist() == [0, 1]
    np.testing.assert_array_equal(narrow.follow.toarray(), wide.follow.toarray()[:2, :2])
