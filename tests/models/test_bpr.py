"""BPR: its steps against the gradient, its blocks, its folding in, and that threads change nothing."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from penchant.core.executor import LocalExecutor
from penchant.core.nouns import History
from penchant.data.dataset import Dataset
from penchant.data.sparse import matrix_of, rows_of
from penchant.kernels.bpr import Block, Pace, deal, descend
from penchant.models import bpr
from penchant.models.bpr import BPR, STRIPE, Preferences


def crowd(users: int, items: int, per_user: int, seed: int = 0) -> Dataset:
    """Return people of four tastes who mostly like a quarter of the items each."""
    rng = np.random.default_rng(seed)
    row = np.repeat(np.arange(users), per_user)
    own = rng.integers(0, items // 4, len(row)) * 4 + row % 4
    column = np.where(rng.random(len(row)) < 0.9, own, rng.integers(0, items, len(row)))
    return Dataset.from_matrix(sp.csr_array((np.ones(len(row)), (row, column)), shape=(users, items)))


def test_a_step_follows_the_gradient_of_the_objective() -> None:
    rng = np.random.default_rng(0)
    people, items = (rng.normal(0, 0.5, (n, 4)).astype(np.float32) for n in (1, 2))
    people[:, -1] = 1.0
    before = people.astype(float), items.astype(float)

    def objective(p: np.ndarray, q: np.ndarray) -> float:
        """Return ln sigma(x_i - x_j) - l2 / 2 times the squared vectors; the 1 that brings the bias in is no part."""
        return float(-np.log1p(np.exp(-p[0] @ (q[0] - q[1]))) - 0.02 / 2 * ((p[:, :-1] ** 2).sum() + (q**2).sum()))

    block = Block(np.int32([0]), np.int32([0]), np.int32([1]))
    assert descend(block, Pace(0.1, 0.02, 3), people, items)[1] == 1
    for side, (moved, old) in enumerate(zip((people, items), before, strict=True)):
        for at in np.ndindex(old.shape):
            shifted = [old.copy() for old in before]
            shifted[side][at] += 1e-5
            slope = (objective(*shifted) - objective(*before)) / 1e-5
            wanted = 0.0 if (side, at[1]) == (0, 3) else 0.1 * slope
            assert moved[at] - old[at] == pytest.approx(wanted, abs=1e-5)


def test_what_a_person_likes_is_never_drawn_as_worse() -> None:
    """Two people, and a stripe of what the first likes: only the second's steps are taken."""
    block = Block(np.int32([0, 0, 0, 1]), np.int32([2, 0, 1, 3]), np.int32([0, 1, 2]))
    people, items = np.ones((2, 3), np.float32), np.zeros((4, 3), np.float32)
    _, steps = descend(
        block._replace(users=np.int32([0, 0, 0, 0]), items=np.int32([2, 0, 1, 0])), Pace(0.1, 0, 1), people, items
    )
    assert steps == 0
    assert not items.any()
    taken = [descend(block, Pace(0.1, 0.0, seed), people, items)[1] for seed in range(200)]
    assert 0.8 < np.mean(taken) < 1.2  # of four draws, one is of the second person


def test_pairs_are_drawn_evenly() -> None:
    """The bias of every item falls alike when all of them are only ever the worse of a pair."""
    block = Block(np.zeros(40_000, np.int32), np.zeros(40_000, np.int32), np.arange(1, 21, dtype=np.int32))
    people, items = np.array([[0.0, 1.0]], np.float32), np.zeros((21, 2), np.float32)
    descend(block, Pace(1e-6, 0.0, 5), people, items)
    share = items[1:, 1] / items[1:, 1].sum()
    assert (abs(share - 0.05) < 4 * np.sqrt(0.05 * 0.95 / 40_000)).all()


def test_dealing_puts_every_event_into_its_block_once() -> None:
    rng = np.random.default_rng(1)
    dense = rng.random((9, 12)) < 0.4
    matrix = matrix_of(np.ones(dense.sum()), *np.nonzero(dense)[::-1], dense.shape)
    stripe_of = rng.integers(0, 3, 12).astype(np.int32)
    found, starts = np.empty((2, dense[2:].sum()), np.int32), np.empty(4, np.int64)
    deal(rows_of(matrix, 2, 9), 2, stripe_of, (found[0], found[1]), starts)
    assert sorted(zip(*found.tolist(), strict=True)) == [tuple(pair) for pair in np.argwhere(dense) if pair[0] >= 2]
    for stripe in range(3):
        users, items = found[:, starts[stripe] : starts[stripe + 1]]
        assert (stripe_of[items] == stripe).all()
        assert (np.diff(users) >= 0).all()


def test_blocks_that_run_side_by_side_give_the_same_bits_whatever_the_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    data = crowd(4 * STRIPE, 4 * STRIPE, 12)
    sizes = []
    true = bpr.descend
    monkeypatch.setattr(bpr, "descend", lambda block, *rest: sizes.append(len(block.stripe)) or true(block, *rest))
    learner = BPR(factors=5, epochs=3)
    one, two, three = (learner.fit(data, rng=3, executor=LocalExecutor(workers)) for workers in (1, 2, 3))
    assert len(sizes) == 3 * 3 * 16  # sixteen blocks an epoch
    for other in (two, three):
        assert one.factors.tobytes() == other.factors.tobytes()
        assert one.mapping.tobytes() == other.mapping.tobytes()
    assert one.factors.tobytes() != learner.fit(data, rng=4).factors.tobytes()


def vectors_learnt(learner: BPR, data: Dataset, monkeypatch: pytest.MonkeyPatch) -> tuple[Preferences, np.ndarray]:
    """Return the scorer, and the vectors of people, which fitting throws away."""
    kept: list[np.ndarray] = []
    true = bpr._mapping
    monkeypatch.setattr(
        bpr, "_mapping", lambda matrix, people, items: kept.append(people) or true(matrix, people, items)
    )
    return learner.fit(data), kept[0]


def test_folding_in_ranks_about_as_well_as_the_vectors_learnt(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the items a person has not liked, those of their taste come first; measured as the area under the curve."""
    data = crowd(600, 400, 10)
    scorer, people = vectors_learnt(BPR(factors=8, epochs=60), data, monkeypatch)
    seen = data.matrix.toarray() > 0
    taste = np.equal.outer(np.arange(600) % 4, np.arange(400) % 4)
    assert scorer.factors.shape == (9, 400)
    learnt = scorer.factors[-1] + people @ scorer.factors[:-1]
    folded = np.array([scorer.score(data.history(str(u))) for u in range(600)])
    areas = [
        np.mean([area(row[~s], t[~s]) for row, t, s in zip(scores, taste, seen, strict=True)])
        for scores in (learnt, folded)
    ]
    assert areas[0] > 0.9
    assert areas[1] > areas[0] - 0.02


def area(scores: np.ndarray, wanted: np.ndarray) -> float:
    """Return the share of pairs of a wanted and another item that are in order."""
    return float((scores[wanted][:, None] > scores[~wanted]).mean())


def test_folding_in_is_the_map_of_the_docstring() -> None:
    data = crowd(60, 40, 6)
    scorer = BPR(factors=3, epochs=20).fit(data)
    q, b = scorer.factors[:-1].T.astype(float), scorer.factors[-1].astype(float)
    vector = q[[3, 8, 21]].sum(axis=0) / np.sqrt(3) @ scorer.mapping
    history = History.of([8, 3, 21, 5, 8], [1.0, 2.0, 0.5, -1.0, 1.0])
    np.testing.assert_allclose(scorer.score(history), b + q @ vector, rtol=1e-5, atol=1e-6)


def test_the_map_is_the_least_squares_one() -> None:
    rng = np.random.default_rng(2)
    dense = rng.random((300, 30)) < 0.3
    matrix = matrix_of(np.ones(dense.sum()), *np.nonzero(dense)[::-1], dense.shape)
    items, wanted = rng.normal(size=(30, 4)), rng.normal(size=(4, 4))
    people = dense @ items / np.sqrt(np.maximum(dense.sum(axis=1, keepdims=True), 1)) @ wanted
    np.testing.assert_allclose(bpr._mapping(matrix, people, items), wanted, rtol=0.02, atol=0.02)
