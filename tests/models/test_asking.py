"""The commonest slips in asking a model are said in words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest

import penchant as pt
from penchant.core.errors import InputError
from penchant.core.nouns import History
from penchant.testing import checkerboard

DATA = checkerboard(8)
SPLIT = pt.split.random(DATA, rng=0)
EASE: Any = pt.EASE()
SCORER: Any = pt.EASE(l2=1.0).fit(DATA)
POPULAR: Any = pt.Popular().fit(DATA)
EVENTS = pl.DataFrame({"user": ["ann"], "item": ["tea"], "at": ["2017-01-01"]})
TEXT = "allowed: ids as text, as in the data it was fitted on"
FROM_EVENTS = "next: fit(Dataset.from_events(...))"

SLIPS: dict[str, tuple[Callable[[], Any], str]] = {
    "numbers in a history": (
        lambda: SCORER.recommend_one([2, 4]),
        f"item ids are str; got int 2; {TEXT}; next: write ['2', '4']",
    ),
    "numbers in a long history": (
        lambda: SCORER.recommend_one(np.arange(6)),
        f"item ids are str; got int64 0; {TEXT}; next: write ['0', '1', '2', ...]",
    ),
    "numbers for what is popular": (
        lambda: POPULAR.recommend_one([2]),
        f"item ids are str; got int 2; {TEXT}; next: write ['2']",
    ),
    "numbers to explain": (
        lambda: SCORER.explain([2], "4"),
        f"item ids are str; got int 2; {TEXT}; next: write ['2']",
    ),
    "a number to explain": (
        lambda: SCORER.explain(["2"], 4),
        f"item ids are str; got int 4; {TEXT}; next: write '4'",
    ),
    "None in a history": (
        lambda: SCORER.recommend_one(["2", None]),
        f"item ids are str; got NoneType; {TEXT}; next: give the ids as str",
    ),
    "a History": (
        lambda: SCORER.recommend_one(History.of([2])),
        "a history is a sequence of item ids; got History; allowed: a list of str; "
        "next: write ['id of an item']; a History is for scorer.score",
    ),
    "nothing known": (
        lambda: SCORER.recommend_one(["tea", "jam", "milk", "pan"]),
        "no item of the history is known to the model; got tea, jam, milk, ...; "
        "allowed: at least one of its 8 items; "
        "next: use ids of the data it was fitted on; scorer.items lists them",
    ),
    "nothing known to explain": (
        lambda: SCORER.explain(["tea"], "4"),
        "no item of the history is known to the model; got tea; allowed: at least one of its 8 items; "
        "next: use ids of the data it was fitted on; scorer.items lists them",
    ),
    "n in letters": (
        lambda: SCORER.recommend_one(["2"], n="a"),
        "n is not a whole number; got 'a'; allowed: 1 or more; next: write n=10",
    ),
    "no items for all": (
        lambda: SCORER.recommend(DATA, n=0),
        "n is out of range; got 0; allowed: 1 or more; next: ask for one item",
    ),
    "a split to recommend for": (
        lambda: SCORER.recommend(SPLIT),
        "recommend takes a Dataset; got Split; next: recommend(split.history)",
    ),
    "a split to fit": (
        lambda: EASE.fit(SPLIT),
        "fit takes a Dataset; got Split; next: fit(split.train)",
    ),
    "events to fit": (
        lambda: EASE.fit(pt.read_events(EVENTS)),
        f"fit takes a Dataset; got Events; {FROM_EVENTS}",
    ),
    "a table to fit": (
        lambda: EASE.fit(EVENTS),
        f"fit takes a Dataset; got DataFrame; {FROM_EVENTS}",
    ),
    "a matrix to fit": (
        lambda: EASE.fit(DATA.matrix),
        "fit takes a Dataset; got csr_array; next: fit(Dataset.from_matrix(...))",
    ),
    "a path to fit": (
        lambda: EASE.fit("events.csv"),
        "fit takes a Dataset; got str; next: fit(Dataset.from_events(penchant.read_events(...)))",
    ),
    "a seed in letters": (
        lambda: EASE.fit(DATA, rng="x"),
        "rng is not a seed; got 'x'; allowed: a whole number of 0 or more, or a numpy.random.Generator; "
        "next: write rng=0",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("slip", "text"), SLIPS.values(), ids=SLIPS)
def test_a_slip_is_said(slip: Callable[[], Any], text: str) -> None:
    with pytest.raises(InputError) as refusal:
        slip()
    assert str(refusal.value) == text


def test_who_has_no_history_or_asks_what_is_popular_is_answered() -> None:
    assert len(SCORER.recommend_one([])) == 0
    assert POPULAR.recommend_one(["nobody knows this"], n=1).ids == POPULAR.recommend_one([], n=1).ids
    assert SCORER.recommend_one(["tea", "2"], n=1) is not None
    assert SCORER.recommend_one(pl.Series(["0", "2"]), n=1).ids == SCORER.recommend_one(["0", "2"], n=1).ids


def test_a_scorer_says_what_it_is(tmp_path: Any) -> None:
    origin = f"learnt from {DATA.n_events} events of {DATA.n_users} users"
    assert repr(SCORER) == f"EASE(l2=1.0): 8 of 8 items, {origin}"
    assert repr(pt.load(SCORER.save(tmp_path / "ease"))) == repr(SCORER)
