"""What the rooms of the house promise each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from msgspec import Struct

from penchant.core.arrays import Float32, Int32
from penchant.core.executor import LOCAL, Executor
from penchant.core.nouns import History, Query, Slate, TopK
from penchant.core.progress import SILENT, Progress

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Choice", "Executor", "Learner", "Policy", "Progress", "Scorer", "Stage"]


class Scorer(Protocol):
    """A fitted model: items in, numbers out, people nowhere. Immutable."""

    base_code: ClassVar[str]
    "What the base of a score is called in reasons."

    def score(self, history: History) -> Float32:
        """Return float32[n_items]; NaN where it cannot say."""
        ...

    def score_batch(self, histories: Any, k: int, exclude_seen: bool = True) -> TopK:
        """Return the best ``k`` items of every row of a CSR of histories (n x n_items)."""
        ...

    def base(self, items: Int32) -> Float32:
        """Return float32[m]: what the score of each item holds before any history."""
        ...

    def contributions(self, history: History, items: Int32) -> Float32:
        """Return float32[m, len(history)]; base plus the sum of a row is the score of its item."""
        ...


class Learner(Protocol):
    """A recipe: hyper-parameters as fields, ``fit`` makes a scorer of data."""

    def fit(
        self,
        data: Any,
        *,
        rng: int | np.random.Generator = 0,
        executor: Executor = LOCAL,
        progress: Progress = SILENT,
    ) -> Scorer:
        """Return the scorer learnt from a :class:`penchant.Dataset`."""
        ...


class Stage(Protocol):
    """One step of the pipeline; retrieve, filter, rank, blend and explain all have this shape."""

    def __call__(self, query: Query, slate: Slate, /) -> Slate:
        """Return the slate after this step."""
        ...


class Choice(Struct, frozen=True):
    """An arm and the probability with which the policy chose it.

    >>> Choice(arm=2, propensity=0.25)
    Choice(arm=2, propensity=0.25)
    """

    arm: int
    "Index into the arms that were offered."
    propensity: float
    "In (0, 1]; logged with the slate, so that the policy can be evaluated later."


class Policy(Protocol):
    """A bandit: the propensity is part of the choice."""

    def choose(self, context: Sequence[float], arms: Sequence[str], rng: np.random.Generator) -> Choice:
        """Return the arm chosen in this context."""
        ...
