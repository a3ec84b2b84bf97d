"""Columns, stacked where there are several series, and a curve of shares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate

from penchant.evaluation.pictures.axes import steps
from penchant.evaluation.pictures.picture import BASE, HEIGHT, LEFT, TOP, WIDTH, Box, Curve, Picture, path

__all__ = ["columns", "curve"]

_MARKS = 7
"Labels along the bottom, at most."


def columns(title: str, names: Sequence[str], series: Mapping[str, Sequence[int]], below: str = "") -> Picture:
    """Return columns, the series of each on top of each other.

    >>> picture = columns("Events", ["a", "b"], {"view": [1, 3]})
    >>> [round(box.height) for box in picture.boxes], picture.up
    ([63, 190], ((202.0, '0'), (138.7, '1'), (75.3, '2'), (12.0, '3')))
    """
    stacks = [list(accumulate(stack)) for stack in zip(*series.values(), strict=True)]
    ticks = steps(0, max((stack[-1] for stack in stacks), default=0) or 1, whole=True)
    step, scale = WIDTH / max(len(names), 1), HEIGHT / ticks[-1]
    boxes = [
        Box(
            round(LEFT + step * place + min(step * 0.08, 2), 2),
            round(TOP + HEIGHT - scale * top, 2),
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
    return Picture(
        title=title,
        up=tuple((round(TOP + HEIGHT - scale * tick, 1), f"{tick:,.0f}") for tick in ticks),
        along=tuple((round(LEFT + step * (n + 0.5), 1), names[n]) for n in range(0, len(names), every)),
        below=below,
        boxes=tuple(boxes),
        series=tuple((name, number) for number, name in enumerate(series)) if len(series) > 1 else (),
    )


def curve(title: str, points: Sequence[tuple[float, float]], below: str) -> Picture:
    """Return a curve of shares beside the line that it would be if all were alike.

    >>> curve("Share", [(0.0, 0.0), (0.5, 0.75), (1.0, 1.0)], "top share of the items").curves[1].points
    '64.0,202.0 354.0,59.5 644.0,12.0'
    """
    parts = [n / 5 for n in range(6)]
    return Picture(
        title=title,
        up=tuple((round(TOP + HEIGHT * (1 - part), 1), f"{part:.0%}") for part in parts),
        along=tuple((round(LEFT + WIDTH * part, 1), f"{part:.0%}") for part in parts),
        below=below,
        curves=(Curve(_placed([(0.0, 0.0), (1.0, 1.0)]), BASE, dashed=True), Curve(_placed(points), 0)),
    )


def _placed(points: Sequence[tuple[float, float]]) -> str:
    return path([(LEFT + WIDTH * x, TOP + HEIGHT * (1 - y)) for x, y in points])
