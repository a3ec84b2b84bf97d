"""What an evaluation found, as a table, as JSON, as text and as sentences."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from penchant.evaluation import formats
from penchant.evaluation.line import Line, sentence
from penchant.evaluation.outcome import Outcome
from penchant.evaluation.page import write
from penchant.evaluation.plotting import plot
from penchant.evaluation.reportpage.cautions import Caution, cautions
from penchant.evaluation.reportpage.page import render
from penchant.evaluation.setup import about

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Report"]


class Report(Outcome, frozen=True, eq=False):
    """What an evaluation found.

    >>> from penchant.evaluation.ranking import Users
    >>> from penchant.evaluation.setup import Setup
    >>> users = Users(test=3, evaluated=2, without_history=1, without_relevant=0)
    >>> setup = Setup("Random split.", "random", "new", users, 9, "popular", 1000, 0, {}, {}, {})
    >>> better = Line("ease", "ndcg", 10, 0.3, 0.2, 0.4, 0.012, 0.009, 0.015, 0.001, "better")
    >>> Report((better,), setup).verdicts()
    ['ease beats popular on ndcg@10 by 0.012 [0.009, 0.015]']
    """

    def __repr__(self) -> str:
        return self.markdown()

    @property
    def table(self) -> pl.DataFrame:
        """A polars table, one row a model and metric, and slice when there are any.

        Columns: model, metric (String), k (Int64), value, low, high (Float64), baseline (String), diff, diff_low,
        diff_high, p (Float64), verdict, why (String), seconds (Float64), slice (String, null for all users), users (how
        many the line is about), needed (about how many could tell, where these cannot) and sampled (how many unwanted
        items slates were ranked among, null for the whole catalogue; all Int64).
        """
        import polars as pl

        texts, numbers = ("model", "metric", "baseline", "verdict", "why", "slice"), ("k", "users", "needed", "sampled")
        names = [*Line.__struct_fields__]
        names.insert(names.index("diff"), "baseline")
        schema = {name: pl.String if name in texts else pl.Int64 if name in numbers else pl.Float64 for name in names}
        rows = [{**msgspec.structs.asdict(line), "baseline": self.setup.baseline} for line in self.lines]
        return pl.DataFrame(rows, schema=schema)

    def json(self) -> str:
        """Return the report as JSON; ``msgspec.json.decode(text, type=Report)`` reads it back."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2).decode()

    def verdicts(self) -> list[str]:
        """Return a sentence for every comparison with the baseline."""
        return [sentence(line, self.setup.baseline) for line in self.lines if line.verdict is not None]

    def about(self) -> list[str]:
        """Return sentences that say what was measured, on whom, and what the intervals mean."""
        return list(about(self.setup))

    def cautions(self) -> tuple[Caution, ...]:
        """Return what to mind before relying on it, each with what to do."""
        return cautions(self)

    def command(self, text: str) -> Report:
        """Return the report of an evaluation that a command asked for, as it was typed."""
        return msgspec.structs.replace(self, setup=msgspec.structs.replace(self.setup, command=text))

    def markdown(self, metrics: Sequence[str] | None = None, by: Sequence[str] = ()) -> str:
        """Return the table, the warnings and how it was measured as Markdown; a value is bold where it is better.

        Args:
            metrics: such as ``ndcg@10``, of all users; all lines when None.
            by: columns whose slices these are shown of too, of those that the evaluation was sliced by.

        Raises:
            UnknownName: the report has no such metric.
        """
        return formats.markdown(self, metrics, by)

    def latex(self, metrics: Sequence[str] | None = None, by: Sequence[str] = ()) -> str:
        """Return the same table for LaTeX with the packages booktabs and longtable.

        Args:
            metrics: as above.
            by: as above.

        Raises:
            UnknownName: the report has no such metric.
        """
        return formats.latex(self, metrics, by)

    def html(self, path: str | Path) -> None:
        """Write the report as one page that needs nothing else: no network, no script.

        Raises:
            InputError: the path cannot be written.
        """
        write(Path(path), render(self).encode())

    def plot(self, path: str | Path, metric: str | None = None) -> None:
        """Write a chart of one metric with its intervals; the path's ending chooses PNG, SVG or PDF.

        Args:
            path: the file to write.
            metric: such as ``ndcg@10``; the first that has intervals when None.

        Raises:
            MissingExtra: matplotlib is not installed.
            UnknownName: the report has no such metric.
            InputError: the path cannot be written, or its ending names no format.
        """
        plot(self, Path(path), metric)
