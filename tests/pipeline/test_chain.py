"""A chain finds and ranks what it would have found and ranked had the whole catalogue been filtered."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pytest

from penchant.core.nouns import Filters, History, Item, Query, Slate
from penchant.core.settings import PlacementSettings
from penchant.data.vocabulary import Vocabulary
from penchant.pipeline.catalogue import Catalogue
from penchant.pipeline.chain import Chain
from penchant.pipeline.rank import Rank
from penchant.pipeline.run import Pipeline, filters_of
from penchant.pipeline.spread import Spread

NOW = datetime(2017, 12, 31)
N = 12_000


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    rng = np.random.default_rng(5)
    ids = [f"i{code:05d}" for code in range(N)]
    items = [
        Item(
            name,
            name,
            categories=(f"c{min(code % 60, 6)}",),
            price=float(code % 50),
            available=bool(rng.random() > 0.2),
        )
        for code, name in enumerate(ids)
    ]
    return Catalogue(Vocabulary.of(ids), items)


@pytest.mark.parametrize("most", [0, 1, 40])
@pytest.mark.parametrize("filters", [Filters(), Filters(categories=("c1",)), Filters(price_max=2.0)], ids=str)
@pytest.mark.parametrize("n", [1, 10, 400])
def test_slates_are_those_of_a_catalogue_that_is_filtered_whole(
    catalogue: Catalogue, most: int, filters: Filters, n: int
) -> None:
    scores = np.random.default_rng(n).integers(0, 500, N).astype(np.float32)  # many are equal

    def source(query: Query, slate: Slate) -> Slate:
        return Slate.of(np.arange(N), scores)

    placement = PlacementSettings(blend={"any": 1.0}, most_per_category=most)
    chain = Chain(placement, {}, catalogue, source, None)
    query = Query(n, "home", History.of(list(range(0, 300, 7))), NOW, {}, filters)
    whole = Pipeline((source, *filters_of(placement, catalogue)))(query, Slate.of())
    last = Spread(catalogue, most) if most else Rank()
    wanted, found = last(query, whole), chain.rerank(query, chain.found(source, query))
    assert found.items.tolist() == wanted.items.tolist()
    assert found.scores.tolist() == wanted.scores.tolist()
    assert len(found) == n or filters != Filters()
