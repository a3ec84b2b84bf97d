"""What a report writes down of how it was made, of one split or of several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from msgspec import Struct

from penchant.data.split import Split
from penchant.evaluation.calls import VERSIONS, recipe, told
from penchant.evaluation.line import Setup
from penchant.evaluation.ranking import Truth, Users

__all__ = ["Asked", "setup_of", "setup_of_all"]

_SIDES = ("train", "history", "test")


class Asked(Struct, frozen=True, kw_only=True):
    """What an evaluation was asked, once it is checked.

    >>> Asked(task="new", baseline="popular", resamples=1000, seed=0).negatives is None
    True
    """

    task: str
    "A key of ASKED."
    baseline: str
    "The model the others are compared with."
    resamples: int
    "Bootstrap resamples, and sign assignments."
    seed: int | None
    "Of both; None when a generator was given."
    negatives: int | None = None
    "How many items were sampled; None for none."
    by: tuple[str, ...] = ()
    "The columns that slice."
    notes: tuple[str, ...] = ()
    "Sentences of what else has to be known."


def setup_of(split: Split, found: Truth, asked: Asked, learners: Mapping[str, Any], leaks: Mapping[str, str]) -> Setup:
    """Return the setup of an evaluation of fitted models on one split.

    >>> from penchant.data.dataset import Dataset
    >>> from penchant.evaluation.ranking import truth
    >>> from penchant.models.popular import Popular
    >>> past, later = Dataset.from_matrix([[1, 1, 0]]), Dataset.from_matrix([[0, 0, 1]])
    >>> split = Split(past, past, later, "temporal", "By hand.")
    >>> asked = Asked(task="new", baseline="popular", resamples=0, seed=0)
    >>> setup_of(split, truth(split), asked, {"popular": Popular()}, {}).users.evaluated
    1
    """
    return Setup(
        split=split.about,
        kind=split.kind,
        task=asked.task,
        users=found.counted,
        items=len(split.history.items),
        baseline=asked.baseline,
        resamples=asked.resamples,
        seed=asked.seed,
        data={side: getattr(split, side).digest for side in _SIDES},
        models={name: recipe(learner) for name, learner in learners.items()},
        versions=VERSIONS,
        by=asked.by,
        leaks=told(leaks),
        negatives=asked.negatives,
        people=None if found.units is None else len(np.unique(found.units)),
        notes=asked.notes,
    )


def setup_of_all(
    cuts: Sequence[Split],
    found: Sequence[Truth],
    asked: Asked,
    learners: Mapping[str, Any],
    leaks: Sequence[Mapping[str, str]],
) -> Setup:
    """Return the setup of an evaluation of learners on several splits.

    >>> from penchant.data.dataset import Dataset
    >>> from penchant.evaluation.ranking import truth
    >>> past, later = Dataset.from_matrix([[1, 1, 0]]), Dataset.from_matrix([[0, 0, 1]])
    >>> split = Split(past, past, later, "rolling", "By hand.")
    >>> asked = Asked(task="new", baseline="popular", resamples=0, seed=0)
    >>> setup_of_all([split] * 2, [truth(split)] * 2, asked, {}, [{}, {}]).windows
    2
    """
    people = np.concatenate([part.users if part.units is None else part.units for part in found])
    return Setup(
        split=f"{len(cuts):,} splits, models fitted anew for each. {' '.join(split.about for split in cuts)}",
        kind=cuts[0].kind,
        task=asked.task,
        users=_added([part.counted for part in found]),
        items=len(cuts[0].history.items),
        baseline=asked.baseline,
        resamples=asked.resamples,
        seed=asked.seed,
        data={f"{i} {side}": getattr(split, side).digest for i, split in enumerate(cuts, 1) for side in _SIDES},
        models={name: recipe(learner) for name, learner in learners.items()},
        versions=VERSIONS,
        by=asked.by,
        leaks=tuple(f"Split {i}: {text}" for i, each in enumerate(leaks, 1) for text in told(each)),
        negatives=asked.negatives,
        people=len(np.unique(people)),
        windows=len(cuts),
        notes=asked.notes,
    )


def _added(counts: Sequence[Users]) -> Users:
    return Users(*(sum(getattr(count, name) for count in counts) for name in Users.__struct_fields__))
