"""Texts beside dots, laid out so that none lies on another."""

from __future__ import annotations

from collections.abc import Sequence

from penchant.evaluation.pictures.picture import Label

__all__ = ["beside", "short", "spread"]

_LETTER, _LINE = 6.4, 13.0
"About how wide a letter and how high a line is, in pixels."


def short(text: str, most: int = 20) -> str:
    """Return a text cut to ``most`` letters, the last of them dots.

    >>> short("ease"), short("a model of a very long name")
    ('ease', 'a model of a very l…')
    """
    return text if len(text) <= most else text[: most - 1] + "…"


def spread(places: Sequence[float], gap: float = _LINE) -> list[float]:
    """Return places in the same order, each moved as little as keeps all of them ``gap`` apart.

    >>> spread([10.0, 12.0, 50.0])
    [4.5, 17.5, 50.0]
    """
    order = sorted(range(len(places)), key=lambda i: places[i])
    groups: list[tuple[float, int]] = []
    for i in order:
        groups.append((places[i], 1))
        while len(groups) > 1 and groups[-1][0] - groups[-2][0] < gap * (groups[-1][1] + groups[-2][1]) / 2:
            (second, n), (first, m) = groups.pop(), groups.pop()
            groups.append(((first * m + second * n) / (m + n), m + n))
    moved = [centre + gap * (place - (n - 1) / 2) for centre, n in groups for place in range(n)]
    found = [0.0] * len(places)
    for i, place in zip(order, moved, strict=True):
        found[i] = round(place, 1)
    return found


def beside(dots: Sequence[tuple[float, float, str]], size: tuple[int, int, int, int]) -> tuple[Label, ...]:
    """Return a label for each dot (x, y, text): right or left of it, or further off, where there is room.

    >>> labels = beside([(100, 50, "ease"), (104, 50, "ials")], (64, 12, 644, 202))
    >>> [(label.text, label.x, label.y, label.anchor) for label in labels]
    [('ease', 91, 54.0, 'end'), ('ials', 113, 54.0, 'start')]
    """
    taken = [(x - 6.0, y - 6.0, x + 6.0, y + 6.0) for x, y, _ in dots]
    made = []
    for x, y, text in dots:
        label = min((_at(x, y, text, n) for n in range(14)), key=lambda at: _lies_on(_area(at), taken, size))
        taken.append(_area(label))
        made.append(label)
    return tuple(made)


def _at(x: float, y: float, text: str, turn: int) -> Label:
    """Return the ``turn``-th place to try: both sides, then both sides a line further down or up, and so on."""
    lines = (turn // 2 + 1) // 2 * (1 if turn // 2 % 2 else -1)
    left = turn % 2
    return Label(x - 9 if left else x + 9, y + 4 + _LINE * lines, text, "end" if left else "start")


def _area(label: Label) -> tuple[float, float, float, float]:
    wide = _LETTER * len(label.text)
    left = label.x - wide if label.anchor == "end" else label.x
    return left, label.y - 10, left + wide, label.y + 2


def _lies_on(
    area: tuple[float, float, float, float],
    taken: Sequence[tuple[float, float, float, float]],
    size: tuple[int, int, int, int],
) -> float:
    """Return how much of an area is on others or out of the field."""
    left, top, right, bottom = area
    out = max(0, size[0] - left) + max(0, right - size[2] - 20) + max(0, size[1] - top) + max(0, bottom - size[3])
    over = sum(
        max(0.0, min(right, other[2]) - max(left, other[0])) * max(0.0, min(bottom, other[3]) - max(top, other[1]))
        for other in taken
    )
    return over + 100 * out
