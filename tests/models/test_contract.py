"""Every registered learner keeps the whole contract."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import pytest

from penchant.models.bpr import BPR
from penchant.models.chebycf import ChebyCF
from penchant.models.ease import EASE
from penchant.models.edlae import EDLAE
from penchant.models.gfcf import GFCF
from penchant.models.ials import IALS
from penchant.models.itemautoencoder import ItemAutoencoder
from penchant.models.itemknn import ItemKNN
from penchant.models.learner import Learner, learners
from penchant.models.linear import DenseLinear
from penchant.models.matrixfactorization import MatrixFactorization
from penchant.models.popular import Popular
from penchant.models.puresvd import PureSVD
from penchant.models.rdlae import RDLAE
from penchant.models.rp3beta import RP3Beta
from penchant.models.sansa import SANSA
from penchant.models.slim import SLIM
from penchant.models.slist import SLIST
from penchant.models.trending import Trending
from penchant.models.turbocf import TurboCF
from penchant.models.userknn import UserKNN
from penchant.models.vstan import VSTAN
from penchant.testing import LEARNER_CHECKS, check_learner
from penchant.testing.claim import Check

VARIANTS = {
    **{name: kind() for name, kind in learners().items()},
    "item-knn bm25": ItemKNN(similarity="bm25", k=7),
    "item-knn tfidf": ItemKNN(similarity="tfidf", shrinkage=2.0, k=7),
    "item-knn mean": ItemKNN(mean=True),
    "item-knn jaccard": ItemKNN(similarity="jaccard", shrinkage=1.0, delta_inf=5.0),
    "item-knn asymmetric": ItemKNN(similarity="asymmetric", alpha=0.2, forgetting="retrain"),
    "ease sparse": EASE(l2=5.0, k=8, delta_inf=4.0),
    "edlae kept small": EDLAE(l2=5.0, dropout=0.3, max_items=30),
    "rdlae": RDLAE(l2=5.0, dropout=0.3, xi=0.2),
    "slim sparse": SLIM(l1=1.0, l2=5.0, delta_inf=4.0),
    "slim kept small": SLIM(l1=0.0, l2=2.0, k=5, max_items=30, half_life=20.0),
    "sansa small": SANSA(l2=5.0, dropout=0.3, density=0.1, k=6, delta_inf=4.0),
    "sansa without counts": SANSA(l2=5.0, k=None, max_pairs=0),
    "sansa exact": SANSA(l2=5.0, density=1.0, k=None, half_life=7.0),
    "item-autoencoder sparse": ItemAutoencoder(solver="sparse", l2=5.0),
    "item-autoencoder without counts": ItemAutoencoder(l2=5.0, dropout=0.2, forgetting="retrain"),
    "rp3-beta": RP3Beta(alpha=0.7, beta=0.3, k=9),
    "slist repeating": SLIST(l2=3.0, alpha=0.5, delta=2.0, repeats=True, delta_inf=None),
    "slist sparse": SLIST(l2=3.0, alpha=0.0, k=9, max_items=30),
    "user-knn jaccard": UserKNN(similarity="jaccard", k=7, shrinkage=1.0),
    "user-knn tfidf": UserKNN(similarity="tfidf", k=7, alpha=0.2),
    "user-knn bm25": UserKNN(similarity="bm25", k=7, k1=0.0, b=0.0),
    "bpr short": BPR(factors=3, epochs=7, learning_rate=0.1, l2=0.0),
    "matrix-factorization plain": MatrixFactorization(factors=3, l2=2.0, bias_l2=1.0, frequency_scaling=0.0, epochs=4),
    "popular fading": Popular(half_life=14.0),
    "popular lately": Popular(window=7.0, half_life=14.0),
    "popular by category": Popular(by="category", window=30.0),
    "popular retraining": Popular(forgetting="retrain"),
    "trending strictly": Trending(window=3, before=9, correction="bonferroni", alpha=0.01),
    "vstan all alike": VSTAN(k=5, sample_size=20, last=60, l_spw=None, l_inh=None, l_idf=0.0, current=True),
    "vstan fading": VSTAN(l_snh=7.0, l_ipw=2.0, idle=600.0),
    "ease fading": EASE(l2=10.0, half_life=7.0, max_items=30),
    "ials classic": IALS(factors=5, l2=0.5, unobserved=1.0, frequency_scaling=0.0, alpha=3.0, epochs=3),
    "pure-svd two": PureSVD(factors=2),
    "gf-cf whole": GFCF(factors=5, alpha=1.0, k=None),
    "turbo-cf two": TurboCF(filter=2, k=None, s=1.0, a=0.5),
    "turbo-cf three": TurboCF(filter=3, k=9),
    "cheby-cf few": ChebyCF(factors=6, degree=4, phi=3.0, beta=0.0, k=7),
    "cheby-cf whole": ChebyCF(k=None),
    "ials blocks": IALS(factors=20, l2=0.05, unobserved=0.1, alpha=1.0, solver="block", block=6, epochs=4),
    "ials exact": IALS(factors=20, l2=0.05, unobserved=0.1, alpha=1.0, solver="exact", epochs=2),
}


@pytest.mark.parametrize("check", LEARNER_CHECKS, ids=lambda check: check.__name__.strip("_"))
@pytest.mark.parametrize("learner", VARIANTS.values(), ids=VARIANTS)
def test_contract(learner: Learner, check: Check) -> None:
    reason = check(learner)
    if reason is not None:
        pytest.skip(reason)


def test_the_whole_contract_in_one_call_says_what_does_not_apply() -> None:
    assert check_learner(Popular())["the_right_color"] == "nothing in its scores depends on who asks"


RETRAINS = {"people_are_forgotten_exactly", "people_are_added_exactly", "who_was_never_there_cannot_be_forgotten"}
"What does not apply to a model that keeps no counts."


class Together(Learner, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A learner as somebody else would write it: the shortest that does something."""

    name: ClassVar[str] = "together"
    scorer: ClassVar[type[DenseLinear]] = DenseLinear

    smoothing: float = 5.0

    def _fit(self, data: Any, rng: Any, executor: Any, progress: Any) -> DenseLinear:
        liked = (data.matrix > 0).astype(np.float32)
        counts = (liked.T @ liked).toarray()
        weights = counts / (counts.diagonal()[:, None] + self.smoothing)
        np.fill_diagonal(weights, 0)
        every = np.arange(data.n_items, dtype=np.int32)
        return DenseLinear(items=data.items, learner=self, candidates=every, weights=weights.astype(np.float32))


def test_a_learner_of_somebody_else_keeps_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(AssertionError, match=r"'together' is not registered in the entry points penchant\.learners"):
        check_learner(Together())
    monkeypatch.setitem(learners(), "together", Together)
    points = {name: SimpleNamespace(load=lambda kind=kind: kind) for name, kind in learners().items()}
    monkeypatch.setattr("penchant.models.learner._points", lambda: points)
    assert set(check_learner(Together())) == RETRAINS
