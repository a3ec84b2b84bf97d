"""The shop page."""

from __future__ import annotations

from collections.abc import Callable

from litestar.types import ControllerRouterHandler
from msgspec import Struct

from penchant.trust.access import Actor

__all__ = ["Demo", "shop_routes"]


class Demo(Struct, frozen=True, eq=False):
    """What the shop page needs beside the engine.

    >>> Demo(Actor("demo", frozenset({"admin"})), lambda user: f"Household {user}").label("900")
    'Household 900'
    """

    actor: Actor
    "On whose behalf the page asks; needs recommend:read, events:write, users:read and consent:write."
    label: Callable[[str], str]
    "What to call a household."


def shop_routes(demo: Demo) -> list[ControllerRouterHandler]:
    """Return the handlers of the page."""
    return []
