"""Popular and BuyAgain, computed by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from penchant.core.clock import micros
from penchant.core.nouns import History
from penchant.data.dataset import Dataset
from penchant.models.buyagain import BuyAgain
from penchant.models.popular import Popular
from penchant.testing.worlds import bazaar

START = datetime(2017, 1, 1, tzinfo=UTC)


def market(*rows: tuple[str, str, float], kinds: tuple[str, ...] = ()) -> Dataset:
    """Return the dataset of (user, item, day) rows."""
    frame = pl.DataFrame(
        {
            "user": [row[0] for row in rows],
            "item": [row[1] for row in rows],
            "at": [START + timedelta(days=row[2]) for row in rows],
            "kind": kinds or ("purchase",) * len(rows),
        }
    )
    return Dataset.from_events(frame)


def by_id(data: Dataset, scores: np.ndarray) -> dict[str, float]:
    return {item: float(score) for item, score in zip(data.items, scores, strict=True) if not np.isnan(score)}


def test_popular_halves_with_every_half_life() -> None:
    data = market(("ann", "tea", 0), ("bob", "tea", 20), ("ann", "jam", 20), ("bob", "rye", 10), ("ann", "rye", 0))
    scores = by_id(data, Popular(half_life=10.0).fit(data).score(History.of([])))
    assert scores == pytest.approx({"tea": (1 + 0.25) / 1.25, "jam": 1 / 1.25, "rye": (0.5 + 0.25) / 1.25})


def test_popular_counts_each_person_once_at_their_latest_event() -> None:
    data = market(("ann", "tea", 0), ("ann", "tea", 10), ("ann", "tea", 5), ("bob", "jam", 0), ("cat", "jam", 10))
    scores = by_id(data, Popular(half_life=10.0).fit(data).score(History.of([])))
    assert scores == pytest.approx({"tea": 1 / 1.5, "jam": 1.0})


def test_popular_leaves_out_who_likes_no_more() -> None:
    kinds = ("purchase", "dislike", "purchase", "purchase")
    data = market(("ann", "tea", 0), ("ann", "tea", 1), ("bob", "tea", 2), ("bob", "jam", 2), kinds=kinds)
    assert by_id(data, Popular().fit(data).score(History.of([]))) == {"tea": 1.0, "jam": 1.0}


def test_popular_stays_finite_when_the_newest_events_are_dislikes() -> None:
    data = market(("ann", "tea", 0), ("bob", "jam", 400_000), kinds=("purchase", "dislike"))
    assert by_id(data, Popular(half_life=1.0).fit(data).score(History.of([]))) == {"tea": 1.0}


def test_buy_again_is_the_faded_count_times_the_repeat_rate() -> None:
    data = market(
        ("ann", "tea", 0), ("ann", "tea", 7), ("bob", "tea", 3), ("cat", "tea", 3), ("ann", "pan", 7), ("bob", "pan", 4)
    )  # fmt: skip
    scorer = BuyAgain(half_life=7.0, smoothing=2.0).fit(data)
    average = (1 + 1) / (5 + 2)  # of five pairs of a person and an item one was repeated; kept off 0 and 1
    tea, pan = (1 + 2 * average) / (3 + 2), (0 + 2 * average) / (2 + 2)
    scores = by_id(data, scorer.score(data.history("ann")))
    assert scores == pytest.approx({"tea": (1 + 0.5) * tea, "pan": 1 * pan})


def test_buy_again_without_parameters_counts() -> None:
    data = market(("ann", "tea", 0), ("ann", "tea", 9), ("ann", "pan", 9), ("bob", "jam", 9))
    scorer = BuyAgain(half_life=None, smoothing=None).fit(data)
    assert by_id(data, scorer.score(data.history("ann"))) == {"tea": 2.0, "pan": 1.0}


@pytest.mark.parametrize("half_life", [None, 3.0])
def test_rows_of_a_dataset_are_the_histories_one_by_one(half_life: float | None) -> None:
    data = bazaar()
    scorer = BuyAgain(half_life=half_life).fit(data)
    rows = scorer.rows(data).toarray()
    for row, user in enumerate(data.users):
        history = data.history(user)
        wanted = np.zeros(data.n_items)
        for item, weight, at in zip(history.items, history.weights, history.at, strict=True):
            age = (int(history.at[-1]) - int(at)) / 86_400_000_000
            wanted[item] += weight * (1.0 if half_life is None else 0.5 ** (age / half_life))
        np.testing.assert_allclose(rows[row], wanted, rtol=1e-5, atol=1e-5)


def test_times_before_1970_fade_like_others() -> None:
    data = market(("ann", "tea", 0), ("bob", "tea", 1))
    scorer = BuyAgain(half_life=1.0, smoothing=None).fit(data)
    at = np.array([-2, -1]) * 86_400_000_000
    assert scorer.score(History.of([0, 0], at=at))[0] == pytest.approx(1.5)
    assert micros(START) > 0


def test_no_events_no_rows() -> None:
    data = market(("ann", "tea", 0), ("bob", "tea", 1))
    nobody = data.select(np.zeros(data.n_events, np.bool_))
    assert BuyAgain().fit(data).rows(nobody).nnz == 0
