"""Who is asked, what they are found to want, and where a model ranks it."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import scipy.sparse as sp
from msgspec import Struct

from penchant.core.arrays import Bool, Int32, Int64
from penchant.core.errors import EmptyData, InputError, UnknownName
from penchant.core.executor import blocks
from penchant.core.nouns import TopK
from penchant.core.progress import SILENT, Progress
from penchant.data.split import Split
from penchant.data.vocabulary import Vocabulary
from penchant.evaluation.pairs import Pairs

__all__ = ["ASKED", "TASKS", "Pairs", "Ranker", "Truth", "Users", "hits", "rank", "truth"]

TASKS = {
    "new": "items the user's history does not hold; what it holds is left out of the slates",
    "repeat": "items the user's history holds; the slates rank these items only",
    "any": "all items, whether the user's history holds them or not",
}
"What counts as foreseen, by task of slates."

ASKED = TASKS | {"rating": "what the user says of an item: the latest rating of each that is not 0"}
"The same, with the task whose answers are numbers."

_CELLS = 4_000_000
"Slots of slates held at once while looking deep."


class Ranker(Protocol):
    """What evaluation needs of a fitted model."""

    @property
    def items(self) -> Vocabulary:
        """The items it ranks, as coded in its slates."""
        ...

    @property
    def learner(self) -> Any:
        """The recipe it was made with."""
        ...

    def rows(self, data: Any, /) -> Any:
        """Return the histories of a dataset as it reads them: CSR float32[n_users, n_items]."""
        ...

    def score_batch(self, histories: Any, k: int, /, *, exclude_seen: bool = True) -> TopK:
        """Return the best ``k`` items of every row."""
        ...


class Users(Struct, frozen=True):
    """How many users there are, and why not all of them count.

    >>> users = Users(test=2014, evaluated=1982, without_history=5, without_relevant=27)
    >>> users.test == users.evaluated + users.without_history + users.without_relevant
    True
    """

    test: int
    "Users with any event to foresee."
    evaluated: int
    "Of these, users who count."
    without_history: int
    "Users nothing is known of: there is nothing to ask a model from."
    without_relevant: int
    "Users with a history, none of whose test items the task asks for."


class Truth(Struct, frozen=True, eq=False):
    """The users who count, what they wanted and what they had; row i is about user ``users[i]``.

    >>> from penchant.data.dataset import Dataset
    >>> past, later = Dataset.from_matrix([[1, 0, 0], [0, 0, 0]]), Dataset.from_matrix([[1, 1, 0], [0, 0, 1]])
    >>> found = truth(Split(past, past, later, "temporal", "By hand."), "new")
    >>> found.users.tolist(), found.wanted.counts.tolist(), found.counted.without_history
    ([0], [1], 1)
    """

    task: str
    "A key of ASKED."
    users: Int64
    "int64[m], codes in the split's vocabulary."
    wanted: Pairs
    "What each is found to want."
    had: Pairs
    "What the history of each holds."
    counted: Users
    "How these users were chosen."
    units: Int64 | None = None
    "int64[m]: which person each row is about, where one has several; None when each is another."
    among: Pairs | None = None
    "The items that each may be shown, where they are sampled; None for all that the task asks for."

    def people(self, rows: Int64) -> Int64 | None:
        """Return int64[...]: whom these rows are about, where one person has several; else None.

        >>> from penchant.data.dataset import Dataset
        >>> past, later = Dataset.from_matrix([[1, 0], [1, 0]]), Dataset.from_matrix([[0, 1], [0, 1]])
        >>> split = Split(past, past, later, "temporal", "By hand.", units=np.array([7, 7]))
        >>> truth(split).people(np.array([1]))
        array([7])
        """
        return None if self.units is None else self.units[rows]


def truth(split: Split, task: str = "new") -> Truth:
    """Return what the test side of a split says that users wanted.

    A user wanted an item when the weights of the user's test events with it sum to more than 0: an item that was
    bought and given back, or disliked, is not wanted. Users count who have a history and want
    anything the task asks for.

    >>> from penchant.data.dataset import Dataset
    >>> past, later = Dataset.from_matrix(sp.csr_array([[1, 1, 0]])), Dataset.from_matrix(sp.csr_array([[0, 1, 1]]))
    >>> split = Split(past, past, later, "temporal", "By hand.")
    >>> items = np.int32([[0, 1, 2]])
    >>> hits(truth(split, "new"), items).tolist(), hits(truth(split, "repeat"), items).tolist()
    ([[False, False, True]], [[False, True, False]])

    Raises:
        UnknownName: there is no such task.
        EmptyData: no user counts.
    """
    if task not in TASKS:
        raise UnknownName.of("task", task, TASKS, field="task")
    history, test = split.history.matrix, split.test.matrix
    tested = np.flatnonzero(np.diff(test.indptr))
    asked = tested[np.diff(history.indptr)[tested] > 0]
    had, later = Pairs(history[asked]), sp.coo_array(test[asked])
    known = had.holds(later.row.astype(np.int64), later.col[:, None])[:, 0]
    keep = (later.data > 0) & {"new": ~known, "repeat": known, "any": np.ones_like(known)}[task]
    ones = np.ones(int(keep.sum()), np.bool_)
    wanted = sp.csr_array((ones, (later.row[keep], later.col[keep])), shape=later.shape)
    able = np.flatnonzero(np.diff(wanted.indptr))
    counted = Users(len(tested), len(able), len(tested) - len(asked), len(asked) - len(able))
    if not len(able):
        raise EmptyData(
            "no user has anything to foresee",
            got=f"{counted.test:,} test users, {counted.without_history:,} of them without a history and "
            f"{counted.without_relevant:,} without a test item that the task {task!r} asks for",
            then="hold out a longer part of the data, or choose the task 'any'",
        )
    users = asked[able].astype(np.int64)
    units = None if split.units is None else split.units[users]
    return Truth(task, users, Pairs(wanted[able]), Pairs(history[users]), counted, units)


def rank(
    scorer: Ranker,
    split: Split,
    found: Truth,
    k: int,
    *,
    batch: int = 4096,
    progress: Progress = SILENT,
    name: str = "",
) -> Int32:
    """Return int32[m, k]: the slates a model gives the users who count, -1 in slots it leaves empty.

    An item the model cannot score (NaN) is no recommendation, and an item it lists twice counts where it stands first.

    >>> from penchant.data.dataset import Dataset
    >>> from penchant.models.popular import Popular
    >>> past, later = (Dataset.from_matrix(sp.csr_array(m)) for m in ([[1, 0, 0], [1, 1, 0]], [[0, 1, 1], [0, 0, 1]]))
    >>> split = Split(past, past, later, "temporal", "By hand.")
    >>> rank(Popular().fit(past), split, truth(split), 2).tolist()  # nobody touched the third item: it has no score
    [[1, -1], [-1, -1]]

    Raises:
        InputError: the model has another vocabulary, or answers with arrays that cannot be.
    """
    n_items = len(split.history.items)
    if scorer.items != split.history.items:
        raise InputError(
            "the scorer has another vocabulary than the split",
            got=f"{len(scorer.items):,} items{f' of {name}' if name else ''}",
            allowed=f"the {n_items:,} items of the split",
            then="fit it on split.train",
            field="scorers",
        )
    rows = scorer.rows(split.history)[found.users]
    among = found.had if found.task == "repeat" else found.among
    slates = np.full((len(found.users), k), -1, np.int32)
    with progress.step(f"evaluating {name}".rstrip(), len(slates), "users") as advance:
        for start, stop in blocks(len(slates), batch):
            if among is not None:
                slates[start:stop] = _rank_among(scorer, rows[start:stop], among, start, k)
            else:
                slates[start:stop] = _ask(scorer, rows[start:stop], k, n_items, exclude_seen=found.task == "new")
            advance(stop - start)
    return slates


def hits(found: Truth, slates: Int32) -> Bool:
    """Return bool[m, k]: which slots of the slates (int32[m, k]) hold an item their user wanted.

    >>> wanted = Pairs(sp.csr_array(np.array([[0, 1, 1], [1, 0, 0]])))
    >>> found = Truth("any", np.arange(2), wanted, wanted, Users(2, 2, 0, 0))
    >>> hits(found, np.int32([[2, 0], [0, -1]])).tolist()
    [[True, False], [True, False]]
    """
    return found.wanted.holds(np.arange(len(slates)), slates)


def _ask(scorer: Ranker, rows: Any, k: int, n_items: int, *, exclude_seen: bool) -> Int32:
    """Return int32[n, k] of one call, checked, empty slots -1; a catalogue smaller than k fills what it can."""
    top = scorer.score_batch(rows, min(k, n_items), exclude_seen=exclude_seen)
    items, scores = np.asarray(top.items), np.asarray(top.scores)
    shape = (rows.shape[0], min(k, n_items))
    if items.shape != shape or scores.shape != shape:
        raise InputError(
            "a scorer answered in another shape",
            got=f"items {items.shape}, scores {scores.shape}",
            allowed=str(shape),
            then="check its score_batch",
        )
    if items.size and (items.min() < -1 or items.max() >= n_items):
        raise InputError(
            "a scorer ranked an item that does not exist",
            got=int(items.max() if items.max() >= n_items else items.min()),
            allowed=f"-1 to {n_items - 1}",
            then="check its score_batch",
        )
    out = np.full((len(items), k), -1, np.int32)
    out[:, : items.shape[1]] = np.where(np.isnan(scores), -1, items)
    return _once(out)


def _once(items: Int32) -> Int32:
    """Return the slates with -1 in place of an item that already stood further up."""
    order = np.argsort(items, axis=1, kind="stable")
    ranked = np.take_along_axis(items, order, axis=1)
    again = np.zeros(items.shape, np.bool_)
    np.put_along_axis(again, order[:, 1:], ranked[:, 1:] == ranked[:, :-1], axis=1)
    return np.where(again, np.int32(-1), items)


def _rank_among(scorer: Ranker, rows: Any, among: Pairs, first: int, k: int) -> Int32:
    """Return int32[n, k]: the ``k`` best among some items of each row, such as those of the history, exactly.

    Asks for ever longer slates, of the users who need it, until each has shown enough of these items, all of them, or
    the end of what the model can rank.
    """
    n, n_items = rows.shape
    out = np.full((n, k), -1, np.int32)
    todo, depth = np.arange(n), min(4 * k, n_items)
    enough = np.minimum(k, among.counts[first : first + n])
    while len(todo):
        again = []
        for start, stop in blocks(len(todo), max(1, _CELLS // depth)):
            part = todo[start:stop]
            top = _ask(scorer, rows[part], depth, n_items, exclude_seen=False)
            own = among.holds(part + first, top)
            place = np.cumsum(own, axis=1) - 1
            row, slot = np.nonzero(own & (place < k))
            out[part[row], place[row, slot]] = top[row, slot]
            short = (own.sum(axis=1) < enough[part]) & (top[:, -1] >= 0)
            again.append(part[short])
        todo = np.concatenate(again) if depth < n_items else todo[:0]
        depth = min(4 * depth, n_items)
    return out
