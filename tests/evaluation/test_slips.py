"""The commonest slips in calling evaluate, and what a report says of a model that says nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import penchant as pt
from penchant.core.errors import InputError
from penchant.testing import checkerboard

DATA = checkerboard(8)
SPLIT = pt.split.random(DATA, rng=0)
SCORER = pt.Popular().fit(SPLIT.train)
evaluate: Any = pt.evaluate

SLIPS: dict[str, tuple[Callable[[], Any], str]] = {
    "a model alone": (
        lambda: evaluate(SCORER, SPLIT),
        "evaluate takes a mapping of name to model; got Popularity; allowed: one entry for each model to compare; "
        "next: evaluate({'popular': ...}, split)",
    ),
    "a list of models": (
        lambda: evaluate([SCORER], SPLIT),
        "evaluate takes a mapping of name to model; got list; allowed: one entry for each model to compare; "
        "next: evaluate({'a name': ...}, split)",
    ),
    "a learner": (
        lambda: evaluate({"e": pt.EASE()}, SPLIT),
        "EASE is not fitted; got e; next: EASE().fit(split.train)",
    ),
    "no model": (
        lambda: evaluate({"e": 7}, SPLIT),
        "e is not a model; got int; allowed: what fit returns, or anything with its score_batch, rows, items and "
        "learner; next: fit a learner on split.train",
    ),
    "a dataset": (
        lambda: evaluate({"popular": SCORER}, DATA),
        "a Split is needed; got Dataset; next: penchant.split.temporal(data)",
    ),
    "a number for the metrics": (
        lambda: evaluate({"popular": SCORER}, SPLIT, 10),
        "metrics is no list; got 10; allowed: a list of str; next: write ['ndcg@10'], or pass None for all",
    ),
    "a seed in letters": (
        lambda: evaluate({"popular": SCORER}, SPLIT, rng="x"),
        "rng is not a seed; got 'x'; allowed: a whole number of 0 or more, or a numpy.random.Generator; "
        "next: write rng=0",
    ),
}


@pytest.mark.parametrize(("slip", "text"), SLIPS.values(), ids=SLIPS)
def test_a_slip_is_said(slip: Callable[[], Any], text: str) -> None:
    with pytest.raises(InputError) as refusal:
        slip()
    assert str(refusal.value) == text


def test_a_model_that_recommends_nothing_has_no_novelty_and_the_report_says_why(ranker: Any) -> None:
    silent = ranker(DATA.items, lambda dense: np.full(dense.shape, np.nan))
    report = pt.evaluate({"popular": SCORER, "silent": silent}, SPLIT, ["novelty@5", "coverage@5"])
    told = [(line.model, line.value is None, line.why) for line in report.lines]
    together = "one number for all slates together"
    assert told == [
        ("popular", False, together),
        ("popular", False, together),
        ("silent", True, "the model or the baseline recommends nothing, so there is nothing to compare"),
        ("silent", False, together),
    ]
    alone = pt.evaluate({"silent": silent}, SPLIT, ["novelty@5"])
    assert alone.lines[0].why == "nothing is recommended, so there is nothing to measure"


def test_a_report_shows_itself_as_text() -> None:
    report = pt.evaluate({"popular": SCORER}, SPLIT, ["ndcg@5"], resamples=50)
    assert repr(report) == report.markdown()
    assert all(sentence in repr(report) for sentence in report.about())
