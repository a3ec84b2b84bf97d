"""Ranking among a sample of the catalogue, for comparison with figures that were measured so."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from msgspec.structs import replace

from penchant.core.arrays import Int64
from penchant.core.errors import InputError
from penchant.evaluation.metrics.names import Metric
from penchant.evaluation.metrics.ranking import USER_METRICS
from penchant.evaluation.pairs import Pairs
from penchant.evaluation.ranking import Truth

__all__ = ["SAMPLED", "check_sampled", "sampled"]

SAMPLED = (*USER_METRICS, "auc")
"The metrics that a sample of the catalogue leaves with a meaning, if another one."


def check_sampled(metrics: list[Metric], negatives: int, task: str) -> None:
    """Raise InputError when these metrics cannot be measured among ``negatives`` sampled items.

    >>> check_sampled([Metric("ndcg", 10)], 100, "new")
    """
    if negatives < 1:
        then = "leave it out to rank the whole catalogue"
        raise InputError("negatives is out of range", got=negatives, allowed="1 or more", then=then, field="negatives")
    if task == "repeat":
        then = "leave it out: repeats are ranked among all that the history holds"
        raise InputError("nothing is sampled for the task repeat", got=negatives, then=then, field="negatives")
    for metric in metrics:
        if metric.name not in SAMPLED:
            raise InputError(
                "a metric has no meaning on a sample of the catalogue",
                got=str(metric),
                allowed=", ".join(SAMPLED),
                then="leave negatives out to rank the whole catalogue",
                field="metrics",
            )


def sampled(found: Truth, negatives: int, rng: np.random.Generator) -> Truth:
    """Return the same users, who may be shown nothing but what they wanted and ``negatives`` other items each.

    These are drawn evenly and without replacement from what the user did not want and, under the task new, has not in
    the history; where there are fewer, all of them.

    >>> from penchant.data.dataset import Dataset
    >>> from penchant.data.split import Split
    >>> from penchant.evaluation.ranking import truth
    >>> past, later = Dataset.from_matrix([[1, 0, 0, 0, 0]]), Dataset.from_matrix([[0, 1, 0, 0, 0]])
    >>> among = sampled(truth(Split(past, past, later, "temporal", "")), 2, np.random.default_rng(0)).among
    >>> among.counts.tolist(), among.holds(np.array([0]), np.int32([[0, 1]])).tolist()
    ([3], [[False, True]])

    Time is O(users (negatives + history)), and ranking looks as deep into the catalogue as the sample lies.

    Source: Krichene and Rendle, "On Sampled Metrics for Item Recommendation", KDD 2020: such metrics do not keep the
    order of models that full ranking gives.
    """
    wanted, width = found.wanted, found.wanted.width
    barred = [wanted] if found.task == "any" else [wanted, found.had]
    ends = [(part.indptr, part.items) for part in barred]
    drawn = []
    for row in range(len(wanted.counts)):
        parts = [items[indptr[row] : indptr[row + 1]] for indptr, items in ends]
        drawn.append(_free(np.unique(np.concatenate(parts)).astype(np.int64), width, negatives, rng))
    rows = np.repeat(np.arange(len(drawn)), [len(items) for items in drawn])
    own = np.repeat(np.arange(len(drawn)), wanted.counts)
    both = (np.concatenate([rows, own]), np.concatenate([*drawn, wanted.items]))
    among = sp.csr_array((np.ones(len(both[0]), np.bool_), both), shape=(len(drawn), width))
    return replace(found, among=Pairs(among))


def _free(barred: Int64, width: int, n: int, rng: np.random.Generator) -> Int64:
    """Return ``n`` different items outside ``barred`` (ascending), or all of them where there are fewer."""
    free = width - len(barred)
    picked = rng.choice(free, n, replace=False, shuffle=False) if n < free else np.arange(free)
    items: Int64 = picked + np.searchsorted(barred - np.arange(len(barred)), picked, side="right")
    return items
