"""Every stage keeps the contract of stages."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import numpy as np
import pytest

from penchant.core.nouns import Filters, History, Item, Part, Query, Slate
from penchant.core.protocols import Stage
from penchant.core.settings import Settings
from penchant.models.learner import learner_from
from penchant.models.scorer import Scorer
from penchant.pipeline.blend import Blend, Fallback
from penchant.pipeline.catalogue import Catalogue
from penchant.pipeline.explain import Explain, Words
from penchant.pipeline.filters import Available, Categories, Disliked, Given, Price, Seen
from penchant.pipeline.rank import Rank
from penchant.pipeline.retrieve import Retrieve
from penchant.pipeline.run import Pipeline, explained, ranked
from penchant.testing import bazaar, check_stage

DATA = bazaar()
MODELS = Settings().models
SCORERS: dict[str, Scorer] = {name: learner_from(name, config).fit(DATA) for name, config in MODELS.items()}
CATALOGUE = Catalogue(
    DATA.items,
    [
        Item(key, key.title(), categories=("even" if code % 2 == 0 else "odd",), price=float(code), available=code != 3)
        for code, key in enumerate(DATA.items)
        if code != 5
    ],
)
FILTERS = Filters(
    categories=("even",), exclude_categories=("odd",), price_min=2.0, price_max=30.0, include=tuple(DATA.items)[:20],
    exclude=("item-004", "nobody knows this"),
)  # fmt: skip
RETRIEVE = Retrieve("ease", SCORERS["ease"])
STAGES: dict[str, Stage] = {
    "retrieve": RETRIEVE,
    "seen": Seen(),
    "disliked": Disliked(),
    "available": Available(CATALOGUE),
    "categories": Categories(CATALOGUE),
    "price": Price(CATALOGUE),
    "given": Given(CATALOGUE),
    "rank": Rank(),
    "blend": Blend(((RETRIEVE, 1.0), (Retrieve("item-knn", SCORERS["item-knn"]), 0.5))),
    "fallback": Fallback(Pipeline((RETRIEVE, Given(CATALOGUE))), Retrieve("popular", SCORERS["popular"])),
    "explain": Explain(SCORERS, CATALOGUE, 3),
    "words": Words(CATALOGUE),
    **{f"ranked {name}": ranked(place, SCORERS, CATALOGUE) for name, place in Settings().placements.items()},
    **{f"explained {name}": explained(place, SCORERS, CATALOGUE) for name, place in Settings().placements.items()},
}
HISTORIES = {
    "busy": DATA.history("person-001"),
    "nobody": History.of([]),
    "stranger": History.of([-1, -1], kinds=("view", "purchase")),
    "repeats": History.of(
        [2, 2, 0, -1, 7], [1, -1, 3, 1, -1], kinds=("view", "dislike", "purchase", "view", "dislike")
    ),
}


def question(history: History, filters: Filters) -> tuple[Query, Slate]:
    """Return a query and the slate that EASE gives for it, with its reasons."""
    now = datetime(2017, 3, 1, tzinfo=UTC)
    query = Query(n=5, placement="for-you", history=history, now=now, filters=filters)
    return query, Explain(SCORERS, CATALOGUE)(query, RETRIEVE(query, Slate.of()))


@pytest.mark.parametrize("filters", [Filters(), FILTERS], ids=["free", "filtered"])
@pytest.mark.parametrize("history", HISTORIES.values(), ids=HISTORIES)
@pytest.mark.parametrize("stage", STAGES.values(), ids=STAGES)
def test_contract(stage: Stage, history: History, filters: Filters) -> None:
    query, slate = question(history, filters)
    check_stage(stage, query, slate)
    check_stage(stage, query, Slate.of())


def test_a_stage_that_writes_into_its_slate_is_found_out() -> None:
    def spoil(query: Query, slate: Slate, /) -> Slate:
        slate.scores[:] = 0
        return slate

    query, slate = question(HISTORIES["busy"], Filters())
    with pytest.raises(AssertionError, match="changes the query or the slate it was given"):
        check_stage(spoil, query, slate)


def test_a_stage_whose_reasons_do_not_sum_is_found_out() -> None:
    def double(query: Query, slate: Slate, /) -> Slate:
        return msgspec.structs.replace(slate, scores=slate.scores * np.float32(2), parts=(Part("ease", 1.0),))

    query, slate = question(HISTORIES["busy"], Filters())
    with pytest.raises(AssertionError, match=r"the reasons of item \d+ sum to"):
        check_stage(double, query, slate)


def test_a_stage_that_gives_an_item_twice_is_found_out() -> None:
    def repeat(query: Query, slate: Slate, /) -> Slate:
        return slate.take([0, 0])

    query, slate = question(HISTORIES["busy"], Filters())
    with pytest.raises(AssertionError, match="items that are there twice"):
        check_stage(repeat, query, slate)
