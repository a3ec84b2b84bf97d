"""Who is served well and who is shown: calibration to a person's tastes, and parity between groups.

Parity is the worst group's share of the best group's figure: 1 when all fare alike, 0 when one gets nothing. A group
without members does not count; with fewer than two left, or when the best group's figure is 0, it is NaN.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp

from penchant.core.arrays import Bool, Float64, Int32, Int64
from penchant.evaluation.metrics.lists import shown
from penchant.evaluation.metrics.ranking import ndcg
from penchant.evaluation.metrics.share import share

__all__ = [
    "calibration",
    "exposure",
    "exposure_parity",
    "group_means",
    "ndcg_parity",
    "ndcg_parity_of_providers",
    "parity",
]


def calibration(items: Int32, histories: Any, features: Any, *, alpha: float = 0.01) -> Float64:
    """Return how far the mix of categories in a slate is from that of the history, in nats: 0 is the same mix.

    The divergence sum(p log(p / q')) of the slate's shares q from the history's shares p, where q' = (1 - alpha) q +
    alpha p keeps it finite. An item's weight is spread evenly over its categories. At most -log(alpha). NaN for a user
    whose history, or whose slate, has no item with a category.

    >>> features = sp.csr_array(np.array([[1, 0], [0, 1], [1, 1]]))  # two categories; the last item has both
    >>> histories = sp.csr_array(np.array([[1, 1, 0], [1, 0, 0]]))
    >>> calibration(np.int32([[2, -1], [1, -1]]), histories, features).round(4).tolist()
    [0.0, 4.6052]

    Args:
        items: int32[n_users, k].
        histories: CSR [n_users, n_items]; weights of 0 or less do not count.
        features: CSR [n_items, n_categories], 0 or more.
        alpha: above 0 and at most 1.

    Memory is three arrays of n_users times n_categories.

    Source: Steck, "Calibrated Recommendations", RecSys 2018, section 3.
    """
    spread = _shares(sp.csr_array(features, dtype=np.float64))
    weights = sp.csr_array(histories, dtype=np.float64).maximum(0)
    p, q = (_shares(sp.csr_array(rows @ spread)).toarray() for rows in (weights, shown(items, spread.shape[0])))
    smooth = (1 - alpha) * q + alpha * p
    terms = p * np.log(np.divide(p, smooth, out=np.ones_like(p), where=p > 0))
    known = (p.sum(axis=1) > 0) & (q.sum(axis=1) > 0)
    divergence: Float64 = np.where(known, np.maximum(terms.sum(axis=1), 0.0), np.nan)
    return divergence


def exposure(items: Int32, groups: Int64, n_groups: int) -> Float64:
    """Return float64[n_groups]: the share of all attention that the slates give to the items of each group.

    A slot at rank i has attention 1 / log2(i + 1). An item in no group (-1) gets none, and an empty slot gives none;
    NaN when nothing is left.

    >>> exposure(np.int32([[0, 1, 2]]), np.array([0, 1, 1]), 2).round(4).tolist()
    [0.4693, 0.5307]

    Args:
        items: int32[n_users, k].
        groups: int[n_items], the provider of each item.
        n_groups: how many there are.

    Source: Singh and Joachims, "Fairness of Exposure in Rankings", KDD 2018, with the discount of DCG.
    """
    attention = np.broadcast_to(1 / np.log2(np.arange(2, items.shape[1] + 2)), items.shape)
    group = np.where(items >= 0, groups[items], -1)
    given = np.bincount(group[group >= 0], attention[group >= 0], n_groups)
    return share(given, np.full(n_groups, given.sum()))


def exposure_parity(items: Int32, groups: Int64, merit: Any = None) -> float:
    """Return the parity of exposure between groups of items: of exposure an item, or a unit of merit.

    >>> groups = np.array([0, 1, 1])
    >>> round(exposure_parity(np.int32([[0, 1, 2]]), groups), 4)  # 0.4693 an item against 0.2654
    0.5655

    Args:
        items: int32[n_users, k].
        groups: int[n_items], the provider of each item; -1 for none.
        merit: float[n_items], 0 or more, such as how many users wanted the item in the test; 1 for all when None. A
            group without merit does not count.

    Source: Singh and Joachims, "Fairness of Exposure in Rankings", KDD 2018, sections 4.1 (demographic parity) and 4.2
    (disparate treatment), as the least ratio between any two groups.
    """
    n_groups = int(groups.max(initial=-1)) + 1
    given = exposure(items, groups, n_groups)
    worth = np.ones(len(groups)) if merit is None else np.asarray(merit, np.float64)
    due = np.bincount(groups[groups >= 0], worth[groups >= 0], n_groups)
    return parity(share(given, due))


def ndcg_parity(hits: Bool, relevant: Int64, groups: Int64) -> float:
    """Return the parity of NDCG between groups of users: whether all are served equally well.

    >>> hits = np.array([[True, False], [False, True], [True, True]])
    >>> round(ndcg_parity(hits, np.array([1, 1, 2]), np.array([0, 0, 1])), 4)  # 0.8155 against 1
    0.8155

    Args:
        hits: bool[n_users, k].
        relevant: int[n_users]; users who wanted nothing do not count.
        groups: int[n_users], -1 for none.

    Source: Ekstrand et al., "All The Cool Kids, How Do They Fit In?", FAT* 2018 (NDCG by group of users).
    """
    return parity(group_means(ndcg(hits, relevant), groups))


def ndcg_parity_of_providers(items: Int32, wanted: Any, groups: Int64) -> float:
    """Return the parity of NDCG between groups of items: whether wants for each provider's are met equally well.

    The NDCG of a group counts the wanted items of that group alone, over the users who wanted any.

    >>> wanted = sp.csr_array(np.array([[1, 0, 1], [0, 1, 0]]))
    >>> slates, groups = np.int32([[0, 1, 2], [0, 1, 2]]), np.array([0, 0, 1])
    >>> round(ndcg_parity_of_providers(slates, wanted, groups), 4)  # 0.8155 for group 0, 0.5 for group 1
    0.6131

    Args:
        items: int32[n_users, k].
        wanted: CSR [n_users, n_items], an entry for each item a user wanted.
        groups: int[n_items], -1 for none.

    Source: the provider side of Ekstrand et al., "Fairness in Information Access Systems", 2022, with NDCG as the gain.
    """
    asked = sp.coo_array(wanted)
    keys = np.sort(asked.row.astype(np.int64) * asked.shape[1] + asked.col)
    slots = np.arange(len(items), dtype=np.int64)[:, None] * asked.shape[1] + items
    hits = np.isin(slots, keys) & (items >= 0)
    means = []
    for group in range(int(groups.max(initial=-1)) + 1):
        own = hits & (groups[items] == group)
        relevant = np.bincount(asked.row[groups[asked.col] == group], minlength=len(items))
        means.append(_mean(ndcg(own, relevant)))
    return parity(np.array(means))


def group_means(values: Float64, groups: Int64) -> Float64:
    """Return float64[n_groups]: the mean of each group's values, without those that are NaN; NaN for a group of none.

    >>> group_means(np.array([1.0, 0.0, np.nan, 0.5]), np.array([0, 0, 1, 2])).tolist()
    [0.5, nan, 0.5]

    Args:
        values: float64[n].
        groups: int[n], -1 for none.
    """
    n_groups = int(groups.max(initial=-1)) + 1
    counts = (groups >= 0) & ~np.isnan(values)
    sums = np.bincount(groups[counts], values[counts], n_groups)
    return share(sums, np.bincount(groups[counts], minlength=n_groups))


def parity(figures: Float64) -> float:
    """Return the least of the figures as a share of the most; NaN ones do not count.

    >>> parity(np.array([0.2, np.nan, 0.25])), parity(np.array([0.2]))
    (0.8, nan)

    Source: the ratio of the four-fifths rule, US Equal Employment Opportunity Commission, 29 CFR 1607.4 D, 1978.
    """
    known = figures[~np.isnan(figures)]
    if len(known) < 2 or known.max() <= 0:
        return float("nan")
    return float(known.min() / known.max())


def _mean(values: Float64) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else float("nan")


def _shares(rows: sp.csr_array) -> sp.csr_array:
    """Return the rows divided by their sums; a row of nothing stays so."""
    sums = rows.sum(axis=1)
    return sp.csr_array(sp.diags_array(np.divide(1.0, sums, out=np.zeros(len(sums)), where=sums > 0)) @ rows)
