"""How well a slate holds what its user wanted, one function a metric.

A metric takes ``hits`` (bool[n_users, k]: is the item at this rank one the user wanted?) and ``relevant``
(int[n_users]: how many items each user wanted), and returns float64[n_users]. A slot that was left empty is a miss.
Whether items tie is the model's affair: the slate is an order.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from penchant.core.arrays import Bool, Float64, Int64
from penchant.evaluation.metrics.share import share

__all__ = [
    "USER_METRICS",
    "auc",
    "auc_limited",
    "average_precision",
    "hit",
    "mrr",
    "ndcg",
    "precision",
    "recall",
    "recall_capped",
]


def recall(hits: Bool, relevant: Int64) -> Float64:
    """Return the share of what each user wanted that the slate holds: hits / relevant.

    The denominator is the number of test items, however small k is, so that 1 may be out of reach; see
    :func:`recall_capped`. NaN for a user who wanted nothing.

    >>> recall(np.array([[True, False, True]]), np.array([4])).tolist()
    [0.5]

    Source: Manning, Raghavan and Schütze, "Introduction to Information Retrieval", 2008, section 8.3.
    """
    return share(hits.sum(axis=1), relevant)


def recall_capped(hits: Bool, relevant: Int64) -> Float64:
    """Return hits / min(k, relevant): recall whose best is always 1. NaN for a user who wanted nothing.

    >>> recall_capped(np.array([[True, False, True]]), np.array([4])).round(4).tolist()
    [0.6667]

    Source: Liang et al., "Variational Autoencoders for Collaborative Filtering", WWW 2018, section 4.2.
    """
    return share(hits.sum(axis=1), np.minimum(hits.shape[1], relevant))


def precision(hits: Bool, relevant: Int64) -> Float64:
    """Return hits / k. The denominator is k even when the slate holds fewer items.

    >>> precision(np.array([[True, False, True, False]]), np.array([4])).tolist()
    [0.5]

    Source: Manning, Raghavan and Schütze, "Introduction to Information Retrieval", 2008, section 8.4.
    """
    return share(hits.sum(axis=1), np.full(len(relevant), hits.shape[1]))


def hit(hits: Bool, relevant: Int64) -> Float64:
    """Return 1 where the slate holds anything the user wanted, else 0. Its mean is the hit rate.

    >>> hit(np.array([[False, True], [False, False]]), np.array([1, 3])).tolist()
    [1.0, 0.0]

    Source: Deshpande and Karypis, "Item-Based Top-N Recommendation Algorithms", TOIS 2004, section 6.1.
    """
    return (hits.any(axis=1) & (relevant > 0)).astype(np.float64)


def ndcg(hits: Bool, relevant: Int64) -> Float64:
    """Return the discounted gain of the slate, as a share of the best slate's.

    The sum of 1 / log2(rank + 1) over the hits, divided by that of min(k, relevant) hits at the top. NaN for a user who
    wanted nothing.

    >>> ndcg(np.array([[False, True, False]]), np.array([1])).round(4).tolist()
    [0.6309]

    Source: Järvelin and Kekäläinen, "Cumulated Gain-Based Evaluation of IR Techniques", TOIS 2002, with binary gain.
    """
    k = hits.shape[1]
    gains = 1 / np.log2(np.arange(2, k + 2))
    ideal = np.concatenate([[0.0], np.cumsum(gains)])
    return share(hits @ gains, ideal[np.minimum(k, relevant)])


def average_precision(hits: Bool, relevant: Int64) -> Float64:
    """Return the mean of the precision at each hit, over min(k, relevant). Its mean over users is MAP.

    Wanted items that are not in the slate count as precision 0. NaN for a user who wanted nothing.

    >>> average_precision(np.array([[True, False, True]]), np.array([2])).round(4).tolist()
    [0.8333]

    Source: Manning, Raghavan and Schütze, "Introduction to Information Retrieval", 2008, equation 8.8, cut at k.
    """
    k = hits.shape[1]
    at_rank = np.cumsum(hits, axis=1) / np.arange(1, k + 1)
    return share((at_rank * hits).sum(axis=1), np.minimum(k, relevant))


def mrr(hits: Bool, relevant: Int64) -> Float64:
    """Return 1 / the rank of the first hit, or 0 when there is none. Its mean over users is MRR.

    >>> mrr(np.array([[False, True, True], [False, False, False]]), np.array([2, 2])).tolist()
    [0.5, 0.0]

    Source: Voorhees, "The TREC-8 Question Answering Track Report", 1999, section 3.
    """
    first = np.argmax(hits, axis=1) + 1
    return np.where(hits.any(axis=1) & (relevant > 0), 1 / first, 0.0)


def auc(scores: Float64, wanted: Bool) -> Float64:
    """Return how often an item the user wanted scores higher than one the user did not want; a tie counts half.

    The denominator is the number of pairs of a wanted and an unwanted item. An item without a score (NaN) stands below
    all that have one, and level with the others that have none; where all scores tie it is 0.5. NaN for a user who
    wanted nothing, or everything.

    >>> auc(np.array([[0.9, 0.5, 0.5, np.nan]]), np.array([[True, False, True, False]])).tolist()
    [0.875]

    Args:
        scores: float[n_users, n_items], over the items that may be recommended; infinite scores count as numbers.
        wanted: bool[n_users, n_items].

    Memory is 40 bytes an entry, time O(n_users n_items log n_items).

    Source: Hanley and McNeil, "The Meaning and Use of the Area under a Receiver Operating Characteristic (ROC) Curve",
    Radiology 1982; by ranks: Mann and Whitney, Annals of Mathematical Statistics 1947.
    """
    order = np.argsort(-np.asarray(scores, np.float64), axis=1, kind="stable")[:, ::-1]  # NaN first, then ascending
    ranked = np.take_along_axis(np.asarray(scores, np.float64), order, axis=1)
    good = np.take_along_axis(np.asarray(wanted, np.bool_), order, axis=1)
    same = (ranked[:, 1:] == ranked[:, :-1]) | (np.isnan(ranked[:, 1:]) & np.isnan(ranked[:, :-1]))
    n, width = ranked.shape
    place = np.broadcast_to(np.arange(width), (n, width))
    edge = np.ones((n, 1), np.bool_)
    first = np.maximum.accumulate(np.where(np.concatenate([edge, ~same], axis=1), place, 0), axis=1)
    ends = np.where(np.concatenate([~same, edge], axis=1), place, width)
    last = np.minimum.accumulate(ends[:, ::-1], axis=1)[:, ::-1]
    positive = good.sum(axis=1)
    above = ((first + last) / 2 * good).sum(axis=1) - positive * (positive - 1) / 2
    return share(above, positive * (width - positive))


def auc_limited(hits: Bool, relevant: Int64, misses: Int64, candidates: Int64) -> Float64:
    """Return the AUC of a slate: items it does not hold count as tied with each other, below all that it holds.

    With the whole catalogue in the slate it is the AUC; with less of it, the curve goes on in a straight line from
    where the slate ends. NaN for a user who wanted nothing or all candidates.

    >>> auc_limited(np.array([[True, False]]), np.array([2]), np.array([[0, 1]]), np.array([6])).tolist()
    [0.6875]

    Args:
        hits: bool[n_users, k].
        relevant: int[n_users].
        misses: int[n_users, k], how many slots up to each hold an unwanted item; an empty slot holds none.
        candidates: int[n_users], items that might have stood in the slate, the wanted among them.

    Source: Schröder, Thiele and Lehner, "Setting Goals and Choosing Metrics for Recommender System Evaluations",
    UCERSTI workshop at RecSys 2011 (limited AUC).
    """
    found, unwanted = hits.sum(axis=1), candidates - relevant
    listed = found * unwanted - (misses * hits).sum(axis=1)
    unlisted = (relevant - found) * (unwanted - misses[:, -1]) / 2
    return share(listed + unlisted, np.where(unwanted > 0, relevant * unwanted, 0))


USER_METRICS: dict[str, Callable[[Bool, Int64], Float64]] = {
    "recall": recall,
    "recall_capped": recall_capped,
    "precision": precision,
    "hit": hit,
    "ndcg": ndcg,
    "map": average_precision,
    "mrr": mrr,
}
"The metrics of a user that need hits and nothing else."
