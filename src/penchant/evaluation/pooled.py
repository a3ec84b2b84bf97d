"""The lines of several splits together, and of each."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from msgspec.structs import replace

from penchant.core.arrays import Float64, Int64
from penchant.evaluation.effects import Chance, effects
from penchant.evaluation.interval import Inconclusive
from penchant.evaluation.line import Line
from penchant.evaluation.lines import Lines
from penchant.evaluation.metrics.names import Metric
from penchant.evaluation.metrics.ranking import USER_METRICS
from penchant.evaluation.slices import LEAST, Slice

__all__ = ["Pooled"]

_MEAN = "the mean over splits of one number for all slates together"


class Pooled:
    """What the lines of several splits, of the same models and metrics, make together.

    >>> from penchant.data.dataset import Dataset
    >>> from penchant.data.split import Split
    >>> from penchant.evaluation.context import Context
    >>> from penchant.evaluation.ranking import truth
    >>> past, later = Dataset.from_matrix([[1, 1, 0], [1, 0, 0]]), Dataset.from_matrix([[0, 0, 1], [0, 1, 0]])
    >>> split = Split(past, past, later, "temporal", "By hand.", units=np.array([0, 1]))
    >>> context = Context(split, truth(split))
    >>> slates = np.int32([[2, 0], [2, 0]]), np.int32([[0, 1], [0, 1]])
    >>> parts = [Lines({"one": items}, [Metric("mrr", 2)], context) for items in slates]
    >>> chance = Chance("one", 0, np.random.default_rng())
    >>> [(line.slice, line.value, line.users) for line in Pooled(parts).lines(chance)]
    [(None, 0.375, 2), ('split = 1 of 2', 0.5, 2), ('split = 2 of 2', 0.25, 2)]
    """

    def __init__(self, parts: Sequence[Lines]) -> None:
        """Take the lines of each split; their contexts must say which person each row is about."""
        self.parts = list(parts)
        self.metrics = self.parts[0].metrics
        self.paired = [metric for metric in self.metrics if metric.per_user]

    @property
    def units(self) -> list[Int64]:
        """int64[...] for each split: the person each row is about."""
        return [np.asarray(part.context.found.units) for part in self.parts]

    @cached_property
    def values(self) -> dict[str, Float64]:
        """Model to float64[rows of all splits, metrics that have a value for each row]."""
        return {name: np.concatenate([part.values[name] for part in self.parts]) for name in self.parts[0].slates}

    def lines(self, chance: Chance) -> list[Line]:
        """Return a line for every model and metric of all splits together, then the same of each split."""
        people = np.concatenate(self.units)
        found = effects([self.values], chance, [people])[0] if self.paired else {}
        made = []
        users = len(np.unique(people))
        for name in self.values:
            means, differences = map(iter, found.get(name, ([], [])))
            for metric in self.metrics:
                if metric.per_user:
                    mean, difference = self.parts[0].said(metric, next(means)), next(differences, None)
                else:
                    mean, difference = self._mean(name, metric, chance.against)
                line = Line.of(name, metric, mean, difference, self._took(name), users=users)
                made.append(replace(line, sampled=chance.sampled))
        return made + self._each(replace(chance, least=LEAST))

    def sliced(self, cuts: Sequence[Sequence[Slice]], chance: Chance) -> list[Line]:
        """Return the lines of every slice of a column, whose users in all splits count together.

        Args:
            cuts: a split: its slices of that column; a slice of which a split has nobody may be missing there.
            chance: how chance is asked.
        """
        by_items = any(part.items is not None for cut in cuts for part in cut)
        metrics = [metric for metric in self.paired if not by_items or metric.name in USER_METRICS]
        names = list(dict.fromkeys(part.name for cut in cuts for part in cut))
        if not metrics or not names:
            return []
        values: list[dict[str, Float64]] = []
        people: list[Int64] = []
        for name in names:
            own = [
                (made, part) for made, cut in zip(self.parts, cuts, strict=True) for part in cut if part.name == name
            ]
            each = [made.of(part, metrics) for made, part in own]
            values.append({model: np.concatenate([found[model] for found in each]) for model in each[0]})
            people.append(np.concatenate([np.asarray(made.context.found.people(part.rows)) for made, part in own]))
        made_lines = []
        found = effects(values, replace(chance, least=LEAST), people)
        for name, effect, whose in zip(names, found, people, strict=True):
            for model, (means, differences) in effect.items():
                more = iter(differences)
                for metric, mean in zip(metrics, means, strict=True):
                    said = self.parts[0].said(metric, mean)
                    line = Line.of(
                        model, metric, said, next(more, None), self._took(model), users=len(np.unique(whose))
                    )
                    made_lines.append(replace(line, slice=name, sampled=chance.sampled))
        return made_lines

    def _took(self, model: str) -> float | None:
        return self.parts[0].seconds.get(model)

    def _each(self, chance: Chance) -> list[Line]:
        values = [part.values for part in self.parts]
        found = effects(values, chance, self.units) if self.paired else [{} for _ in self.parts]
        made = []
        for i, (part, effect) in enumerate(zip(self.parts, found, strict=True), 1):
            own = part.lines(effect, self.metrics, part.slates, chance)
            made += [replace(line, slice=f"split = {i} of {len(self.parts)}") for line in own]
        return made

    def _mean(self, name: str, metric: Metric, against: str) -> tuple[Inconclusive, Inconclusive | None]:
        """Return the mean over splits of one of LIST_METRICS, and how it differs from the baseline's."""
        mean, base = (
            float(np.mean([part.context.together(metric, part.slates[model]) for part in self.parts]))
            for model in (name, against)
        )
        return Inconclusive(mean, _MEAN), None if name == against else Inconclusive(mean - base, _MEAN)
