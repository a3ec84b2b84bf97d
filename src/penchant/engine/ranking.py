"""A list that somebody brings (search results, a shelf), in the order that suits who asks."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct, field

from penchant.core.nouns import Filters
from penchant.engine.answers import MAX_N, Answer, Ask, SessionEvent
from penchant.engine.histories import Histories
from penchant.engine.recommending import Model, answered
from penchant.trust.access import Actor

__all__ = ["RankAsk", "Ranking", "ranking"]


class RankAsk(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A question for an order.

    >>> RankAsk(placement="for-you", items=("tea", "jam"), user="900").question.n
    2
    """

    placement: str
    "The name of a placement in the settings, whose models are asked."
    items: Annotated[tuple[str, ...], Meta(min_length=1, max_length=MAX_N)]
    "The ids to put in order."
    user: str | None = None
    "Whose stored history is asked, so far as consent allows."
    session: tuple[SessionEvent, ...] | str | None = None
    "An anonymous session: its id, or its events."
    item: str | None = None
    "The item on the page; needed by placements with history = 'item'."
    context: dict[str, str] = field(default_factory=dict)
    "Device, page... as text."
    deadline_ms: Annotated[int, Meta(ge=1, le=60_000)] | None = None
    "Milliseconds after which steps that are late are skipped."
    experiment: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    "What this answer belongs to."

    @property
    def question(self) -> Ask:
        """The same as a question for a slate of these items."""
        return Ask(
            placement=self.placement,
            user=self.user,
            session=self.session,
            item=self.item,
            n=len(self.items),
            filters=Filters(include=self.items),
            context=self.context,
            deadline_ms=self.deadline_ms,
            experiment=self.experiment,
        )


class Ranking(Struct, frozen=True):
    """A list in order, and what could not be put in order.

    >>> from penchant.engine.answers import ModelName
    >>> Ranking(Answer("9f2c", "home", "non-profiling", ModelName("popular", "ab"), ()), ("jam",)).unranked
    ('jam',)
    """

    slate: Answer
    "The items that have a score, best first, with reasons; also those that were seen, or are sold out."
    unranked: tuple[str, ...] = ()
    "The others, in the order they came."


def ranking(model: Model, histories: Histories, actor: Actor, ask: RankAsk, now: datetime) -> Ranking:
    """Return a list in order; nothing of it is lost, and what stands twice in it counts once.

    >>> from penchant.testing import shop
    >>> from penchant.trust.access import SYSTEM
    >>> with shop() as engine:
    ...     asked = RankAsk(placement="for-you", items=("mocha", "unheard-of", "sencha"), user="ann")
    ...     found = engine.rank(SYSTEM, asked)
    >>> [ranked.item for ranked in found.slate.items], found.unranked
    (['sencha', 'mocha'], ('unheard-of',))

    Errors are those of :func:`penchant.engine.recommending.answer`.
    """
    slate = answered(model, histories, actor, ask.question, now, given=True)
    placed = {ranked.item for ranked in slate.items}
    return Ranking(slate, tuple(item for item in dict.fromkeys(ask.items) if item not in placed))
