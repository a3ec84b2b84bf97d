"""The other charts of a report: by k, one figure against another, and the split in time."""

from __future__ import annotations

import math
from collections.abc import Sequence

from penchant.evaluation.line import Line, number
from penchant.evaluation.outcome import Outcome
from penchant.evaluation.pictures.axes import Axis
from penchant.evaluation.pictures.labels import beside, short, spread
from penchant.evaluation.pictures.picture import (
    BASE,
    HEIGHT,
    LEFT,
    TOP,
    WIDTH,
    Box,
    Curve,
    Dot,
    Label,
    Picture,
    Rule,
    path,
)
from penchant.evaluation.reportpage.answer import day
from penchant.evaluation.reportpage.rows import series_of
from penchant.evaluation.timeline import Side, Timeline

__all__ = ["against_time", "against_variety", "by_k", "in_time"]

_ROOM = 160
"Room for names right of the field."

_VARIETY = {
    "diversity": "more diverse slates.",
    "coverage": "more of the catalogue shown to somebody. Intra-list diversity was not measured, which takes a "
    "catalogue with categories: this is coverage instead.",
}
_SIDES = {"train": 0, "history": 4, "test": 1}
_ROW, _HIGH, _WIDE = 40, 30, 110
_RANDOM = (
    "Train and test lie in the same time: this split is not one of before and after, and models may have learnt from "
    "what came after what they had to foresee."
)
_APART = "All that models learnt from came before all that they had to foresee."
_UNTIMED = "All events have one time, so there is no time line; the bars show how many events each side has."


def by_k(found: Outcome, metric: str) -> Picture:
    """Return a metric at each k: a curve a model, the baseline and the best few.

    >>> from penchant.evaluation.ranking import Users
    >>> from penchant.evaluation.setup import Setup
    >>> setup = Setup("Random split.", "random", "new", Users(3, 2, 1, 0), 9, "popular", 0, 0, {}, {}, {})
    >>> lines = Line("popular", "hit", 5, 0.1), Line("popular", "hit", 10, 0.2)
    >>> by_k(Outcome(lines, setup), "hit").curves[0].points, by_k(Outcome(lines[:1], setup), "hit").why
    ('64.0,107.0 644.0,12.0', 'hit was measured at one k only, 5; ask for hit at several.')
    """
    series = series_of(found)
    whole = next((line.slice for line in found.whole if line.metric == metric), None)
    lines = [line for line in found.whole if (line.metric, line.slice) == (metric, whole) and line.value is not None]
    cuts = sorted({line.k for line in lines})
    title = f"{metric} by k, the length of the slate"
    if cuts == [0]:
        return Picture(title=title, why=f"{metric} is not about slates, and has no k.")
    if not cuts:
        return Picture(title=title, why=f"no model has a value of {metric}.")
    if len(cuts) == 1:
        return Picture(title=title, why=f"{metric} was measured at one k only, {cuts[0]}; ask for {metric} at several.")
    mine = {model: [line for line in lines if line.model == model] for model in series}
    axis = Axis.of(
        (end for part in mine.values() for line in part for end in (line.value, line.low, line.high)),
        TOP + HEIGHT,
        TOP,
        zero=True,
    )
    x = {k: LEFT + WIDTH * n / (len(cuts) - 1) for n, k in enumerate(cuts)}
    dots, curves, ends = [], [], []
    for n, (model, part) in enumerate(mine.items()):
        shift = 3.0 * (n - (len(mine) - 1) / 2) if len(mine) > 1 else 0.0
        points = [(round(x[line.k] + shift, 1), axis.at(line.value or 0.0)) for line in sorted(part, key=_by_k)]
        curves.append(Curve(path(points), series[model], dashed=series[model] == BASE))
        dots += [
            _upright(line, axis, point, series[model])
            for line, point in zip(sorted(part, key=_by_k), points, strict=True)
        ]
        ends += [(points[-1][1], model)] if points else []
    places = spread([y for y, _ in ends])
    names = tuple(Label(LEFT + WIDTH + 14, y + 4, short(model, 18)) for y, (_, model) in zip(places, ends, strict=True))
    marks = tuple((round(x[k], 1), str(k)) for k in cuts)
    return Picture(
        title=title,
        said=_ends_of(mine, cuts),
        dots=tuple(dots),
        curves=tuple(curves),
        labels=names,
        series=tuple(series.items()),
        margin=_ROOM,
        up=axis.marks,
        along=marks,
        below="k",
    )


def against_variety(found: Outcome) -> Picture:
    """Return the metric told first against the diversity of slates, or, without categories, against coverage.

    >>> from penchant.evaluation.ranking import Users
    >>> from penchant.evaluation.setup import Setup
    >>> setup = Setup("Random split.", "random", "new", Users(3, 2, 1, 0), 9, "popular", 0, 0, {}, {}, {})
    >>> lines = Line("popular", "hit", 5, 0.1), Line("popular", "coverage", 5, 0.2)
    >>> against_variety(Outcome(lines, setup)).title
    'Accuracy against coverage: hit@5 and coverage@5'
    """
    if found.setup.task == "rating":
        why = "ratings are foreseen one by one, so that there are no slates which could be diverse."
        return Picture(title="Accuracy against diversity", why=why)
    head = {line.model: line for line in found.of() if line.value is not None}
    for name, words in _VARIETY.items():
        other = _nearest(found, name)
        if head and other:
            said = f"{_better_way(found)} is more accurate, further right is {words}"
            some = next(iter(other.values()))
            points = [(other[m].value or 0.0, head[m].value or 0.0, m) for m in head if m in other]
            title = f"Accuracy against {name}: {next(iter(head.values())).name} and {some.name}"
            return _scatter(found, title, points, some.name, said)
    return Picture(
        title="Accuracy against diversity", why="neither diversity nor coverage was measured; ask for coverage@10."
    )


def against_time(found: Outcome) -> Picture:
    """Return the metric told first against the seconds that fitting took.

    >>> from penchant.evaluation.ranking import Users
    >>> from penchant.evaluation.setup import Setup
    >>> setup = Setup("Random split.", "random", "new", Users(3, 2, 1, 0), 9, "popular", 0, 0, {}, {}, {})
    >>> lines = Line("popular", "hit", 5, 0.1, seconds=0.5), Line("ease", "hit", 5, 0.3, seconds=20.0)
    >>> [dot.x for dot in against_time(Outcome(lines, setup)).dots], against_time(Outcome(lines[:0], setup)).drawn
    ([64.0, 644.0], False)
    """
    lines = [line for line in found.of() if line.value is not None and line.seconds is not None]
    title = "Fit time against accuracy"
    if not lines:
        return Picture(title=title, why="nobody measured how long fitting took; pass seconds= to evaluate.")
    points = [(max(line.seconds or 0.0, 0.001), line.value or 0.0, line.model) for line in lines]
    missing = len({line.model for line in found.whole}) - len(lines)
    said = f"{_better_way(found)} is more accurate, further left is faster; "
    said += "each step to the right takes several times as long. The first fit of a kind loads compiled code, too."
    said += f" {missing} more without a fit of their own." if missing else ""
    return _scatter(found, f"{title}: {lines[0].name}", points, "seconds to fit", said, log=True)


def in_time(line: Timeline) -> Picture:
    """Return when the events of each side were, a row a side.

    >>> from penchant.evaluation.timeline import Window
    >>> side = Side("train", 3, 2, 3, 0, 100, (2, 1), "9f2c")
    >>> picture = in_time(Timeline(0, 100, (Window((side,)),)))
    >>> [(box.x, box.height) for box in picture.boxes], picture.up
    ([(110.0, 30.0), (377.0, 15.0)], ((38.0, 'train'),))
    """
    several = len(line.windows) > 1
    sides = [
        (f"{n} {side.name}" if several else side.name, side)
        for n, part in enumerate(line.windows, 1)
        for side in part.sides
    ]
    right, bottom = LEFT + WIDTH, TOP + _ROW * len(sides)
    up = tuple((round(TOP + _ROW * (n + 0.65), 1), name) for n, (name, _) in enumerate(sides))
    top = max((side.events for _, side in sides), default=1) or 1
    boxes: list[Box] = []
    for n, (name, side) in enumerate(sides):
        floor = float(TOP + _ROW * n + _HIGH + 4)
        boxes += _columns(name, side, floor, line) if line.timed else [_bar(name, side, floor, top)]
    known = {side.name for _, side in sides}
    span = line.ends - line.begins
    dates = tuple((round(_WIDE + (right - _WIDE) * n / 4, 1), day(line.begins + span * n // 4, span)) for n in range(5))
    apart = all(part.apart for part in line.windows)
    cuts = [
        Rule(_place(part.side("test").first, line), f"the test begins {day(part.side('test').first, span)}")
        for part in line.windows
    ]
    return Picture(
        title="The split in time" if line.timed else "The sides of the split",
        said=" ".join([_APART if apart else _RANDOM, "Each row to its own height."] if line.timed else [_UNTIMED]),
        up=up,
        along=dates if line.timed else (),
        below="UTC" if line.timed else "events",
        grid="none",
        boxes=tuple(boxes),
        rules=tuple(cuts) if line.timed and apart else (),
        series=tuple((name, number) for name, number in _SIDES.items() if name in known),
        size=(_WIDE, TOP, right, bottom),
        margin=60,
    )


def _columns(name: str, side: Side, floor: float, line: Timeline) -> list[Box]:
    wide = (LEFT + WIDTH - _WIDE) / max(len(side.parts), 1)
    most, part = max(side.parts, default=1) or 1, (line.ends - line.begins) / max(len(side.parts), 1)
    return [
        Box(
            round(_WIDE + wide * n, 2),
            round(floor - max(_HIGH * count / most, 1.0), 2),
            round(wide - 0.6, 2),
            round(max(_HIGH * count / most, 1.0), 2),
            _SIDES[side.name],
            f"{name}, from {day(int(line.begins + part * n), line.ends - line.begins)}: {count:,}",
        )
        for n, count in enumerate(side.parts)
        if count
    ]


def _bar(name: str, side: Side, floor: float, top: int) -> Box:
    wide = round((LEFT + WIDTH - _WIDE) * side.events / top, 2)
    return Box(_WIDE, floor - _HIGH, wide, _HIGH, _SIDES[side.name], f"{name}: {side.events:,} events")


def _place(at: int, line: Timeline) -> float:
    return round(_WIDE + (LEFT + WIDTH - _WIDE) * (at - line.begins) / (line.ends - line.begins or 1), 1)


def _scatter(
    found: Outcome, title: str, points: Sequence[tuple[float, float, str]], below: str, said: str, *, log: bool = False
) -> Picture:
    across = Axis.of((x for x, _, _ in points), LEFT, LEFT + WIDTH, log=log)
    upward = Axis.of((y for _, y, _ in points), TOP + HEIGHT, TOP)
    dots = [
        Dot(
            across.at(x),
            upward.at(y),
            BASE if model == found.setup.baseline else 0,
            f"{model}: {found.of()[0].name} {number(y)}, {below} {x:.4g}",
        )
        for x, y, model in points
    ]
    size = (LEFT, TOP, LEFT + WIDTH, TOP + HEIGHT)
    names = beside([(dot.x, dot.y, short(model)) for dot, (_, _, model) in zip(dots, points, strict=True)], size)
    marks = across.marks if len(across.marks) <= 9 else across.marks[:: math.ceil(len(across.marks) / 9)]
    return Picture(
        title=title,
        said=f"{said} The axes need not begin at 0.",
        up=upward.marks,
        along=marks,
        below=below,
        dots=tuple(dots),
        labels=names,
        margin=40,
    )


def _nearest(found: Outcome, name: str) -> dict[str, Line]:
    """Return a metric's line of each model, at the k of the metric told first or else the nearest."""
    lines = [line for line in found.whole if line.metric == name and line.value is not None]
    if not lines or not found.of():
        return {}
    head = found.of()[0].k
    k = min({line.k for line in lines}, key=lambda cut: (abs(cut - head), cut))
    return {line.model: line for line in lines if line.k == k}


def _upright(line: Line, axis: Axis, point: tuple[float, float], series: int) -> Dot:
    text = f"{line.model}, {line.name}: {number(line.value)}"
    if line.low is None or line.high is None:
        return Dot(*point, series, text)
    ends = (point[0], axis.at(line.low), point[0], axis.at(line.high))
    return Dot(*point, series, f"{text} [{number(line.low)}, {number(line.high)}]", ends)


def _better_way(found: Outcome) -> str:
    return "Further down" if found.most == "lowest" else "Further up"


def _by_k(line: Line) -> int:
    return line.k


def _ends_of(mine: dict[str, list[Line]], cuts: Sequence[int]) -> str:
    """Return where each curve begins and ends, in words."""
    told = []
    for model, part in mine.items():
        value = {line.k: line.value for line in part}
        told.append(f"{model} from {number(value.get(cuts[0]))} to {number(value.get(cuts[-1]))}")
    return f"From k = {cuts[0]} to {cuts[-1]}: {'; '.join(told)}. Whiskers are 95% intervals."
