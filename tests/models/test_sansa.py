"""SANSA beside the dense inverse, and its counts beside those that come in blocks."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

import penchant as pt
from penchant.core.errors import RetrainNeeded
from penchant.models.autoencoder import ridge_of
from penchant.models.sansa import SANSA
from penchant.testing import bazaar


def weights(scorer: object) -> np.ndarray:
    n = len(scorer.candidates)
    return sp.csr_array((scorer.w_data, scorer.w_indices, scorer.w_indptr), shape=(n, n)).toarray()


@pytest.mark.parametrize("dropout", [0.0, 0.4])
def test_at_full_density_it_is_the_dense_autoencoder(dropout: float) -> None:
    data = bazaar(400, 60, 4000)
    sparse = SANSA(l2=7.0, dropout=dropout, density=1.0, k=None).fit(data)
    liked = (data.matrix.toarray() > 0)[:, sparse.candidates].astype(float)
    gram = liked.T @ liked
    inverse = np.linalg.inv(gram + np.diag(7.0 + dropout / (1 - dropout) * gram.diagonal()))
    expected = -inverse / inverse.diagonal()
    np.fill_diagonal(expected, 0)
    np.testing.assert_allclose(weights(sparse), expected, atol=2e-6)
    assert sparse.facts["raised"] == 0


def test_counts_that_were_kept_and_counts_in_blocks_give_the_same_bits() -> None:
    data = bazaar(900, 700, 9000)
    kept, blocks = SANSA(l2=3.0).fit(data), SANSA(l2=3.0, max_pairs=0).fit(data)
    assert (kept.forgetting, blocks.forgetting) == ("exact", "retrain")
    for name in ("candidates", "w_indptr", "w_indices", "w_data"):
        assert getattr(kept, name).tobytes() == getattr(blocks, name).tobytes()
    with pytest.raises(RetrainNeeded):
        blocks.without(data.select(data.column("user") == 1))


def test_it_keeps_what_it_is_told_to() -> None:
    data = bazaar(900, 300, 9000)
    few, all_ = (SANSA(l2=3.0, density=0.05, k=k).fit(data) for k in (4, None))
    n = len(few.candidates)
    assert few.facts["predecessors"] == round(0.05 * n)
    assert np.bincount(few.w_indices, minlength=n).max() == 4
    small, large = weights(few), weights(all_)
    for j in range(n):
        kept = np.flatnonzero(small[:, j])
        assert small[kept, j].tolist() == large[kept, j].tolist()
        left = np.setdiff1d(np.arange(n), kept)
        assert abs(large[left, j]).max() <= abs(small[kept, j]).min()


def test_without_a_ridge_given_it_follows_from_the_data() -> None:
    data = bazaar()
    scorer = SANSA().fit(data)
    support = (data.matrix.toarray() > 0).sum(axis=0)[scorer.candidates]
    assert scorer.facts["l2"] == ridge_of(support) == pt.EASE().fit(data).facts["l2"]
