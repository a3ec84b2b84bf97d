"""Charts laid out in pixels: columns, stacked where there are several series, and a curve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate

import numpy as np
from msgspec import Struct

from penchant.evaluation.datareport.facts import Facts
from penchant.evaluation.datareport.spread import Spread

__all__ = ["Box", "Picture", "columns", "curve", "pictures"]

_LEFT, _TOP, _WIDTH, _HEIGHT = 64, 12, 580, 190
_SERIES = 5
"Kinds with a colour of their own; the others are one series."
_MARKS = 7
"Labels along the bottom, at most."


class Box(Struct, frozen=True):
    """A column, or the part of it that one series has.

    >>> Box(64.0, 12.0, 10.0, 190.0, 0, "2017-01: 5").series
    0
    """

    x: float
    y: float
    width: float
    height: float
    series: int
    text: str
    "What it stands for, shown where the pointer rests."


class Picture(Struct, frozen=True):
    """A chart.

    >>> columns("Events", ["a", "b"], {"view": [1, 3]}).up
    ((202.0, '0'), (138.7, '1'), (75.3, '2'), (12.0, '3'))
    """

    title: str
    up: tuple[tuple[float, str], ...]
    "Place and number of each line across."
    along: tuple[tuple[float, str], ...]
    "Place and text of each label below."
    below: str
    "What the labels below are."
    boxes: tuple[Box, ...] = ()
    series: tuple[str, ...] = ()
    "Names of the series, when there are several."
    line: str = ""
    "The points of a curve, as SVG has them."
    even: str = ""
    "The points of the line that a curve is compared with."

    @property
    def size(self) -> tuple[int, int, int, int]:
        """Left, top, right and bottom of the field."""
        return _LEFT, _TOP, _LEFT + _WIDTH, _TOP + _HEIGHT


def pictures(facts: Facts) -> dict[str, Picture]:
    """Return the charts by the section that they belong to.

    >>> import penchant as pt
    >>> from penchant.testing import checkerboard
    >>> list(pictures(pt.data_report(checkerboard(8))))
    ['Size', 'Activity: events per user', 'Activity: events per item', 'Long tail', 'Sessions']
    """
    line = facts.timeline
    return {
        "Size": columns(f"Events per {line.unit}, by kind", line.starts, _few(line.counts), "UTC"),
        "Activity: events per user": _spread("Users by their number of events", facts.users),
        "Activity: events per item": _spread("Items by their number of events", facts.items),
        "Long tail": curve("Share of the events that the top share of the items has", facts.lorenz),
        "Sessions": _spread("Sessions by their number of events", facts.sessions.length),
    }


def columns(title: str, names: Sequence[str], series: Mapping[str, Sequence[int]], below: str = "") -> Picture:
    """Return columns, the series of each on top of each other.

    >>> [round(box.height) for box in columns("Events", ["a", "b"], {"view": [1, 3]}).boxes]
    [63, 190]
    """
    stacks = [list(accumulate(stack)) for stack in zip(*series.values(), strict=True)]
    ticks = _ticks(max((stack[-1] for stack in stacks), default=0))
    step, scale = _WIDTH / max(len(names), 1), _HEIGHT / ticks[-1]
    boxes = [
        Box(
            round(_LEFT + step * place + min(step * 0.08, 2), 2),
            round(_TOP + _HEIGHT - scale * top, 2),
            round(step - 2 * min(step * 0.08, 2), 2),
            round(scale * count, 2),
            number,
            f"{names[place]}" + (f", {name}" if len(series) > 1 else "") + f": {count:,}",
        )
        for number, (name, counts) in enumerate(series.items())
        for place, (count, top) in enumerate(zip(counts, (stack[number] for stack in stacks), strict=True))
        if count
    ]
    every = -(-len(names) // _MARKS) if names else 1
    along = tuple((round(_LEFT + step * (n + 0.5), 1), names[n]) for n in range(0, len(names), every))
    return Picture(title, _across(ticks), along, below, tuple(boxes), tuple(series) if len(series) > 1 else ())


def curve(title: str, points: Sequence[tuple[float, float]]) -> Picture:
    """Return a curve of shares beside the line that all would be on if all were alike.

    >>> curve("Share", [(0.0, 0.0), (0.5, 0.75), (1.0, 1.0)]).line
    '64.0,202.0 354.0,59.5 644.0,12.0'
    """
    parts = [n / 5 for n in range(6)]
    return Picture(
        title,
        tuple((round(_TOP + _HEIGHT * (1 - part), 1), f"{part:.0%}") for part in parts),
        tuple((round(_LEFT + _WIDTH * part, 1), f"{part:.0%}") for part in parts),
        "top share of the items; the straight line: all items alike",
        line=_path(points),
        even=_path([(0.0, 0.0), (1.0, 1.0)]),
    )


def _path(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{_LEFT + _WIDTH * x:.1f},{_TOP + _HEIGHT * (1 - y):.1f}" for x, y in points)


def _spread(title: str, spread: Spread) -> Picture:
    names = [f"{low:,}" if low == high else f"{low:,}-{high:,}" for low, high, _ in spread.bins]
    return columns(title, names, {spread.what: [count for _, _, count in spread.bins]}, spread.what)


def _few(counts: Mapping[str, Sequence[int]]) -> dict[str, Sequence[int]]:
    """Return the most frequent kinds, and all others as one."""
    ordered = sorted(counts, key=lambda kind: -sum(counts[kind]))
    kept: dict[str, Sequence[int]] = {kind: counts[kind] for kind in ordered[:_SERIES]}
    rest = [counts[kind] for kind in ordered[_SERIES:]]
    if rest:
        kept[f"{len(rest)} other kinds"] = [sum(column) for column in zip(*rest, strict=True)]
    return kept


def _across(ticks: Sequence[float]) -> tuple[tuple[float, str], ...]:
    return tuple((round(_TOP + _HEIGHT * (1 - tick / ticks[-1]), 1), f"{tick:,.0f}") for tick in ticks)


def _ticks(top: int) -> list[float]:
    """Return 0, then even steps of 1, 2 or 5 times a power of ten, to the first that reaches ``top``."""
    if top <= 5:
        return [float(n) for n in range(max(top, 1) + 1)]
    power = 10.0 ** np.floor(np.log10(top / 4))
    step = next(size * power for size in (1, 2, 5, 10) if size * power >= top / 5)
    return [float(step * n) for n in range(int(np.ceil(top / step - 1e-9)) + 1)]
