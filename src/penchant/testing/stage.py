"""The contract of a pipeline stage."""

from __future__ import annotations

from collections import Counter

import numpy as np

from penchant.core.nouns import Query, Slate
from penchant.core.protocols import Stage
from penchant.testing.claim import claim

__all__ = ["check_stage"]


def check_stage(stage: Stage, query: Query, slate: Slate) -> Slate:
    """Run a stage and check what every stage promises; return its slate.

    It is pure: the same question gives the same slate, and what it was given stays as it is. Items, scores, reasons
    and ids of its slate are of one length, and no item is there twice.

    >>> from datetime import UTC, datetime
    >>> from penchant.core.nouns import History
    >>> from penchant.pipeline.rank import Rank
    >>> query = Query(2, "for-you", History.of([4]), datetime(2017, 1, 1, tzinfo=UTC))
    >>> check_stage(Rank(), query, Slate.of([4, 5, 6], [0.1, 0.3, 0.2])).items.tolist()
    [5, 6]

    Args:
        stage: any stage, ours or yours.
        query: a question that makes it work.
        slate: what it is given.

    Raises:
        AssertionError: a promise is broken.
    """
    before = _photo(query, slate)
    found = stage(query, slate)
    claim(_photo(query, slate) == before, "the stage changes the query or the slate it was given")
    again = stage(query, slate)
    claim(_slate(again) == _slate(found), "the stage gives another slate when asked again")
    claim(found.items.dtype == np.int32 and found.scores.dtype == np.float32, "items are int32 and scores float32")
    n = len(found)
    claim(found.items.shape == (n,) and found.scores.shape == (n,), "items and scores are not of one length")
    claim(not np.isnan(found.scores).any(), "a score in the slate is NaN")
    twice = [item for item, times in Counter(found.items.tolist()).items() if times > 1]
    claim(not twice, f"items that are there twice: {twice}")
    claim((found.items >= 0).all(), "an item in the slate has no code")
    claim(len(found.reasons) in (0, n), f"{len(found.reasons)} groups of reasons for {n} items")
    claim(len(found.ids) in (0, n), f"{len(found.ids)} ids for {n} items")
    for item, score, reasons in zip(found.items, found.scores, found.reasons, strict=False):
        weights = [reason.weight for reason in reasons]
        near = abs(sum(weights) - float(score)) <= 1e-4 * sum(map(abs, weights)) + 1e-6
        claim(near, f"the reasons of item {item} sum to {sum(weights)}, its score is {score}")
    return found


def _slate(slate: Slate) -> tuple[object, ...]:
    return (slate.items.tobytes(), slate.scores.tobytes(), slate.reasons, slate.parts, slate.ids)


def _photo(query: Query, slate: Slate) -> tuple[object, ...]:
    history = query.history
    arrays = (history.items.tobytes(), history.weights.tobytes(), history.at.tobytes(), history.kinds)
    return (*_slate(slate), *arrays, query.n, query.placement, query.now, query.filters, dict(query.context))
