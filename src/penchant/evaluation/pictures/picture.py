"""What a chart is made of, laid out in pixels and ready to be drawn."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

__all__ = [
    "BASE",
    "HEIGHT",
    "LEFT",
    "SERIES",
    "TOP",
    "WIDTH",
    "Box",
    "Curve",
    "Dot",
    "Label",
    "Picture",
    "Rule",
    "path",
]

LEFT, TOP, WIDTH, HEIGHT = 64, 12, 580, 190
"The field of a chart, unless it says otherwise."

SERIES = 5
"Series with a colour of their own."

BASE = SERIES
"The series that all others are compared with; it is gray."

_SHAPES = (
    "M{x} {y}m-5 0a5 5 0 1 0 10 0a5 5 0 1 0 -10 0z",  # a disc
    "M{x} {y}m-4.5 -4.5h9v9h-9z",  # a square
    "M{x} {y}m0 -6l5.5 9.5h-11z",  # a triangle
    "M{x} {y}m0 -6l6 6l-6 6l-6 -6z",  # a diamond
    "M{x} {y}m0 6l5.5 -9.5h-11z",  # a triangle that points down
    "M{x} {y}m-5 -2h3v-3h4v3h3v4h-3v3h-4v-3h-3z",  # a cross
)
"The mark of each series: who cannot tell the colours apart can tell the shapes."


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


class Dot(Struct, frozen=True):
    """A number, and the ends of its interval where it has one.

    >>> Dot(100.0, 50.0, 1, "ease: 0.3", (80.0, 50.0, 120.0, 50.0)).shape
    'M100.0 50.0m-4.5 -4.5h9v9h-9z'
    """

    x: float
    y: float
    series: int
    text: str
    "What it stands for, shown where the pointer rests."
    ends: tuple[float, float, float, float] | None = None
    "x and y of both ends of its interval."

    @property
    def shape(self) -> str:
        """The outline of its mark, as SVG has it."""
        return _SHAPES[self.series % len(_SHAPES)].format(x=self.x, y=self.y)


class Curve(Struct, frozen=True):
    """Points that belong together.

    >>> Curve("64.0,202.0 644.0,12.0", 0).dashed
    False
    """

    points: str
    "As SVG has them."
    series: int
    dashed: bool = False


class Label(Struct, frozen=True):
    """A text in the field.

    >>> Label(100.0, 50.0, "ease").anchor
    'start'
    """

    x: float
    y: float
    text: str
    anchor: str = "start"
    "start, middle or end: which part of it stands at x."


class Rule(Struct, frozen=True):
    """A line from the top of the field to its bottom, and what it marks.

    >>> Rule(320.0, "the cut").x
    320.0
    """

    x: float
    text: str


class Picture(Struct, frozen=True, kw_only=True):
    """A chart, or why there is none.

    >>> Picture(title="By segment", why="nothing was sliced").drawn
    False
    """

    title: str
    said: str = ""
    "The chart in a sentence or two, for those who do not see it."
    why: str = ""
    "Why there is nothing to draw."
    up: tuple[tuple[float, str], ...] = ()
    "Place and text of each mark at the left."
    along: tuple[tuple[float, str], ...] = ()
    "Place and text of each mark below."
    below: str = ""
    "What the marks below are."
    grid: str = "across"
    "Whether lines run across from the marks at the left, or upright from those below."
    boxes: tuple[Box, ...] = ()
    dots: tuple[Dot, ...] = ()
    curves: tuple[Curve, ...] = ()
    rules: tuple[Rule, ...] = ()
    labels: tuple[Label, ...] = ()
    series: tuple[tuple[str, int], ...] = ()
    "Name and number of each series, where a key is needed."
    size: tuple[int, int, int, int] = (LEFT, TOP, LEFT + WIDTH, TOP + HEIGHT)
    "Left, top, right and bottom of the field."
    margin: int = 24
    "Room to the right of the field."

    @property
    def drawn(self) -> bool:
        """Whether there is anything to see."""
        return bool(self.boxes or self.dots or self.curves)

    @property
    def marks(self) -> tuple[tuple[Dot, str], ...]:
        """The key of a chart of dots: a mark for each series, and its name; empty for columns."""
        return tuple((Dot(8, 8, number, name), name) for name, number in self.series) if self.dots else ()


def path(points: Sequence[tuple[float, float]]) -> str:
    """Return points as SVG has them.

    >>> path([(64, 202), (354.04, 59.5)])
    '64.0,202.0 354.0,59.5'
    """
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
