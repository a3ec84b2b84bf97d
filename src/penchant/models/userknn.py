"""UserKNN: what the people who are most like you like."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Annotated, ClassVar, Literal

import numpy as np
import scipy.sparse as sp
from msgspec import Meta

from penchant.core.arrays import Float32, Int32, Int64
from penchant.core.executor import Executor
from penchant.core.progress import Progress
from penchant.data.dataset import Dataset
from penchant.data.sparse import matrix_of, row_numbers, transposed
from penchant.kernels.layout import Best, Rows, Space
from penchant.kernels.neighbours import Crowd, Rule, Scratch, add_liked, find_near, rank_near
from penchant.models.interactions import liked
from penchant.models.learner import Learner
from penchant.models.scorer import Scorer
from penchant.models.tunable import Tunable

__all__ = ["People", "UserKNN"]


class People(Scorer, frozen=True, eq=False, kw_only=True):
    """What people like, under row numbers; whom a history resembles is found when it is asked.

    >>> from penchant.core.nouns import History
    >>> from penchant.testing import checkerboard
    >>> scorer, history = UserKNN(k=2).fit(checkerboard(4)), History.of([0])
    >>> scorer.likes_indices.tolist(), (scorer.score(history) ** 2).round(2).tolist()  # 2 people, 1 / sqrt(1 2) each
    ([0, 2, 1, 3, 0, 2, 1, 3], [2.0, nan, 2.0, nan])
    """

    learner: UserKNN
    "Brings the similarity."
    likes_indptr: Int64
    "int64[people + 1]."
    likes_indices: Int32
    "int32[nnz], the candidates that each person likes."
    fans_indptr: Int64
    "int64[n + 1]."
    fans_indices: Int32
    "int32[nnz], the people who like each candidate."
    fans_data: Float32
    "float32[nnz], the weight of it."
    norms: Float32
    "float32[people]: the part of a person in the denominator of similarities."
    idf: Float32
    "float32[n]: the rarity of each candidate."
    mean_length: float
    "The mean of people's summed weights."

    def _signal(self, weights: Float32) -> Float32:
        return np.maximum(weights, 0).astype(np.float32)

    def _score(self, codes: Int32, signal: Float32) -> Float32:
        out = np.full(len(self.candidates), np.nan, np.float32)
        with self._scratch() as scratch:
            size = find_near(self._said(codes, signal), self._crowd, self.learner.rule, scratch.near)
            add_liked(scratch.near, size, self._crowd.likes, out, scratch.reached)
        return out

    def _addends(self, codes: Int32, signal: Float32, items: Int32) -> Float32:
        places, weights = self._said(codes, signal)
        people, alike = self._near(places, weights)
        shape = len(self.norms), len(self.candidates)
        fans = sp.csr_array((self.fans_data, self.fans_indices, self.fans_indptr), shape=shape[::-1])
        shared = fans[np.maximum(places, 0)][:, people].toarray() * np.where(places < 0, 0, weights)[:, None]
        total = shared.sum(axis=0, dtype=np.float64)
        parts = shared * (alike / total)
        ones = np.ones(len(self.likes_indices), np.float32)
        likes = sp.csr_array((ones, self.likes_indices, self.likes_indptr), shape=shape)
        table = likes[people][:, np.maximum(self._places(items), 0)].T @ parts.T
        return np.asarray(table, np.float32)

    def _rank(self, rows: Rows, space: Space, exclude_seen: bool, best: Best) -> None:
        places = space.positions[rows.indices]
        weights = self._weights(Rows(rows.indptr, places, rows.data))
        with self._scratch() as scratch:
            who = self._crowd, self.learner.rule, scratch
            rank_near(Rows(rows.indptr, rows.indices, weights), who, space, exclude_seen, best)

    @property
    def _crowd(self) -> Crowd:
        nothing = np.zeros(0, np.float32)
        likes = Rows(self.likes_indptr, self.likes_indices, nothing)
        return Crowd(likes, Rows(self.fans_indptr, self.fans_indices, self.fans_data), self.norms)

    def _said(self, codes: Int32, signal: Float32) -> tuple[Int32, Float32]:
        """Return the places of a history, and their weights."""
        places = self.positions[codes]
        return places, self._weights(Rows(np.array([0, len(codes)], np.int64), places, signal))

    def _weights(self, rows: Rows) -> Float32:
        """Return float32[nnz]: the weight of every entry of histories over places; 0 where one says nothing."""
        said = (rows.indices >= 0) & (rows.data > 0)
        weights = np.zeros(len(said), np.float32)
        starts = np.concatenate([[0], np.cumsum(said)])[rows.indptr]
        known = Rows(starts, rows.indices[said], rows.data[said])
        weights[said] = self.learner.weigh(known, self.idf, self.mean_length)
        return weights

    def _near(self, places: Int32, weights: Float32) -> tuple[Int32, Float32]:
        """Return the people nearest to a history, and their similarity."""
        with self._scratch() as scratch:
            size = find_near((places, weights), self._crowd, self.learner.rule, scratch.near)
            return scratch.near.people[:size].copy(), scratch.near.alike[:size].copy()

    @cached_property
    def _spare(self) -> deque[Scratch]:
        """What nobody works in at the moment: as many as ever were at work at once."""
        return deque()

    @contextmanager
    def _scratch(self) -> Iterator[Scratch]:
        """Lend what nobody else works in; after an error it is not used again, for it may be left half written."""
        try:
            scratch = self._spare.pop()
        except IndexError:
            people = len(self.norms)
            scratch = Scratch.of(min(self.learner.k, people), people, len(self.candidates))
        yield scratch
        self._spare.append(scratch)


class UserKNN(Learner, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """User-based nearest neighbours: a score is the summed similarity of those, of the k people nearest, who like it.

    The asker is their history, as in every model; but the neighbours are people, and the scorer holds them: what each
    liked, under a row number and without a name. To forget somebody, fit again without them. Who is in the data is
    their own nearest neighbour, which adds to the scores of what they have seen and to no other.

    Only likings count: dislikes and events of weight 0, of the asker or of the neighbours, say nothing.

    >>> from penchant.testing import checkerboard
    >>> scorer = UserKNN(k=3).fit(checkerboard(10))
    >>> scorer.recommend_one(["1", "3"], n=2).ids, scorer.learner.holds_people
    (('5', '7'), True)

    The similarity of histories h and u, with weights w and s(h) the sum of squared weights, is
    sum of w_h w_u over shared items / (s(h)^alpha s(u)^(1 - alpha) + shrinkage) for ``cosine`` and ``tfidf``,
    shared / (either + shrinkage), both numbers of items, for ``jaccard``, and the sum alone for ``bm25``.

    Memory is 12 bytes an event and 4 a person, beside 8 a person and 8 an item for each thread that asks at the same
    time. Fitting takes the time of a transposition; a question takes the summed popularity of the history's items, plus
    k times what people like, and the number of items where all scores are wanted.

    Source: Herlocker et al., "An Algorithmic Framework for Performing Collaborative Filtering", SIGIR 1999,
    for the scheme; Aiolli, "Efficient Top-N Recommendation for Very Large Scale Binary Rated Datasets", RecSys 2013,
    for alpha; Robertson and Walker, "Some Simple Effective Approximations to the 2-Poisson Model", SIGIR 1994,
    for BM25, with people as documents and items as terms.
    """

    name: ClassVar[str] = "user-knn"
    scorer: ClassVar[type[People]] = People
    holds_people: ClassVar[bool] = True

    k: Annotated[int, Meta(ge=1), Tunable(20, 1000, log=True)] = 100
    "Neighbours that are asked."
    similarity: Annotated[Literal["cosine", "jaccard", "tfidf", "bm25"], Tunable()] = "cosine"
    "Cosine and Jaccard compare which items were liked; tfidf and bm25 also how much, and rare items count more."
    alpha: Annotated[float, Meta(ge=0, le=1), Tunable(0, 1, when=("similarity", "cosine", "tfidf"))] = 0.5
    "Cosine and tfidf: how the norms share the denominator; 0.5 is symmetric, less prefers people of few items."
    shrinkage: Annotated[float, Meta(ge=0), Tunable(0, 100)] = 0.0
    "Added to the denominator: trusts similarities that rest on few items less."
    k1: Annotated[float, Meta(ge=0), Tunable(0.2, 3, when=("similarity", "bm25"))] = 1.2
    "BM25: how soon repeated events stop to count."
    b: Annotated[float, Meta(ge=0, le=1), Tunable(0, 1, when=("similarity", "bm25"))] = 0.75
    "BM25: how much people of many events are discounted."

    @property
    def rule(self) -> Rule:
        """What similarity is, as kernels take it."""
        alpha = {"jaccard": 1.0, "bm25": 0.0}.get(self.similarity, self.alpha)
        return Rule(self.k, alpha, self.shrinkage, self.similarity == "jaccard")

    def weigh(self, rows: Rows, idf: Float32, mean_length: float) -> Float32:
        """Return float32[nnz]: the weight of every entry of histories over candidates, whose data is above 0.

        >>> rows = Rows(np.int64([0, 2]), np.int32([0, 1]), np.float32([1, 4]))
        >>> UserKNN(similarity="tfidf").weigh(rows, np.float32([1, 0.5]), 2.5).tolist()
        [1.0, 1.0]

        Args:
            rows: histories.
            idf: float32[n], the rarity of each candidate.
            mean_length: the mean of the summed weights of people.
        """
        if self.similarity in ("cosine", "jaccard"):
            return np.ones(len(rows.data), np.float32)
        if self.similarity == "tfidf":
            return np.asarray(np.sqrt(rows.data) * idf[rows.indices], np.float32)
        row = np.repeat(np.arange(len(rows.indptr) - 1), np.diff(rows.indptr))
        length = np.bincount(row, weights=rows.data, minlength=len(rows.indptr) - 1)
        discount = self.k1 * (1.0 - self.b + self.b * length / mean_length)[row]
        return np.asarray(rows.data * (self.k1 + 1.0) / (discount + rows.data) * idf[rows.indices], np.float32)

    def _fit(self, data: Dataset, rng: np.random.Generator, executor: Executor, progress: Progress) -> People:
        matrix, candidates = liked(data)
        matrix = matrix[np.diff(matrix.indptr) > 0]
        users, n = matrix.shape
        support = np.bincount(matrix.indices, minlength=n)
        idf = np.log1p((users - support + 0.5) / (support + 0.5)).astype(np.float32)
        mean_length = float(matrix.data.sum(dtype=np.float64) / users)
        rows = Rows(matrix.indptr.astype(np.int64), matrix.indices.astype(np.int32), matrix.data)
        weights = self.weigh(rows, idf, mean_length)
        person = row_numbers(matrix)
        fans = transposed(matrix_of(weights, rows.indices, person, (users, n)))
        squares = np.bincount(person, weights=weights.astype(np.float64) ** 2, minlength=users)
        power = {"jaccard": 1.0, "bm25": 0.0}.get(self.similarity, 1.0 - self.alpha)
        return People(
            items=data.items,
            learner=self,
            candidates=candidates,
            likes_indptr=rows.indptr,
            likes_indices=rows.indices,
            fans_indptr=fans.indptr.astype(np.int64),
            fans_indices=fans.indices.astype(np.int32),
            fans_data=fans.data,
            norms=(squares**power).astype(np.float32),
            idf=idf,
            mean_length=mean_length,
        )
