"""Showing some people beside what models foresaw of their ratings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from msgspec.structs import replace

from penchant.core.arrays import Float64, Int32, Int64
from penchant.data.split import Split
from penchant.evaluation.examples import AVERAGES, Given, Shown
from penchant.evaluation.rated import Said
from penchant.evaluation.showing import Gallery, People

__all__ = ["RatedGallery"]

_MOST = 10
"Ratings of a person that are shown."


class RatedGallery(Gallery):
    """People of a split with the ratings they gave in the test, and what each model foresaw of these.

    >>> import penchant as pt
    >>> from penchant.data.dataset import Dataset
    >>> from penchant.evaluation.rated import predicted, said
    >>> from penchant.models.matrixfactorization import MatrixFactorization
    >>> stars = Dataset.from_matrix(np.where(np.equal.outer(np.arange(20) % 2, np.arange(20) % 2), 5, 1))
    >>> split = pt.split.random(stars, rng=0)
    >>> scorer, asked = MatrixFactorization(factors=2).fit(split.train), said(split)
    >>> gallery = RatedGallery(split, asked, People(2, 0))
    >>> gallery.foresee({"mf": scorer}, {"mf": predicted(scorer, split, asked)})
    >>> [(shown.model, round(shown.off, 1)) for shown in gallery.examples().people[0].slates]
    [('averages alone', 2.0), ('mf', 0.1)]
    """

    def __init__(self, split: Split, asked: Said, people: People) -> None:
        """Choose the people, and of each at most 10 ratings of the test, spread from the best to the worst."""
        super().__init__(split, asked.found, people)
        self.asked = asked
        self.questions = {int(row): self._spread(np.flatnonzero(asked.row == row)) for row in self.rows}

    def foresee(self, raters: Mapping[str, Any], answers: Mapping[str, Float64]) -> None:
        """Keep what each model foresaw of the questions (float64[p], of all users who count), with its addends.

        One model alone is put beside what its own averages say without the person's history.
        """
        for row, questions in self.questions.items():
            items = self.asked.item[questions]
            for name, rater in raters.items():
                given, why = self._given(name, rater, row, items)
                foreseen = zip(
                    given, answers[name][questions].tolist(), self.asked.actual[questions].tolist(), strict=True
                )
                told = tuple(_told(each, score, actual) for each, score, actual in foreseen)
                if len(raters) == 1 and hasattr(rater, "base"):
                    self.slates[row].append(Shown(AVERAGES, _averages(told, rater, items)))
                self.slates[row].append(Shown(name, told, why))

    def _spread(self, questions: Int64) -> Int64:
        order = questions[np.argsort(-self.asked.actual[questions], kind="stable")]
        if len(order) <= _MOST:
            return order
        return order[np.linspace(0, len(order) - 1, _MOST).round().astype(np.int64)]


def _told(given: Given, foreseen: float, actual: float) -> Given:
    if np.isnan(foreseen):
        return Given(given.title, None, False, actual=actual)
    return replace(given, score=foreseen, actual=actual)


def _averages(told: tuple[Given, ...], rater: Any, items: Int32) -> tuple[Given, ...]:
    """Return the same with what the model says of an item before it has seen any history."""
    alone = zip(told, np.asarray(rater.base(items), np.float64).tolist(), strict=True)
    return tuple(replace(each, score=None if np.isnan(base) else base, reasons=()) for each, base in alone)
