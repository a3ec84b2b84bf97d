"""Each filter keeps what it should and changes nothing else."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from penchant.core.nouns import Filters, History, Item, Query, Slate
from penchant.data.vocabulary import Vocabulary
from penchant.pipeline.catalogue import Catalogue
from penchant.pipeline.filters import Available, Categories, Disliked, Given, Price, Seen

NOW = datetime(2017, 12, 31, tzinfo=UTC)
ITEMS = [
    Item("a", "Apple", categories=("fruit",), price=1.0),
    Item("b", "Bread", categories=("bakery", "fresh"), price=2.0),
    Item("c", "Cake", categories=("bakery",), price=3.0, available=False),
    Item("d", "Dates", categories=("fruit", "dried")),
]
CATALOGUE = Catalogue(Vocabulary.of("abcde"), ITEMS)
EVERYTHING = Slate.of([0, 1, 2, 3, 4], [0.5, 0.4, 0.3, 0.2, 0.1])


def kept(stage, *, history=(), weights=None, **filters):
    query = Query(5, "for-you", History.of(history, weights), NOW, filters=Filters(**filters))
    slate = stage(query, EVERYTHING)
    assert np.array_equal(slate.scores, EVERYTHING.scores[np.isin(EVERYTHING.items, slate.items)])
    return "".join("abcde"[code] for code in slate.items)


def test_seen_leaves_out_whatever_the_history_holds():
    assert kept(Seen(), history=[1, 3, 3, -1], weights=[1, -1, 0, 1]) == "ace"
    assert kept(Seen()) == "abcde"


def test_disliked_leaves_out_items_whose_weights_sum_below_zero():
    assert kept(Disliked(), history=[0, 1, 1, 2, 2, -1], weights=[-1, 5, -5, 1, -2, -9]) == "bde"


def test_available_leaves_out_what_cannot_be_had_and_keeps_what_is_not_in_the_catalogue():
    assert kept(Available(CATALOGUE)) == "abde"


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, "abcde"),
        ({"categories": ("fruit",)}, "ad"),
        ({"categories": ("fruit", "fresh")}, "abd"),
        ({"categories": ("no such",)}, ""),
        ({"exclude_categories": ("bakery",)}, "ade"),
        ({"categories": ("bakery",), "exclude_categories": ("fresh",)}, "c"),
    ],
)
def test_categories(filters, expected):
    assert kept(Categories(CATALOGUE), **filters) == expected


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, "abcde"),
        ({"price_min": 2.0}, "bc"),
        ({"price_max": 2.0}, "ab"),
        ({"price_min": 1.5, "price_max": 2.5}, "b"),
        ({"price_min": 0.0}, "abc"),
    ],
)
def test_an_unknown_price_is_outside_every_range(filters, expected):
    assert kept(Price(CATALOGUE), **filters) == expected


def test_given_ids_are_the_only_ones_kept_or_the_ones_left_out():
    assert kept(Given(CATALOGUE), include=("a", "e", "nobody knows")) == "ae"
    assert kept(Given(CATALOGUE), exclude=("a", "nobody knows")) == "bcde"
    assert kept(Given(CATALOGUE), include=("a", "b"), exclude=("a",)) == "b"


def test_a_change_of_the_catalogue_moves_an_item_between_categories():
    catalogue = Catalogue(Vocabulary.of("ab"), [Item("a", "Apple", categories=("fruit",), price=1.0)])
    catalogue.put([Item("a", "Apple pie", categories=("bakery",), available=False)])
    assert catalogue.members(["fruit"]).tolist() == []
    assert catalogue.members(["bakery"]).tolist() == [0]
    assert catalogue.title(0) == "Apple pie"
    assert np.isnan(catalogue.price[0])
    assert not catalogue.available[0]
    catalogue.put([Item("unknown to the models", "x")])
    assert catalogue.title(1) == "b"
