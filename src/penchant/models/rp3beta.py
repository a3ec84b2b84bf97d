"""RP3beta: random walks of three steps, with the popular discounted."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

import numpy as np
from msgspec import Meta

from penchant.core.arrays import Int32
from penchant.core.executor import Executor
from penchant.core.progress import Progress
from penchant.data.dataset import Dataset
from penchant.data.vocabulary import Vocabulary
from penchant.kernels.layout import Likeness
from penchant.models.counting import Cooccurrence, CountsItems
from penchant.models.gram import count_gram
from penchant.models.interactions import liked
from penchant.models.linear import SparseLinear
from penchant.models.neighbours import nearest, postings
from penchant.models.overlap import overlap_of
from penchant.models.tunable import Tunable

__all__ = ["UNIT", "RP3Beta"]

UNIT = 2.0**30
"What the weight 1 is as a whole number: weights of people are kept in steps of 2^-30, so that they add up exactly."


class RP3Beta(CountsItems, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a walk from an item over a person who likes it to another item ends, the popular discounted.

    The weight of item i of a history for candidate j is d_i^-start sum_u d_u^-alpha / d_j^beta, over the people u who
    like both; d counts likes.

    >>> from penchant.testing import checkerboard
    >>> RP3Beta().fit(checkerboard(10)).recommend_one(["1", "3"], n=2).ids
    ('5', '7')

    Memory is 8 n k bytes for n items, and at most 8 n^2 for the counts; time is half the sum of the squared history
    lengths, and n^2 to compare.

    Source: Christoffel et al., "Blockbusters and Wallflowers: Accurate, Diverse, and Scalable Recommendations with
    Random Walks", RecSys 2015; alpha: Cooper et al., "Random Walks in Recommender Systems: Exact Computation
    and Simulations", WWW 2014 companion.
    """

    name: ClassVar[str] = "rp3-beta"
    scorer: ClassVar[type[SparseLinear]] = SparseLinear

    alpha: Annotated[float, Meta(ge=0, le=2), Tunable(0, 2)] = 0.7
    "Exponent of the steps: 1 walks at random, less prefers people who like much."
    start: Annotated[float, Meta(ge=0, le=2)] | None = None
    """Exponent of the first step, from the items of the history; None: that of all steps, but less where people share
    little by chance, see :meth:`first`."""
    beta: Annotated[float, Meta(ge=0, le=2), Tunable(0, 1)] | None = None
    "How much popular candidates are discounted; 0 not at all. None: chosen from the data, see :meth:`suited`."
    k: Annotated[int, Meta(ge=1), Tunable(20, 500, log=True)] = 100
    "Candidates kept per item of a history."

    def count(self, data: Dataset, limit: int | None, executor: Executor, progress: Progress) -> Cooccurrence:
        """Return for each pair of items the weight of the people who like both, in steps of 2^-30."""
        matrix, codes = liked(data, limit)
        lengths = np.diff(matrix.indptr)
        weights = self._weights(lengths)
        support = np.zeros(data.n_items, np.int64)
        support[codes] = np.bincount(matrix.indices, minlength=len(codes))
        gram = count_gram(matrix, executor, progress, weights)
        return Cooccurrence.of(int(np.count_nonzero(lengths)), support, codes, gram)

    def _weights(self, lengths: Any) -> Int32:
        """Return int32[people]: what each counts; 1 at least, so that nobody who meets is taken for absent."""
        weights = np.rint(UNIT * np.maximum(lengths, 1).astype(np.float64) ** -self.alpha)
        return np.asarray(np.maximum(weights, 1.0), np.int32)

    def suited(self, overlap: float) -> float:
        """Return beta for data in which two people share so many items by chance, unless it is given.

        It is 0.55 + 0.2 times the decimal logarithm of that, between 0.1 and 0.5: the more people share by chance, the
        less it says that they share the popular. Chosen on validation cuts of the training data of MovieLens-100K,
        Gowalla, Beauty, Online Retail and made-up events.

        >>> RP3Beta().suited(0.1), RP3Beta().suited(1e-4), RP3Beta(beta=0.2).suited(0.1)
        (0.35, 0.1, 0.2)

        Args:
            overlap: of :func:`penchant.models.overlap.overlap_of`.
        """
        if self.beta is not None:
            return float(self.beta)
        return round(float(np.clip(0.55 + 0.2 * np.log10(overlap), 0.1, 0.5)), 6)

    def first(self, overlap: float) -> float:
        """Return the exponent of the first step for data in which two people share so many items by chance.

        It is alpha times 2.93 + 1.1 times the decimal logarithm of that, between 0.3 and 1: where histories are short,
        a common item is as good a beginning as a rare one. Chosen as beta is.

        >>> RP3Beta().first(0.1), RP3Beta().first(1e-4), RP3Beta(start=0.2).first(0.1)
        (0.7, 0.21, 0.2)

        Args:
            overlap: of :func:`penchant.models.overlap.overlap_of`.
        """
        if self.start is not None:
            return float(self.start)
        return round(self.alpha * float(np.clip(2.93 + 1.1 * np.log10(overlap), 0.3, 1.0)), 6)

    def derive(self, items: Vocabulary, state: Cooccurrence, executor: Executor, progress: Progress) -> SparseLinear:
        """Return the scorer of these counts."""
        support = state.support[state.codes].astype(np.float64)
        overlap = overlap_of(state.users, len(support), int(support.sum()))
        beta, start = self.suited(overlap), self.first(overlap)
        likeness = Likeness(np.full(len(support), UNIT), support**beta, 0.0, False)
        best = nearest(state.gram, likeness, self.k, executor, progress)
        weights = postings(best, support**-start)
        return SparseLinear(
            items=items,
            learner=self,
            candidates=state.codes,
            w_indptr=weights.indptr,
            w_indices=weights.indices,
            w_data=weights.data,
            facts={"beta": beta, "start": start},
        )
