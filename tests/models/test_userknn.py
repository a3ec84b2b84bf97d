"""UserKNN against the formulas of its docstring, written out person by person."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penchant.core.nouns import History
from penchant.data.dataset import Dataset
from penchant.models.userknn import People, UserKNN
from penchant.testing.worlds import bazaar

WAYS = [
    UserKNN(k=4),
    UserKNN(k=4, alpha=0.2, shrinkage=1.5),
    UserKNN(k=3, similarity="jaccard", shrinkage=0.5),
    UserKNN(k=5, similarity="tfidf", alpha=0.8),
    UserKNN(k=4, similarity="bm25"),
]


def counts(seed: int, users: int = 17, items: int = 11) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (rng.integers(1, 5, (users, items)) * (rng.random((users, items)) < 0.4)).astype(np.float64)


def weights_of(learner: UserKNN, row: np.ndarray, r: np.ndarray) -> np.ndarray:
    n, df = len(r), (r > 0).sum(axis=0)
    idf = np.log(1 + (n - df + 0.5) / (df + 0.5))
    if learner.similarity in ("cosine", "jaccard"):
        return (row > 0).astype(float)
    if learner.similarity == "tfidf":
        return np.sqrt(row) * idf
    norm = learner.k1 * (1 - learner.b + learner.b * row.sum() / r.sum(axis=1).mean())
    return np.where(row > 0, row * (learner.k1 + 1) / (norm + row) * idf, 0)


def similarity(learner: UserKNN, asked: np.ndarray, other: np.ndarray, r: np.ndarray) -> float:
    h, u = weights_of(learner, asked, r), weights_of(learner, other, r)
    product = float(h @ u)
    if learner.similarity == "jaccard":
        return product / (((asked > 0) | (other > 0)).sum() + learner.shrinkage)
    if learner.similarity == "bm25":
        return product / (1 + learner.shrinkage)
    return product / ((h @ h) ** learner.alpha * (u @ u) ** (1 - learner.alpha) + learner.shrinkage)


def scores(learner: UserKNN, asked: np.ndarray, r: np.ndarray) -> np.ndarray:
    """Return the scores of every item; NaN where none of the neighbours likes it."""
    alike = np.array([similarity(learner, asked, other, r) for other in r])
    order = [u for u in np.lexsort((np.arange(len(r)), -alike.round(5))) if alike[u] > 0][: learner.k]
    out = (alike[order, None] * (r[order] > 0)).sum(axis=0)
    return np.where((r[order] > 0).any(axis=0), out, np.nan)


@pytest.mark.parametrize("learner", WAYS, ids=repr)
@pytest.mark.parametrize("seed", range(3))
def test_scores_are_those_of_the_formula(learner: UserKNN, seed: int) -> None:
    r = counts(seed)
    r = r[:, r.any(axis=0)][r.any(axis=1)]
    scorer = learner.fit(Dataset.from_matrix(r))
    for asked in counts(seed + 100, items=r.shape[1]):
        if (asked > 0).any():
            history = History.of(np.flatnonzero(asked), asked[asked > 0])
            np.testing.assert_allclose(scorer.score(history), scores(learner, asked, r), rtol=2e-5)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), way=st.sampled_from(WAYS))
def test_one_history_at_a_time_gives_what_the_batch_gives(seed: int, way: UserKNN) -> None:
    r = counts(seed)
    r[0, 0] = 1.0
    data = Dataset.from_matrix(r)
    scorer = way.fit(data)
    top = scorer.score_batch(scorer.rows(data), data.n_items, exclude_seen=False)
    for user in range(data.n_users):
        alone = scorer.score(data.history(str(user)))
        found = top.items[user][top.items[user] >= 0]
        assert np.array_equal(top.scores[user][: len(found)], alone[found])
        assert np.isnan(np.delete(alone, found)).all()


def test_of_people_as_like_the_lower_rows_are_asked() -> None:
    """All four share the one item; the two of lower row like items 1 and 2."""
    scorer = UserKNN(k=2).fit(Dataset.from_matrix([[1, 1, 0, 0], [1, 0, 1, 0], [1, 0, 0, 1], [1, 0, 0, 1]]))
    assert np.isnan(scorer.score(History.of([0]))).tolist() == [False, False, False, True]


def test_a_dislike_says_nothing() -> None:
    r = counts(1)
    r[r == 1] = -1
    liked = np.maximum(r, 0)
    scorers = [UserKNN().fit(Dataset.from_matrix(matrix)) for matrix in (r, liked)]
    found = [scorer.score(History.of([0, 1, 2], [1.0, -1.0, 2.0])) for scorer in scorers]
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0], scorers[0].score(History.of([0, 2], [1.0, 2.0])))
    assert np.isnan(scorers[0].score(History.of([0, 1], [0.0, -1.0]))).all()


def test_the_scorer_holds_rows_of_people_and_no_names() -> None:
    data = Dataset.from_matrix(counts(2), users=[f"person-{u}" for u in range(17)])
    scorer = UserKNN().fit(data)
    assert scorer.learner.holds_people
    assert len(scorer.norms) == (data.matrix.toarray() > 0).any(axis=1).sum()
    assert not any("person" in str(getattr(scorer, name)) for name in scorer.__struct_fields__)


def test_threads_that_ask_at_once_get_what_each_gets_alone() -> None:
    data = bazaar(n_users=3000, n_events=60_000)
    scorer = UserKNN(k=50).fit(data)
    histories = [data.history(str(user)) for user in data.users.series.sort()[:40]]

    def asked(history: History) -> tuple[np.ndarray, ...]:
        parts = scorer.contributions(history, np.arange(5, dtype=np.int32))
        return scorer.score(history), parts, scorer._best(history, 20, False)[1]

    alone, gate = [asked(history) for history in histories], Barrier(2)

    def all_from(start: int) -> list[tuple[np.ndarray, ...]]:
        """Ask for all, each thread in an order of its own, five times."""
        gate.wait()
        rounds = [[asked(histories[(start + n) % 40]) for n in range(40)] for _ in range(5)]
        return [found[(n - start) % 40] for found in rounds for n in range(40)]

    with ThreadPoolExecutor(2) as pool:
        for answers in pool.map(all_from, [0, 17]):
            for n, answer in enumerate(answers):
                for found, wanted in zip(answer, alone[n % 40], strict=True):
                    np.testing.assert_array_equal(found, wanted)
    assert len(scorer._spare) <= 2


def clean(scorer: People) -> bool:
    return all(not own.near.products.any() and np.isnan(own.scores).all() for own in scorer._spare)


@pytest.mark.parametrize("exclude_seen", [True, False])
def test_what_is_worked_in_is_left_as_it_was(exclude_seen: bool) -> None:
    data = Dataset.from_matrix(counts(4))
    scorer = UserKNN(k=3).fit(data)
    scorer.score_batch(scorer.rows(data), 5, exclude_seen=exclude_seen)
    scorer.contributions(data.history("0"), np.arange(3, dtype=np.int32))
    scorer.score(data.history("1"))
    assert scorer._spare
    assert clean(scorer)


def test_what_an_error_left_half_written_is_not_used_again() -> None:
    scorer = UserKNN(k=3).fit(Dataset.from_matrix(counts(4)))
    with pytest.raises(ZeroDivisionError), scorer._scratch() as own:
        own.near.products[0] = 1 / 0
    assert not scorer._spare
    with scorer._scratch() as one, scorer._scratch() as other:
        assert not np.shares_memory(one.near.products, other.near.products)
    assert len(scorer._spare) == 2
    assert clean(scorer)
