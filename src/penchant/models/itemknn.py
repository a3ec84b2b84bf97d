"""ItemKNN: items are alike when the same people like them."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from msgspec import Meta

from penchant.core.arrays import Float32, Float64
from penchant.core.executor import Executor, blocks
from penchant.core.progress import Progress
from penchant.data.dataset import Dataset
from penchant.data.sparse import Matrix, matrix_of, row_numbers, rows_of, transposed
from penchant.data.vocabulary import Vocabulary
from penchant.kernels.cooccurrence import neighbours_block
from penchant.kernels.layout import Best, Likeness, Scale
from penchant.models.counting import Cooccurrence, CountsItems
from penchant.models.interactions import liked
from penchant.models.linear import SparseLinear
from penchant.models.neighbours import nearest, postings
from penchant.models.tunable import HALF_LIVES, Tunable

__all__ = ["ItemKNN", "shrinkage_of"]

_MOST = 50.0


class ItemKNN(CountsItems, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Item-based nearest neighbours: a score is the summed similarity to the items of the history.

    With ``mean`` every candidate has k neighbours of its own, and its score is the mean of the history over them,
    weighted by similarity and corrected for how common they are: b_j + sum_i w_ij x_i, where the w_ij of one j sum
    to 1 and b_j = m_j - sum_i w_ij m_i, with m the share of people who like an item.

    >>> from penchant.testing import checkerboard
    >>> ItemKNN(k=5).fit(checkerboard(10)).recommend_one(["1", "3"], n=2).ids
    ('5', '7')

    Memory is 8 n k bytes for n items, and at most n^2 to 2 n^2 for the counts; time is half the sum of the squared
    history lengths, and n^2 to compare. The text weightings depend on all people at once, so with them forgetting
    means training again.

    Source: Deshpande and Karypis, "Item-Based Top-N Recommendation Algorithms", TOIS 2004, sec. 4;
    asymmetric: Aiolli, "Efficient Top-N Recommendation for Very Large Scale Binary Rated Datasets", RecSys 2013,
    sec. 3;
    ``mean``: Sarwar et al., "Item-Based Collaborative Filtering Recommendation Algorithms", WWW 2001, sec. 3.2;
    BM25: Robertson and Walker, "Some Simple Effective Approximations to the 2-Poisson Model", SIGIR 1994,
    with items as documents and users as terms.
    """

    name: ClassVar[str] = "item-knn"
    scorer: ClassVar[type[SparseLinear]] = SparseLinear

    k: Annotated[int, Meta(ge=1), Tunable(10, 500, log=True)] = 100
    "Neighbours kept per item."
    similarity: Annotated[Literal["cosine", "jaccard", "asymmetric", "bm25", "tfidf"], Tunable()] = "cosine"
    "What meetings are divided by; bm25 and tfidf weight the events as texts are weighted."
    alpha: Annotated[float, Meta(ge=0, le=1), Tunable(0, 1, when=("similarity", "asymmetric"))] = 0.5
    "Asymmetric: how much of the discount falls on the item of the history, the rest on the candidate."
    shrinkage: Annotated[float, Meta(ge=0), Tunable(0, 100)] | None = None
    """Added to what is divided by: trusts similarities that rest on few people less. None: chosen from what people
    share by chance for cosine and asymmetric, see :func:`shrinkage_of`; 0 for the others and with ``mean``."""
    mean: bool = False
    "Whether a score is a weighted mean over a candidate's own neighbours, instead of a sum over the history's."
    k1: Annotated[float, Meta(ge=0), Tunable(0.2, 3, when=("similarity", "bm25"))] = 1.2
    "BM25: how soon repeated events stop to count."
    b: Annotated[float, Meta(ge=0, le=1), Tunable(0, 1, when=("similarity", "bm25"))] = 0.75
    "BM25: how much popular items are discounted."
    half_life: Annotated[float, Meta(gt=0), HALF_LIVES] | None = None
    "Days after which an event of the asker's history counts half; None: time is nothing."
    delta_inf: Annotated[float, Meta(gt=0)] | None = None
    "Events after which one of the asker's history counts 1/e; None: position is nothing."

    def derive(self, items: Vocabulary, state: Cooccurrence, executor: Executor, progress: Progress) -> SparseLinear:
        """Return the scorer of these counts."""
        support = state.support[state.codes].astype(np.float64)
        shrinkage = self._shrinkage(state)
        best = nearest(state.gram, self._likeness(support, shrinkage), self.k, executor, progress)
        return self._scorer(items, state.codes, best, support / state.users, shrinkage)

    def _fit(self, data: Dataset, rng: np.random.Generator, executor: Executor, progress: Progress) -> Any:
        if self.similarity not in ("bm25", "tfidf"):
            return super()._fit(data, rng, executor, progress)
        matrix, candidates = liked(data)
        popularity = np.bincount(matrix.indices, minlength=matrix.shape[1]) / (np.diff(matrix.indptr) > 0).sum()
        matrix.data = self._weights(matrix)
        shrinkage = self.shrinkage or 0.0
        best = self._neighbours(matrix, shrinkage, executor, progress)
        return self._scorer(data.items, candidates, best, popularity, shrinkage)

    def _shrinkage(self, state: Cooccurrence) -> float:
        if self.shrinkage is not None:
            return float(self.shrinkage)
        if self.mean or self.similarity not in ("cosine", "asymmetric"):
            return 0.0
        gram = state.gram
        meetings = 2 * int(gram.counts.sum(dtype=np.int64)) - int(gram.diagonal().sum())
        items = int(np.count_nonzero(state.support))
        return shrinkage_of(meetings, int(state.support.sum()), items, state.users)

    def _likeness(self, support: Float64, shrinkage: float) -> Likeness:
        """Return what turns the meetings of items that so many people like into similarities."""
        if self.similarity == "jaccard":
            return Likeness(support, support, shrinkage, True)
        alpha = 0.5 if self.similarity == "cosine" else self.alpha
        return Likeness(support**alpha, support ** (1.0 - alpha), shrinkage, False)

    def _scorer(
        self, items: Vocabulary, candidates: Any, best: Best, popularity: Float64, shrinkage: float
    ) -> SparseLinear:
        weights, offsets = postings(best), np.zeros(0, np.float32)
        if self.mean:
            matrix, offsets = _means(best, popularity)
            weights = rows_of(matrix)
        return SparseLinear(
            items=items,
            learner=self,
            candidates=candidates,
            w_indptr=weights.indptr,
            w_indices=weights.indices,
            w_data=weights.data,
            offsets=offsets,
            half_life=self.half_life,
            delta_inf=self.delta_inf,
            facts={"shrinkage": shrinkage},
        )

    def _weights(self, matrix: Matrix) -> Float32:
        """Return float32[nnz]: the weight of every entry before inner products."""
        users, n = matrix.shape
        user = row_numbers(matrix)
        idf = np.log(n / (1.0 + np.bincount(user, minlength=users)))[user].clip(min=0.0)
        if self.similarity == "tfidf":
            return np.asarray(np.sqrt(matrix.data) * idf, np.float32)
        length = np.bincount(matrix.indices, weights=matrix.data, minlength=n)
        discount = self.k1 * (1.0 - self.b + self.b * length / length.mean())[matrix.indices]
        return np.asarray(matrix.data * (self.k1 + 1.0) / (discount + matrix.data) * idf, np.float32)

    def _neighbours(self, matrix: Matrix, shrinkage: float, executor: Executor, progress: Progress) -> Best:
        """Return the k neighbours of every item of a weighted matrix, int32[n, k] and float32[n, k]."""
        n = matrix.shape[1]
        squares = np.bincount(matrix.indices, weights=matrix.data.astype(np.float64) ** 2, minlength=n)
        norms = np.ones(n) if self.similarity == "bm25" else np.sqrt(squares)
        scale = Scale(norms.astype(np.float32), shrinkage)
        k = min(self.k, n)
        best = Best(np.empty((n, k), np.int32), np.empty((n, k), np.float32))
        rows, columns = rows_of(matrix), rows_of(transposed(matrix))

        def find(block: tuple[int, int]) -> int:
            part = slice(*block)
            neighbours_block(block[0], rows, columns, scale, Best(best.items[part], best.scores[part]))
            return block[1] - block[0]

        with progress.step("finding neighbours", n, "items") as advance:
            for done in executor.map(find, blocks(n, 256)):
                advance(done)
        return best


def shrinkage_of(meetings: int, likes: int, items: int, users: int) -> float:
    """Return a shrinkage for cosines that suits the data: the less people share by chance, the more.

    With x what two people share by chance who are as long as people are whom one meets at an item, it is 80 / x^2, but
    at most 50 people, and at most one in a hundred; whole, so that small worlds have 0. Chosen on validation cuts of
    the training data of MovieLens-100K, Gowalla, Beauty, Online Retail and made-up events, whose best shrinkages lie
    between 2 and 50.

    >>> shrinkage_of(40_000, 1_000, 400, 900), shrinkage_of(40_000, 1_000, 800, 9_000)  # 40^2 / 400, 40^2 / 800
    (5.0, 20.0)

    Args:
        meetings: the squared lengths of all people's likes, summed, which is the sum of their Gram matrix.
        likes: pairs of a person and an item they like.
        items: items that anybody likes.
        users: people who like anything.
    """
    shared = (meetings / likes) ** 2 / items
    return float(np.floor(min(users / 100, _MOST, 80 / shared**2)))


def _means(best: Best, popularity: Float64) -> tuple[Matrix, Float32]:
    """Return what each item of a history adds to each candidate, CSR float32[n, n], and the bases, float32[n]."""
    n = len(best.items)
    reached = best.items >= 0
    total = np.where(reached, best.scores, 0).sum(axis=1, dtype=np.float64, keepdims=True)
    candidate, _ = np.nonzero(reached)
    weight = (best.scores / np.where(total > 0, total, 1))[reached].astype(np.float32)
    weights = matrix_of(weight, candidate, best.items[reached], (n, n))
    return weights, (popularity - weights.T @ popularity).astype(np.float32)
