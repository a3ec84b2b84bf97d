"""Ratings foreseen beside ratings given: the lines of a report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from penchant.core.arrays import Bool, Float64, Int32, Int64
from penchant.core.errors import InputError
from penchant.core.progress import SILENT, Progress
from penchant.data.split import Split
from penchant.evaluation.effects import Chance
from penchant.evaluation.line import Line
from penchant.evaluation.metrics.names import Metric
from penchant.evaluation.rated import Said, can_rate, predicted, said
from penchant.evaluation.ratios import Part, Tally, compared
from penchant.evaluation.slices import LEAST, slices

__all__ = ["ROOT_LEAST", "Answers", "answers", "check_threshold", "expect_raters", "said_of"]

ROOT_LEAST = 100
"People below which an RMSE has no interval: a few large errors decide it."

_LIKES = ("accuracy", "f1")


class Answers(Struct, frozen=True, eq=False):
    """Questions of one split or several, with what each model answered.

    >>> each = Answers(np.array([0, 0, 1]), np.int32([0, 1, 0]), np.array([4.0, 1.0, 5.0]), {
    ...     "low": np.array([3.0, 1.0, 5.0]), "mute": np.array([np.nan, 1.0, 5.0])})
    >>> lines = each.lines([Metric("mae"), Metric("answered")], Chance("low", 0, np.random.default_rng()), 0.0)
    >>> [(line.model, line.name, round(line.value, 3), line.users) for line in lines]
    [('low', 'mae', 0.333, 2), ('low', 'answered', 1.0, 2), ('mute', 'mae', 0.0, 2), ('mute', 'answered', 0.667, 2)]
    """

    unit: Int64
    "int64[p], the person each question is about."
    item: Int32
    "int32[p], the item."
    actual: Float64
    "float64[p], what was said."
    foreseen: Mapping[str, Float64]
    "Model to float64[p]; NaN where it cannot say."
    parts: Mapping[str, Mapping[str, Bool]] = {}
    "Column to the name of each slice to bool[p], the questions in it."

    @classmethod
    def beside(cls, each: Sequence[Answers], name: str = "split") -> Answers:
        """Return the answers of several splits together; each of them is a slice."""
        lengths = [len(part.unit) for part in each]
        owner = np.repeat(np.arange(len(each)), lengths)
        parts: dict[str, dict[str, Bool]] = {
            name: {f"{name} = {i} of {len(each)}": owner == i - 1 for i in range(1, len(each) + 1)}
        }
        starts = np.concatenate([[0], np.cumsum(lengths)])
        for i, part in enumerate(each):
            for column, own in part.parts.items():
                for label, rows in own.items():
                    whole = parts.setdefault(column, {}).setdefault(label, np.zeros(len(owner), np.bool_))
                    whole[starts[i] : starts[i + 1]] = rows
        return cls(
            np.concatenate([part.unit for part in each]),
            np.concatenate([part.item for part in each]),
            np.concatenate([part.actual for part in each]),
            {model: np.concatenate([part.foreseen[model] for part in each]) for model in each[0].foreseen},
            parts,
        )

    def lines(
        self,
        metrics: Sequence[Metric],
        chance: Chance,
        threshold: float,
        seconds: Mapping[str, float] | None = None,
    ) -> list[Line]:
        """Return a line for every model and metric, of all questions and then of every slice."""
        everything = {None: np.ones(len(self.unit), np.bool_)}
        made = self._lines(everything, metrics, chance, threshold, seconds or {})
        for parts in self.parts.values():
            made += self._lines(parts, metrics, replace(chance, least=LEAST), threshold, seconds or {})
        return made

    def _lines(
        self,
        parts: Mapping[Any, Bool],
        metrics: Sequence[Metric],
        chance: Chance,
        threshold: float,
        seconds: Mapping[str, float],
    ) -> list[Line]:
        found = {}
        for metric in metrics:
            each = [self._part(rows, metric.name, chance.against, threshold) for rows in parts.values()]
            root = metric.name == "rmse"
            least = replace(chance, least=max(chance.least, ROOT_LEAST)) if root else chance
            found[metric.name] = compared(each, least, "root" if root else "mean")
        made = []
        for i, (label, rows) in enumerate(parts.items()):
            users = len(np.unique(self.unit[rows]))
            for model in self.foreseen:
                for metric in metrics:
                    mean, difference = found[metric.name][i][model]
                    line = Line.of(model, metric, mean, difference, seconds.get(model), users=users)
                    made.append(replace(line, slice=label))
        return made

    def _part(self, rows: Bool, name: str, against: str, threshold: float) -> Part:
        actual = self.actual[rows]
        foreseen = {model: values[rows] for model, values in self.foreseen.items()}
        tallies = {model: _tally(name, values, actual, threshold) for model, values in foreseen.items()}
        pairs = {}
        for model, values in foreseen.items():
            if model == against:
                continue
            both = np.isnan(values) | np.isnan(foreseen[against])
            if name == "answered" or not both.any():
                pairs[model] = (tallies[model], tallies[against])
            else:
                one, other = (np.where(both, np.nan, each) for each in (values, foreseen[against]))
                pairs[model] = (_tally(name, one, actual, threshold), _tally(name, other, actual, threshold))
        return Part(tallies, pairs, self.unit[rows])


def _tally(name: str, foreseen: Float64, actual: Float64, threshold: float) -> Tally:
    """Return what each question adds to a metric; one that is not answered adds nothing."""
    there = ~np.isnan(foreseen)
    if name == "answered":
        return Tally.of_rows(there, np.ones(len(actual)))
    error = np.where(there, foreseen - actual, 0.0)
    if name in ("rmse", "mae"):
        return Tally.of_rows(error**2 if name == "rmse" else np.abs(error), there)
    likes, real = there & (np.where(there, foreseen, 0.0) > threshold), there & (actual > threshold)
    if name == "accuracy":
        return Tally.of_rows(there & (likes == real), there)
    return Tally.of_rows(2.0 * (likes & real), likes.astype(np.float64) + real)


def answers(
    raters: Mapping[str, Any],
    split: Split,
    by: Sequence[str] = (),
    users: Any = None,
    *,
    batch: int = 4096,
    progress: Progress = SILENT,
) -> tuple[Said, Answers]:
    """Return the questions of a split, and what each model answers, with the slices of the columns in ``by``.

    >>> from penchant.data.dataset import Dataset
    >>> from penchant.data.split import random
    >>> from penchant.models.matrixfactorization import MatrixFactorization
    >>> split = random(Dataset.from_matrix(np.ones((6, 6))), rng=0)
    >>> asked, found = answers({"stars": MatrixFactorization(factors=1).fit(split.train)}, split, ["user.history"])
    >>> len(asked.actual), found.foreseen["stars"].round(1).max(), list(found.parts["user.history"])
    (7, np.float64(1.0), ['user.history = 2 to 4', 'user.history = 5 to 9'])
    """
    expect_raters(raters)
    asked = said(split)
    foreseen = {
        name: predicted(rater, split, asked, batch=batch, progress=progress, name=name)
        for name, rater in raters.items()
    }
    whose = asked.found.users if asked.found.units is None else asked.found.units
    parts: dict[str, dict[str, Bool]] = {}
    for column, cut in slices(split, asked.found, by, users).items():
        parts[column] = {}
        for part in cut:
            rows = np.isin(asked.row, part.rows)
            parts[column][part.name] = rows if part.items is None else rows & part.items[asked.item]
    return asked, Answers(whose[asked.row], asked.item, asked.actual, foreseen, parts)


def expect_raters(raters: Mapping[str, Any]) -> None:
    """Raise InputError when a model does not foresee ratings.

    >>> from penchant.data.dataset import Dataset
    >>> from penchant.models.popular import Popular
    >>> expect_raters({"popular": Popular().fit(Dataset.from_matrix([[1.0]]))})
    Traceback (most recent call last):
        ...
    penchant.core.errors.InputError: popular does not foresee ratings; got Popularity; \
allowed: models with a predict, such as matrix-factorization; next: leave it out, or measure its slates
    """
    for name, rater in raters.items():
        if not can_rate(rater):
            raise InputError(
                f"{name} does not foresee ratings",
                got=type(rater).__name__,
                allowed="models with a predict, such as matrix-factorization",
                then="leave it out, or measure its slates",
                field="scorers",
            )


def check_threshold(metrics: Sequence[Metric], actual: Float64, threshold: float) -> None:
    """Raise InputError when likes are to be told from dislikes and there is only one of them.

    >>> check_threshold([Metric("f1")], np.array([4.0, 5.0]), 0.0)
    Traceback (most recent call last):
        ...
    penchant.core.errors.InputError: every rating of the test is a like; got ratings from 4 to 5 and a threshold of 0; \
allowed: a threshold with ratings on both sides; next: name it: threshold=4.5
    """
    likes = actual > threshold
    if any(metric.name in _LIKES for metric in metrics) and (likes.all() or not likes.any()):
        low, high = float(actual.min()), float(actual.max())
        middle = float(np.median(actual))
        able = low < high
        raise InputError(
            f"every rating of the test is a {'like' if likes.any() else 'dislike'}",
            got=f"ratings from {low:g} to {high:g} and a threshold of {threshold:g}",
            allowed="a threshold with ratings on both sides",
            then=f"name it: threshold={middle if middle < high else low:g}" if able else "measure rmse and mae",
            field="threshold",
        )


def said_of(metrics: Sequence[Metric], actual: Float64, threshold: float) -> tuple[str, ...]:
    """Return what a report says of ratings: how many there are, and what counts as a like.

    >>> for text in said_of([Metric("accuracy")], np.array([4.0, 1.0]), 3.0):
    ...     print(text)
    Ratings: 2 to foresee, from 1 to 4; each counts the same, and users are drawn whole.
    Likes: a rating above 3 is a like, and 50% of those to foresee are; one that is foreseen is told likewise.
    """
    low, high = float(actual.min()), float(actual.max())
    told = [
        f"Ratings: {len(actual):,} to foresee, from {low:g} to {high:g}; each counts the same, and users are drawn "
        "whole."
    ]
    if any(metric.name in _LIKES for metric in metrics):
        told.append(
            f"Likes: a rating above {threshold:g} is a like, and {float((actual > threshold).mean()):.0%} of those to "
            "foresee are; one that is foreseen is told likewise."
        )
    return tuple(told)
