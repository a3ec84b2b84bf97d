"""The settings of what is measured: which slates are logged, and what counts as their work."""

from __future__ import annotations

from msgspec import Struct, field

from penchant.core.clock import parse_duration
from penchant.core.errors import SettingsError

__all__ = ["IMPRESSION", "AttributionSettings", "SlateSettings", "check_measuring"]

IMPRESSION = "impression"
"The kind of an event that says: this item of this slate was seen. It is no interest, and part of no history."


class SlateSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Which of the slates that are answered are logged.

    >>> SlateSettings().log  # all of them
    1.0
    """

    log: float = 1.0
    "Share of the slates that are logged, from 0 (none) to 1 (all)."
    waiting: int = 10_000
    "Slates that wait to be written at most; beyond that, further ones are not logged, and counted as lost."
    keep_for: str = "400d"
    "How long slates stay in the log."


class AttributionSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Which events are the work of a slate, and for how long.

    >>> AttributionSettings().purchases
    {'purchase': '7d'}
    """

    clicks: dict[str, str] = field(default_factory=lambda: {"click": "30m", "view": "30m"})
    "Kinds that are clicks when they name a slate, and how long after the item was shown they may come."
    purchases: dict[str, str] = field(default_factory=lambda: {"purchase": "7d"})
    "Kinds that are purchases, and for how long a slate that was seen or clicked may count as their cause."


def check_measuring(slates: SlateSettings, attribution: AttributionSettings) -> None:
    """Check the values of both tables.

    >>> check_measuring(SlateSettings(log=2.0), AttributionSettings())
    Traceback (most recent call last):
        ...
    penchant.core.errors.SettingsError: slates.log is no share; got 2.0; allowed: 0 to 1

    Raises:
        SettingsError: one is not allowed.
        InputError: a span of time is none.
    """
    if not 0.0 <= slates.log <= 1.0:
        raise SettingsError("slates.log is no share", got=slates.log, allowed="0 to 1")
    parse_duration(slates.keep_for, field="slates.keep_for")
    if slates.waiting < 1:
        raise SettingsError("slates.waiting is too small", got=slates.waiting, allowed="1 or more")
    for table, kinds in (("clicks", attribution.clicks), ("purchases", attribution.purchases)):
        for kind, span in kinds.items():
            parse_duration(span, field=f"attribution.{table}.{kind}")
            if kind == IMPRESSION or (table == "purchases" and kind in attribution.clicks):
                raise SettingsError(
                    f"attribution.{table} names a kind that has another meaning", got=kind, allowed="other kinds"
                )
