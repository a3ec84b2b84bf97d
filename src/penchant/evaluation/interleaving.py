"""Two rankers in one slate: who looks at it says, by what they choose, which of the two they prefer."""

from __future__ import annotations

import math
from collections.abc import Collection, Hashable, Mapping, Sequence
from typing import Any, Generic, TypeVar

import numpy as np
from msgspec import Struct
from scipy.special import ndtri

from penchant.core.arrays import Int8, Int32
from penchant.core.chance import generator
from penchant.core.errors import InputError
from penchant.core.executor import blocks
from penchant.core.progress import SILENT, Progress
from penchant.data.split import Split
from penchant.evaluation.interval import Effect, Inconclusive
from penchant.evaluation.power import CHANCE, POWER
from penchant.evaluation.preference import preference, told
from penchant.evaluation.ranking import Ranker, Users, hits, rank, truth
from penchant.kernels.draft import draft

__all__ = ["Interleaved", "Preferences", "interleave", "preference", "team_draft"]

Id = TypeVar("Id", bound=Hashable)


class Interleaved(Struct, Generic[Id], frozen=True):
    """One slate made of two, and whose each item is.

    >>> Interleaved(("tea", "milk", "jam"), ("a", "b", "")).credit(["milk", "jam"])
    -1
    """

    items: tuple[Id, ...]
    "What is shown, best first."
    team: tuple[str, ...]
    "Per item: 'a' or 'b', who picked it, or '' for an item that fills the slate when one ranking has nothing new left."

    def credit(self, clicked: Collection[Id]) -> int:
        """Return how many of the clicked items ``a`` picked, less those that ``b`` picked; above 0, ``a`` won.

        An item clicked twice counts once.

        Raises:
            InputError: an item that was clicked does not stand in the slate.
        """
        teams = dict(zip(self.items, self.team, strict=True))
        unknown = [item for item in clicked if item not in teams]
        if unknown:
            shown = f"the {len(self.items)} items of this slate"
            raise InputError("a click on an item that was not shown", got=repr(unknown[0]), allowed=shown)
        chosen = [teams[item] for item in set(clicked)]
        return chosen.count("a") - chosen.count("b")


def team_draft(a: Sequence[Id], b: Sequence[Id], n: int = 10, rng: int | np.random.Generator = 0) -> Interleaved[Id]:
    """Return two rankings as one slate: in every round a fair coin says who picks first, and each picks its best left.

    The teams differ by one item at most, so a click that has nothing to do with the rankings is as likely for either.
    Once a ranking has nothing new left, the other's items fill the slate and are nobody's.

    >>> slate = team_draft(["tea", "milk", "jam", "salt"], ["milk", "rice", "tea", "jam"], n=4, rng=0)
    >>> slate.items, slate.team
    (('milk', 'tea', 'jam', 'rice'), ('b', 'a', 'a', 'b'))

    Args:
        a: items, best first; one that stands twice counts where it stands first, and -1 is an empty slot.
        b: likewise.
        n: items in the slate at most.
        rng: seed or generator of the coins; it gives ceil(n / 2) of them.

    Raises:
        InputError: ``n`` is below 1, or ``rng`` is no seed.

    Source: Radlinski, Kurup and Joachims, "How Does Clickthrough Data Reflect Retrieval Quality?", CIKM 2008,
    algorithm 2. Memory and time are O(len(a) + len(b)).
    """
    _check_n(n)
    numbers: dict[Id, int] = {}
    coded = [[-1 if item == -1 else numbers.setdefault(item, len(numbers)) for item in ranking] for ranking in (a, b)]
    items, team = _drafted(np.array([coded[0]], np.int32), np.array([coded[1]], np.int32), n, generator(rng))
    known, length = list(numbers), int((items[0] >= 0).sum())
    return Interleaved(
        tuple(known[code] for code in items[0, :length]), tuple(("", "a", "b")[each] for each in team[0, :length])
    )


class Preferences(Struct, frozen=True):
    """Which of two rankers people prefer, when their slates are interleaved.

    >>> users = Users(test=200, evaluated=200, without_history=0, without_relevant=0)
    >>> print(Preferences("ease", "popular", 10, 60, 40, 90, 10, preference([1] * 60 + [-1] * 40), users))
    ease is preferred to popular by 60% [50, 69] of those with a preference (100 of 200 users; p 0.046)
    """

    a: str
    "Name of the one ranker."
    b: str
    "Name of the other."
    n: int
    "Items in a slate."
    for_a: int
    "Users who chose more of what ``a`` picked."
    for_b: int
    "Users who chose more of what ``b`` picked."
    neither: int
    "Users who chose as many of each, or none."
    same: int
    "Users who get the same slate from both: they cannot prefer either, and no coin is tossed for them."
    lead: Effect | Inconclusive
    "What :func:`preference` says."
    users: Users
    "How the users were chosen."

    @property
    def verdict(self) -> str:
        """'better' or 'worse', of ``a``, or 'cannot tell'."""
        return self.lead.verdict

    @property
    def needed(self) -> int | None:
        """Users who would tell a lead of this size 4 times in 5, as many of them having none; None when it is 0.

        Source: the normal approximation of the power of a test of a share against 1/2.
        """
        share, voting = (1 + self.lead.value) / 2, self.for_a + self.for_b
        if not voting or share == 0.5:
            return None
        spread = 0.5 * float(ndtri(1 - CHANCE / 2)) + math.sqrt(share * (1 - share)) * float(ndtri(POWER))
        return math.ceil((spread / (share - 0.5)) ** 2 * self.users.evaluated / voting)

    def __str__(self) -> str:
        who = f"{self.for_a + self.for_b:,} of {self.users.evaluated:,} users"
        more = f"; would need about {self.needed:,} users" if self.needed else ""
        return told(self.a, self.b, self.lead, who, more)


def interleave(
    scorers: Mapping[str, Ranker],
    split: Split,
    n: int = 10,
    *,
    task: str = "new",
    level: float = 0.95,
    rng: int | np.random.Generator = 0,
    progress: Progress = SILENT,
    batch: int = 4096,
) -> Preferences:
    """Replay a split as if two models had been interleaved: each user looks at one slate, and clicks what they wanted.

    What a user did in the test was done without seeing these slates, so this says whose items they wanted anyway. It
    is the same test as online, and needs far fewer users than a comparison of click rates of two groups.

    >>> from penchant.data.dataset import Dataset
    >>> from penchant.data.split import random
    >>> from penchant.models.itemknn import ItemKNN
    >>> from penchant.models.popular import Popular
    >>> split = random(Dataset.from_matrix(np.kron(np.eye(2), np.ones((30, 6)))), share=0.2, rng=0)  # two tastes
    >>> scorers = {"item-knn": ItemKNN().fit(split.train), "popular": Popular().fit(split.train)}
    >>> print(interleave(scorers, split, n=4))
    item-knn is preferred to popular by 98% [89, 100] of those with a preference (43 of 44 users; p < 0.001)

    Args:
        scorers: two names and models, fitted on ``split.train``.
        split: what :mod:`penchant.data.split` makes.
        n: items in a slate.
        task: as in :func:`penchant.evaluation.evaluate.evaluate`.
        level: the share of such intervals that hold the truth.
        rng: seed or generator of the coins.
        progress: where to show that it is getting on.
        batch: users per call of ``score_batch``.

    Raises:
        InputError: there are not two fitted models, ``n`` is below 1, or a model has another vocabulary than the split.
        UnknownName: there is no such task.
        EmptyData: no user has anything to foresee.

    Source: as :func:`team_draft`. Memory is O(n) a user, time that of ranking twice.
    """
    _check_n(n)
    _expect_two(scorers)
    source, found = generator(rng), truth(split, task)
    slates = [
        rank(scorer, split, found, n, batch=batch, progress=progress, name=name) for name, scorer in scorers.items()
    ]
    (a, b), (slate_a, slate_b) = scorers, slates
    items, team = _drafted(slate_a, slate_b, n, source)
    same = (_packed(slate_a) == _packed(slate_b)).all(axis=1)
    outcome = np.where(same, 0, (hits(found, items) * team).sum(axis=1))
    wins, losses = int((outcome > 0).sum()), int((outcome < 0).sum())
    return Preferences(
        a=a,
        b=b,
        n=n,
        for_a=wins,
        for_b=losses,
        neither=len(outcome) - wins - losses - int(same.sum()),
        same=int(same.sum()),
        lead=preference(outcome, level=level),
        users=found.counted,
    )


def _drafted(a: Int32, b: Int32, n: int, rng: np.random.Generator) -> tuple[Int32, Int8]:
    """Return int32[m, n] and int8[m, n]: the drafts of every row."""
    items, team = np.full((len(a), n), -1, np.int32), np.zeros((len(a), n), np.int8)
    for start, stop in blocks(len(a), 65_536):
        coins = rng.integers(0, 2, (stop - start, (n + 1) // 2), dtype=np.int8)
        draft(a[start:stop], b[start:stop], coins, items[start:stop], team[start:stop])
    return items, team


def _packed(slates: Int32) -> Int32:
    """Return the slates with their empty slots at the end."""
    return np.take_along_axis(slates, np.argsort(slates < 0, axis=1, kind="stable"), axis=1)


def _expect_two(scorers: Any) -> None:
    then = "interleave({'one': ..., 'other': ...}, split)"
    if not isinstance(scorers, Mapping) or len(scorers) != 2:
        got = f"{len(scorers)}" if isinstance(scorers, Mapping) else type(scorers).__name__
        allowed = "a mapping of two names to fitted models"
        raise InputError("interleaving takes two models", got=got, allowed=allowed, then=then, field="scorers")
    for name, scorer in scorers.items():
        if not hasattr(scorer, "score_batch"):
            got = type(scorer).__name__
            then = "fit a learner on split.train"
            raise InputError(f"{name} is not a fitted model", got=got, allowed="what fit returns", then=then)


def _check_n(n: int) -> None:
    if n < 1:
        raise InputError("n is out of range", got=n, allowed="1 or more", then="ask for 10 items", field="n")
