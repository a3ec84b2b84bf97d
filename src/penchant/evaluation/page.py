"""The report as a page and as a chart."""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence
from importlib.resources import files
from io import BytesIO
from pathlib import Path

import numpy as np
from msgspec import Struct

from penchant.core.errors import InputError, MissingExtra, UnknownName
from penchant.evaluation.line import Line, Setup, about, cells, number, sentence

__all__ = ["Bar", "Chart", "chart", "plot", "render", "write"]

_FORMATS = ("png", "svg", "pdf")
_LEFT, _WIDTH, _ROW = 150, 460, 34


class Bar(Struct, frozen=True):
    """A model in a chart: a point and the ends of its interval, in pixels.

    >>> lines = [Line("ease", "hit", 5, 0.3, 0.2, 0.4), Line("popular", "hit", 5, 0.1, 0.1, 0.1)]
    >>> bar = chart(lines, "popular").bars[0]
    >>> bar.label, bar.text, bar.low < bar.x < bar.high
    ('ease', '[0.2000, 0.4000]', True)
    """

    label: str
    "The model."
    y: float
    "Where its row is."
    x: float
    "Where its value is."
    low: float
    "Where its interval begins; its value's place when it has none."
    high: float
    "Where its interval ends."
    text: str
    "The interval in numbers."
    base: bool
    "Whether it is the baseline."


class Chart(Struct, frozen=True):
    """A chart of one metric, laid out in pixels.

    >>> lines = [Line("ease", "hit", 5, 0.3, 0.2, 0.4), Line("popular", "hit", 5, 0.1, 0.1, 0.1)]
    >>> drawn = chart(lines, "popular")
    >>> drawn.metric, [bar.label for bar in drawn.bars], drawn.ticks[0]
    ('hit@5', ['ease', 'popular'], (150.0, '0'))
    """

    metric: str
    "With its k."
    width: int
    "Of the whole."
    height: int
    "Of the whole."
    left: int
    "Where the axis begins."
    bars: tuple[Bar, ...]
    "Best model first."
    ticks: tuple[tuple[float, str], ...]
    "Place and number of each line across."


def chart(lines: Sequence[Line], baseline: str, metric: str | None = None) -> Chart | None:
    """Return the layout of one metric's values with their intervals, best model first; None when none has an interval.

    >>> drawn = chart([Line("ease", "hit", 5, 0.3, 0.2, 0.4), Line("popular", "hit", 5, 0.1, 0.1, 0.1)], "popular")
    >>> [bar.label for bar in drawn.bars], [text for _, text in drawn.ticks]
    (['ease', 'popular'], ['0', '0.1', '0.2', '0.3', '0.4'])

    Raises:
        UnknownName: no line has this metric.
    """
    chosen = _of_metric(lines, metric)
    if not chosen:
        return None
    ordered = sorted(chosen, key=lambda line: -(line.value or 0.0))
    ticks = _ticks(max(line.high or line.value or 0.0 for line in ordered))
    scale = _WIDTH / ticks[-1]
    bars = []
    for row, line in enumerate(ordered):
        value = line.value or 0.0
        low, high = (value if end is None else end for end in (line.low, line.high))
        where = (_LEFT + scale * value, _LEFT + scale * low, _LEFT + scale * high)
        bars.append(Bar(line.model, _ROW * (row + 0.7), *where, cells(line)[3], line.model == baseline))
    marks = tuple((_LEFT + scale * tick, f"{tick:.3g}") for tick in ticks)
    return Chart(chosen[0].name, _LEFT + _WIDTH + 30, _ROW * len(bars) + 44, _LEFT, tuple(bars), marks)


def render(lines: Sequence[Line], setup: Setup) -> str:
    """Return the page: one HTML document with its style and its chart inside.

    >>> lines = [Line("ease", "hit", 5, 0.3, 0.2, 0.4), Line("popular", "hit", 5, 0.1, 0.1, 0.1)]
    >>> from penchant.evaluation.ranking import Users
    >>> setup = Setup("Random split.", "random", "new", Users(3, 2, 1, 0), 9, "popular", 0, 0, {}, {}, {})
    >>> page = render(lines, setup)
    >>> "[0.2000, 0.4000]" in page, "Random split." in page
    (True, True)
    """
    from jinja2 import Environment, StrictUndefined

    source = files("penchant.evaluation").joinpath("report.html.j2").read_text(encoding="utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    compared = [line for line in lines if line.verdict is not None]
    drawn = chart(lines, setup.baseline)
    return environment.from_string(source).render(
        setup=setup,
        about=list(about(setup)),
        chart=drawn,
        headlines=[sentence(line, setup.baseline) for line in compared if drawn and line.label == drawn.metric],
        rows=[(line, cells(line)) for line in lines],
        call=_call(lines, setup),
        seconds={line.model: number(line.seconds, 2) for line in lines},
    )


def plot(lines: Sequence[Line], setup: Setup, path: Path, metric: str | None = None) -> None:
    """Write a chart of one metric by matplotlib, without a screen; see :meth:`Report.plot`.

    >>> lines = [Line("ease", "hit", 5, 0.3, 0.2, 0.4), Line("popular", "hit", 5, 0.1, 0.1, 0.1)]
    >>> from penchant.evaluation.ranking import Users
    >>> setup = Setup("Random split.", "random", "new", Users(3, 2, 1, 0), 9, "popular", 0, 0, {}, {}, {})
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     plot(lines, setup, Path(folder, "hit.png"))
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
    chosen = sorted(_of_metric(lines, metric), key=lambda line: line.value or 0.0)
    figure = Figure(figsize=(7, 1.2 + 0.45 * len(chosen)), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for row, line in enumerate(chosen):
        value, color = line.value or 0.0, "tab:gray" if line.model == setup.baseline else "tab:blue"
        low, high = (value if end is None else end for end in (line.low, line.high))
        axes.errorbar([value], [row], xerr=[[value - low], [high - value]], fmt="o", color=color, capsize=4)
    axes.set_yticks(range(len(chosen)), [line.model for line in chosen])
    axes.set_ylim(-0.6, max(len(chosen), 1) - 0.4)
    axes.set_xlim(left=0)
    axes.set_xlabel(f"{chosen[0].name if chosen else 'no metric has an interval'}, mean over users with 95% interval")
    axes.grid(axis="x", alpha=0.3)
    image = BytesIO()
    figure.savefig(image, format=kind, dpi=150)
    write(path, image.getvalue())


def write(path: Path, content: bytes) -> None:
    """Write a file under a temporary name beside it, then rename it, so that no reader sees half of it.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     write(Path(folder, "report.txt"), b"fine")
    ...     [path.name for path in Path(folder).iterdir()]
    ['report.txt']

    Raises:
        InputError: the path cannot be written.
    """
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        try:
            part.write_bytes(content)
            os.replace(part, path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(
            "the report cannot be written", got=f"{path}: {error.strerror}", then="choose another path", field="path"
        ) from error


def _call(lines: Sequence[Line], setup: Setup) -> str:
    """Return the call that made the report."""
    metrics = list(dict.fromkeys(f"{line.metric}@{line.k}" for line in lines))
    rng = "..." if setup.seed is None else setup.seed
    options = f"task={setup.task!r}, baseline={setup.baseline!r}, resamples={setup.resamples}, rng={rng}"
    if setup.by:
        options += f", by={list(setup.by)}"
    if setup.negatives is not None:
        options += f", negatives={setup.negatives}"
    call = "evaluate(scorers, split" if setup.windows == 1 else "cross_evaluate(learners, splits"
    return f"penchant.{call}, {metrics},\n                  {options})"


def _of_metric(lines: Sequence[Line], metric: str | None) -> list[Line]:
    """Return the lines of a metric; of None, the first of ndcg@10 and all others that has an interval."""
    lines = [line for line in lines if line.slice is None]
    names = list(dict.fromkeys(f"{line.metric}@{line.k}" for line in lines))
    if metric is not None and metric not in names:
        raise UnknownName.of("metric", metric, names, field="metric")
    if metric is None:
        able = [f"{line.metric}@{line.k}" for line in lines if line.low is not None]
        metric = "ndcg@10" if "ndcg@10" in able else next(iter(able), None)
    return [line for line in lines if f"{line.metric}@{line.k}" == metric]


def _ticks(top: float) -> list[float]:
    """Return 0, then even steps of 1, 2 or 5 times a power of ten, to the first that reaches ``top``."""
    if top <= 0:
        return [0.0, 1.0]
    power = 10.0 ** np.floor(np.log10(top / 4))
    step = next(size * power for size in (1, 2, 5, 10) if size * power >= top / 5)
    return [float(step * i) for i in range(int(np.ceil(top / step - 1e-9)) + 1)]
