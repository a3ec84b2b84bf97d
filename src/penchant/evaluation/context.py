"""What metrics look up beside slates and hits: popularity, categories, histories, and a plain model's slates."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import scipy.sparse as sp

from penchant.core.arrays import Bool, Float64, Int32, Int64
from penchant.data.split import Split
from penchant.evaluation.groups import item_groups
from penchant.evaluation.metrics.fairness import calibration
from penchant.evaluation.metrics.lists import (
    aplt,
    arp,
    coverage,
    diversity,
    gini,
    long_tail,
    novelty,
    self_information,
    serendipity,
)
from penchant.evaluation.metrics.names import Metric
from penchant.evaluation.ranking import Truth, hits, rank
from penchant.models.popular import Popular

__all__ = ["Context"]


class Context:
    """What a split says of items and users, each worked out when it is first asked for.

    >>> from penchant.data.dataset import Dataset
    >>> from penchant.evaluation.ranking import truth
    >>> past, later = Dataset.from_matrix([[1, 1, 0], [1, 0, 0]]), Dataset.from_matrix([[0, 0, 1], [0, 1, 0]])
    >>> split = Split(past, past, later, "temporal", "By hand.")
    >>> context = Context(split, truth(split))
    >>> slates = np.int32([[2, -1], [1, 2]])
    >>> context.value(Metric("arp", 2), slates).tolist(), context.together(Metric("coverage", 1), slates).__round__(3)
    ([0.0, 0.5], 0.667)
    """

    def __init__(self, split: Split, found: Truth) -> None:
        """Take the split and the users who count."""
        self.split = split
        self.found = found
        self.n_items = len(split.history.items)
        self._expected = np.empty((len(found.users), 0), np.int32)

    @cached_property
    def support(self) -> Int64:
        """int64[n_items]: users who touched each item in train."""
        return self.split.train.support

    @cached_property
    def information(self) -> Float64:
        """float64[n_items]: bits it takes to meet each item by chance."""
        return self_information(self.support, int((np.diff(self.split.train.matrix.indptr) > 0).sum()))

    @cached_property
    def tail(self) -> Bool:
        """bool[n_items]: what is of the long tail in train."""
        return long_tail(self.support)

    @cached_property
    def categories(self) -> sp.csr_array | None:
        """CSR [n_items, categories]; None without a catalogue that has any."""
        catalogue = self.split.train.catalogue
        if catalogue is None or "categories" not in catalogue.columns:
            return None
        member = item_groups(self.split.train, "categories", most=None, unknown=False).member
        return member if member.shape[1] else None

    @cached_property
    def candidates(self) -> Int64:
        """int64[n_users]: items that may stand in each user's slate under the task."""
        if self.found.among is not None:
            return self.found.among.counts
        counts, n = self.found.had.counts, len(self.found.users)
        return {"new": self.n_items - counts, "repeat": counts, "any": np.full(n, self.n_items)}[self.found.task]

    def expected(self, k: int) -> Int32:
        """Return int32[n_users, k]: what a model that knows popularity alone shows these users."""
        if self._expected.shape[1] < k:
            self._expected = rank(Popular().fit(self.split.train), self.split, self.found, k, name="the most popular")
        return self._expected[:, :k]

    def value(self, metric: Metric, slates: Int32) -> Float64:
        """Return float64[n_users]: one of SLATE_METRICS but auc; NaN for all when the data lack what it needs."""
        items = slates[:, : metric.k]
        if metric.name == "arp":
            return arp(items, self.support)
        if metric.name == "aplt":
            return aplt(items, self.tail)
        if metric.name == "serendipity":
            short = ((0, 0), (0, metric.k - items.shape[1]))
            filled = np.pad(items, short, constant_values=-1)
            return serendipity(hits(self.found, filled), filled, self.expected(metric.k))
        if self.categories is None:
            return np.full(len(items), np.nan)
        if metric.name == "diversity":
            return diversity(items, self.categories)
        return calibration(items, self.split.history.matrix[self.found.users], self.categories)

    def together(self, metric: Metric, slates: Int32) -> float:
        """Return one of LIST_METRICS."""
        items = slates[:, : metric.k]
        if metric.name == "coverage":
            return coverage(items, self.n_items)
        return gini(items, self.n_items) if metric.name == "gini" else novelty(items, self.information)
