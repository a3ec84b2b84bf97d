"""The best that pass filters are the same, however few were looked at."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penchant.core.nouns import History, Query, Slate
from penchant.pipeline.filters import Seen
from penchant.pipeline.rank import Rank
from penchant.pipeline.sift import Sift

NOW = datetime(2017, 12, 31)


class Counted:
    """Keeps items whose code has a bit set, and counts what it is asked about."""

    def __init__(self, bits: int) -> None:
        self.bits, self.asked = bits, 0

    def __call__(self, query: Query, slate: Slate, /) -> Slate:
        self.asked += len(slate)
        return slate.take(np.flatnonzero(slate.items & self.bits))


@given(
    st.lists(st.integers(0, 3), min_size=1, max_size=3000),
    st.integers(1, 40),
    st.sampled_from([1, 2, 64, 1024, 4096]),
    st.lists(st.integers(0, 3000), max_size=80),
    st.sampled_from([0, 30]),
)
def test_ranked_as_if_all_had_been_filtered(scores: list[int], n: int, bits: int, seen: list[int], least: int) -> None:
    query = Query(n, "for-you", History.of(seen), NOW)
    slate = Slate.of(np.arange(len(scores)), np.float32(scores) / 3)
    filters = (Seen(), Counted(bits))
    whole = slate
    for each in filters:
        whole = each(query, whole)
    sifted = Sift(filters, least)(query, slate)
    wanted = Query(max(n, least), "for-you", query.history, NOW)
    for found, other in (
        (Rank()(query, sifted), Rank()(query, whole)),
        (Rank()(wanted, sifted), Rank()(wanted, whole)),
    ):
        assert found.items.tolist() == other.items.tolist()
        assert found.scores.tolist() == other.scores.tolist()


@pytest.mark.parametrize(("bits", "most"), [(1, 1000), (1 << 20, 150_000)])
def test_few_are_looked_at_where_many_pass(bits: int, most: int) -> None:
    rng, passing = np.random.default_rng(0), Counted(bits)
    Sift((passing,))(Query(10, "for-you", History.of([]), NOW), Slate.of(np.arange(100_000), rng.random(100_000)))
    assert passing.asked <= most
