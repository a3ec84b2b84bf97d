"""Learners that are functions of integer counts, so that people can be taken out of them and added to them exactly."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar, Literal, Self

import msgspec
import numpy as np

from penchant.core.arrays import Int32, Int64
from penchant.core.errors import EmptyData, RetrainNeeded
from penchant.core.executor import Executor
from penchant.core.progress import Progress
from penchant.data.dataset import Dataset
from penchant.data.sparse import row_numbers
from penchant.data.vocabulary import Vocabulary
from penchant.models.gram import Gram, count_gram
from penchant.models.interactions import liked, most_liked
from penchant.models.learner import Learner
from penchant.models.recipe import retrain_needed
from penchant.models.state import State

__all__ = ["Cooccurrence", "Counting", "CountsItems"]


class Counting(Learner, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A learner in two steps: count what people did, in integers, then derive the weights from the counts alone.

    >>> from penchant.models.ease import EASE
    >>> from penchant.testing import bazaar
    >>> data, mask = bazaar(), bazaar().column("user") != 7
    >>> scorer, without = EASE().fit(data), EASE().fit(data.select(mask))
    >>> (scorer.without(data.select(~mask)).weights == without.weights).all()
    np.True_
    """

    state: ClassVar[type[State]]
    "What it counts."

    forgetting: Literal["exact", "retrain"] = "exact"
    "Whether the counts are kept beside the weights: exact keeps them, retrain saves their room and trains again."

    @abstractmethod
    def count(self, data: Dataset, limit: int | None, executor: Executor, progress: Progress) -> Any:
        """Return the counts of a dataset, a state; counts of disjoint groups of people add up.

        Args:
            data: what people did.
            limit: count only this many items, those that most people like; None for all.
            executor: where the work runs.
            progress: told how far it is.
        """

    @abstractmethod
    def derive(self, items: Vocabulary, state: Any, executor: Executor, progress: Progress) -> Any:
        """Return the scorer that belongs to these counts; the same counts give the same bits."""

    def limit(self) -> int | None:
        """Return how many of the most frequent items are modelled; None for all."""
        return None

    def trim(self, state: Any) -> Any:
        """Return the part of the counts that this learner keeps."""
        return state

    def finish(self, scorer: Any, data: Dataset | None, executor: Executor) -> Any:
        """Return the scorer as it is kept; ``data`` is what it was fitted on, None after people came or went."""
        return scorer

    def recount(self, scorer: Any, people: Dataset, sign: int, executor: Executor, progress: Progress) -> Any:
        """Return the scorer with people added (sign 1) or taken out (sign -1)."""
        nobody = people.select(np.zeros(people.n_events, np.bool_))
        gone, come = (nobody, people) if sign > 0 else (people, nobody)
        return self.revise(scorer, gone, come, executor, progress)

    def revise(self, scorer: Any, gone: Dataset, come: Dataset, executor: Executor, progress: Progress) -> Any:
        """Return the scorer with some people taken out and others added: counted for both, derived once."""
        if scorer.state is None:
            raise retrain_needed(self.name)
        items = scorer.items.union(come.items)
        state = scorer.state
        if items is not scorer.items:
            state = state.over(items.codes(scorer.items.series), len(items))
        for people, sign in ((come, 1), (gone, -1)):  # first those who come, so that no item is lost in between
            if people.n_events:
                state = state.plus(self.count(people.over(items), None, executor, progress), sign)
        after = self.trim(state)
        scorer = self.finish(self.derive(items, after, executor, progress), None, executor)
        return msgspec.structs.replace(scorer, state=after)

    def _fit(self, data: Dataset, rng: np.random.Generator, executor: Executor, progress: Progress) -> Any:
        state = self.trim(self.count(data, self.limit(), executor, progress))
        scorer = self.finish(self.derive(data.items, state, executor, progress), data, executor)
        return msgspec.structs.replace(scorer, state=state if self.forgetting == "exact" else None)


class Cooccurrence(State, frozen=True, eq=False, kw_only=True):
    """How many people like each item, and each pair of the items that are counted.

    >>> from penchant.models.itemknn import ItemKNN
    >>> state = ItemKNN().fit(Dataset.from_matrix([[1, 1, 0], [0, 1, 0]])).state
    >>> state.users, state.support.tolist(), state.codes.tolist(), state.gram.counts.tolist()
    (2, [1, 2, 0], [0, 1], [1, 1, 2])
    """

    users: int
    "People who like anything."
    support: Int64
    "int64[n_items], how many people like each item of the vocabulary."
    codes: Int32
    "int32[n], the items whose pairs are counted, ascending; each is liked by somebody."
    indptr: Int64
    "As in :class:`penchant.models.gram.Gram`, for the n items."
    indices: Int32
    "As there."
    counts: Any
    "As there."

    @classmethod
    def of(cls, users: int, support: Int64, codes: Int32, gram: Gram) -> Self:
        """Return the state with the arrays of a Gram matrix."""
        return cls(
            users=users,
            support=support,
            codes=codes.astype(np.int32),
            indptr=gram.indptr,
            indices=gram.indices,
            counts=gram.counts,
        )

    @property
    def gram(self) -> Gram:
        """The pairs of the counted items."""
        return Gram(len(self.codes), self.indptr, self.indices, self.counts)

    @property
    def is_complete(self) -> bool:
        """Whether every liked item is counted."""
        return len(self.codes) == np.count_nonzero(self.support)

    def over(self, codes: Int32, n_items: int) -> Self:
        """Return the same counts in another vocabulary."""
        support = np.zeros(n_items, np.int64)
        support[codes] = self.support
        return self.of(self.users, support, codes[self.codes], self.gram)

    def plus(self, other: Self, sign: int) -> Self:
        """Return the counts with those of other people added or taken away.

        Raises:
            InputError: a count would fall below 0.
        """
        support = self.support + sign * other.support
        known = np.union1d(self.codes, other.codes)
        for part in (self, other):
            if not part.is_complete:
                known = np.intersect1d(known, part.codes)
        mine, theirs = (part._among(known) for part in (self, other))
        total = self.of(self.users + sign * other.users, support, known, mine.plus(theirs, sign))
        return total.take(known[support[known] > 0])

    def _among(self, known: Int32) -> Gram:
        """Return the pairs among known items, those not counted here as 0."""
        part = self.take(known)
        return part.gram.over(np.searchsorted(known, part.codes).astype(np.int32), len(known))

    def take(self, codes: Int32) -> Self:
        """Return the counts of the pairs among those of the items that are counted."""
        kept = np.intersect1d(self.codes, codes)
        places = np.searchsorted(self.codes, kept).astype(np.int32)
        return self.of(self.users, self.support, kept, self.gram.take(places))


class CountsItems(Counting, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A learner whose counts are how many people like each pair of items.

    >>> from penchant.models.ease import EASE
    >>> isinstance(EASE(), CountsItems)
    True
    """

    state: ClassVar[type[Cooccurrence]] = Cooccurrence

    def count(self, data: Dataset, limit: int | None, executor: Executor, progress: Progress) -> Cooccurrence:
        """Return how many people of a dataset like each item, and each pair of the items that most of them like."""
        matrix, codes = liked(data, limit)
        users, support = _likers(data)
        return Cooccurrence.of(users, support, codes, count_gram(matrix, executor, progress))

    def trim(self, state: Cooccurrence) -> Cooccurrence:
        """Return the counts of the items within the :meth:`limit`."""
        if not state.support.any():
            raise EmptyData("nobody is left to learn from", got=f"{state.users} people who like anything")
        codes = most_liked(state.support, self.limit())
        unknown = np.setdiff1d(codes, state.codes)
        if len(unknown):
            raise RetrainNeeded(
                "other items are now among the most frequent, and their pairs were not counted",
                got=f"{len(unknown)} items beyond the limit of {self.limit()}",
                allowed="changes that leave the most frequent items as they are",
                then="fit again, or raise max_items",
            )
        return state.take(codes)


def _likers(data: Dataset) -> tuple[int, Int64]:
    """Return how many people like anything, and how many like each item."""
    matrix, positive = data.matrix, data.matrix.data > 0
    if positive.all():
        return int(np.count_nonzero(np.diff(matrix.indptr))), _often(matrix.indices, data.n_items)
    people = np.unique(row_numbers(matrix)[positive])
    return len(people), _often(matrix.indices[positive], data.n_items)


def _often(items: Int32, n_items: int) -> Int64:
    return np.bincount(items, minlength=n_items).astype(np.int64)
