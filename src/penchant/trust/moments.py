"""Stored microseconds, back as times."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

__all__ = ["moment"]


def moment(at: int) -> datetime:
    """Return the time that lies ``at`` microseconds after 1970-01-01 UTC.

    >>> moment(1_000_005).isoformat()
    '1970-01-01T00:00:01.000005+00:00'
    """
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at)
