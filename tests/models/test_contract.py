"""Every registered learner keeps the whole contract."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pytest

from penchant.models.ease import EASE
from penchant.models.edlae import EDLAE
from penchant.models.ials import IALS
from penchant.models.itemautoencoder import ItemAutoencoder
from penchant.models.itemknn import ItemKNN
from penchant.models.learner import Learner, learners
from penchant.models.linear import DenseLinear
from penchant.models.popular import Popular
from penchant.models.rdlae import RDLAE
from penchant.models.rp3beta import RP3Beta
from penchant.models.sansa import SANSA
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
    "sansa small": SANSA(l2=5.0, dropout=0.3, density=0.1, k=6, delta_inf=4.0),
    "sansa without counts": SANSA(l2=5.0, k=None, max_pairs=0),
    "sansa exact": SANSA(l2=5.0, density=1.0, k=None, half_life=7.0),
    "item-autoencoder sparse": ItemAutoencoder(solver="sparse", l2=5.0),
    "item-autoencoder without counts": ItemAutoencoder(l2=5.0, dropout=0.2, forgetting="retrain"),
    "rp3-beta": RP3Beta(alpha=0.7, beta=0.3, k=9),
    "popular fading": Popular(half_life=14.0),
    "ease fading": EASE(l2=10.0, half_life=7.0, max_items=30),
    "ials classic": IALS(factors=5, l2=0.5, unobserved=1.0, frequency_scaling=0.0, alpha=3.0, epochs=3),
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
    assert set(check_learner(Together())) == RETRAINS
