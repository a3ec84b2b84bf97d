"""MatrixFactorization against its objective, the normal equations written out, and ratings whose pattern is known."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penchant.core.executor import LOCAL
from penchant.core.nouns import History, Query, Slate
from penchant.data.dataset import Dataset
from penchant.data.sparse import matrix_of, transposed
from penchant.models.matrixfactorization import MatrixFactorization, latest
from penchant.pipeline.catalogue import Catalogue
from penchant.pipeline.explain import Explain, Words
from penchant.pipeline.retrieve import Retrieve


def ratings(seed: int = 0, users: int = 20, items: int = 13) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.integers(1, 6, (users, items)) * (rng.random((users, items)) < 0.5).astype(float)


def loss(learner: MatrixFactorization, r: np.ndarray, people: np.ndarray, items: np.ndarray) -> float:
    """Return the objective of the docstring, rating by rating; the last column of both sides is the bias in units."""
    mean, unit = r[r != 0].mean(), learner.unit
    p, bu, q, bi = people[:, :-1], people[:, -1] * unit, items[:, :-1], items[:, -1] * unit
    total = sum((r[u, i] - mean - bu[u] - bi[i] - p[u] @ q[i]) ** 2 for u, i in np.argwhere(r))
    for vectors, biases, axis in ((p, bu, 1), (q, bi, 0)):
        scale = np.maximum((r != 0).sum(axis=axis), 1.0) ** learner.frequency_scaling
        total += float(scale @ (learner.l2 * (vectors**2).sum(axis=1) + learner.bias_l2 * biases**2))
    return float(total)


@pytest.mark.parametrize("scaling", [0.0, 1.0])
def test_the_objective_never_rises_from_half_step_to_half_step(scaling: float) -> None:
    learner = MatrixFactorization(factors=3, l2=0.3, bias_l2=0.1, frequency_scaling=scaling)
    r = ratings()
    rows, columns = np.nonzero(r)
    matrix = matrix_of(r[rows, columns] - r[r != 0].mean(), columns, rows, r.shape)
    rng = np.random.default_rng(0)
    people, items = (rng.normal(0, 0.3, (n, 4)).astype(np.float32) for n in r.shape)
    losses = [loss(learner, r, people, items)]
    for _ in range(5):
        people = learner._half(matrix, items, LOCAL)
        losses.append(loss(learner, r, people, items))
        items = learner._half(transposed(matrix), people, LOCAL)
        losses.append(loss(learner, r, people, items))
    assert (np.diff(losses) <= 1e-5 * losses[0]).all()
    assert losses[-1] < 0.5 * losses[0]


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), scaling=st.sampled_from([0.0, 0.5, 1.0]))
def test_a_history_is_folded_in_by_ridge_regression(seed: int, scaling: float) -> None:
    """Bias and vector solve the normal equations, each with its own ridge."""
    learner = MatrixFactorization(factors=3, l2=0.4, bias_l2=0.1, frequency_scaling=scaling, epochs=3)
    r = ratings(seed)
    r[0, :] = 3.0  # every item is rated
    scorer = learner.fit(Dataset.from_matrix(r))
    q, base = scorer.factors[:-2].T.astype(float), scorer.factors[-1].astype(float)
    asked = ratings(seed + 1)[0]
    asked[0] = 4.0
    seen = np.flatnonzero(asked)
    x = np.column_stack([np.ones(len(seen)), q[seen]])
    penalty = np.diag([0.1, 0.4, 0.4, 0.4]) * len(seen) ** scaling
    found = np.linalg.solve(x.T @ x + penalty, x.T @ (asked[seen] - base[seen]))
    wanted = base + found[0] + q @ found[1:]
    np.testing.assert_allclose(scorer.score(History.of(seen, asked[seen])), wanted, rtol=1e-3, atol=1e-3)


def test_who_did_nothing_is_expected_to_rate_as_others_do() -> None:
    r = ratings(3)
    scorer = MatrixFactorization(factors=2).fit(Dataset.from_matrix(r))
    every = np.arange(13, dtype=np.int32)
    assert scorer.mean == pytest.approx(r[r != 0].mean(), rel=1e-6)
    np.testing.assert_array_equal(scorer.score(History.of([])), scorer.base(every))
    np.testing.assert_array_equal(scorer.score(History.of([2, 3], [0.0, 0.0])), scorer.base(every))


def test_reasons_name_what_the_item_is_rated_on_average_and_then_the_ratings() -> None:
    scorer = MatrixFactorization(factors=2).fit(Dataset.from_matrix(ratings(5)))
    reasons = scorer.explain(["4", "6"], "2")
    assert {reason.code for reason in reasons} == {"average", "history"}
    assert {reason.evidence for reason in reasons} == {"", "4", "6"}
    board, history = Catalogue(scorer.items), History.of([4, 6], kinds=("rating", "rating"))
    query = Query(1, "for-you", history, datetime(2017, 12, 31))
    slate = Retrieve("stars", scorer)(query, Slate.of()).take([0])
    said = Words(board)(query, Explain({"stars": scorer}, board)(query, slate))
    assert said.reasons[0][0].text == "What it is rated on average"


def test_a_rating_adds_in_proportion_to_how_far_it_is_from_what_was_expected() -> None:
    scorer = MatrixFactorization(factors=2, l2=0.2).fit(Dataset.from_matrix(ratings(4)))
    every = np.arange(13, dtype=np.int32)
    expected = float(scorer.base(np.int32([5]))[0])
    one, two, none = (
        scorer.contributions(History.of([5, 7], [expected + far, 2.0]), every)[:, 0] for far in (1.0, 2.0, 0.0)
    )
    np.testing.assert_allclose(two, 2 * one, rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(none, 0, atol=1e-5)


def test_on_a_checkerboard_of_fives_and_ones_everybody_is_expected_to_like_their_color() -> None:
    board = np.where(np.equal.outer(np.arange(40) % 2, np.arange(40) % 2), 5.0, 1.0)
    board *= np.random.default_rng(0).random((40, 40)) < 0.6
    data = Dataset.from_matrix(board)
    scorer = MatrixFactorization(factors=4).fit(data)
    top = scorer.score_batch(scorer.rows(data), 5)
    for user in range(40):
        scores = scorer.score(data.history(str(user)))
        own = np.arange(40) % 2 == user % 2
        assert (scores[own] > 4).all()
        assert (scores[~own] < 2).all()
        new = top.items[user][top.items[user] >= 0]
        assert (new[: min(len(new), (own & (board[user] == 0)).sum())] % 2 == user % 2).all()


def test_the_latest_rating_counts_in_fitting_in_a_batch_and_in_a_history() -> None:
    again = pl.DataFrame(
        {
            "user": ["ann", "ann", "bob", "ann", "bob", "cat"],
            "item": ["tea", "jam", "tea", "tea", "jam", "jam"],
            "at": [1, 2, 3, 4, 5, 6],
            "kind": "rating",
            "value": [5.0, 4.0, 3.0, 1.0, 2.0, 0.0],
        }
    )
    changed = Dataset.from_events(again)
    settled = Dataset.from_events(again.filter(pl.col("value") != 5.0))
    assert latest(changed).toarray().tolist() == [[4.0, 1.0], [2.0, 3.0], [0.0, 0.0]]
    scorers = [MatrixFactorization(factors=1).fit(data) for data in (changed, settled)]
    np.testing.assert_array_equal(scorers[0].factors, scorers[1].factors)
    scorer, jam, tea = scorers[0], 0, 1
    alone = scorer.score(changed.history("ann"))
    np.testing.assert_array_equal(alone, scorer.score(History.of([tea, jam], [1.0, 4.0])))
    np.testing.assert_array_equal(alone, scorer.score(History.of([tea, jam, tea, tea], [5.0, 4.0, 1.0, 0.0])))
    top = scorer.score_batch(scorer.rows(changed), 2, exclude_seen=False)
    np.testing.assert_allclose(np.sort(top.scores[0]), np.sort(alone), rtol=1e-6)


def test_a_dislike_is_a_low_rating_and_its_item_can_be_scored() -> None:
    scorer = MatrixFactorization(factors=1).fit(Dataset.from_matrix([[1.0, -1.0], [1.0, 0.0], [1.0, -1.0]]))
    good, bad = scorer.base(np.int32([0, 1]))
    assert good > scorer.mean > bad
