"""Numbers as places along a line, and the round numbers between them."""

from __future__ import annotations

import math
from collections.abc import Iterable

from msgspec import Struct

from penchant.core.errors import InputError

__all__ = ["Axis", "steps"]

_DECADES = 3
"Powers of ten on an axis from which their halves and fifths are not marked too."


class Axis(Struct, frozen=True):
    """Numbers laid out between two places; ``begin`` is above ``end`` where the axis runs upwards.

    >>> axis = Axis.of([0.12, 0.31], 100.0, 500.0)
    >>> axis.low, axis.high, axis.at(0.3), axis.marks[:2]
    (0.1, 0.35, 420.0, ((100.0, '0.10'), (180.0, '0.15')))
    """

    low: float
    "The number at the beginning."
    high: float
    "The number at the end."
    begin: float
    "In pixels."
    end: float
    "In pixels."
    ticks: tuple[float, ...]
    "Round numbers, ascending."
    log: bool = False
    "Whether equal ratios are equally far apart."

    @classmethod
    def of(
        cls, values: Iterable[float | None], begin: float, end: float, *, zero: bool = False, log: bool = False
    ) -> Axis:
        """Return the axis that holds all of these numbers; None and NaN are left out.

        Args:
            values: what has to be on it.
            begin: where it begins.
            end: where it ends.
            zero: it holds 0 as well.
            log: lay out ratios; every number must be above 0.

        Raises:
            InputError: a ratio is asked of a number that is not above 0.
        """
        known = [float(value) for value in values if value is not None and math.isfinite(value)]
        if log:
            if min(known, default=1.0) <= 0:
                raise InputError("only numbers above 0 have ratios", got=min(known), allowed="numbers above 0")
            ticks = _ratios(min(known, default=1.0), max(known, default=10.0))
        else:
            known += [0.0] if zero or not known else []
            ticks = steps(min(known), max(known))
        return cls(ticks[0], ticks[-1], begin, end, tuple(ticks), log)

    def at(self, value: float) -> float:
        """Return the place of a number, in pixels, to a tenth."""
        low, high, number = (math.log10(x) if self.log else x for x in (self.low, self.high, value))
        return round(self.begin + (self.end - self.begin) * (number - low) / (high - low), 1)

    @property
    def marks(self) -> tuple[tuple[float, str], ...]:
        """Place and text of each round number."""
        if self.log:
            return tuple((self.at(tick), f"{tick:,.10g}") for tick in self.ticks)
        step = self.ticks[1] - self.ticks[0]
        digits = max(0, -math.floor(math.log10(step) + 1e-9))
        digits += round(step, digits) != round(step, digits + 2)
        return tuple((self.at(tick), f"{tick:z,.{digits}f}" if tick else "0") for tick in self.ticks)


def steps(low: float, high: float, *, whole: bool = False) -> list[float]:
    """Return even steps of 1, 2 or 5 times a power of ten, from ``low`` or just below to ``high`` or just above.

    >>> steps(0, 47), steps(0, 3, whole=True), steps(-0.2, 0.5)
    ([0.0, 10.0, 20.0, 30.0, 40.0, 50.0], [0.0, 1.0, 2.0, 3.0], [-0.2, 0.0, 0.2, 0.4, 0.6])

    Args:
        low: the lowest number.
        high: the highest.
        whole: never less than 1 from step to step.
    """
    if high <= low:
        high = low + (abs(low) or 1.0)
    power = 10.0 ** math.floor(math.log10((high - low) / 4))
    step = next(size * power for size in (1, 2, 5, 10) if size * power >= (high - low) / 5.001)
    step = max(step, 1.0) if whole else step
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [float(f"{step * n:.12g}") for n in range(first, last + 1)]


def _ratios(low: float, high: float) -> list[float]:
    """Return powers of ten, and 2 and 5 times them where there are few, from just below to just above."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    last += last == first
    every = (1, 2, 5) if last - first <= _DECADES else (1,)
    marks = [size * 10.0**power for power in range(first, last) for size in every] + [10.0**last]
    start = max((i for i, mark in enumerate(marks) if mark <= low * (1 + 1e-9)), default=0)
    stop = min((i for i, mark in enumerate(marks) if mark >= high * (1 - 1e-9)), default=len(marks) - 1)
    stop = max(stop, start + 1) if start + 1 < len(marks) else stop
    start = min(start, stop - 1)
    return marks[start : stop + 1]
