"""Approximate lists of item vectors, from a graph of neighbours, for catalogues where the exact scan takes too long."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
from msgspec import Struct

from penchant.core.arrays import Float32, Int32
from penchant.core.errors import InputError, MissingExtra
from penchant.core.nouns import TopK
from penchant.kernels.layout import Best
from penchant.kernels.panels import multiply
from penchant.kernels.topk import top_k
from penchant.models.batches import expect_histories, ranked
from penchant.models.factors import Factors

__all__ = ["Nearest"]


class Nearest(Struct, frozen=True, eq=False):
    """A scorer's items in a graph that leads to those with large inner products; it may miss some, never invents one.

    What it finds is scored as the scorer does it, so only the lists are approximate; :meth:`recall` says how much. The
    exact scan of :class:`penchant.models.factors.Factors` is the better choice as long as it is fast enough.

    >>> from penchant.models.ials import IALS
    >>> from penchant.testing import checkerboard
    >>> board = checkerboard(10, missing=0.3)
    >>> scorer = IALS(factors=2, l2=0.01).fit(board)
    >>> nearest = Nearest.of(scorer)
    >>> nearest.recall(board.matrix, 3)
    1.0

    Memory is 4 n d + about 8 n connectivity bytes beside the scorer, time n log n to build and log n a question.

    Source: Malkov and Yashunin, "Efficient and Robust Approximate Nearest Neighbor Search Using Hierarchical Navigable
    Small World Graphs", TPAMI 2020, algorithms 1, 2 and 5; the added axis of :meth:`of` from Bachrach et al., "Speeding
    Up the Xbox Recommender System Using a Euclidean Transformation for Inner-Product Spaces", RecSys 2014.
    """

    scorer: Factors
    "Whose lists these are."
    graph: Any
    "The index of usearch."
    expansion: int
    "How many items a question keeps in view: more find more and take longer."

    @classmethod
    def of(cls, scorer: Factors, *, connectivity: int = 16, expansion: int = 128) -> Nearest:
        """Build the graph, over vectors with one more axis that makes them equally long.

        Among equally long vectors the largest inner product is the smallest angle, which a graph can follow.

        >>> from penchant.models.ials import IALS
        >>> from penchant.testing import checkerboard
        >>> len(Nearest.of(IALS(factors=2).fit(checkerboard(6))).graph)
        6

        Raises:
            MissingExtra: usearch is not installed.
            InputError: the vectors are not all finite.
        """
        if find_spec("usearch") is None:
            raise MissingExtra.of("ann", "usearch")
        vectors = scorer.vectors
        squares: Float32 = np.einsum("ij,ij->i", vectors, vectors)
        if not np.isfinite(squares).all():
            raise InputError("the vectors are not all finite", then="fit with more l2")
        lift = np.sqrt(np.maximum(squares.max(initial=0) - squares, 0))
        index = import_module("usearch.index").Index(
            ndim=vectors.shape[1] + 1, metric="cos", dtype="f32", connectivity=connectivity, expansion_search=expansion
        )
        index.add(np.arange(len(vectors)), np.column_stack([vectors, lift]).astype(np.float32))
        return cls(scorer, index, expansion)

    def score_batch(self, histories: Any, k: int, exclude_seen: bool = True) -> TopK:
        """Return about the best ``k`` items of every history; as :meth:`penchant.models.scorer.Scorer.score_batch`.

        >>> from penchant.models.ials import IALS
        >>> from penchant.testing import checkerboard
        >>> board = checkerboard(10, missing=0.3)
        >>> Nearest.of(IALS(factors=2, l2=0.01).fit(board)).score_batch(board.matrix, 2).items.shape
        (10, 2)
        """
        csr = expect_histories(histories, self.scorer.n_items)
        vectors = self.scorer.fold_in(csr)

        def rank(block: tuple[int, int], best: Best) -> None:
            for row, (items, scores) in zip(range(*block), zip(*best, strict=True), strict=True):
                seen = csr.indices[csr.indptr[row] : csr.indptr[row + exclude_seen]].astype(np.int32)
                self._rank(vectors[row], seen, Best(items, scores))

        return ranked(len(vectors), k, rank)

    def recall(self, histories: Any, k: int, exclude_seen: bool = True) -> float:
        """Return the share of the exact lists' items that the approximate lists hold too.

        >>> from penchant.models.ials import IALS
        >>> from penchant.testing import checkerboard
        >>> board = checkerboard(10)
        >>> Nearest.of(IALS(factors=2, l2=0.01).fit(board)).recall(board.matrix, 5, exclude_seen=False)
        1.0
        """
        exact, found = (one.score_batch(histories, k, exclude_seen).items for one in (self.scorer, self))
        held = sum(len(np.intersect1d(a[a >= 0], b)) for a, b in zip(exact, found, strict=True))
        return held / max(int((exact >= 0).sum()), 1)

    def _rank(self, vector: Float32, seen: Int32, best: Best) -> None:
        """Ask the graph for more than is wanted, score what it finds, and keep the best."""
        near = np.zeros(0, np.int64)
        if vector.any():
            count = min(max(self.expansion, len(best.items) + len(seen)), len(self.scorer.candidates))
            found = self.graph.search(np.append(vector, np.float32(0)), count)
            near = np.sort(np.asarray(found.keys, np.int64).reshape(-1))
        codes = self.scorer.candidates[near]
        scores = np.empty(len(near), np.float32)
        multiply(vector, np.ascontiguousarray(self.scorer.vectors[near]), scores)
        scores[np.isin(codes, seen)] = np.nan
        top_k(scores, codes, best.items, best.scores)
