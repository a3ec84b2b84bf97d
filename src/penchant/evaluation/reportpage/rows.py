"""Charts of rows: a mark with its interval for each model, in each of several parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from penchant.evaluation.line import Line, number
from penchant.evaluation.outcome import Outcome
from penchant.evaluation.pictures.axes import Axis
from penchant.evaluation.pictures.labels import short
from penchant.evaluation.pictures.picture import BASE, SERIES, Dot, Picture
from penchant.evaluation.slices import LEAST

__all__ = ["heads", "parts", "rows", "series_of"]

_LEFT, _RIGHT, _TOP = 190, 660, 8
_PAD, _STEP = 14, 13
_MOST = 20
"Parts in one chart."


def series_of(found: Outcome) -> dict[str, int]:
    """Return the number of the series of each model that charts with room for few show.

    >>> from penchant.evaluation.ranking import Users
    >>> from penchant.evaluation.setup import Setup
    >>> setup = Setup("Random split.", "random", "new", Users(3, 2, 1, 0), 9, "popular", 0, 0, {}, {}, {})
    >>> series_of(Outcome((Line("popular", "hit", 5, 0.1), Line("ease", "hit", 5, 0.3)), setup))
    {'popular': 5, 'ease': 0}
    """
    base, *others = found.shown(SERIES)
    return {base: BASE, **{model: n for n, model in enumerate(others)}}


def rows(title: str, groups: Mapping[str, Sequence[Line]], series: Mapping[str, int], said: str = "") -> Picture:
    """Return a chart of a row for each group, holding a mark for each line.

    >>> lines = [Line("popular", "hit", 5, 0.1, 0.0, 0.2), Line("ease", "hit", 5, 0.4, 0.3, 0.5)]
    >>> picture = rows("hit@5", {"all": lines}, {"popular": 5, "ease": 0})
    >>> [(dot.x, dot.ends) for dot in picture.dots]
    [(284.0, (190.0, 22.0, 378.0, 22.0)), (566.0, (472.0, 35.0, 660.0, 35.0))]
    """
    every = [line for lines in groups.values() for line in lines if line.value is not None]
    if not every:
        return Picture(title=title, why="no model has a value.")
    axis = Axis.of((end for line in every for end in (line.value, line.low, line.high)), _LEFT, _RIGHT, zero=True)
    y, up, dots = float(_TOP + _PAD), [], []
    for name, lines in groups.items():
        placed = [line for line in lines if line.value is not None]
        up.append((round(y + _STEP * (max(len(placed), 1) - 1) / 2, 1), short(name, 25)))
        for line in placed:
            dots.append(_dot(line, axis, y, series[line.model]))
            y += _STEP
        y += _PAD + (0 if placed else _STEP)
    shown = {line.model for line in every}
    several = len(shown) > 1 and any(len(lines) > 1 for lines in groups.values())
    return Picture(
        title=title,
        said=said,
        up=tuple(up),
        along=axis.marks,
        below=every[0].name + ("" if every[0].low is None else ", with its 95% interval"),
        grid="upright",
        dots=tuple(dots),
        series=tuple((name, number) for name, number in series.items() if name in shown) if several else (),
        size=(_LEFT, _TOP, _RIGHT, round(y)),
    )


def heads(found: Outcome) -> Picture:
    """Return the chart of the metric told first: every model, in the order they were given.

    >>> from penchant.evaluation.ranking import Users
    >>> from penchant.evaluation.setup import Setup
    >>> setup = Setup("Random split.", "random", "new", Users(3, 2, 1, 0), 9, "popular", 0, 0, {}, {}, {})
    >>> lines = Line("popular", "hit", 5, 0.1, 0.0, 0.2), Line("ease", "hit", 5, 0.4, 0.3, 0.5)
    >>> [(dot.series, dot.text) for dot in heads(Outcome(lines, setup)).dots]
    [(5, 'popular: 0.1000 [0.0000, 0.2000]'), (0, 'ease: 0.4000 [0.3000, 0.5000]')]
    """
    lines = found.of()
    base = found.setup.baseline
    series = {line.model: BASE if line.model == base else 0 for line in lines}
    name = lines[0].label if lines else "No metric"
    words = (
        f"{base}, in gray, is what the others are compared with. Intervals that overlap may still differ: the verdict "
        "is by the difference, user by user."
    )
    words += " Less is better." if found.most == "lowest" else ""
    return rows(f"{name} of every model", {line.model: [line] for line in lines}, series, words)


def parts(found: Outcome, column: str) -> Picture:
    """Return the chart of the metric told first in every slice of a column.

    >>> from penchant.evaluation.ranking import Users
    >>> from penchant.evaluation.setup import Setup
    >>> setup = Setup("Random split.", "random", "new", Users(3, 2, 1, 0), 9, "popular", 0, 0, {}, {}, {})
    >>> lines = Line("popular", "hit", 5, 0.1), Line("popular", "hit", 5, 0.2, slice="user.land = SE", users=40)
    >>> [text for _, text in parts(Outcome(lines, setup), "user.land").up]
    ['SE (40)']
    """
    series = series_of(found)
    mine: dict[str, list[Line]] = {}
    told = [line for line in found.lines if str(line.measure) == found.head and line.model in series]
    thin = {line.part for line in told if line.part and line.users is not None and line.users < LEAST}
    for line in told:
        if (line.part or "").startswith(f"{column} = ") and line.part not in thin:
            mine.setdefault(str(line.part), []).append(line)
    if not mine:
        why = f"{found.head} was not measured in parts by {column} that have {LEAST} users or more."
        return Picture(title=_titles(column), why=why)
    largest = sorted(mine, key=lambda name: -(mine[name][0].users or 0))[:_MOST]
    groups = {
        f"{name.removeprefix(f'{column} = ')} ({mine[name][0].users or 0:,})": mine[name]
        for name in mine
        if name in largest
    }
    order = list(series)
    groups = {name: sorted(lines, key=lambda line: order.index(line.model)) for name, lines in groups.items()}
    said = "Users in brackets." + (f" The {_MOST} largest of {len(mine):,} parts." if len(mine) > _MOST else "")
    few = sum(str(name).startswith(f"{column} = ") for name in thin)
    said += f" Not drawn: {few} of fewer than {LEAST} users, which tell nothing." if few else ""
    return rows(_titles(column), groups, series, f"{said} {_left_out(found, series)}".strip())


def _titles(column: str) -> str:
    known = {"user.history": "By history length: how many items the history holds", "split": "Split by split"}
    return known.get(column, f"By segment: {column}")


def _left_out(found: Outcome, series: Mapping[str, int]) -> str:
    more = len({line.model for line in found.whole}) - len(series)
    if more <= 0:
        return ""
    few = f"{found.setup.baseline} and the {len(series) - 1} with the {found.most} {found.head}"
    return f"Shown: {few}; {more} more in the table."


def _dot(line: Line, axis: Axis, y: float, series: int) -> Dot:
    value, ends, interval = line.value or 0.0, None, ""
    if line.low is not None and line.high is not None:
        ends = (axis.at(line.low), y, axis.at(line.high), y)
        interval = f" [{number(line.low)}, {number(line.high)}]"
    return Dot(axis.at(value), y, series, f"{line.model}: {number(line.value)}{interval}", ends)
