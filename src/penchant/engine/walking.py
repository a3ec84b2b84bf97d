"""Down the chain of a placement: personal, session or item, content, popular; the first step that can say something."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from penchant.core.nouns import Filters, History, Item, Query, Slate
from penchant.core.protocols import Scorer, Stage
from penchant.core.settings import EventSettings
from penchant.data.vocabulary import Vocabulary
from penchant.engine.answers import Ask, Fall
from penchant.engine.contents import Contents
from penchant.engine.histories import Histories, history_of, page_of, visit_of
from penchant.engine.watching import Watching
from penchant.pipeline.chain import Chain
from penchant.pipeline.content import SOURCE, Like
from penchant.pipeline.explain import ALIKE

__all__ = ["CHAIN", "Found", "Way", "walk"]

CHAIN = ("personal", "session", "item", SOURCE, "popular")
"The steps, in the order they are taken."

_POLICY = {"personal": "personalized", "session": "session", "item": "item"}
NON_PROFILING = "non-profiling"


class Way(Struct, frozen=True, eq=False, kw_only=True):
    """What a walk needs beside the question.

    >>> from penchant.testing import shop
    >>> from penchant.trust.access import SYSTEM
    >>> with shop() as engine:
    ...     answer = engine.recommend(SYSTEM, Ask(placement="for-you", user="leo", n=1))
    >>> answer.basis, answer.fallback  # Leo was never asked for his consent
    ('popular', (Fall(step='personal', why='no_history'), Fall(step='content', why='no_history')))
    """

    chain: Chain
    "The stages of the placement."
    items: Vocabulary
    "Of the models."
    events: EventSettings
    "What kinds weigh."
    contents: Contents
    "What items say about themselves."
    basis: str
    "The step to begin with; empty for the first."
    n: int
    "Items wanted."
    now: datetime
    "The moment of asking."
    watching: Watching
    "Takes note of what is read."
    given: bool = False
    "Whether all items the filters name are wanted, seen and sold out too."


class Found(Struct, frozen=True, eq=False):
    """What a walk came home with.

    >>> Found(Slate.of(), "popular", "non-profiling").more
    False
    """

    slate: Slate
    "Ranked and, unless that was skipped, explained."
    basis: str
    "The step that answered."
    policy: str
    "On whose data it rests."
    falls: tuple[Fall, ...] = ()
    "The steps that did not answer."
    skipped: tuple[str, ...] = ()
    "What was left out for want of time."
    more: bool = False
    "Whether there is more to show."


class _Walk:
    """One walk: what was passed over, and whose history was found on the way."""

    def __init__(self, way: Way, histories: Histories, ask: Ask, filters: Filters) -> None:
        self.way, self.histories, self.ask, self.filters = way, histories, ask, filters
        self.falls: list[Fall] = []
        self.skipped: list[str] = []
        self.known: tuple[str, History] | None = None
        "The step whose history is asked, and that history."
        self.cold: Item | None = None
        "The item on the page, when the catalogue knows it and no model does."

    def steps(self) -> tuple[str, ...]:
        """Return the steps that this question can take."""
        settings, chain = self.way.chain.settings, self.way.chain
        if settings.history == "item":
            first: tuple[str, ...] = ("item",)
        else:
            asked = {"personal": self.ask.user, "session": self.ask.session}
            first = tuple(step for step, who in asked.items() if who is not None)
        if not chain.personal:
            self._look(first)  # nobody's taste is asked, but what was turned down stays away
            return ("popular",)
        steps = (*first, *((SOURCE,) if settings.content and first else ()), "popular")
        if self.way.basis not in steps:
            return steps
        begin = steps.index(self.way.basis)
        if self.way.basis in (SOURCE, "popular"):
            self._look(first)
        return steps[begin:]

    def _look(self, first: tuple[str, ...]) -> None:
        """Find whose history it is without answering from it."""
        for step in first:
            history, why = self.history(step)
            if not why and self.known is None:
                self.known = (step, history)

    def history(self, step: str) -> tuple[History, str]:
        """Return the history that a step asks; with none, why."""
        with self.way.watching.step("gate", "history", self.ask.placement) as told:
            history, why = self._read(step)
            told(len(history))
        return history, why

    def _read(self, step: str) -> tuple[History, str]:
        way, ask = self.way, self.ask
        if step == "item":
            return self.page()
        if step == "session" and isinstance(ask.session, tuple):
            visit = visit_of(way.items, way.events, ask.session)
            return visit, "" if len(visit) else "no_history"
        past, why = (
            self.histories.person(str(ask.user)) if step == "personal" else self.histories.visit(str(ask.session))
        )
        if why == "late" and "history" not in self.skipped:
            self.skipped.append("history")
        return history_of(way.items, way.events, past), why

    def page(self) -> tuple[History, str]:
        """Return the item on the page as a history; one that is new to the models is content all the same."""
        ask, way = self.ask, self.way
        if not way.chain.settings.content or ask.item is None or way.items.code(ask.item) >= 0:
            return page_of(way.items, ask), ""
        self.cold, why = self.histories.item(ask.item)
        if self.cold is None and not why:
            return page_of(way.items, ask), ""  # which says that nobody knows it
        self.known = ("item", History.of([]))
        return History.of([]), why or "no_model"

    def query(self, history: History) -> Query:
        """Return the question for the stages; one item more than wanted tells whether there is more."""
        return Query(self.way.n + 1, self.ask.placement, history, self.way.now, self.ask.context, self.filters)

    def find(self, step: str) -> Slate:
        """Return what a step finds; when it cannot answer, nothing, and why is noted."""
        if step != "popular" and self.histories.deadline.late:
            if step == "item":
                self._look((step,))  # an item is not shown as like itself, however late it is
            self.skipped.append(step)
            return self.fall(step, "late")
        if step == "popular":
            source = self.way.chain.fallback if self.way.chain.settings.fallback else self.way.chain.blend
            source = source or self.way.chain.blend
            history = self.known[1] if self.known else History.of([])
            return Slate.of() if source is None else self.ranked(source, history)
        return self.content() if step == SOURCE else self.personal(step)

    def personal(self, step: str) -> Slate:
        """Return what the models of the blend find for somebody's history."""
        history, why = self.history(step)
        if why:
            return self.fall(step, why)
        if self.known is None:
            self.known = (step, history)
        chain = self.way.chain
        if chain.blend is None:
            return self.fall(step, "no_model")
        if self.histories.deadline.late:
            self.skipped.append(step)
            return self.fall(step, "late")
        slate = self.ranked(chain.blend, history)
        theirs = any(getattr(chain.scorers[part.source], "personal", True) for part in slate.parts)
        if not (theirs and len(slate)):
            return self.fall(step, "nothing_found")
        self.known = (step, history)
        return slate

    def content(self) -> Slate:
        """Return items like those of the history."""
        if self.known is None:
            return self.fall(SOURCE, "no_history")
        if self.histories.deadline.limited and not self.way.contents.ready:
            self.way.contents.begin()
            self.skipped.append(SOURCE)
            return self.fall(SOURCE, "late")
        slate = self.ranked(self.way.chain.content(self.scorer(), SOURCE), self.known[1])
        return slate if len(slate) else self.fall(SOURCE, "nothing_found")

    def scorer(self) -> Scorer:
        """Return what compares by content."""
        content = self.way.contents.get()
        return content if self.cold is None else Like.of(content, self.cold)

    def ranked(self, source: Stage, history: History) -> Slate:
        """Return the best of what a source finds."""
        chain, query = self.way.chain, self.query(history)
        found = chain.found(source, query, given=self.way.given)
        if self.way.given or not chain.settings.most_per_category:
            return chain.rank(query, found)
        if self.histories.deadline.late:
            self.skipped.append("rerank")
            return chain.rank(query, found)
        return chain.rerank(query, found)

    def fall(self, step: str, why: str) -> Slate:
        """Note that a step did not answer; return the empty slate that it answers with."""
        self.falls.append(Fall(step, why))
        return Slate.of()

    def told(self, slate: Slate, basis: str) -> Slate:
        """Return the slate with reasons, or without when it is too late for them."""
        chain = self.way.chain
        if self.histories.deadline.late:
            self.skipped.append("explain")
            return chain.named(slate)
        history = self.known[1] if self.known else History.of([])
        if basis != SOURCE:
            return chain.explain(self.query(history), slate, chain.scorers)
        told = chain.explain(self.query(history), slate, {SOURCE: self.scorer()})
        if self.cold is None:
            return told
        page = {"evidence": self.cold.id, "text": ALIKE["page"].format(title=self.cold.title)}
        reasons = tuple(tuple(replace(reason, **page) for reason in each) for each in told.reasons)
        return replace(told, reasons=reasons)


def walk(way: Way, histories: Histories, ask: Ask, filters: Filters) -> Found:
    """Return what the first step finds that can say something; the last one is asked however late it is.

    >>> CHAIN
    ('personal', 'session', 'item', 'content', 'popular')
    """
    one = _Walk(way, histories, ask, filters)
    steps = one.steps()
    slate, basis = Slate.of(), steps[0]
    for step in steps:
        slate = one.find(step)
        if len(slate):
            basis = step
            break
    policy = _policy(one, basis, answered=bool(len(slate)))
    more = len(slate) > way.n
    slate = one.told(slate.take(slice(0, way.n)), basis)
    return Found(slate, basis, policy, tuple(one.falls), tuple(dict.fromkeys(one.skipped)), more)


def _policy(one: _Walk, basis: str, *, answered: bool) -> str:
    """Return on whose data a slate rests; one that is empty rests on what was asked."""
    if one.known is None or (answered and basis == "popular") or not one.way.chain.personal:
        return NON_PROFILING
    return _POLICY[one.known[0]]
