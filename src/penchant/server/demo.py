"""Who the shop page asks as, and what it calls a household."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from penchant.trust.access import Actor

__all__ = ["Demo"]


class Demo(Struct, frozen=True, eq=False):
    """What the shop page needs beside the engine.

    >>> Demo(Actor("demo", frozenset({"admin"})), lambda user: f"Household {user}").label("900")
    'Household 900'
    """

    actor: Actor
    "On whose behalf the page asks; needs recommend:read, events:write, users:read and consent:write."
    label: Callable[[str], str]
    "What to call a household."
