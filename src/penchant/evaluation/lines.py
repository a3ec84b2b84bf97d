"""The lines of a report: of all users, and of every slice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np
from msgspec.structs import replace

from penchant.core.arrays import Float64, Int32, Int64
from penchant.evaluation.context import Context
from penchant.evaluation.effects import Chance, Effects, effects
from penchant.evaluation.interval import Effect, Inconclusive
from penchant.evaluation.line import Line
from penchant.evaluation.measure import RANKING, per_user
from penchant.evaluation.metrics.names import Metric
from penchant.evaluation.metrics.ranking import USER_METRICS
from penchant.evaluation.slices import LEAST, Slice

__all__ = ["Lines"]

_TOGETHER = "one number for all slates together"
_NOTHING = "nothing is recommended, so there is nothing to measure"
_NOT_BOTH = "the model or the baseline recommends nothing, so there is nothing to compare"

Found = dict[str, tuple[Effects, Effects]]


class Lines:
    """What slates, metrics and chance make together.

    >>> from penchant.data.dataset import Dataset
    >>> from penchant.data.split import Split
    >>> from penchant.evaluation.ranking import truth
    >>> past, later = Dataset.from_matrix([[1, 1, 0], [1, 0, 0]]), Dataset.from_matrix([[0, 0, 1], [0, 1, 0]])
    >>> split = Split(past, past, later, "temporal", "By hand.")
    >>> made = Lines({"one": np.int32([[2, -1], [2, 1]])}, [Metric("mrr", 2)], Context(split, truth(split)))
    >>> line = made.whole(Chance("one", 0, np.random.default_rng()))[0]
    >>> line.model, line.name, line.value, line.users
    ('one', 'mrr@2', 0.75, 2)
    """

    def __init__(
        self,
        slates: Mapping[str, Int32],
        metrics: Sequence[Metric],
        context: Context,
        seconds: Mapping[str, float] | None = None,
    ) -> None:
        """Take the slates of each model, row i about user i of the context."""
        self.slates = slates
        self.metrics = list(metrics)
        self.context = context
        self.seconds = seconds or {}

    @cached_property
    def values(self) -> dict[str, Float64]:
        """Model to float64[n_users, metrics that have a value for each user]."""
        return {name: self._values(items) for name, items in self.slates.items()}

    def whole(self, chance: Chance) -> list[Line]:
        """Return a line for every model and metric, models in the order given."""
        found = effects([self.values], chance, [self.context.found.units])[0] if self._paired(self.metrics) else {}
        return self.lines(found, self.metrics, self.slates, chance)

    def sliced(self, parts: Sequence[Slice], chance: Chance) -> list[Line]:
        """Return the same of every slice of a column; of wanted items only metrics that look at hits alone."""
        careful = replace(chance, least=LEAST)
        items = bool(parts) and parts[0].items is not None
        metrics = [metric for metric in self.metrics if not items or metric.name in USER_METRICS]
        made: list[Line] = []
        paired = self._paired(metrics)
        units = [self.context.found.people(part.rows) for part in parts]
        found = effects([self.of(part, paired) for part in parts], careful, units) if paired else [{} for _ in parts]
        for part, effect in zip(parts, found, strict=True):
            cut = {name: slates[part.rows] for name, slates in self.slates.items()}
            made += self.lines(effect, metrics, cut, chance, part)
        return made

    def _paired(self, metrics: Sequence[Metric]) -> list[Metric]:
        return [metric for metric in metrics if metric.per_user]

    def _values(self, items: Int32) -> Float64:
        paired, context = self._paired(self.metrics), self.context
        ranking = [metric for metric in paired if metric.name in RANKING]
        fast = per_user(items, context.found.wanted, ranking, context.candidates)
        if len(ranking) == len(paired):
            return fast
        columns = iter(fast.T)
        every = [next(columns) if metric.name in RANKING else context.value(metric, items) for metric in paired]
        return np.stack(every, axis=1)

    def of(self, part: Slice, metrics: list[Metric]) -> dict[str, Float64]:
        """Return float64[users of a slice, m] for each model: all metrics of a user, or of some items these ones."""
        if part.items is None:
            return {name: values[part.rows] for name, values in self.values.items()}
        wanted = self.context.found.wanted.only(part.items).rows(part.rows)
        candidates: Int64 = self.context.candidates[part.rows]
        return {name: per_user(items[part.rows], wanted, metrics, candidates) for name, items in self.slates.items()}

    def lines(
        self,
        found: Found,
        metrics: Sequence[Metric],
        slates: Mapping[str, Int32],
        chance: Chance,
        part: Slice | None = None,
    ) -> list[Line]:
        """Return the lines of what :func:`effects` found of all users or of a slice."""
        made = []
        units = self.context.found.units
        whose = units if part is None or units is None else units[part.rows]
        users = len(slates[chance.against]) if whose is None else len(np.unique(whose))
        for name, items in slates.items():
            means, differences = map(iter, found.get(name, ([], [])))
            for metric in metrics:
                if metric.per_user:
                    mean, difference = self.said(metric, next(means)), next(differences, None)
                else:
                    mean, difference = self._whole(
                        metric, items, None if name == chance.against else slates[chance.against]
                    )
                line = Line.of(name, metric, mean, difference, self.seconds.get(name), users=users)
                made.append(replace(line, slice=None if part is None else part.name, sampled=chance.sampled))
        return made

    def said(self, metric: Metric, effect: Effect | Inconclusive) -> Effect | Inconclusive:
        """Return the mean of a metric, or why the data lack what it needs."""
        if metric.name in ("diversity", "calibration") and self.context.categories is None:
            return Inconclusive(effect.value, "the catalogue has no categories")
        return effect

    def _whole(self, metric: Metric, items: Int32, base: Int32 | None) -> tuple[Inconclusive, Inconclusive | None]:
        """Return a number that no interval belongs to, and its difference from that of the baseline's slates."""
        value = self.context.together(metric, items)
        mean = Inconclusive(value, _NOTHING if np.isnan(value) else _TOGETHER)
        if base is None:
            return mean, None
        difference = value - self.context.together(metric, base)
        return mean, Inconclusive(difference, _NOT_BOTH if np.isnan(difference) else _TOGETHER)
