"""RP3beta against random walks on dense matrices."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from penchant.core.nouns import History
from penchant.data.dataset import Dataset
from penchant.models.rp3beta import UNIT, RP3Beta
from penchant.testing import generated


@pytest.mark.parametrize(("alpha", "beta"), [(1.0, 0.0), (1.0, 0.6), (0.5, 0.3), (0.0, 1.0)])
def test_weights_are_walks_of_three_steps(alpha: float, beta: float) -> None:
    rng = np.random.default_rng(5)
    x = (rng.random((40, 11)) < 0.4).astype(np.float64)
    x[0] = 1
    to_item = (x / x.sum(axis=1, keepdims=True)) ** alpha * (x > 0)
    to_user = ((x / x.sum(axis=0)) ** alpha * (x > 0)).T
    walks = to_user @ to_item / x.sum(axis=0) ** beta
    np.fill_diagonal(walks, 0)
    scorer = RP3Beta(alpha=alpha, beta=beta, start=alpha, k=11).fit(Dataset.from_matrix(x))
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


def test_without_a_beta_given_it_follows_from_what_people_share_by_chance() -> None:
    data = generated(300, 200, 1500)
    liked = data.matrix.toarray() > 0
    shared = liked.sum(axis=1).mean() ** 2 / liked.any(axis=0).sum()
    scorer = RP3Beta().fit(data)
    assert scorer.facts["beta"] == pytest.approx(0.55 + 0.2 * np.log10(shared), abs=1e-6)
    assert 0.1 < scorer.facts["beta"] < 0.5
    assert scorer.facts["start"] == pytest.approx(0.7 * min(1.0, 2.93 + 1.1 * np.log10(shared)), abs=1e-6)
    settled = RP3Beta(beta=scorer.facts["beta"], start=scorer.facts["start"])
    assert settled.fit(data).w_data.tobytes() == scorer.w_data.tobytes()
    assert RP3Beta(beta=0.0).fit(data).facts["beta"] == 0.0


@pytest.mark.parametrize(("overlap", "wanted"), [(1e-6, 0.1), (0.1, 0.35), (5.0, 0.5)])
def test_the_more_is_shared_by_chance_the_more_the_popular_are_discounted(overlap: float, wanted: float) -> None:
    assert RP3Beta().suited(overlap) == pytest.approx(wanted)


@pytest.mark.parametrize(("overlap", "wanted"), [(1e-6, 0.3), (0.01, 0.73), (5.0, 1.0)])
def test_the_less_is_shared_by_chance_the_less_it_matters_where_a_walk_begins(overlap: float, wanted: float) -> None:
    assert RP3Beta(alpha=0.5).first(overlap) == pytest.approx(0.5 * wanted)
    assert RP3Beta(start=0.4).first(overlap) == 0.4
