"""ItemKNN against its formulas, written out."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from penchant.core.nouns import History
from penchant.data.dataset import Dataset
from penchant.models.itemknn import ItemKNN, shrinkage_of
from penchant.testing import generated


def table(seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    dense = rng.integers(1, 6, (30, 12)) * (rng.random((30, 12)) < 0.3)
    dense[:, 0] = 1  # everybody likes item 0, so that every item has a neighbour
    return dense.astype(np.float64)


def weighted(dense: np.ndarray, learner: ItemKNN) -> np.ndarray:
    """Return the matrix before inner products, entry by entry."""
    users, items = dense.shape
    out = np.zeros(dense.shape)
    lengths = dense.sum(axis=0)
    for u in range(users):
        idf = max(np.log(items / (1 + np.count_nonzero(dense[u]))), 0.0)
        for i in np.flatnonzero(dense[u]):
            tf = dense[u, i]
            if learner.similarity == "cosine":
                out[u, i] = 1.0
            elif learner.similarity == "tfidf":
                out[u, i] = np.sqrt(tf) * idf
            else:
                norm = learner.k1 * (1 - learner.b + learner.b * lengths[i] / lengths.mean())
                out[u, i] = tf * (learner.k1 + 1) / (tf + norm) * idf
    return out


def neighbours(dense: np.ndarray, learner: ItemKNN) -> np.ndarray:
    """Return float64[n, n]: row i holds the similarities of the k nearest of item i."""
    x = weighted(dense, learner)
    similar = x.T @ x
    if learner.similarity != "bm25":
        norms = np.sqrt(np.diag(similar))
        similar = similar / (np.outer(norms, norms) + (learner.shrinkage or 0.0))
    else:
        similar = similar / (1.0 + (learner.shrinkage or 0.0))
    np.fill_diagonal(similar, 0.0)
    for row in similar:
        row[np.argsort(-row, kind="stable")[learner.k :]] = 0.0
    return similar


@pytest.mark.parametrize("shrinkage", [0.0, 4.0])
@pytest.mark.parametrize("learner", [ItemKNN(similarity="jaccard"), ItemKNN(similarity="asymmetric", alpha=0.2)])
def test_jaccard_and_asymmetric_are_what_they_say(learner: ItemKNN, shrinkage: float) -> None:
    binary = (table(4) > 0).astype(float)
    met, likes = binary.T @ binary, binary.sum(axis=0)
    union, discount = likes[:, None] + likes - met, np.outer(likes**0.2, likes**0.8)  # most falls on the candidate
    below = union if learner.similarity == "jaccard" else discount
    wanted = met / (below + shrinkage)
    np.fill_diagonal(wanted, 0)
    scorer = msgspec.structs.replace(learner, shrinkage=shrinkage).fit(Dataset.from_matrix(binary))
    for i in range(12):
        np.testing.assert_allclose(np.nan_to_num(scorer.score(History.of([i]))), wanted[i], rtol=1e-5)


@pytest.mark.parametrize("k", [3, 100])
@pytest.mark.parametrize("shrinkage", [0.0, 5.0])
@pytest.mark.parametrize("similarity", ["cosine", "tfidf", "bm25"])
def test_a_score_is_the_sum_of_similarities_to_the_history(similarity: str, shrinkage: float, k: int) -> None:
    learner = ItemKNN(k=k, similarity=similarity, shrinkage=shrinkage)
    dense = table(3)
    scorer = learner.fit(Dataset.from_matrix(dense))
    wanted = neighbours(dense, learner)
    for history in ([1], [2, 5], [4, 7, 9]):
        total = wanted[history].sum(axis=0)
        total[(wanted[history] > 0).sum(axis=0) == 0] = np.nan
        np.testing.assert_allclose(scorer.score(History.of(history)), total, rtol=1e-4)


def test_the_mean_is_taken_over_each_candidates_own_neighbours() -> None:
    learner = ItemKNN(k=4, mean=True)
    dense = table(5)
    scorer = learner.fit(Dataset.from_matrix(dense))
    similar = neighbours(dense, learner)
    share = (dense > 0).mean(axis=0)
    history = np.zeros(12)
    history[[2, 5]] = 1
    for j, score in enumerate(scorer.score(History.of([2, 5]))):
        near = np.flatnonzero(similar[j])
        if not history[near].any():
            assert np.isnan(score)
            continue
        w = similar[j, near] / similar[j, near].sum()
        assert score == pytest.approx(share[j] + w @ (history[near] - share[near]), rel=1e-4)


def test_mean_counts_a_dislike_against() -> None:
    scorer = ItemKNN(mean=True).fit(Dataset.from_matrix(table(5)))
    like, dislike = scorer.score(History.of([2], [1.0])), scorer.score(History.of([2], [-1.0]))
    reached = ~np.isnan(like)
    reached[2] = False
    assert (dislike[reached] < like[reached]).all()


def test_without_a_shrinkage_given_it_follows_from_what_people_share_by_chance() -> None:
    data = generated(600, 200, 3000)
    matrix = data.matrix.toarray() > 0
    users, items, likes = int(matrix.any(axis=1).sum()), int(matrix.any(axis=0).sum()), int(matrix.sum())
    wanted = float(int(min(users / 100, 50, ((likes / users) ** 2 / items) ** -2)))
    assert wanted > 0
    found = {name: ItemKNN(similarity=name).fit(data) for name in ("cosine", "asymmetric", "jaccard", "bm25", "tfidf")}
    assert {name: scorer.facts["shrinkage"] for name, scorer in found.items()} == {
        "cosine": wanted,
        "asymmetric": wanted,
        "jaccard": 0.0,
        "bm25": 0.0,
        "tfidf": 0.0,
    }
    given = ItemKNN(shrinkage=wanted).fit(data)
    assert given.w_data.tobytes() == found["cosine"].w_data.tobytes()
    assert ItemKNN(shrinkage=0.0).fit(data).w_data.tobytes() != given.w_data.tobytes()
    assert ItemKNN(mean=True).fit(data).facts["shrinkage"] == 0.0


def test_the_shrinkage_follows_when_people_leave() -> None:
    data = generated(600, 200, 3000)
    gone = data.column("user") < 150
    whole, never = ItemKNN().fit(data), ItemKNN().fit(data.select(~gone))
    after = whole.without(data.select(gone))
    assert after.facts["shrinkage"] == never.facts["shrinkage"] < whole.facts["shrinkage"]
    assert after.w_data.tobytes() == never.w_data.tobytes()


@pytest.mark.parametrize(
    ("length", "users", "wanted"), [(10, 99, 0), (10, 3_000, 30), (10, 10_000, 50), (40, 10_000, 20), (120, 9_000, 0)]
)
def test_who_shares_little_by_chance_is_shrunk_more(length: int, users: int, wanted: float) -> None:
    assert shrinkage_of(length * 1000, 1000, 800, users) == wanted


def test_without_shrinkage_given_it_follows_from_the_squared_lengths() -> None:
    data = generated(600, 200, 9_000)
    length = np.diff((data.matrix > 0).indptr)
    wanted = shrinkage_of(int((length**2).sum()), int(length.sum()), int((data.support > 0).sum()), 600)
    assert ItemKNN().fit(data).facts["shrinkage"] == wanted > 0
