"""Which inverse ItemAutoencoder takes, why, and that all that follows keeps to it."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest

import penchant as pt
from penchant.models import itemautoencoder
from penchant.models.itemautoencoder import ItemAutoencoder
from penchant.models.linear import DenseLinear, SparseLinear
from penchant.testing import bazaar


@pytest.mark.parametrize(
    ("largest", "free", "kind", "reason"),
    [
        (100, 10**9, DenseLinear, "0.00 GB needed, 1.00 GB free"),
        (100, None, DenseLinear, "at most 100 items, and free memory is unknown"),
        (100, 10_000, SparseLinear, "0.00 GB needed, 0.00 GB free, of which half may be taken"),
        (10, 10**9, SparseLinear, "more than 10 items"),
    ],
)
def test_it_says_what_it_took_and_why(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
    *,
    largest: int,
    free: int | None,
    kind: type,
    reason: str,
) -> None:
    monkeypatch.setattr(itemautoencoder, "_LARGEST", largest)
    monkeypatch.setattr(itemautoencoder, "free_memory", lambda: free)
    data = bazaar()
    gone = data.column("user") == 3
    with caplog.at_level(logging.INFO):
        scorer = ItemAutoencoder(l2=4.0).fit(data)
    solver = "dense" if kind is DenseLinear else "sparse"
    assert caplog.messages == [f"item-autoencoder: {solver} inverse for 45 items: {reason}"]
    assert (type(scorer), scorer.facts["solver"], scorer.facts["reason"]) == (kind, solver, reason)
    monkeypatch.undo()
    again = pt.load(scorer.save(tmp_path / "model"))
    assert (type(again), again.learner) == (kind, ItemAutoencoder(l2=4.0))
    changed = again.without(data.select(gone))
    assert (type(changed), changed.learner, changed.facts["solver"]) == (kind, ItemAutoencoder(l2=4.0), solver)
    never = ItemAutoencoder(l2=4.0, solver=solver).fit(data.select(~gone))
    name = "weights" if kind is DenseLinear else "w_data"
    assert getattr(changed, name).tobytes() == getattr(never, name).tobytes()


def test_it_scores_as_the_learner_it_takes() -> None:
    data = bazaar()
    history = data.history(data.users[4])
    for solver, other in (("dense", pt.EDLAE(l2=4.0, dropout=0.2)), ("sparse", pt.SANSA(l2=4.0, dropout=0.2))):
        one = ItemAutoencoder(l2=4.0, dropout=0.2, solver=solver).fit(data)
        np.testing.assert_array_equal(one.score(history), other.fit(data).score(history))
