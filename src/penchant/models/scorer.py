"""What every scorer shares: encoding histories, ranking in blocks, explaining, tables of ids."""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Self

import msgspec
import numpy as np
import polars as pl
from msgspec import Struct, field
from msgspec.structs import replace

from penchant.core.arrays import Bool, Float32, Float64, Int32, Int64
from penchant.core.errors import InputError, NotFound
from penchant.core.executor import LOCAL, Executor
from penchant.core.nouns import History, Reason, Slate, TopK
from penchant.core.progress import SILENT, Progress
from penchant.data.dataset import Dataset
from penchant.data.expected import expect_dataset
from penchant.data.sparse import Matrix, matrix_of, row_numbers, rows_of
from penchant.data.vocabulary import Vocabulary
from penchant.kernels.layout import Best, Rows, Space
from penchant.models.aging import decay
from penchant.models.artifact import pack, write_artifact
from penchant.models.asking import check_n, item_id, known_codes
from penchant.models.batches import expect_histories, ranked
from penchant.models.reasons import reasons_of
from penchant.models.recipe import Recipe
from penchant.models.state import STATE, State

__all__ = ["Scorer"]

_SHARED = ("items", "learner", "facts")


class Scorer(Struct, frozen=True, eq=False, kw_only=True, dict=True):
    """A fitted model over the items of a vocabulary. Immutable; people are asked about, never stored.

    A scorer can rank its ``candidates``; every other item scores NaN. What each model adds is how a row of
    (item, signal) pairs becomes scores over the candidates, and how a score falls apart into addends.

    >>> from penchant.models.itemknn import ItemKNN
    >>> from penchant.testing import checkerboard
    >>> scorer, history, items = ItemKNN().fit(checkerboard(6)), History.of([0, 2]), np.int32([4])
    >>> scorer.score(history)[items].round(3).tolist()
    [2.0]
    >>> scorer.base(items).tolist(), scorer.contributions(history, items).round(3).tolist()  # a score is their sum
    ([0.0], [[1.0, 1.0]])
    >>> scorer.explain(["0", "2"], "4")[0].evidence, scorer.recommend_one(["0", "2"], n=5).ids
    ('0', ('4',))
    """

    personal: ClassVar[bool] = True
    "Whether scores depend on the history that is asked."
    base_code: ClassVar[str] = "popular"
    "What the base of a score is called in reasons."

    items: Vocabulary
    "The items it knows, in code order."
    learner: Recipe
    "The recipe it was made with."
    candidates: Int32
    "int32[n], the ascending codes it can score."
    half_life: float | None = None
    "Days after which an event of the asker's history counts half, back from their latest; None: age is nothing."
    delta_inf: float | None = None
    "Events after which one of the asker's history counts 1/e, back from their latest; None: position is nothing."
    state: State | None = None
    "The counts it was derived from; None when it keeps none."
    facts: dict[str, Any] = field(default_factory=dict)
    "Where it came from: the digest of the data, and how many users, items and events it had."

    def __repr__(self) -> str:
        facts = self.facts
        learnt = {"users", "events"} <= facts.keys()
        origin = f", learnt from {facts['events']:,} events of {facts['users']:,} users" if learnt else ""
        return f"{self.learner!r}: {len(self.candidates):,} of {self.n_items:,} items{origin}"

    # -- asked with arrays ------------------------------------------------------------------------------------------

    @property
    def fades(self) -> bool:
        """Whether an event of a history counts less with its age."""
        return self.half_life is not None or self.delta_inf is not None

    @property
    def n_items(self) -> int:
        """How many items the vocabulary has."""
        return len(self.items)

    @cached_property
    def positions(self) -> Int32:
        """int32[n_items]: the place of each item among the candidates, -1 for the others."""
        places = np.full(self.n_items, -1, np.int32)
        places[self.candidates] = np.arange(len(self.candidates), dtype=np.int32)
        return places

    def rows(self, data: Dataset) -> Matrix:
        """Return CSR float32[n_users, n_items]: the histories of a dataset in this scorer's vocabulary."""
        if not self.fades:
            return self._aligned(data.matrix, data.items)
        last = data.indptr[1:][data.column("user")] - 1
        age = self._age(data.column("at"), data.column("at")[last], last - np.arange(data.n_events))
        return self._aligned(data.csr(self._aged(data.column("weight"), age)), data.items)

    def score(self, history: History) -> Float32:
        """Return float32[n_items]: the score of every item for one history; NaN where it cannot say."""
        codes, signal, _ = self._row(history)
        if len(self.candidates) == self.n_items:
            return self._score(codes, signal)
        scores = np.full(self.n_items, np.nan, np.float32)
        scores[self.candidates] = self._score(codes, signal)
        return scores

    def score_batch(self, histories: Any, k: int, exclude_seen: bool = True) -> TopK:
        """Return the best ``k`` items of every history, in blocks over all threads.

        Args:
            histories: CSR [n, n_items] of weights; a stored 0 counts as seen and says nothing else.
            k: how many items a history.
            exclude_seen: leave out what a history holds.

        Returns:
            ``items`` int32[n, k] and ``scores`` float32[n, k]; -1 and NaN only where fewer than k can be scored.

        Raises:
            InputError: k is not positive, or the width of the matrix is not the number of items.
        """
        csr = expect_histories(histories, self.n_items)
        self._prepare()
        signal, space = self._signal(csr.data.astype(np.float32)), Space(self.candidates, self.positions)
        return ranked(
            csr.shape[0], k, lambda block, best: self._rank(rows_of(csr, *block, signal), space, exclude_seen, best)
        )

    def base(self, items: Int32) -> Float32:
        """Return float32[m]: what the score of each item holds before any history."""
        return np.zeros(len(items), np.float32)

    def contributions(self, history: History, items: Int32) -> Float32:
        """Return float32[m, len(history)]: what each entry adds to the score of each item.

        ``base(items)`` plus the sum along a row is the score. An item that occurs more than once in the history
        counts once, at its latest entry. Rows of items that cannot be scored are NaN.
        """
        asked = np.asarray(items, dtype=np.int32)
        codes, signal, latest = self._row(history)
        table = np.zeros((len(asked), len(history)), np.float32)
        if not len(codes):
            table[~self._can_score(codes, signal, asked)] = np.nan
            return table
        table[:, latest], able = self._told(codes, signal, asked)
        table[~able] = np.nan
        return table

    # -- asked with ids ---------------------------------------------------------------------------------------------

    def recommend(self, data: Dataset, n: int = 10, *, exclude_seen: bool = True) -> pl.DataFrame:
        """Return a table (user, item, score, rank from 1) of the best ``n`` items for every user of a dataset.

        Raises:
            InputError: n is below 1, or something else than a dataset is given.
        """
        expect_dataset(data, "recommend", "history")
        check_n(n)
        top = self.score_batch(self.rows(data), n, exclude_seen)
        found = top.items >= 0
        row, column = np.nonzero(found)
        return pl.DataFrame(
            {
                "user": data.users.series.gather(row),
                "item": self.items.series.gather(top.items[found]),
                "score": top.scores[found],
                "rank": (column + 1).astype(np.int32),
            }
        )

    def recommend_one(self, items: Sequence[str], n: int = 10, *, exclude_seen: bool = True) -> Slate:
        """Return the slate for a history of item ids, oldest first; ids it does not know say nothing.

        Raises:
            InputError: n is below 1, the history is not a sequence of str, or a personal model knows nothing in it.
        """
        check_n(n)
        history = self._history(items)
        order, scores = self._best(history, min(n, self.n_items), exclude_seen)
        return Slate(order, scores, self._reasons(history, order), ids=tuple(self.items.ids(order)))

    def explain(self, items: Sequence[str], item: str) -> tuple[Reason, ...]:
        """Return the addends of one item's score for a history of item ids, strongest first; they sum to the score.

        Raises:
            NotFound: the item is not in the vocabulary.
            InputError: the item cannot be scored for this history, or an id is not a str.
        """
        code = self.items.code(item_id(item))
        if code < 0:
            raise NotFound("the model does not know this item", got=item, then="fit on data that has it")
        history, asked = self._history(items), np.array([code], np.int32)
        if np.isnan(self.score(history)[code]):
            raise InputError(
                "this item has no score for this history",
                got=item,
                allowed="an item the model can score",
                then="see scorer.score(history)",
            )
        return self._reasons(history, asked)[0]

    def save(self, path: str | Path) -> Path:
        """Write the scorer to a new directory, whole or not at all; :func:`penchant.load` reads it back.

        Raises:
            ArtifactError: the path exists already.
        """
        fields = {name: getattr(self, name) for name in self.__struct_fields__ if name not in _SHARED}
        arrays = {name: value for name, value in fields.items() if isinstance(value, np.ndarray)}
        document = {
            "learner": self.learner.name,
            "settings": msgspec.structs.asdict(self.learner),
            "values": {name: value for name, value in fields.items() if name not in arrays and name != "state"},
            "facts": self.facts,
            "forgetting": self.forgetting,
        }
        if self.state is not None:
            document["state"] = self.state.values()
            arrays |= {f"{STATE}{name}": value for name, value in self.state.arrays().items()}
        return write_artifact(path, document, arrays | pack(self.items.series))

    # -- people come and go -----------------------------------------------------------------------------------------

    @property
    def forgetting(self) -> str:
        """How people are taken out: ``exact`` by :meth:`without`, or ``retrain`` by fitting again without them."""
        return "retrain" if self.state is None else "exact"

    def without(self, people: Dataset, *, executor: Executor = LOCAL, progress: Progress = SILENT) -> Self:
        """Return the scorer trained without these people, bit for bit, from its counts and their events alone.

        Bring whole people: all that the model learnt of each of them. Who has done more since is first taken out
        with the old events, then added with all of them.

        >>> from penchant.models.itemknn import ItemKNN
        >>> from penchant.testing import bazaar
        >>> data = bazaar()
        >>> ann = data.column("user") == 0
        >>> forgotten, never = ItemKNN().fit(data).without(data.select(ann)), ItemKNN().fit(data.select(~ann))
        >>> forgotten.w_data.tobytes() == never.w_data.tobytes()
        True

        Raises:
            RetrainNeeded: the model keeps no counts, or the change brings in items whose pairs were not counted.
            InputError: these people are not all in the model with these events.
            EmptyData: nobody would be left.
        """
        return self._changed(people, -1, "without", executor, progress)

    def updated(self, people: Dataset, *, executor: Executor = LOCAL, progress: Progress = SILENT) -> Self:
        """Return the scorer trained with these people too, bit for bit; their new items join the vocabulary.

        Raises:
            RetrainNeeded: the model keeps no counts, or the change brings in items whose pairs were not counted.
        """
        return self._changed(people, 1, "updated", executor, progress)

    def _changed(self, people: Dataset, sign: int, call: str, executor: Executor, progress: Progress) -> Self:
        expect_dataset(people, call, "history")
        scorer: Self = self.learner.recount(self, people, sign, executor, progress)
        facts = self.facts | scorer.facts  # what was chosen from the counts is chosen anew
        if {"users", "events", "data"} <= facts.keys():
            facts = facts | {
                "data": hashlib.sha256(f"{facts['data']}{sign:+}{people.digest}".encode()).hexdigest(),
                "users": facts["users"] + sign * int((np.diff(people.indptr) > 0).sum()),
                "items": scorer.n_items,
                "events": facts["events"] + sign * people.n_events,
            }
        return replace(scorer, facts=facts)

    # -- what a model fills in --------------------------------------------------------------------------------------

    def _signal(self, weights: Float32) -> Float32:
        """Return what the summed weight of an item says: from 1 (liked) over 0 (nothing) to -1 (disliked).

        Where events do not fade only the sign counts; where they do, a liking fades with its age.
        """
        said = np.clip(weights, -1.0, 1.0) if self.fades else np.sign(weights)
        return said.astype(np.float32)

    def _age(self, at: Int64, latest: Any, behind: Any) -> Float64:
        """Return float64[m] in (0, 1]: what is left of events at their age, in time and in events since then."""
        left = decay(at, latest, self.half_life)
        return left if self.delta_inf is None else np.asarray(left * np.exp(-behind / self.delta_inf))

    def _aged(self, weights: Float32, age: Float64) -> Float32:
        """Return float32[m]: what events of these weights count at an age between 0 (long ago) and 1 (the latest)."""
        return (np.sign(weights) * age).astype(np.float32)

    @abstractmethod
    def _score(self, codes: Int32, signal: Float32) -> Float32:
        """Return float32[n candidates], new, for distinct ascending items and their signals."""

    def _can_score(self, codes: Int32, signal: Float32, items: Int32) -> Bool:
        """Return bool[m]: which items have a score for these signals; a model that knows a shorter way takes it."""
        places = self._places(items)
        return (places >= 0) & ~np.isnan(self._score(codes, signal)[places])

    def _told(self, codes: Int32, signal: Float32, items: Int32) -> tuple[Float32, Bool]:
        """Return float32[m, d] and bool[m]: :meth:`_addends` and :meth:`_can_score`, for models that work out both."""
        return self._addends(codes, signal, items), self._can_score(codes, signal, items)

    def _places(self, items: Int32) -> Int32:
        """Return int32[m]: the place of each item among the candidates, -1 for the others and for code -1."""
        return np.where(items >= 0, self.positions[items], np.int32(-1))

    @abstractmethod
    def _addends(self, codes: Int32, signal: Float32, items: Int32) -> Float32:
        """Return float32[m items, d codes]."""

    def _prepare(self) -> None:
        """Make what ranking needs beside the arrays; called before threads share the work, cheap the second time."""

    @abstractmethod
    def _rank(self, rows: Rows, space: Space, exclude_seen: bool, best: Best) -> None:
        """Rank a block of histories, whose data is their signal; runs in a thread."""

    # -- shared -----------------------------------------------------------------------------------------------------

    def _row(self, history: History) -> tuple[Int32, Float32, Any]:
        """Return distinct ascending codes, their signals, and the latest entry of each."""
        weights = history.weights
        if self.fades:
            latest = history.at.max(initial=np.iinfo(np.int64).min)
            weights = self._aged(weights, self._age(history.at, latest, np.arange(len(weights))[::-1]))
        order = np.argsort(history.items, kind="stable")  # what is not known stands first, then the codes, each by time
        order = order[np.count_nonzero(history.items < 0) :]
        codes = history.items[order]
        first = np.flatnonzero(np.concatenate((codes[:1] >= 0, codes[1:] != codes[:-1])))
        summed = np.add.reduceat(weights[order].astype(np.float64), first) if len(first) else np.zeros(0)
        return codes[first], self._signal(summed.astype(np.float32)), order[np.append(first, len(order))[1:] - 1]

    def _best(self, history: History, n: int, exclude_seen: bool) -> tuple[Int32, Float32]:
        """Return the codes and scores of the best ``n`` items for one history; fewer where fewer can be scored."""
        self._prepare()
        codes, signal, _ = self._row(history)
        best = Best(np.empty((1, n), np.int32), np.empty((1, n), np.float32))
        row = Rows(np.array([0, len(codes)], np.int64), codes, signal)
        self._rank(row, Space(self.candidates, self.positions), exclude_seen, best)
        found = best.items[0] >= 0
        return best.items[0, found], best.scores[0, found]

    def _history(self, items: Sequence[str]) -> History:
        return History.of(known_codes(items, self.items, personal=self.personal))

    def _reasons(self, history: History, items: Int32) -> tuple[tuple[Reason, ...], ...]:
        addends = self.contributions(history, items).astype(np.float64)
        return reasons_of(history, addends, [(self.base_code, "", self.base(items))], self.items)

    def _aligned(self, matrix: Matrix, items: Vocabulary) -> Matrix:
        """Return the matrix with the columns of this scorer's vocabulary; columns it lacks are dropped."""
        if items is self.items or items == self.items:
            return matrix
        codes = self.items.codes(items.series)[matrix.indices]
        known = codes >= 0
        shape = (matrix.shape[0], self.n_items)
        return matrix_of(matrix.data[known], codes[known], row_numbers(matrix)[known], shape)
