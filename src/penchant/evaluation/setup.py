"""How an evaluation was made: as it is asked, as a report writes it down, and in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from msgspec import Struct

from penchant.data.split import Split
from penchant.evaluation.calls import VERSIONS, recipe, told
from penchant.evaluation.power import CHANCE, POWER
from penchant.evaluation.ranking import ASKED, Truth, Users
from penchant.evaluation.showing import titled
from penchant.evaluation.slices import LEAST

__all__ = ["Asked", "Setup", "about", "setup_of", "setup_of_all"]

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
    threshold: float | None = None
    "Above it a rating is a like; None where no ratings are asked for."


class Setup(Struct, frozen=True):
    """What was evaluated, and all that is needed to do it again.

    >>> users = Users(test=3, evaluated=2, without_history=1, without_relevant=0)
    >>> setup = Setup("Random split.", "random", "new", users, 9, "popular", 1000, 0, {}, {}, {})
    >>> next(about(setup))
    'Random split.'
    """

    split: str
    "The sentence that states the split."
    kind: str
    "The split's kind."
    task: str
    "new, repeat, any or rating."
    users: Users
    "How many users counted, and why not all."
    items: int
    "Items in the catalogue; every one of them was ranked unless ``negatives`` says otherwise."
    baseline: str
    "The model the others are compared with."
    resamples: int
    "Bootstrap resamples, and sign assignments."
    seed: int | None
    "Of the resamples; None when a generator was given."
    data: dict[str, str]
    "Side of the split to the SHA-256 of its events and vocabularies."
    models: dict[str, dict[str, Any]]
    "Model name to its learner and hyper-parameters."
    versions: dict[str, str]
    "Of the software."
    by: tuple[str, ...] = ()
    "The columns by which users and wanted items were sliced."
    leaks: tuple[str, ...] = ()
    "What the training side knows that it could not have known, and says so."
    negatives: int | None = None
    "How many unwanted items each user's wanted ones were ranked among; None for the whole catalogue."
    people: int | None = None
    "How many people the questions are about, where one may be asked several; None where each user is asked once."
    windows: int = 1
    "How many splits there were, each with models fitted anew."
    notes: tuple[str, ...] = ()
    "What else has to be known, in sentences: where the data came from, what counts as a like."
    titles: bool = False
    "Whether a catalogue says what the items are called."
    command: str | None = None
    "The command that asked for it, as it was typed."
    threshold: float | None = None
    "Above it a rating is a like; None where no ratings are asked for."


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
        titles=titled(split),
        threshold=asked.threshold,
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
        titles=titled(cuts[-1]),
        threshold=asked.threshold,
    )


def about(setup: Setup) -> Iterator[str]:
    """Yield sentences that say what was measured, on whom, and what the intervals mean.

    >>> setup = Setup("Random split.", "random", "new", Users(3, 2, 1, 0), 9, "popular", 0, 0, {}, {}, {})
    >>> list(about(setup))[-1]
    'Ranking: all 9 items of the catalogue, none sampled; an empty slot is a miss.'
    """
    users = setup.users
    yield setup.split
    yield f"Task {setup.task}: models have to foresee {ASKED[setup.task]}."
    yield from setup.notes
    yield from setup.leaks
    yield (
        f"{'Users' if setup.people is None else 'Questions'}: {users.evaluated:,} of {users.test:,} in the test count; "
        f"{users.without_history:,} had no history to ask from, {users.without_relevant:,} did nothing in the test "
        "that the task asks for."
    )
    if setup.people is not None:
        yield f"They are about {setup.people:,} users; each question counts the same, and users are drawn whole."
    if setup.negatives is None and setup.task != "rating":
        yield f"Ranking: all {setup.items:,} items of the catalogue, none sampled; an empty slot is a miss."
    elif setup.negatives is not None:
        yield (
            f"Ranking: sampled. What a user wanted is ranked among {setup.negatives:,} other items drawn at random, "
            f"the same for every model, and not among all {setup.items:,} of the catalogue: the figures are higher "
            "than those of full ranking, are not comparable with them, and may put models in another order."
        )
    if setup.resamples:
        again = "a generator that was passed in" if setup.seed is None else f"seed {setup.seed}"
        yield (
            f"Intervals: 95%, bootstrap over users (of shares Wilson), {setup.resamples:,} resamples ({again}), "
            "the same for every model, so differences are paired. They tell how much the choice of users matters; "
            "not another period, nor another fit."
        )
        yield (
            f"Verdicts: better or worse when the interval of the difference from {setup.baseline} excludes 0 and p is "
            f"{CHANCE} at most; else how many users would tell such a difference {POWER:.0%} of the time. "
            "p: paired sign flips, Holm-corrected over the models compared on a metric."
        )
    if setup.by:
        yield (
            f"Slices: {', '.join(setup.by)}; an item's slice counts users who wanted such items, and asks for "
            f"these alone. Below {LEAST} users a slice cannot tell. p: corrected over models and slices of a column."
        )


def _added(counts: Sequence[Users]) -> Users:
    return Users(*(sum(getattr(count, name) for count in counts) for name in Users.__struct_fields__))
