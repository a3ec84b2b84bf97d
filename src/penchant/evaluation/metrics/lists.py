"""What slates are like beside right or wrong: how much of the catalogue they show, how popular, how varied.

A metric takes ``items`` (int32[n_users, k], -1 for an empty slot). Those of a user return float64[n_users], NaN for a
slate that says nothing; those of all slates together return one number.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp

from penchant.core.arrays import Bool, Float64, Int32, Int64
from penchant.evaluation.metrics.share import inequality, share

__all__ = [
    "aplt",
    "arp",
    "coverage",
    "diversity",
    "gini",
    "long_tail",
    "novelty",
    "self_information",
    "serendipity",
    "shown",
]


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


def gini(items: Int32, n_items: int) -> float:
    """Return how unequally the slots are shared out among the items: 0 when all have as many, near 1 when one has all.

    Every item of the vocabulary counts, also those that nobody was shown. NaN when no slot holds an item.

    >>> gini(np.int32([[0, 1], [2, 3]]), 4), gini(np.int32([[0, 0], [0, 0]]), 4)
    (0.0, 0.75)

    Source: Shani and Gunawardana, "Evaluating Recommendation Systems", Recommender Systems Handbook, 2011; with n in
    place of their n - 1 in the denominator, which is the area between the Lorenz curve and equality, doubled.
    """
    return inequality(np.bincount(items[items >= 0], minlength=n_items))


def serendipity(hits: Bool, items: Int32, expected: Int32) -> Float64:
    """Return the share of slots that hold an item the user wanted and that a plain model would not have shown.

    The denominator is k, also when the slate holds fewer items.

    >>> items, expected = np.int32([[4, 7, 9]]), np.int32([[7, 1, 2]])
    >>> serendipity(np.array([[True, True, False]]), items, expected).round(4).tolist()
    [0.3333]

    Args:
        hits: bool[n_users, k].
        items: int32[n_users, k].
        expected: int32[n_users, k'], what the plain model shows the same users; the most popular items, as a rule.

    Source: Ge, Delgado-Battenfeld and Jannach, "Beyond Accuracy", RecSys 2010 (serendipity).
    """
    rows = np.arange(len(items), dtype=np.int64)[:, None] * (
        int(max(items.max(initial=0), expected.max(initial=0))) + 1
    )
    known = np.isin(rows + items, (rows + expected)[expected >= 0])
    return share((hits & ~known).sum(axis=1), np.full(len(items), items.shape[1]))


def diversity(items: Int32, features: Any) -> Float64:
    """Return how different the items of a slate are: the mean of 1 - cosine over its pairs of items.

    0 when all have the same features, 1 when no two share any. Items without features are left out; NaN for a slate
    with fewer than two others.

    >>> features = sp.csr_array(np.array([[1, 0], [1, 0], [0, 1], [0, 0]]))
    >>> diversity(np.int32([[0, 1, 2], [0, 1, 3], [0, -1, 3]]), features).round(4).tolist()
    [0.6667, 0.0, nan]

    Args:
        items: int32[n_users, k].
        features: CSR [n_items, f], such as categories.

    Time is O(n_users k) times the features of an item: the pairs of a slate are counted by the square of its sum.

    Source: Ziegler et al., "Improving Recommendation Lists Through Topic Diversification", WWW 2005 (intra-list
    similarity), as a mean over pairs and turned round.
    """
    vectors = sp.csr_array(features, dtype=np.float64)
    norms = np.sqrt(vectors.multiply(vectors).sum(axis=1))
    unit = sp.diags_array(np.divide(1.0, norms, out=np.zeros(len(norms)), where=norms > 0)) @ vectors
    held = shown(items, len(norms))
    totals = sp.csr_array(held @ unit)
    alike = totals.multiply(totals).sum(axis=1)
    known = held @ (norms > 0).astype(np.float64)
    return 1 - share(alike - known, known * (known - 1))


def shown(items: Int32, n_items: int) -> sp.csr_array:
    """Return CSR float64[n_users, n_items]: how often each slate holds each item.

    >>> shown(np.int32([[0, 2, -1]]), 3).toarray().tolist()
    [[1.0, 0.0, 1.0]]
    """
    rows, slots = np.nonzero(items >= 0)
    ones = np.ones(len(rows))
    return sp.csr_array((ones, (rows, items[rows, slots])), shape=(len(items), n_items))


def arp(items: Int32, support: Int64) -> Float64:
    """Return how popular the items of a slate are: the mean of their ``support``. Its mean over users is ARP.

    The denominator is the number of slots that hold an item; NaN when none does.

    >>> arp(np.int32([[0, 1], [1, -1], [-1, -1]]), np.array([30, 10])).tolist()
    [20.0, 10.0, nan]

    Args:
        items: int32[n_users, k].
        support: int64[n_items], users who did anything with the item in train.

    Source: Yin et al., "Challenging the Long Tail Recommendation", VLDB 2012; by this name: Abdollahpouri, Burke and
    Mobasher, "Managing Popularity Bias in Recommender Systems with Personalized Re-ranking", FLAIRS 2019.
    """
    filled = items >= 0
    return share((np.asarray(support, np.float64)[items] * filled).sum(axis=1), filled.sum(axis=1))


def aplt(items: Int32, tail: Bool) -> Float64:
    """Return the share of a slate that is of the long tail. Its mean over users is APLT.

    The denominator is the number of slots that hold an item; NaN when none does.

    >>> aplt(np.int32([[0, 1], [1, -1], [-1, -1]]), np.array([False, True])).tolist()
    [0.5, 1.0, nan]

    Args:
        items: int32[n_users, k].
        tail: bool[n_items], see :func:`long_tail`.

    Source: Abdollahpouri, Burke and Mobasher, "Managing Popularity Bias in Recommender Systems with Personalized
    Re-ranking", FLAIRS 2019.
    """
    filled = items >= 0
    return share((tail[items] & filled).sum(axis=1), filled.sum(axis=1))


def long_tail(support: Int64, head: float = 0.8) -> Bool:
    """Return bool[n_items]: all items but the fewest that together hold ``head`` of what users did.

    Of equally popular items at the border those with the lower code are in the head. With no support at all every item
    is of the tail.

    >>> long_tail(np.array([70, 10, 15, 5, 0])).tolist()
    [False, True, False, True, True]

    Args:
        support: int64[n_items], users who did anything with the item in train.
        head: between 0 and 1.

    Source: Abdollahpouri, Burke and Mobasher, "Controlling Popularity Bias in Learning-to-Rank Recommendation", RecSys
    2017 (short head and long tail).
    """
    order = np.argsort(-support, kind="stable")
    before = np.cumsum(support[order]) - support[order]
    tail = np.ones(len(support), np.bool_)
    tail[order[before < head * support.sum()]] = False
    return tail
