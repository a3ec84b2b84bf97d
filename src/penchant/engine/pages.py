"""Several slates at once: the placements of one page, without an item twice."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta, Struct, field

from penchant.core.nouns import Filters
from penchant.engine.answers import MAX_N, Answer, Ask, SessionEvent
from penchant.engine.cursor import read_cursor, write_cursor
from penchant.engine.histories import Histories
from penchant.engine.recommending import Model, answered
from penchant.trust.access import Actor

__all__ = ["MAX_PLACEMENTS", "Page", "PageAnswer", "Part", "asks_of", "page_answer"]

MAX_PLACEMENTS = 20
"Placements of one page."


class Part(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One placement of a page.

    >>> Part(placement="for-you").n
    10
    """

    placement: str
    "Its name in the settings."
    n: Annotated[int, Meta(ge=1, le=MAX_N)] = 10
    "How many items are wanted."
    item: str | None = None
    "The item on the page; needed by placements with history = 'item'."
    filters: Filters = Filters()
    "What this slate may hold."


class Page(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A question for all slates of a page at once.

    >>> Page(placements=(Part(placement="for-you"), Part(placement="trending")), user="900").user
    '900'
    """

    placements: Annotated[tuple[Part, ...], Meta(min_length=1, max_length=MAX_PLACEMENTS)]
    "The most important first: what it shows, the ones after it do not."
    user: str | None = None
    "Whose stored history is asked, so far as consent allows."
    session: tuple[SessionEvent, ...] | str | None = None
    "An anonymous session: its id, or its events."
    context: dict[str, str] = field(default_factory=dict)
    "Device, page... as text."
    deadline_ms: Annotated[int, Meta(ge=1, le=60_000)] | None = None
    "Milliseconds for all of it; None for the longest that a placement's settings say."
    experiment: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    "What these answers belong to."


class PageAnswer(Struct, frozen=True):
    """The slates of a page, in the order they were asked for.

    >>> PageAnswer(()).slates
    ()
    """

    slates: tuple[Answer, ...]
    "One for each placement; no item stands in two of them."


def asks_of(page: Page) -> tuple[Ask, ...]:
    """Return the single questions of a page.

    >>> [ask.user for ask in asks_of(Page(placements=(Part(placement="for-you"),), user="900"))]
    ['900']
    """
    return tuple(
        Ask(
            placement=part.placement,
            user=page.user,
            session=page.session,
            item=part.item,
            n=part.n,
            filters=part.filters,
            context=page.context,
            experiment=page.experiment,
        )
        for part in page.placements
    )


def page_answer(model: Model, histories: Histories, actor: Actor, page: Page, now: datetime) -> PageAnswer:
    """Return the slates of a page; the cursor of each leaves out what any of them shows.

    >>> from penchant.testing import shop
    >>> from penchant.trust.access import SYSTEM
    >>> with shop() as engine:
    ...     rails = (Part(placement="for-you", n=2), Part(placement="trending", n=2))
    ...     page = engine.page(SYSTEM, Page(placements=rails, user="ann"))
    >>> [[ranked.item for ranked in slate.items] for slate in page.slates]
    [['sencha', 'lungo'], ['assam', 'jasmine']]

    Errors are those of :func:`penchant.engine.recommending.answer`.
    """
    shown: tuple[str, ...] = ()
    asks = asks_of(page)
    slates: list[Answer] = []
    for ask in asks:
        slates.append(answered(model, histories, actor, ask, now, hidden=shown))
        shown = (*shown, *(ranked.item for ranked in slates[-1].items))
    return PageAnswer(tuple(_follow(ask, slate, shown) for ask, slate in zip(asks, slates, strict=True)))


def _follow(ask: Ask, slate: Answer, shown: tuple[str, ...]) -> Answer:
    if slate.next is None:
        return slate
    cursor = read_cursor(msgspec.structs.replace(ask, cursor=slate.next))
    position = 0 if cursor is None else cursor.position
    return msgspec.structs.replace(slate, next=write_cursor(ask, slate.basis, position, shown))
