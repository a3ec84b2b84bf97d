"""An event weighs the same where models learn from it and where a person's history is asked."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penchant.core.settings import EventSettings
from penchant.data.dataset import Dataset

KINDS = st.sampled_from(["view", "purchase", "rating", "dislike", "a kind of one's own"])
VALUES = st.floats(-1e3, 1e3, width=32)


@given(st.lists(st.tuples(KINDS, VALUES), min_size=1, max_size=20))
def test_learning_and_asking_weigh_alike(events: list[tuple[str, float]]) -> None:
    settings = EventSettings()
    table = pl.DataFrame(
        {
            "user": ["ann"] * len(events),
            "item": [f"i{n}" for n in range(len(events))],
            "at": list(range(len(events))),
            "kind": [kind for kind, _ in events],
            "value": [value for _, value in events],
        }
    )
    data = Dataset.from_events(table, weights=settings.weights, valued=settings.valued)
    kinds, values = zip(*events, strict=True)
    assert data.history("ann").weights.tolist() == pytest.approx(settings.weigh(kinds, values), rel=1e-6)
