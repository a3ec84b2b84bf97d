"""The graph of neighbours against the exact lists."""

from __future__ import annotations

import numpy as np
import pytest

from penchant import IALS
from penchant.core.errors import InputError, MissingExtra
from penchant.models import nearest as module
from penchant.models.nearest import Nearest
from penchant.testing import bazaar


@pytest.fixture(scope="module")
def world():
    data = bazaar(n_users=60, n_items=400, n_events=4000)
    scorer = IALS(factors=8, epochs=3).fit(data)
    return scorer, scorer.rows(data)


@pytest.mark.parametrize("exclude_seen", [True, False])
def test_what_is_found_has_the_exact_scores_and_is_mostly_what_there_is(world, exclude_seen: bool) -> None:
    scorer, rows = world
    graph = Nearest.of(scorer)
    exact, found = scorer.score_batch(rows, 10, exclude_seen), graph.score_batch(rows, 10, exclude_seen)
    assert graph.recall(rows, 10, exclude_seen) > 0.9
    for r in range(rows.shape[0]):
        exactly = dict(zip(exact.items[r].tolist(), exact.scores[r].tolist(), strict=True))
        both = [(i, s) for i, s in zip(found.items[r].tolist(), found.scores[r].tolist(), strict=True) if i in exactly]
        np.testing.assert_array_equal([s for _, s in both], [exactly[i] for i, _ in both])
        if exclude_seen:
            assert not set(found.items[r].tolist()) & set(rows.indices[rows.indptr[r] : rows.indptr[r + 1]].tolist())
        assert (np.diff(found.scores[r][found.items[r] >= 0]) <= 0).all()


def test_recall_counts_what_is_missed(world, monkeypatch: pytest.MonkeyPatch) -> None:
    scorer, rows = world
    graph = Nearest.of(scorer)
    exact = scorer.score_batch(rows, 10)
    half = exact.items.copy()
    half[:, 5:] = -1
    monkeypatch.setattr(Nearest, "score_batch", lambda *_: type(exact)(half, exact.scores))
    share = (half >= 0).sum() / (exact.items >= 0).sum()
    assert graph.recall(rows, 10) == pytest.approx(share)


def test_without_usearch_the_extra_is_named(world, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "find_spec", lambda _: None)
    with pytest.raises(MissingExtra, match=r"penchant\[ann\]"):
        Nearest.of(world[0])


def test_vectors_that_are_not_finite_are_refused(world) -> None:
    scorer = world[0]
    broken = type(scorer)(
        items=scorer.items,
        learner=scorer.learner,
        candidates=scorer.candidates,
        factors=np.full_like(scorer.factors, np.nan),
        energy=scorer.energy,
    )
    with pytest.raises(InputError, match="finite"):
        Nearest.of(broken)
