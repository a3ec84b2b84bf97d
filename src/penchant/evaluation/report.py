"""What an evaluation found, as a table, as JSON, as text and as sentences."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from penchant.evaluation import page
from penchant.evaluation.line import Line, Setup, about, cells, sentence

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Report"]


class Report(Struct, frozen=True, eq=False):
    """What an evaluation found.

    >>> from penchant.evaluation.ranking import Users
    >>> users = Users(test=3, evaluated=2, without_history=1, without_relevant=0)
    >>> setup = Setup("Random split.", "random", "new", users, 9, "popular", 1000, 0, {}, {}, {})
    >>> better = Line("ease", "ndcg", 10, 0.3, 0.2, 0.4, 0.012, 0.009, 0.015, 0.001, "better")
    >>> Report((better,), setup).verdicts()
    ['ease beats popular on ndcg@10 by 0.012 [0.009, 0.015]']
    """

    lines: tuple[Line, ...]
    "A line for every model and metric, models in the order they were given; then the same of every slice."
    setup: Setup
    "What was evaluated and how."

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

    def markdown(self) -> str:
        """Return the table and the sentences as Markdown."""
        heads = ["model", "metric", "value", "95% interval", f"difference from {self.setup.baseline}", "p", "verdict"]
        rows = [heads, ["---", "---", "---:", "---:", "---:", "---:", "---"], *map(cells, self.lines)]
        table = "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows)
        notes = "\n".join(f"- {sentence}" for sentence in self.about())
        return f"{table}\n\n{notes}\n"

    def html(self, path: str | Path) -> None:
        """Write the report as one page that needs nothing else: no network, no script.

        Raises:
            InputError: the path cannot be written.
        """
        page.write(Path(path), page.render(self.lines, self.setup).encode())

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
        page.plot(self.lines, self.setup, Path(path), metric)
