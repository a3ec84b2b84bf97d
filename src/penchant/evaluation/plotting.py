"""The chart of a report as a file, by matplotlib."""

from __future__ import annotations

import math
from io import BytesIO
from pathlib import Path

from penchant.core.errors import InputError, MissingExtra
from penchant.evaluation.line import Line
from penchant.evaluation.outcome import Outcome
from penchant.evaluation.page import write

__all__ = ["ordered", "plot"]

_FORMATS = ("png", "svg", "pdf")


def plot(found: Outcome, path: Path, metric: str | None = None) -> None:
    """Write a chart of one metric by matplotlib, without a screen; see :meth:`Report.plot`.

    >>> from penchant.evaluation.line import Line
    >>> from penchant.evaluation.setup import Setup
    >>> lines = (Line("ease", "hit", 5, 0.3, 0.2, 0.4), Line("popular", "hit", 5, 0.1, 0.1, 0.1))
    >>> from penchant.evaluation.ranking import Users
    >>> setup = Setup("Random split.", "random", "new", Users(3, 2, 1, 0), 9, "popular", 0, 0, {}, {}, {})
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     plot(Outcome(lines, setup), Path(folder, "hit.png"))
    ...     Path(folder, "hit.png").read_bytes()[1:4]
    b'PNG'
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtra.of("plot", "matplotlib") from error
    kind = path.suffix.removeprefix(".").lower()
    if kind not in _FORMATS:
        allowed = ", ".join(f".{name}" for name in _FORMATS)
        raise InputError("the ending names no format of a chart", got=str(path), allowed=allowed, field="path")
    chosen = ordered(found, metric)
    figure = Figure(figsize=(7, 1.2 + 0.45 * len(chosen)), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for row, line in enumerate(chosen):
        value, color = line.value or 0.0, "tab:gray" if line.model == found.setup.baseline else "tab:blue"
        low, high = (value if end is None else end for end in (line.low, line.high))
        axes.errorbar([value], [row], xerr=[[value - low], [high - value]], fmt="o", color=color, capsize=4)
    axes.set_yticks(range(len(chosen)), [line.model for line in chosen], parse_math=False)
    axes.set_ylim(-0.6, max(len(chosen), 1) - 0.4)
    axes.set_xlim(left=0)
    interval = ", with its 95% interval" if any(line.low is not None for line in chosen) else ""
    axes.set_xlabel(f"{chosen[0].name if chosen else 'no metric was measured'}{interval}")
    axes.grid(axis="x", alpha=0.3)
    image = BytesIO()
    figure.savefig(image, format=kind, dpi=150)
    write(path, image.getvalue())


def ordered(found: Outcome, metric: str | None = None) -> list[Line]:
    """Return the lines of a metric from the worst value to the best, as rows go up a chart.

    >>> from penchant.evaluation.ranking import Users
    >>> from penchant.evaluation.setup import Setup
    >>> setup = Setup("Random split.", "random", "rating", Users(3, 2, 1, 0), 9, "mean", 0, 0, {}, {}, {})
    >>> [line.model for line in ordered(Outcome((Line("stars", "mae", 0, 0.7), Line("mean", "mae", 0, 0.9)), setup))]
    ['mean', 'stars']
    """

    def goodness(line: Line) -> float:
        if line.value is None:
            return -math.inf
        return -line.value if line.measure.good < 0 else line.value

    return sorted(found.of(metric), key=goodness)
