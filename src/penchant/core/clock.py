"""Time is an argument. The pure half takes ``now``; the I/O half takes a clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Protocol

from penchant.core.errors import InputError

__all__ = ["Clock", "FixedClock", "SystemClock", "micros", "parse_duration", "utc"]

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Clock(Protocol):
    """Something that knows what time it is."""

    def now(self) -> datetime:
        """Return the present moment, with its zone."""
        ...


class SystemClock:
    """The machine's clock, in UTC.

    >>> SystemClock().now().tzinfo is UTC
    True
    """

    def now(self) -> datetime:
        """Return the present moment in UTC."""
        return datetime.now(UTC)


class FixedClock:
    """A clock that stands still until it is moved; for tests and replays.

    >>> clock = FixedClock(datetime(2017, 12, 31, tzinfo=UTC))
    >>> clock.advance(timedelta(days=1))
    >>> clock.now().isoformat()
    '2018-01-01T00:00:00+00:00'
    """

    def __init__(self, at: datetime) -> None:
        self._at = utc(at)

    def now(self) -> datetime:
        """Return the moment the clock stands at."""
        return self._at

    def advance(self, by: timedelta) -> None:
        """Move the clock by ``by``."""
        self._at += by


def utc(at: datetime) -> datetime:
    """Return ``at`` in UTC; a time without a zone is taken to be UTC already.

    >>> utc(datetime(2017, 1, 1, 12)).isoformat()
    '2017-01-01T12:00:00+00:00'
    """
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def micros(at: datetime) -> int:
    """Return microseconds since 1970-01-01 UTC, exactly.

    >>> micros(datetime(1970, 1, 1, 0, 0, 1, 5))
    1000005
    """
    since = utc(at) - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def parse_duration(text: str, *, field: str | None = None) -> timedelta:
    """Return the span that ``text`` names: a number and one of s, m, h, d, w.

    >>> parse_duration("28d")
    datetime.timedelta(days=28)
    >>> parse_duration("1.5h")
    datetime.timedelta(seconds=5400)

    Raises:
        InputError: the text is not a positive number with a known unit.
    """
    number, unit = text[:-1], text[-1:]
    try:
        seconds = float(number) * _UNITS[unit]
        if not 0 < seconds < 1e10:
            raise ValueError(text)
    except (KeyError, ValueError) as error:
        allowed = "a positive number and a unit: s, m, h, d or w"
        raise InputError("not a duration", got=text, allowed=allowed, then="write 28d or 12h", field=field) from error
    return timedelta(seconds=seconds)
