"""How an evaluation was made, and that in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from penchant.evaluation.power import CHANCE, POWER
from penchant.evaluation.ranking import TASKS, Users
from penchant.evaluation.slices import LEAST

__all__ = ["Setup", "about"]


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
    "new, repeat or any."
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
    titles: bool = False
    "Whether a catalogue says what the items are called."
    command: str | None = None
    "The command that asked for it, as it was typed."


def about(setup: Setup) -> Iterator[str]:
    """Yield sentences that say what was measured, on whom, and what the intervals mean.

    >>> setup = Setup("Random split.", "random", "new", Users(3, 2, 1, 0), 9, "popular", 0, 0, {}, {}, {})
    >>> list(about(setup))[-1]
    'Ranking: all 9 items of the catalogue, none sampled; an empty slot is a miss.'
    """
    users = setup.users
    yield setup.split
    yield f"Task {setup.task}: models have to foresee {TASKS[setup.task]}."
    yield from setup.leaks
    yield (
        f"{'Users' if setup.people is None else 'Questions'}: {users.evaluated:,} of {users.test:,} in the test count; "
        f"{users.without_history:,} had no history to ask from, {users.without_relevant:,} did nothing in the test "
        "that the task asks for."
    )
    if setup.people is not None:
        yield f"They are about {setup.people:,} users; each question counts the same, and users are drawn whole."
    if setup.negatives is None:
        yield f"Ranking: all {setup.items:,} items of the catalogue, none sampled; an empty slot is a miss."
    else:
        yield (
            f"Ranking: sampled. What a user wanted is ranked among {setup.negatives:,} other items drawn at random, "
            f"the same for every model, and not among all {setup.items:,} of the catalogue: the figures are higher "
            "than those of full ranking, are not comparable with them, and may put models in another order."
        )
    if setup.resamples:
        again = "a generator that was passed in" if setup.seed is None else f"seed {setup.seed}"
        yield (
            f"Intervals: 95%, percentile bootstrap over users, {setup.resamples:,} resamples ({again}), the same for "
            "every model, so differences are paired. They tell how much the choice of users matters; not another "
            "period, nor another fit."
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
