"""What a visitor may ask with a public key: a question that has no room for anybody's name."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct, field

from penchant.core.nouns import Filters
from penchant.engine.answers import MAX_N, Ask

__all__ = ["VisitAsk", "ask_of"]


class VisitAsk(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A visitor's question; whose history is asked is said by the session alone.

    >>> VisitAsk(placement="for-you").n
    10
    """

    placement: str
    "The name of a placement in the settings."
    item: str | None = None
    "The item on the page; needed by placements with history = 'item'."
    n: Annotated[int, Meta(ge=1, le=MAX_N)] = 10
    "How many items are wanted."
    filters: Filters = Filters()
    "What the slate may hold."
    context: dict[str, str] = field(default_factory=dict)
    "Device, page... as text."


def ask_of(session: str, ask: VisitAsk) -> Ask:
    """Return the engine's question for the visitor of a session.

    >>> ask_of("0f", VisitAsk(placement="for-you")).session
    '0f'
    """
    return Ask(
        placement=ask.placement, session=session, item=ask.item, n=ask.n, filters=ask.filters, context=ask.context
    )
