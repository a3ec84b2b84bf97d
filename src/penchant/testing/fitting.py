"""What the contract says of fitting: names, hyper-parameters, determinism, small and hopeless data."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import msgspec
import msgspec.inspect as mi
import numpy as np
import polars as pl
import scipy.sparse as sp

from penchant.core.errors import EmptyData, InputError
from penchant.core.executor import LocalExecutor
from penchant.core.progress import Advance
from penchant.data.dataset import Dataset
from penchant.data.sparse import matrix_of, row_numbers
from penchant.models.learner import Learner, learner_from, learners
from penchant.testing.claim import Check, arrays_of, claim, is_personal, refused, same_arrays
from penchant.testing.worlds import bazaar, checkerboard

__all__ = ["FITTING"]


def _it_knows_its_name(learner: Learner) -> None:
    """Look its name up in the entry points, and its settings in itself."""
    known = learners()
    claim(learner.name in known, f"{learner.name!r} is not registered in the entry points penchant.learners")
    claim(known[learner.name] is type(learner), f"{learner.name!r} is registered for {known[learner.name].__name__}")
    settings = msgspec.to_builtins(msgspec.structs.asdict(learner))
    claim(learner_from(learner.name, settings) == learner, "its own settings do not describe it")


def _the_right_color(learner: Learner) -> str | None:
    """On the checkerboard the two best are of one's own color, seen or new; one where few are left."""
    data = checkerboard(50, missing=0.2)
    scorer = learner.fit(data)
    if learner.task == "rating":
        return "it predicts ratings, and those of the checkerboard are all equal"
    if not is_personal(scorer, data):
        return "nothing in its scores depends on who asks"
    found = 0
    for exclude_seen in (True, False):
        top = scorer.score_batch(scorer.rows(data), scorer.n_items, exclude_seen)
        for user, items in enumerate(top.items):
            own = (items[items >= 0] - user) % 2 == 0
            first = min(2, int(own.sum()) // 2)
            what = f"user {user} of the checkerboard is recommended {items[items >= 0].tolist()}"
            claim(own[:first].all(), f"{what} (exclude_seen={exclude_seen})")
            found += first
    claim(found, "nobody on the checkerboard is recommended anything")
    return None


def _the_same_seed_gives_the_same_scorer(learner: Learner) -> None:
    data = bazaar()
    same_arrays(learner.fit(data, rng=7), learner.fit(data, rng=7), "fitted twice with one seed")
    generator = np.random.default_rng(7)
    same_arrays(learner.fit(data, rng=7), learner.fit(data, rng=generator), "a seed and its generator")


def _the_number_of_workers_changes_nothing(learner: Learner) -> None:
    data = bazaar(n_users=700, n_events=5000)
    one, two = (learner.fit(data, executor=LocalExecutor(workers)) for workers in (1, 2))
    same_arrays(one, two, "fitted by one worker and by two")


def _people_who_did_nothing_change_nothing(learner: Learner) -> None:
    data = bazaar()
    narrow, shape = data.matrix, (data.n_users + 40, data.n_items)
    wide = matrix_of(narrow.data, narrow.indices, row_numbers(narrow), shape)
    few, many = Dataset.from_matrix(narrow), Dataset.from_matrix(wide)
    same_arrays(learner.fit(few), learner.fit(many), "forty people without an event added")


def _the_data_stays_as_it_was(learner: Learner) -> None:
    for data in (bazaar(), checkerboard(10)):
        before = [part.copy() for part in (data.matrix.data, data.matrix.indices, data.matrix.indptr)]
        learner.fit(data)
        after = (data.matrix.data, data.matrix.indices, data.matrix.indptr)
        claim(all(map(np.array_equal, before, after)), "fitting changes the data it is given")


def _progress_adds_up(learner: Learner) -> None:
    """Every step that is opened is reported to its end."""
    tally = _Tally()
    learner.fit(bazaar(), progress=tally)
    for what, total, done in tally.steps:
        claim(sum(done) == total, f"the step {what!r} of {total} units reports {sum(done)}")


def _bad_hyper_parameters_are_refused_by_name(learner: Learner) -> None:
    data = checkerboard(6)
    kind = mi.type_info(type(learner))
    claim(isinstance(kind, mi.StructType), "a learner is a struct")
    for field in kind.fields if isinstance(kind, mi.StructType) else ():
        for bad in _bad_values(field.type):
            recipe = msgspec.structs.replace(learner, **{field.encode_name: bad})
            error = refused(partial(recipe.fit, data), InputError, f"{field.name}={bad!r}")
            claim(field.name in str(error), f"the refusal of {field.name}={bad!r} does not name the field: {error}")


def _nothing_to_learn_is_said(learner: Learner) -> None:
    for what, matrix in {
        "dislikes only": sp.csr_array([[-1.0, 0.0], [0.0, -2.0]]),
        "stored zeros only": sp.csr_array(([0.0, 0.0], ([0, 1], [0, 1])), shape=(2, 2)),
        "no events": sp.csr_array((2, 2)),
    }.items():
        refused(partial(learner.fit, Dataset.from_matrix(matrix)), EmptyData, f"a dataset of {what}")


def _small_worlds_are_learnt(learner: Learner) -> None:
    """One user, one item, everything seen, one event many times over."""
    again = pl.DataFrame({"user": ["ann"] * 4 + ["bob"], "item": ["tea"] * 4 + ["jam"], "at": [1, 1, 1, 1, 1]})
    for what, data in {
        "one user, one item": Dataset.from_matrix([[1.0]]),
        "one user": Dataset.from_matrix([[1.0, 0.0, 2.0]]),
        "one item": Dataset.from_matrix([[1.0], [1.0], [0.0]]),
        "everything seen": Dataset.from_matrix(np.ones((5, 4))),
        "one event four times": Dataset.from_events(again),
    }.items():
        scorer = learner.fit(data)
        for name, values in arrays_of(scorer).items():
            claim(np.isfinite(values).all(), f"{what}: the array {name!r} is not finite")
        for exclude_seen in (True, False):
            top = scorer.score_batch(scorer.rows(data), 3, exclude_seen)
            claim(top.items.shape == (data.n_users, 3), f"{what}: the batch has the shape {top.items.shape}")
            claim((np.isnan(top.scores) == (top.items < 0)).all(), f"{what}: NaN and -1 do not go together")
            if exclude_seen and what == "everything seen":
                claim((top.items < 0).all(), "who has seen everything is recommended something")


def _nobody_lives_in_the_arrays(learner: Learner) -> str | None:
    if learner.holds_people:
        return "it says that it holds people"
    data = bazaar(n_users=89)
    for name, values in arrays_of(learner.fit(data)).items():
        claim(not {89, 90} & set(values.shape), f"the array {name!r} has an axis as long as the users: {values.shape}")
    return None


class _Tally:
    def __init__(self) -> None:
        self.steps: list[tuple[str, int, list[int]]] = []

    @contextmanager
    def step(self, what: str, total: int, unit: str = "") -> Iterator[Advance]:
        done: list[int] = []
        self.steps.append((what, total, done))
        yield done.append


def _bad_values(kind: mi.Type) -> list[object]:
    """Return values that a hyper-parameter of this type may not have."""
    if isinstance(kind, mi.UnionType):
        inner = next(t for t in kind.types if not isinstance(t, mi.NoneType))
        return _bad_values(inner)
    if isinstance(kind, mi.IntType | mi.FloatType):
        bad: list[object] = ["seven"]
        low = kind.gt if kind.gt is not None else None if kind.ge is None else kind.ge - 1
        high = kind.lt if kind.lt is not None else None if kind.le is None else kind.le + 1
        bad += [value for value in (low, high) if value is not None]
        return bad + ([float("nan"), float("inf")] if isinstance(kind, mi.FloatType) else [])
    return [7] if isinstance(kind, mi.StrType) else ["no such value"]


FITTING: tuple[Check, ...] = (
    _it_knows_its_name,
    _the_right_color,
    _the_same_seed_gives_the_same_scorer,
    _the_number_of_workers_changes_nothing,
    _people_who_did_nothing_change_nothing,
    _the_data_stays_as_it_was,
    _progress_adds_up,
    _bad_hyper_parameters_are_refused_by_name,
    _nothing_to_learn_is_said,
    _small_worlds_are_learnt,
    _nobody_lives_in_the_arrays,
)
"The checks of fitting."
