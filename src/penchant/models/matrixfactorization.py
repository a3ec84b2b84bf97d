"""MatrixFactorization: what people would rate."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

import numpy as np
from msgspec import Meta

from penchant.core.arrays import Float32, Float64, Int32
from penchant.core.executor import Executor, blocks
from penchant.core.nouns import History
from penchant.core.progress import Progress
from penchant.data.dataset import Dataset
from penchant.data.sparse import Matrix, matrix_of, row_numbers, rows_of, transposed
from penchant.kernels.als import solve_rows
from penchant.kernels.layout import Rows, Side
from penchant.models.batches import expect_histories, in_blocks
from penchant.models.learner import Learner
from penchant.models.offset import OffsetFactors
from penchant.models.tunable import Tunable

__all__ = ["MatrixFactorization", "Ratings", "latest"]


class Ratings(OffsetFactors, frozen=True, eq=False, kw_only=True):
    """Predicts ratings: mean + item's bias, which is the base, and what each rating of the history adds to it.

    An item that was rated more than once counts with its latest rating; a rating of 0 says nothing.

    >>> import polars as pl
    >>> events = pl.DataFrame({"user": ["a", "a", "b"], "item": ["tea", "jam", "tea"], "at": [1, 2, 3],
    ...                        "kind": "rating", "value": [5.0, 3.0, 4.0]})
    >>> scorer = MatrixFactorization(factors=1).fit(Dataset.from_events(events))
    >>> jam, tea = scorer.base(np.int32([0, 1]))
    >>> scorer.mean, bool(jam < 4 < tea)
    (4.0, True)
    >>> history = History.of([1], [2.0])  # who finds tea worse than others do is expected to find jam worse too
    >>> bool(scorer.score(history)[0] < jam)
    True
    """

    base_code: ClassVar[str] = "average"

    learner: MatrixFactorization
    "Brings the regularization, which folding in needs again."
    mean: float
    "Of all ratings."

    def rows(self, data: Dataset) -> Matrix:
        """Return CSR float32[n_users, n_items]: the latest ratings of a dataset in this scorer's vocabulary."""
        return self._aligned(latest(data), data.items)

    def predict(self, histories: Any, rows: Any, items: Any) -> Float32:
        """Return float32[p]: the rating foreseen of each pair; NaN where nobody has rated the item.

        >>> ratings = np.where(np.equal.outer(np.arange(10) % 2, np.arange(10) % 2), 5, 1)
        >>> data = Dataset.from_matrix(ratings)
        >>> scorer = MatrixFactorization(factors=2).fit(data)
        >>> scorer.predict(scorer.rows(data), [0, 1], [3, 3]).round().tolist()  # users 0 and 1 of item 3
        [1.0, 5.0]

        Args:
            histories: CSR [n, n_items] of ratings, as :meth:`rows` makes them.
            rows: int[p], whose history each pair is about.
            items: int[p], codes of items.

        Raises:
            InputError: the width of the matrix is not the number of items.
        """
        csr, who, what = (
            expect_histories(histories, self.n_items),
            np.asarray(rows, np.int64),
            np.asarray(items, np.int32),
        )
        places, signal = self._places(what), csr.data.astype(np.float32)
        out = np.full(len(what), np.nan, np.float32)
        order = np.argsort(who, kind="stable")
        order = order[places[order] >= 0]

        def part(block: tuple[int, int]) -> None:
            own = order[slice(*np.searchsorted(who[order], block))]
            if len(own):
                theirs = rows_of(csr, *block, signal)
                vectors = self._based(Rows(theirs.indptr, self.positions[theirs.indices], theirs.data))
                out[own] = np.einsum("ij,ij->i", vectors[who[own] - block[0]], self.vectors[places[own]])

        in_blocks(csr.shape[0], part)
        return out

    def _signal(self, weights: Float32) -> Float32:
        return weights

    def _row(self, history: History) -> tuple[Int32, Float32, Any]:
        """Return distinct ascending codes, the latest rating of each that is not 0, and the latest entry of each."""
        known = np.flatnonzero(history.items >= 0)
        codes, first, inverse = np.unique(history.items[known][::-1], return_index=True, return_inverse=True)
        ratings = np.zeros(len(codes), np.float32)
        said = history.weights[known] != 0
        ratings[inverse[::-1][said]] = history.weights[known][said]
        return codes.astype(np.int32), ratings, known[len(known) - 1 - first]

    def _vectors(self, rows: Rows) -> Float32:
        each = np.ascontiguousarray(self.factors[:-1, rows.indices].T)
        residuals = rows.data - self.factors[-1, rows.indices]
        return self.learner.solve(Rows(rows.indptr, np.arange(len(each), dtype=np.int32), residuals), each)

    def _addends(self, codes: Int32, signal: Float32, items: Int32) -> Float32:
        places = self.positions[codes]
        said = (places >= 0) & (signal != 0)
        features = self.factors[:-1].astype(np.float64)
        residuals = np.where(said, signal - self.factors[-1, places], 0)
        own = features[:, places] * said
        ridge = self.learner.ridge(np.array([np.count_nonzero(said)]))[0]
        share = np.linalg.solve(own @ own.T + ridge * np.eye(len(own)), own * residuals)
        return np.asarray(features[:, self.positions[items]].T @ share, np.float32)


class MatrixFactorization(Learner, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Matrix factorization of ratings with biases: r_ui is about mean + b_u + b_i + p_u . q_i.

    The weight of an event is the rating (``Dataset.from_events`` multiplies the value of kind ``rating`` by the weight
    of the kind); a dislike is a low one, 0 is none, and the latest counts. The objective is the sum over ratings of the
    squared error, plus n^frequency_scaling (l2 |p|^2 + bias_l2 b^2) for every person and item of n ratings. Vector and
    bias of one side are solved together and exactly while the other side stands still.

    Nobody is stored: bias and vector of a person are that same solve, over their history, when they ask. So the
    prediction is linear in how far each rating of the history is from mean + b_i.

    >>> ratings = np.where(np.equal.outer(np.arange(10) % 2, np.arange(10) % 2), 5, 1)  # fives for the own color
    >>> scorer = MatrixFactorization(factors=2).fit(Dataset.from_matrix(ratings))
    >>> scorer.score(History.of([0, 1, 2], [5, 1, 5]))[[3, 4]].round().tolist()
    [1.0, 5.0]

    Memory is 4 d (users + items) + 12 ratings bytes while fitting, time d^2 ratings + d^3 (users + items) an epoch.

    Source: Koren, Bell and Volinsky, "Matrix Factorization Techniques for Recommender Systems", IEEE Computer 2009;
    Zhou et al., "Large-scale Parallel Collaborative Filtering for the Netflix Prize", AAIM 2008,
    for solving by turns and for regularization in proportion to the number of ratings.
    """

    name: ClassVar[str] = "matrix-factorization"
    task: ClassVar[str] = "rating"
    scorer: ClassVar[type[Ratings]] = Ratings

    factors: Annotated[int, Meta(ge=1), Tunable(16, 256, log=True)] = 64
    "Length of the vectors."
    l2: Annotated[float, Meta(gt=0), Tunable(0.01, 1, log=True)] = 0.12
    "Strength of the regularization of vectors."
    bias_l2: Annotated[float, Meta(gt=0), Tunable(0.003, 0.3, log=True)] = 0.03
    "Strength of the regularization of biases."
    frequency_scaling: Annotated[float, Meta(ge=0, le=1)] = 1.0
    "How much more those of many ratings are regularized: 0 not at all, 1 in proportion."
    epochs: Annotated[int, Meta(ge=1)] = 15
    "Rounds over both sides."

    def ridge(self, counts: Any) -> Float64:
        """Return float64[b]: the regularization of those with this many ratings.

        >>> MatrixFactorization(l2=0.5).ridge([4, 0]).tolist()
        [2.0, 0.5]
        """
        found: Float64 = self.l2 * np.power(np.maximum(counts, 1.0), self.frequency_scaling)
        return found

    def solve(self, residuals: Rows, vectors: Float32) -> Float32:
        """Return float32[b, d + 1]: vector and bias of each row of residuals, the bias in units of the last feature.

        Args:
            residuals: b rows over m vectors; what mean and the other side's bias leave of the ratings.
            vectors: float32[m, d + 1]; the last column is the constant feature that the bias belongs to.
        """
        width = vectors.shape[1]
        out = np.empty((len(residuals.indptr) - 1, width), np.float32)
        ones = Rows(residuals.indptr, residuals.indices, np.ones(len(residuals.data), np.float32))
        side = Side(vectors, np.zeros((width, width)))
        solve_rows(ones, residuals.data, side, self.ridge(np.diff(residuals.indptr)), out)
        return out

    @property
    def unit(self) -> float:
        """The constant feature: a bias of b has the coefficient b / unit, and so the ridge bias_l2."""
        return float(np.sqrt(self.l2 / self.bias_l2))

    def _fit(self, data: Dataset, rng: np.random.Generator, executor: Executor, progress: Progress) -> Ratings:
        matrix, candidates = _rated(data)
        mean = float(matrix.data.mean(dtype=np.float64))
        matrix.data -= np.float32(mean)
        sides = matrix, transposed(matrix)
        items = rng.normal(0.0, 0.1 / np.sqrt(self.factors), (len(candidates), self.factors + 1)).astype(np.float32)
        items[:, -1] = self._means(sides[1]) / self.unit
        with progress.step("MatrixFactorization", 2 * self.epochs, "half-steps") as advance:
            for _ in range(self.epochs):
                people = self._half(sides[0], items, executor)
                advance(1)
                items = self._half(sides[1], people, executor)
                advance(1)
        features, biases = self._split(items)
        return Ratings(
            items=data.items,
            learner=self,
            candidates=candidates,
            factors=np.concatenate([features.T, [biases + np.float32(mean)]]),
            mean=mean,
        )

    def _means(self, matrix: Matrix) -> Float64:
        """Return float64[n]: the bias of every row while nothing else is known."""
        count = np.diff(matrix.indptr)
        total = np.bincount(row_numbers(matrix), weights=matrix.data, minlength=len(count))
        found: Float64 = total / (count + self.bias_l2 * np.power(count, self.frequency_scaling))
        return found

    def _half(self, matrix: Matrix, other: Float32, executor: Executor) -> Float32:
        """Return float32[rows, d + 1]: what the ratings, less the mean, say while the other side stands still."""
        features, biases = self._split(other)

        def part(block: tuple[int, int]) -> Float32:
            rows = rows_of(matrix, *block)
            return self.solve(Rows(rows.indptr, rows.indices, rows.data - biases[rows.indices]), features)

        return np.concatenate(list(executor.map(part, blocks(matrix.shape[0], 512))))

    def _split(self, solved: Float32) -> tuple[Float32, Float32]:
        """Return solved vectors with the constant in place of the bias, and the biases."""
        features, unit = solved.copy(), np.float32(self.unit)
        features[:, -1] = unit
        return features, solved[:, -1] * unit


def latest(data: Dataset) -> Matrix:
    """Return CSR float32[n_users, n_items]: everybody's latest weight of an item that is not 0; 0 where all are.

    >>> import polars as pl
    >>> again = pl.DataFrame({"user": "ann", "item": "tea", "at": [1, 2, 3], "kind": "rating", "value": [5.0, 2.0, 0]})
    >>> latest(Dataset.from_events(again)).toarray().tolist()
    [[2.0]]
    """
    user, item, weight = (data.column(name) for name in ("user", "item", "weight"))
    pair = user * np.int64(data.n_items) + item
    order = np.lexsort((np.arange(len(pair)), weight != 0, pair))
    last = order[np.append(np.diff(pair[order]) > 0, True)]
    return matrix_of(weight[last], item[last], user[last], (data.n_users, data.n_items))


def _rated(data: Dataset) -> tuple[Matrix, Int32]:
    """Return CSR float32[users, n] of the ratings of those who rated, and int32[n]: the items that were rated."""
    matrix = latest(data)
    said = matrix.data != 0
    candidates = np.flatnonzero(np.bincount(matrix.indices[said], minlength=data.n_items)).astype(np.int32)
    places = np.zeros(data.n_items, np.int32)
    places[candidates] = np.arange(len(candidates))
    who, row = np.unique(row_numbers(matrix)[said], return_inverse=True)
    shape = (len(who), len(candidates))
    return matrix_of(matrix.data[said], places[matrix.indices[said]], row, shape), candidates
