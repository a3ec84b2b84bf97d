"""All that an evaluation found, before it is told."""

from __future__ import annotations

import math

from msgspec import Struct

from penchant.core.errors import UnknownName
from penchant.evaluation.examples import Examples
from penchant.evaluation.filled import Filled
from penchant.evaluation.line import Line
from penchant.evaluation.setup import Setup
from penchant.evaluation.timeline import Timeline

__all__ = ["Outcome"]

_HEAD = "ndcg@10"


class Outcome(Struct, frozen=True, eq=False):
    """What an evaluation found: figures, how they were made, and what a reader wants to see of both.

    >>> from penchant.evaluation.ranking import Users
    >>> setup = Setup("Random split.", "random", "new", Users(3, 2, 1, 0), 9, "popular", 0, 0, {}, {}, {})
    >>> lines = Line("popular", "hit", 5, 0.1, 0.1, 0.1), Line("ease", "hit", 5, 0.3, 0.2, 0.4)
    >>> found = Outcome(lines, setup)
    >>> found.head, [line.model for line in found.of()], found.leader
    ('hit@5', ['popular', 'ease'], 'ease')
    """

    lines: tuple[Line, ...]
    "A line for every model and metric, models in the order they were given; then the same of every slice."
    setup: Setup
    "What was evaluated and how."
    timeline: Timeline | None = None
    "The sides of each split, and when their events were."
    filled: dict[str, Filled] = {}
    "Model to how full its slates were."
    examples: Examples | None = None
    "What some people were shown, and why; None when nobody was asked for."

    @property
    def whole(self) -> tuple[Line, ...]:
        """The lines about all users, parities between their groups among them."""
        return tuple(line for line in self.lines if line.part is None)

    @property
    def names(self) -> tuple[str, ...]:
        """The metrics with their k, in the order they were given."""
        return tuple(dict.fromkeys(str(line.measure) for line in self.whole))

    @property
    def head(self) -> str | None:
        """The metric told first: ndcg@10 when it has an interval, else the first that has one, else the first."""
        able = [str(line.measure) for line in self.whole if line.low is not None]
        return _HEAD if _HEAD in able else next(iter(able or self.names), None)

    @property
    def most(self) -> str:
        """What the best value of the first metric is: highest, or lowest where less is better."""
        return "lowest" if any(line.measure.good < 0 for line in self.of()) else "highest"

    @property
    def ranked(self) -> tuple[str, ...]:
        """The models but for the baseline, the best value of the first metric first; those without one last.

        >>> from penchant.evaluation.ranking import Users
        >>> setup = Setup("Random split.", "random", "rating", Users(3, 2, 1, 0), 9, "mean", 0, 0, {}, {}, {})
        >>> lines = Line("mean", "mae", 0, 0.9), Line("odd", "mae", 0, 1.1), Line("stars", "mae", 0, 0.7)
        >>> Outcome(lines, setup).most, Outcome(lines, setup).ranked
        ('lowest', ('stars', 'odd'))
        """
        way = -1.0 if self.most == "lowest" else 1.0
        others = [line for line in self.of() if line.model != self.setup.baseline]
        others.sort(key=lambda line: math.inf if line.value is None else -way * line.value)
        return tuple(line.model for line in others)

    @property
    def leader(self) -> str | None:
        """The model with the best value of the first metric, the baseline aside; None when there is no other."""
        return next(iter(self.ranked), None)

    def of(self, metric: str | None = None) -> tuple[Line, ...]:
        """Return the lines of a metric about all users; for None those of :attr:`head`, a line a model.

        Raises:
            UnknownName: there is no such metric.
        """
        if metric is not None and metric not in self.names:
            raise UnknownName.of("metric", metric, self.names, field="metric")
        wanted = self.head if metric is None else metric
        lines = tuple(line for line in self.whole if str(line.measure) == wanted)
        return tuple(line for line in lines if metric is not None or line.slice == lines[0].slice)

    def shown(self, most: int = 5) -> tuple[str, ...]:
        """Return the models of a chart with room for few: the baseline, then those with the best first metric.

        >>> from penchant.evaluation.ranking import Users
        >>> setup = Setup("Random split.", "random", "new", Users(3, 2, 1, 0), 9, "popular", 0, 0, {}, {}, {})
        >>> lines = Line("popular", "hit", 5, 0.1), Line("ease", "hit", 5, 0.3), Line("ials", "hit", 5, 0.4)
        >>> Outcome(lines, setup).shown(2)
        ('popular', 'ials')
        """
        return (self.setup.baseline, *self.ranked[: most - 1])
