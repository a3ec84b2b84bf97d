"""How good a slate is, one function a metric.

A metric of a user takes ``hits`` (bool[n_users, k]: is the item at this rank one the user wanted?) and ``relevant``
(int[n_users]: how many items each user wanted), and returns float64[n_users]. A slot that was left empty is a miss.
A metric of all slates together takes ``items`` (int32[n_users, k], -1 for an empty slot) and returns one number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from msgspec import Struct

from penchant.core.arrays import Bool, Float64, Int32, Int64
from penchant.core.errors import EmptyData, InputError, UnknownName

__all__ = [
    "DEFAULT_METRICS",
    "LIST_METRICS",
    "USER_METRICS",
    "Metric",
    "average_precision",
    "coverage",
    "hit",
    "mrr",
    "ndcg",
    "novelty",
    "parse_metrics",
    "precision",
    "recall",
    "recall_capped",
    "self_information",
]


def recall(hits: Bool, relevant: Int64) -> Float64:
    """Return the share of what each user wanted that the slate holds: hits / relevant.

    The denominator is the number of test items, however small k is, so that 1 may be out of reach; see
    :func:`recall_capped`. NaN for a user who wanted nothing.

    >>> recall(np.array([[True, False, True]]), np.array([4])).tolist()
    [0.5]

    Source: Manning, Raghavan and Schütze, "Introduction to Information Retrieval", 2008, section 8.3.
    """
    return _share(hits.sum(axis=1), relevant)


def recall_capped(hits: Bool, relevant: Int64) -> Float64:
    """Return hits / min(k, relevant): recall whose best is always 1. NaN for a user who wanted nothing.

    >>> recall_capped(np.array([[True, False, True]]), np.array([4])).round(4).tolist()
    [0.6667]

    Source: Liang et al., "Variational Autoencoders for Collaborative Filtering", WWW 2018, section 4.2.
    """
    return _share(hits.sum(axis=1), np.minimum(hits.shape[1], relevant))


def precision(hits: Bool, relevant: Int64) -> Float64:
    """Return hits / k. The denominator is k even when the slate holds fewer items.

    >>> precision(np.array([[True, False, True, False]]), np.array([4])).tolist()
    [0.5]

    Source: Manning, Raghavan and Schütze, "Introduction to Information Retrieval", 2008, section 8.4.
    """
    return _share(hits.sum(axis=1), np.full(len(relevant), hits.shape[1]))


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
    return _share(hits @ gains, ideal[np.minimum(k, relevant)])


def average_precision(hits: Bool, relevant: Int64) -> Float64:
    """Return the mean of the precision at each hit, over min(k, relevant). Its mean over users is MAP.

    Wanted items that are not in the slate count as precision 0. NaN for a user who wanted nothing.

    >>> average_precision(np.array([[True, False, True]]), np.array([2])).round(4).tolist()
    [0.8333]

    Source: Manning, Raghavan and Schütze, "Introduction to Information Retrieval", 2008, equation 8.8, cut at k.
    """
    k = hits.shape[1]
    at_rank = np.cumsum(hits, axis=1) / np.arange(1, k + 1)
    return _share((at_rank * hits).sum(axis=1), np.minimum(k, relevant))


def mrr(hits: Bool, relevant: Int64) -> Float64:
    """Return 1 / the rank of the first hit, or 0 when there is none. Its mean over users is MRR.

    >>> mrr(np.array([[False, True, True], [False, False, False]]), np.array([2, 2])).tolist()
    [0.5, 0.0]

    Source: Voorhees, "The TREC-8 Question Answering Track Report", 1999, section 3.
    """
    first = np.argmax(hits, axis=1) + 1
    return np.where(hits.any(axis=1) & (relevant > 0), 1 / first, 0.0)


def coverage(items: Int32, n_items: int) -> float:
    """Return the share of the catalogue that is recommended to anyone.

    The denominator is ``n_items``, every item of the vocabulary, also those a model never learnt.

    >>> coverage(np.int32([[0, 1], [1, -1]]), 4)
    0.5

    Source: Ge, Delgado-Battenfeld and Jannach, "Beyond Accuracy", RecSys 2010, section 3.2.
    """
    return len(np.unique(items[items >= 0])) / n_items


def novelty(items: Int32, information: Float64) -> float:
    """Return how surprising the recommended items are: the mean bits of :func:`self_information` over filled slots.

    The denominator is the number of slots that hold an item. NaN when no slot does.

    >>> novelty(np.int32([[0, 1], [1, -1]]), np.array([0.0, 3.0]))
    2.0

    Source: Zhou et al., "Solving the Apparent Diversity-Accuracy Dilemma of Recommender Systems", PNAS 2010, eq. 5.
    """
    filled = items[items >= 0]
    return float(information[filled].mean()) if filled.size else float("nan")


def self_information(touched: Int64, n_users: int) -> Float64:
    """Return float64[n_items]: -log2((touched + 1) / (n_users + 1)), the bits it takes to meet an item by chance.

    The ones keep it finite: an item that everyone touched has 0 bits, one that nobody did log2(n_users + 1).

    >>> self_information(np.array([3, 1, 0]), 3).tolist()
    [0.0, 1.0, 2.0]

    Args:
        touched: int64[n_items], users who did anything with the item in train.
        n_users: users who did anything at all in train.
    """
    information: Float64 = np.log2(n_users + 1) - np.log2(touched + 1)
    return information


USER_METRICS: dict[str, Callable[[Bool, Int64], Float64]] = {
    "recall": recall,
    "recall_capped": recall_capped,
    "precision": precision,
    "hit": hit,
    "ndcg": ndcg,
    "map": average_precision,
    "mrr": mrr,
}
"The metrics that have a value for each user, and therefore an interval."

LIST_METRICS = ("coverage", "novelty")
"The metrics that have one value for all slates together."

_ELSEWHERE = {
    "hit_rate": "hit",
    "hitrate": "hit",
    "hit_ratio": "hit",
    "hr": "hit",
    "average_precision": "map",
    "mean_average_precision": "map",
    "mean_reciprocal_rank": "mrr",
    "reciprocal_rank": "mrr",
}
"What other tools call a metric, to the one name it has here."


class Metric(Struct, frozen=True):
    """A metric at a length of slate.

    >>> Metric.parse("ndcg@10")
    Metric(name='ndcg', k=10)
    >>> str(Metric("map", 5))
    'map@5'
    """

    name: str
    "A key of USER_METRICS, or one of LIST_METRICS."
    k: int
    "How many of the first ranks count, 1 or more."

    def __str__(self) -> str:
        return f"{self.name}@{self.k}"

    @property
    def per_user(self) -> bool:
        """Whether it has a value for each user."""
        return self.name in USER_METRICS

    @classmethod
    def parse(cls, text: str) -> Metric:
        """Return the metric that a text such as ``ndcg@10`` names.

        Raises:
            UnknownName: there is no such metric.
            InputError: the k is missing or is not a number from 1 up.
        """
        name, _, k = text.partition("@")
        if name not in USER_METRICS and name not in LIST_METRICS:
            raise _unknown(name)
        if not (k.isascii() and k.isdigit() and int(k) > 0):
            raise InputError(
                "a metric needs the length of the slate",
                got=text,
                allowed="a whole number from 1 up after an @",
                then=f"write {name}@10",
                field="metrics",
            )
        return cls(name, int(k))


DEFAULT_METRICS = tuple(f"{name}@{k}" for name in (*USER_METRICS, *LIST_METRICS) for k in (5, 10, 20))
"Every metric at 5, 10 and 20."


def parse_metrics(texts: Iterable[str] | None) -> list[Metric]:
    """Return the metrics that the texts name, each once, in the order of first mention; all of them for None.

    >>> [str(m) for m in parse_metrics(["ndcg@10", "hit@5", "ndcg@10"])]
    ['ndcg@10', 'hit@5']

    Raises:
        EmptyData: no metric is named.
        InputError: a single text is given instead of a list, or a text is no metric.
    """
    if isinstance(texts, str):
        raise InputError("metrics is a text", got=texts, allowed="a list", then=f"write [{texts!r}]", field="metrics")
    if texts is not None and not isinstance(texts, Iterable):
        then = "write ['ndcg@10'], or pass None for all"
        raise InputError("metrics is no list", got=repr(texts), allowed="a list of str", then=then, field="metrics")
    found = [Metric.parse(text) for text in (DEFAULT_METRICS if texts is None else texts)]
    if not found:
        raise EmptyData("there is no metric to compute", then="name some, or pass None for all", field="metrics")
    return list(dict.fromkeys(found))


def _unknown(name: str) -> UnknownName:
    known = [*USER_METRICS, *LIST_METRICS]
    ours = _ELSEWHERE.get(name.lower().replace("-", "_"))
    if ours is None:
        return UnknownName.of("metric", name, known, field="metrics")
    then = f"did you mean {ours!r}?"
    return UnknownName("unknown metric", got=name, allowed=", ".join(sorted(known)), then=then, field="metrics")


def _share(part: Any, whole: Any) -> Float64:
    """Return part / whole as float64[n], NaN where the whole is 0."""
    out = np.full(len(part), np.nan)
    np.divide(part, whole, out=out, where=np.asarray(whole) > 0)
    return out
