"""The contract suite finds what is broken: learners that are wrong in one way each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import pytest

from penchant.models import artifact
from penchant.models.ease import EASE
from penchant.models.learner import Learner
from penchant.models.linear import DenseLinear
from penchant.models.scorer import Scorer
from penchant.testing import LEARNER_CHECKS

ADDENDS, SCORE, RANK, FIT, ROWS = DenseLinear._addends, DenseLinear._score, DenseLinear._rank, EASE._fit, Scorer.rows


def changed(**fields: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    """Return a _fit whose scorer has fields changed after the fact; each function takes the scorer and the data."""

    def fit(self: Any, data: Any, *rest: Any) -> Any:
        scorer = FIT(self, data, *rest)
        return msgspec.structs.replace(scorer, **{name: change(scorer, data) for name, change in fields.items()})

    return fit


def without_zeros(self: Any, data: Any) -> Any:
    rows = ROWS(self, data).copy()
    rows.eliminate_zeros()
    return rows


def noisy(scorer: Any, data: Any) -> Any:
    noise = np.random.default_rng().normal(scale=1e-4, size=scorer.weights.shape)
    return scorer.weights + noise.astype(np.float32)


BROKEN = {
    "addends doubled": (DenseLinear, "_addends", lambda *a: 2 * ADDENDS(*a), "contributions_sum_to_the_score"),
    "reasons doubled": (DenseLinear, "_addends", lambda *a: 2 * ADDENDS(*a), "reasons_sum_to_the_score"),
    "score moved": (DenseLinear, "_score", lambda *a: SCORE(*a) + 1, "one_history_scores_as_in_a_batch"),
    "0 for NaN": (DenseLinear, "_score", lambda *a: np.nan_to_num(SCORE(*a)), "one_history_scores_as_in_a_batch"),
    "seen ignored": (DenseLinear, "_rank", lambda s, r, p, _, b: RANK(s, r, p, False, b), "what_is_seen_is_left_out"),
    "zeros lost": (Scorer, "rows", without_zeros, "what_is_seen_is_left_out"),
    "likes and dislikes swapped": (DenseLinear, "_signal", lambda _, w: -np.sign(w), "the_right_color"),
    "noise": (EASE, "_fit", changed(weights=noisy), "the_same_seed_gives_the_same_scorer"),
    "people in facts": (EASE, "_fit", changed(facts=lambda _, d: {"u": list(d.users)}), "nobody_lives_in_the_files"),
    "not aligned": (Scorer, "_aligned", lambda _, matrix, items: matrix, "another_vocabulary_is_translated"),
    "anything goes": (Learner, "check", lambda _: None, "bad_hyper_parameters_are_refused_by_name"),
    "no hashes": (artifact, "_sha256", lambda _: "0", "a_changed_byte_is_found"),
    "no format": (artifact, "FORMAT", 2, "a_later_format_is_said"),
}  # fmt: skip


@pytest.mark.parametrize(("place", "name", "wrong", "finds"), BROKEN.values(), ids=BROKEN)
def test_what_is_broken_is_found(
    monkeypatch: pytest.MonkeyPatch, place: Any, name: str, wrong: Any, finds: str
) -> None:
    monkeypatch.setattr(place, name, wrong)
    check = next(check for check in LEARNER_CHECKS if check.__name__.strip("_") == finds)
    with pytest.raises(AssertionError):
        check(EASE())
