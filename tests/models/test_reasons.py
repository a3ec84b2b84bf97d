"""Reasons: the addends of a score, the strongest by name, the rest together, and nothing lost."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penchant.core.nouns import History
from penchant.data.vocabulary import Vocabulary
from penchant.models.reasons import reasons_of

ITEMS = Vocabulary.of("abcdefghij")


def test_a_base_is_named_however_weak_and_the_rest_holds_events_only() -> None:
    history = History.of(range(6), kinds=("purchase",) * 6)
    addends = np.array([[0.6, 0.5, 0.4, -0.3, 0.2, 0.1]])
    (reasons,) = reasons_of(history, addends, [("popular", "popular", np.float32([0.01]))], ITEMS, limit=3)
    assert [(r.code, r.evidence) for r in reasons] == [
        ("purchase", "a"),
        ("purchase", "b"),
        ("popular", "popular"),
        ("rest", "4"),
    ]
    assert sum(r.weight for r in reasons) == pytest.approx(1.51)


@given(
    st.lists(st.tuples(st.integers(0, 9), st.floats(-5, 5, width=32)), max_size=12),
    st.lists(st.floats(-2, 2, width=32), max_size=3),
    st.integers(0, 6),
)
def test_the_sum_stays_whatever_is_shown(entries: list[tuple[int, float]], bases: list[float], limit: int) -> None:
    history = History.of([item for item, _ in entries])
    addends = np.array([[weight for _, weight in entries]]).reshape(1, -1)
    named = [("popular", f"model {n}", np.float32([base])) for n, base in enumerate(bases)]
    (reasons,) = reasons_of(history, addends, named, ITEMS, limit)
    total = sum(weight for _, weight in entries) + sum(bases)
    assert sum(r.weight for r in reasons) == pytest.approx(total, abs=1e-6)
    assert sum(r.code == "popular" for r in reasons) == sum(base != 0 for base in bases)
    assert len(reasons) <= max(limit, len(bases)) + 1
    named_weights = [abs(r.weight) for r in reasons if r.code != "rest"]
    assert named_weights == sorted(named_weights, reverse=True)
