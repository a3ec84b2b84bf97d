"""Blending, falling back, ranking, explaining: what a placement's settings make."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

import penchant as pt
from penchant.core.errors import NotReady
from penchant.core.nouns import History, Item, Part, Query, Slate
from penchant.core.settings import PlacementSettings
from penchant.pipeline.blend import Blend, Fallback
from penchant.pipeline.catalogue import Catalogue
from penchant.pipeline.rank import Rank
from penchant.pipeline.run import explained, ranked

NOW = datetime(2017, 12, 31, tzinfo=UTC)
KINDS = ("purchase", "view", "dislike")


@pytest.fixture(scope="module")
def data():
    """200 people with one of two tastes and some noise over 40 items."""
    rng = np.random.default_rng(0)
    taste = np.kron(np.eye(2), np.ones((100, 20))) * 0.4 + 0.05
    return pt.Dataset.from_matrix((rng.random((200, 40)) < taste).astype(np.float32))


@pytest.fixture(scope="module")
def scorers(data):
    learners = {"ease": pt.EASE(l2=10.0), "item-knn": pt.ItemKNN(), "ials": pt.IALS(factors=4), "popular": pt.Popular()}
    return {name: learner.fit(data) for name, learner in learners.items()}


class Says:
    """A stage that always returns the same slate."""

    def __init__(self, items, scores, name="said"):
        self.slate = Slate.of(items, scores, parts=(Part(name, 1.0),))

    def __call__(self, query, slate, /):
        return self.slate


def query(history=(), *, n=10, weights=None, kinds=()):
    return Query(n, "for-you", History.of(history, weights, kinds=kinds), NOW)


def test_a_blend_scales_each_source_to_one_at_its_best_then_weighs_and_adds():
    blend = Blend(((Says([0, 1], [4.0, 2.0], "a"), 1.0), (Says([1, 2], [0.1, 0.05], "b"), 0.5)))
    slate = blend(query(), Slate.of())
    assert slate.items.tolist() == [0, 1, 2]
    assert slate.scores == pytest.approx([1.0, 0.5 + 0.5, 0.25])
    assert slate.parts == (Part("a", 0.25), Part("b", pytest.approx(5.0)))


def test_a_source_that_finds_nothing_takes_no_part_in_a_blend():
    slate = Blend(((Says([], []), 1.0), (Says([3], [2.0], "b"), 1.0)))(query(), Slate.of())
    assert slate.items.tolist() == [3]
    assert [part.source for part in slate.parts] == ["b"]
    assert len(Blend(((Says([], []), 1.0),))(query(), Slate.of())) == 0


def test_a_source_of_zeros_does_not_divide_by_zero():
    assert Blend(((Says([0], [0.0]), 1.0),))(query(), Slate.of()).scores.tolist() == [0.0]


def test_fallback_asks_the_second_only_when_the_first_is_empty():
    first, second = Says([1], [1.0]), Says([2], [1.0])
    assert Fallback(first, second)(query(), Slate.of()).items.tolist() == [1]
    assert Fallback(Says([], []), second)(query(), Slate.of()).items.tolist() == [2]


def test_rank_orders_by_score_then_code_and_keeps_n():
    assert Rank()(query(n=3), Slate.of([0, 1, 2, 3], [1, 2, 2, 3])).items.tolist() == [3, 1, 2]
    assert Rank()(query(n=9), Slate.of([5], [1])).items.tolist() == [5]


@pytest.mark.parametrize(
    "blend",
    [{"ease": 1.0}, {"item-knn": 1.0}, {"ials": 1.0}, {"popular": 1.0}, {"ease": 1.0, "popular": 0.3, "ials": 0.7}],
)
def test_reasons_sum_to_the_score_of_every_recommended_item(data, scorers, blend):
    stage = explained(PlacementSettings(blend=blend, reasons=3), scorers, Catalogue(data.items))
    checked = 0
    for user in range(0, 200, 9):
        items = data.history_of(user).items
        kinds = tuple(KINDS[i % 3] for i in range(len(items)))
        weights = [-1.0 if kind == "dislike" else 1.0 for kind in kinds]
        slate = stage(query(items, weights=weights, kinds=kinds), Slate.of())
        assert len(slate) == len(slate.reasons) == len(slate.ids) > 0
        assert not np.isin(slate.items, items).any()
        assert (np.diff(slate.scores) <= 0).all()
        for score, reasons in zip(slate.scores, slate.reasons, strict=True):
            assert len(reasons) <= 4
            assert sum(r.weight for r in reasons) == pytest.approx(score, rel=1e-4, abs=1e-6)
            assert all(r.text for r in reasons)
            checked += 1
    assert checked > 100


def test_without_a_history_the_fallback_answers(data, scorers):
    placement = PlacementSettings(blend={"ease": 1.0}, fallback={"popular": 1.0})
    slate = explained(placement, scorers, Catalogue(data.items))(query(), Slate.of())
    assert slate.parts == (Part("popular", 1.0),)
    assert {r.code for reasons in slate.reasons for r in reasons} == {"popular"}


def test_words_say_what_was_done_with_which_item(data, scorers):
    titles = [Item(i, f"Item {i}") for i in data.items]
    stage = explained(PlacementSettings(blend={"ease": 1.0}, reasons=50), scorers, Catalogue(data.items, titles))
    kinds = ("purchase", "view", "dislike", "wish")
    slate = stage(query([0, 1, 2, 3], weights=[1, 1, -1, 1], kinds=kinds), Slate.of())
    said = {r.text for reasons in slate.reasons for r in reasons}
    assert "Because you bought Item 0" in said
    assert "Because you looked at Item 1" in said
    assert "You were not interested in Item 2" in said
    assert "Because of your wish of Item 3" in said


def test_what_is_left_of_the_history_is_one_reason_with_its_number(data, scorers):
    stage = explained(PlacementSettings(blend={"ease": 1.0}, reasons=3), scorers, Catalogue(data.items))
    slate = stage(query(range(12), n=3, kinds=("purchase",) * 12), Slate.of())
    assert {(r[-1].code, r[-1].text) for r in slate.reasons} == {("rest", "9 other things in the history together")}


def test_words_count_how_often_the_item_itself_was_bought(data):
    scorers = {"buy-again": pt.BuyAgain().fit(data)}
    stage = explained(PlacementSettings(blend={"buy-again": 1.0}, exclude_seen=False), scorers, Catalogue(data.items))
    slate = stage(query([7, 7, 9], kinds=("purchase",) * 3), Slate.of())
    assert {slate.ids[i]: slate.reasons[i][0].text for i in range(2)} == {
        "7": "You bought this 2 times",
        "9": "You bought this once",
    }


def test_a_dislike_pulls_its_neighbours_down(data, scorers):
    stage = ranked(PlacementSettings(blend={"ease": 1.0}), scorers, Catalogue(data.items))
    slates = [
        stage(query(items, n=40, weights=w), Slate.of()) for items, w in (([0, 1], None), ([0, 1, 2], [1, 1, -1]))
    ]
    before, after = (dict(zip(s.items.tolist(), s.scores, strict=True)) for s in slates)
    taste = [i for i in range(3, 20) if i in after]
    assert 2 not in after
    assert np.mean([after[i] - before[i] for i in taste]) < 0


def test_a_placement_without_its_model_is_refused_by_name(data, scorers):
    with pytest.raises(NotReady, match=r"a placement needs a model that is not trained; got slist; allowed: ease, "):
        ranked(PlacementSettings(blend={"slist": 1.0}), scorers, Catalogue(data.items))
