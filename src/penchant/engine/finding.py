"""What a look at a deployment finds."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from msgspec import Struct

__all__ = ["Finding", "days"]


class Finding(Struct, frozen=True):
    """One thing that was looked at.

    >>> Finding("ok", "settings: penchant.toml").then
    ''
    """

    level: Literal["ok", "warn", "fail"]
    "ok; warn: works but should be mended; fail: does not work."
    what: str
    "What was found."
    then: str = ""
    "What to do about it."


def days(span: timedelta) -> str:
    """Return a span in words.

    >>> days(timedelta(hours=30)), days(timedelta(hours=3)), days(timedelta(days=9))
    ('1 day', 'less than a day', '9 days')
    """
    whole = span // timedelta(days=1)
    return "less than a day" if whole < 1 else "1 day" if whole == 1 else f"{whole:,} days"
