"""RP3beta against random walks on dense matrices."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from penchant.core.nouns import History
from penchant.data.dataset import Dataset
from penchant.models.rp3beta import UNIT, RP3Beta


@pytest.mark.parametrize(("alpha", "beta"), [(1.0, 0.0), (1.0, 0.6), (0.5, 0.3), (0.0, 1.0)])
def test_weights_are_walks_of_three_steps(alpha: float, beta: float) -> None:
    rng = np.random.default_rng(5)
    x = (rng.random((40, 11)) < 0.4).astype(np.float64)
    x[0] = 1
    to_item = (x / x.sum(axis=1, keepdims=True)) ** alpha * (x > 0)
    to_user = ((x / x.sum(axis=0)) ** alpha * (x > 0)).T
    walks = to_user @ to_item / x.sum(axis=0) ** beta
    np.fill_diagonal(walks, 0)
    scorer = RP3Beta(alpha=alpha, beta=beta, k=11).fit(Dataset.from_matrix(x))
    for i in range(11):
        score = np.nan_to_num(scorer.score(History.of([i])))
        np.testing.assert_allclose(score, walks[i], rtol=1e-5, atol=1e-8)


def test_only_the_strongest_are_kept() -> None:
    x = (np.random.default_rng(6).random((60, 20)) < 0.3).astype(np.float64)
    whole, few = (RP3Beta(k=k).fit(Dataset.from_matrix(x)) for k in (20, 3))
    for i in few.candidates:
        strongest = np.sort(np.nan_to_num(whole.score(History.of([i]))))[::-1][:3]
        kept = np.nan_to_num(few.score(History.of([i])))
        np.testing.assert_array_equal(np.sort(kept)[::-1][:3], strongest)
        assert np.count_nonzero(kept) <= 3


def test_who_likes_very_much_still_counts() -> None:
    n = 46_400
    assert np.rint(UNIT * float(n) ** -2.0) == 0  # what they would weigh without a least weight
    everything = sp.csr_array((np.ones(n), np.arange(n), [0, n]), shape=(1, n))
    liked = Dataset.from_matrix(everything)
    weights = RP3Beta(alpha=2.0)._weights(np.diff(liked.matrix.indptr))
    assert weights.tolist() == [1]
