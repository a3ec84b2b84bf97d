"""A score as a bar of its addends: what adds to the right of zero, what takes away to the left of it."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from penchant.core.nouns import Reason

__all__ = ["Bar", "Segment", "bar_of", "shares", "spell_sum"]

WIDTH = 1000.0
"Units across; the picture is stretched to the width it gets."

MINUS = "\u2212"
"The minus sign that is as wide as a plus."

SHADES = 5
"Different colors for addends; the rest has one of its own."


class Segment(Struct, frozen=True):
    """One addend as a rectangle.

    >>> Segment(0.0, 400.0, "shade-1", "Because you bought Milk", "+0.40").width
    400.0
    """

    x: float
    "Left edge."
    width: float
    "Never below 0."
    shade: str
    "Class of its color: shade-1 to shade-5, rest, and against for a negative one."
    text: str
    "What it stands for."
    weight: str
    "What it adds, signed and rounded."


class Bar(Struct, frozen=True):
    """All addends of one score, on a scale shared by the list it stands in.

    >>> bar_of([Reason("purchase", "a", 0.5)], before=0.0, scale=1.0).total
    '0.500'
    """

    segments: tuple[Segment, ...]
    "In the order of the reasons."
    zero: float
    "Where zero lies."
    total: str
    "The score, rounded."
    sum: str
    "The score as the sum of its addends, in figures."


def bar_of(reasons: Sequence[Reason], *, before: float, scale: float) -> Bar:
    r"""Return the bar of one item.

    >>> bar = bar_of([Reason("view", "a", 0.5), Reason("dislike", "b", -0.25)], before=0.25, scale=1.0)
    >>> bar.zero, [(part.x, part.width, part.weight) for part in bar.segments]
    (250.0, [(250.0, 500.0, '+0.500'), (0.0, 250.0, '\u22120.250')])

    Args:
        reasons: the addends.
        before: how much room is left of zero, in units of the score; the most that any item of the list takes away.
        scale: what the whole width stands for.
    """
    unit = WIDTH / scale if scale > 0 else 0.0
    zero = before * unit
    right, left = zero, zero
    figures, total = shares([reason.weight for reason in reasons])
    segments: list[Segment] = []
    for row, (reason, figure) in enumerate(zip(reasons, figures, strict=True)):
        width = abs(reason.weight) * unit
        shade = "rest" if reason.code == "rest" else f"shade-{min(row, SHADES - 1) + 1}"
        if reason.weight < 0:
            left -= width
            segments.append(Segment(left, width, f"{shade} against", reason.text, figure))
        else:
            segments.append(Segment(right, width, shade, reason.text, figure))
            right += width
    return Bar(tuple(segments), zero, total, spell_sum(figures, total))


def shares(weights: Sequence[float]) -> tuple[list[str], str]:
    """Return the weights, rounded so that the figures add up to the rounded score, and that score.

    Every figure is within one unit of its last digit of what it stands for (largest remainders).

    >>> shares([0.3333, 0.3333, 0.3333])
    (['+0.334', '+0.333', '+0.333'], '1.000')
    >>> shares([0.5, -0.2])
    (['+0.500', '\u22120.200'], '0.300')
    """
    digits = 1 if abs(sum(weights)) >= 100 else 2 if abs(sum(weights)) >= 10 else 3
    unit = 10**digits
    whole = round(sum(weights) * unit)
    floors = [int(weight * unit // 1) for weight in weights]
    short = whole - sum(floors)
    by_remainder = sorted(range(len(weights)), key=lambda row: floors[row] - weights[row] * unit)
    for row in by_remainder[: max(short, 0)]:
        floors[row] += 1
    figures = [
        f"{MINUS if weight < 0 else '+'}{abs(floor / unit):.{digits}f}"
        for weight, floor in zip(weights, floors, strict=True)
    ]
    return figures, f"{MINUS if whole < 0 else ''}{abs(whole / unit):.{digits}f}"


def spell_sum(figures: Sequence[str], total: str) -> str:
    """Return the sum as one reads it.

    >>> spell_sum(["+0.50", "\u22120.20"], "0.30")
    '0.30 = 0.50 \u2212 0.20'
    """
    terms = [f" {figure[0]} {figure[1:]}" for figure in figures]
    text = "".join(terms).removeprefix(" + ").strip()
    return f"{total} = {text or '0'}"
