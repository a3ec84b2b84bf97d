"""What people said of items in the test, and what models foresaw of it."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import scipy.sparse as sp
from msgspec import Struct

from penchant.core.arrays import Float64, Int32, Int64
from penchant.core.errors import EmptyData, InputError
from penchant.core.executor import blocks
from penchant.core.progress import SILENT, Progress
from penchant.data.split import Split
from penchant.data.vocabulary import Vocabulary
from penchant.evaluation.pairs import Pairs
from penchant.evaluation.ranking import Truth, Users
from penchant.models.matrixfactorization import latest

__all__ = ["Rater", "Said", "can_rate", "predicted", "said"]


class Rater(Protocol):
    """What the evaluation of ratings needs of a fitted model."""

    @property
    def items(self) -> Vocabulary:
        """The items it knows, as coded in its arrays."""
        ...

    @property
    def learner(self) -> Any:
        """The recipe it was made with."""
        ...

    def rows(self, data: Any, /) -> Any:
        """Return the histories of a dataset as it reads them: CSR float32[n_users, n_items]."""
        ...

    def predict(self, histories: Any, rows: Any, items: Any, /) -> Any:
        """Return float[p]: what it foresees of each pair of a row of the histories and an item; NaN: cannot say."""
        ...


class Said(Struct, frozen=True, eq=False):
    """Every rating of the test whose user has a history: the questions that models have to answer.

    >>> from penchant.data.dataset import Dataset
    >>> past, later = Dataset.from_matrix([[5, 0], [0, 0]]), Dataset.from_matrix([[0, 2], [4, 4]])
    >>> asked = said(Split(past, past, later, "temporal", "By hand."))
    >>> asked.row.tolist(), asked.item.tolist(), asked.actual.tolist(), asked.found.counted.without_history
    ([0], [1], [2.0], 1)
    """

    found: Truth
    "The users who count, in the order of ``row``; what is wanted is what they rated."
    row: Int64
    "int64[p], places in ``found.users``."
    item: Int32
    "int32[p], codes."
    actual: Float64
    "float64[p], the latest rating of each that is not 0."


def said(split: Split) -> Said:
    """Return what users with a history said in the test of a split; of an item that was rated again, the latest.

    The weight of an event is what it says, as for :class:`MatrixFactorization`: the stars of a rating, 1 for a like and
    -1 for a dislike. A weight of 0 says nothing.

    >>> from penchant.data.dataset import Dataset
    >>> past, later = Dataset.from_matrix([[5, 0]]), Dataset.from_matrix([[3, 2]])
    >>> said(Split(past, past, later, "temporal", "By hand.")).actual.tolist()
    [3.0, 2.0]

    Raises:
        EmptyData: nobody with a history said anything.
    """
    later, history = latest(split.test), split.history.matrix
    later.eliminate_zeros()
    tested, rated = (np.flatnonzero(np.diff(matrix.indptr)) for matrix in (split.test.matrix, later))
    known = np.diff(history.indptr) > 0
    users = rated[known[rated]].astype(np.int64)
    asked = int(known[tested].sum())
    counted = Users(len(tested), len(users), len(tested) - asked, asked - len(users))
    if not len(users):
        raise EmptyData(
            "no user has any rating to foresee",
            got=f"{counted.test:,} test users, {counted.without_history:,} of them without a history and "
            f"{counted.without_relevant:,} without a rating",
            then="hold out a longer part of the data, and look at the weights of the event kinds",
        )
    own = sp.coo_array(later[users])
    units = None if split.units is None else split.units[users]
    found = Truth("rating", users, Pairs(later[users]), Pairs(history[users]), counted, units)
    return Said(found, own.row.astype(np.int64), own.col.astype(np.int32), own.data.astype(np.float64))


def can_rate(scorer: Any) -> bool:
    """Say whether a fitted model foresees ratings.

    >>> from penchant.data.dataset import Dataset
    >>> from penchant.models.matrixfactorization import MatrixFactorization
    >>> from penchant.models.popular import Popular
    >>> data = Dataset.from_matrix([[5, 1], [4, 2]])
    >>> can_rate(Popular().fit(data)), can_rate(MatrixFactorization(factors=1).fit(data))
    (False, True)
    """
    return callable(getattr(scorer, "predict", None))


def predicted(
    scorer: Rater, split: Split, asked: Said, *, batch: int = 4096, progress: Progress = SILENT, name: str = ""
) -> Float64:
    """Return float64[p]: what a model foresees of each question; NaN where it cannot say.

    >>> from penchant.data.dataset import Dataset
    >>> from penchant.models.matrixfactorization import MatrixFactorization
    >>> ratings = np.where(np.equal.outer(np.arange(10) % 2, np.arange(10) % 2), 5.0, 1.0)
    >>> later = np.zeros((10, 10))
    >>> later[0, 9] = 1.0  # the first user's rating of the last item is put away
    >>> split = Split(*[Dataset.from_matrix(ratings * (later == 0))] * 2, Dataset.from_matrix(later), "random", "")
    >>> model = MatrixFactorization(factors=2).fit(split.train)
    >>> predicted(model, split, said(split)).round().tolist()
    [1.0]

    Raises:
        InputError: the model has another vocabulary than the split, or answers with what cannot be a rating.
    """
    if scorer.items != split.history.items:
        raise InputError(
            "the scorer has another vocabulary than the split",
            got=f"{len(scorer.items):,} items{f' of {name}' if name else ''}",
            allowed=f"the {len(split.history.items):,} items of the split",
            then="fit it on split.train",
            field="scorers",
        )
    histories = scorer.rows(split.history)[asked.found.users]
    answers = np.empty(len(asked.row))
    ends = np.searchsorted(asked.row, np.arange(len(asked.found.users) + 1))
    with progress.step(f"foreseeing ratings {name}".rstrip(), len(asked.found.users), "users") as advance:
        for start, stop in blocks(len(asked.found.users), batch):
            part = slice(ends[start], ends[stop])
            answers[part] = _ask(scorer, histories[start:stop], asked.row[part] - start, asked.item[part])
            advance(stop - start)
    return answers


def _ask(scorer: Rater, histories: Any, rows: Int64, items: Int32) -> Float64:
    answers = np.asarray(scorer.predict(histories, rows, items), np.float64)
    if answers.shape != rows.shape:
        raise InputError(
            "a scorer answered in another shape",
            got=answers.shape,
            allowed=str(rows.shape),
            then="check its predict",
            field="scorers",
        )
    if np.isinf(answers).any():
        allowed = "a finite number, or NaN where the model cannot say"
        raise InputError("a scorer foresaw what is no rating", got="infinity", allowed=allowed, field="scorers")
    return answers
