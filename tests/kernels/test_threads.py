"""Kernels release the GIL; many threads asking one scorer must not disturb each other."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest

from penchant.core.nouns import TopK
from penchant.models.learner import learners
from penchant.testing.worlds import bazaar


@pytest.mark.parametrize("name", sorted(learners()))
def test_four_threads_asking_at_once_get_the_same_answer(name: str) -> None:
    data = bazaar(n_users=300, n_events=4000)
    scorer = learners()[name]().fit(data)
    rows = scorer.rows(data)
    alone = scorer.score_batch(rows, 10, exclude_seen=False)
    gate = Barrier(4)

    def ask(_: int) -> TopK:
        gate.wait()
        return scorer.score_batch(rows, 10, exclude_seen=False)

    with ThreadPoolExecutor(4) as pool:
        for top in pool.map(ask, range(4)):
            np.testing.assert_array_equal(top.items, alone.items)
            np.testing.assert_array_equal(top.scores, alone.scores)
