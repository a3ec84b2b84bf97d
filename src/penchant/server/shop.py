"""What the shop page shows: asked of the engine, and put in words."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from datetime import datetime, timedelta

from msgspec import Struct

from penchant.core.errors import NotFound
from penchant.core.nouns import Event
from penchant.engine.answers import Answer, Ask, HistoryAnswer, HistoryEntry
from penchant.engine.engine import Engine
from penchant.server.cards import Listing, cards_of
from penchant.server.demo import Demo

__all__ = ["Change", "Look", "Shop", "View"]

HOUSEHOLDS = 1000
"Households offered by name; any other can be typed."

OFFERED = 5
"Households named to somebody who asked for one that there is not."

RECENT = 12
"Events of a household that are shown."

SHOWN = 6
"Items of a list."

LISTS: dict[str, tuple[str, str, str]] = {
    "for-you": (
        "For you",
        "What this household has not bought yet and may well like.",
        "Nothing to suggest: every item the models know is in the history already.",
    ),
    "buy-again": (
        "Buy again",
        "What it buys often and may need again soon.",
        "Nothing to buy again: no purchases are known, or they may not be used.",
    ),
    "trending": ("Trending", "What everyone bought most lately.", "Nothing is trending: there are no recent events."),
}
"Placement to its heading, what it is, and what is said when it is empty."

UNPROFILED = {"for-you": "What others like; this household's history is not used."}
"Placement to what it is when nobody's history was used."

SIMILAR_EMPTY = "No item is similar enough to say so."

BASES = {
    "personalized": "Personalized from this household's history, with its consent",
    "session": "From this visit only",
    "item": "From the item on the page; nobody's history was used",
    "non-profiling": "Not profiled: nobody's history was used",
}
"Policy in words."

DONE = {"purchase": "Bought", "dislike": "Not interested in"}
"What can be done with an item on the page, and how that is said."

SWITCHED = {
    "on": "Personalization is on. The lists rest on this household's history again.",
    "off": "Personalization is off. The lists are made without anybody's history.",
}
"What is said when the switch was used."


class Look(Struct, frozen=True):
    """What somebody looks at.

    >>> Look("900").item is None
    True
    """

    user: str
    "Whose page."
    item: str | None = None
    "The item whose similar ones are shown."


class Change(Struct, frozen=True):
    """What was just done, and which items entered which list because of it.

    >>> Change("purchase", "123", "Bought Bananas.", frozenset({("for-you", "124")})).said
    'Bought Bananas.'
    """

    did: str = ""
    "purchase, dislike, on or off; empty when nothing was done."
    on: str = ""
    "The item it was done with."
    said: str = ""
    "In words."
    entered: frozenset[tuple[str, str]] = frozenset()
    "Placement and item."
    moved: bool = False
    "Whether the items of a list stand in another order."


class View(Struct, frozen=True):
    """Everything on the page.

    >>> view = View(Look("900"), "Household 900", False, (), (), Change())
    >>> view.look.user, view.consent
    ('900', False)
    """

    look: Look
    "Whose page, and which item."
    label: str
    "What to call the household."
    consent: bool
    "Whether its history may be used."
    recent: tuple[HistoryEntry, ...]
    "What it did, newest first."
    listings: tuple[Listing, ...]
    "The lists."
    change: Change
    "What was just done."


class Shop:
    """The page's view of the engine. One per app, shared by its threads.

    >>> from penchant.testing import shop
    >>> from penchant.trust.access import SYSTEM
    >>> with shop() as engine:
    ...     page = Shop(engine, Demo(SYSTEM, str.capitalize))
    ...     change = page.act("ann", "sencha", "purchase")
    ...     view = page.view(Look("ann"), change)
    >>> change.said, view.label, [listing.title for listing in view.listings]
    ('Bought Sencha. 1 new item in Buy again.', 'Ann', ['For you', 'Buy again', 'Trending'])
    """

    def __init__(self, engine: Engine, demo: Demo) -> None:
        self._engine = engine
        self._demo = demo

    @functools.cached_property
    def households(self) -> Mapping[str, str]:
        """Household to its label, those with most events first."""
        return {user: self._demo.label(user) for user in self._engine.users(self._demo.actor, HOUSEHOLDS)}

    @property
    def first(self) -> str | None:
        """The household shown when none was picked: the busiest of those that something is known about."""
        known = self.households
        return next((user for user, label in known.items() if "·" in label), next(iter(known), None))

    def view(self, look: Look, change: Change | None = None) -> View:
        """Return the page for a household.

        Raises:
            NotFound: there is no such household, or the item on the page is not known.
        """
        history = self._history(look.user)
        change = change or Change()
        listings = [self._listing(name, answer, change) for name, answer in self._answers(look.user).items()]
        if look.item is not None:
            listings.insert(0, self._similar(look.item))
        label, allowed = self._demo.label(look.user), history.consent.get("personalize", False)
        return View(look, label, allowed, history.events, tuple(listings), change)

    def act(self, user: str, item: str, kind: str) -> Change:
        """Record what a household did with an item, and return what that changed.

        Raises:
            NotFound: there is no such household, or the item cannot be bought or refused.
        """
        self._history(user)
        before = self._answers(user)
        event = Event(user, item, kind, self._now(user), channel="demo")
        receipt = self._engine.ingest(self._demo.actor, [event])
        for rejection in receipt.rejected:
            raise NotFound("this cannot be recorded", got=rejection.message, then="reload the page")
        after = self._answers(user)
        entered = frozenset(
            (name, ranked.item)
            for name, answer in after.items()
            for ranked in answer.items
            if ranked.item not in {each.item for each in before[name].items}
        )
        return self.told(kind, item, entered, moved=_order(before) != _order(after))

    def told(self, did: str, on: str, entered: frozenset[tuple[str, str]], *, moved: bool = False) -> Change:
        """Return what was done in words; nothing when it is nothing that can be done here."""
        if did in SWITCHED:
            return Change(did, "", SWITCHED[did], entered)
        if did not in DONE:
            return Change()
        return Change(did, on, f"{DONE[did]} {self._title(on)}. {_news(entered, moved=moved)}", entered, moved)

    def consent(self, user: str, granted: bool) -> Change:
        """Record a household's yes or no to being personalized for, and return that in words.

        Raises:
            NotFound: there is no such household.
        """
        self._history(user)
        self._engine.set_consent(
            self._demo.actor, user, ["personalize"], granted=granted, basis="switch on the demonstration's page"
        )
        return self.told("on" if granted else "off", "", frozenset())

    def _answers(self, user: str) -> dict[str, Answer]:
        placements = [name for name in LISTS if name in self._engine.settings.placements]
        asks = {name: Ask(placement=name, user=user, n=SHOWN) for name in placements}
        return {name: self._engine.recommend(self._demo.actor, ask) for name, ask in asks.items()}

    def _now(self, user: str) -> datetime:
        """Return the minute after a household's newest event, where that lies in the past.

        The data of a demonstration ends years ago. A purchase of today would make all of it ancient, and recency would
        decide everything; so the page goes on where the history ended.
        """
        now, known = self._engine.clock.now(), self._engine.history(self._demo.actor, user, 1).events
        return min(now, known[0].at + timedelta(minutes=1)) if known else now

    def _history(self, user: str) -> HistoryAnswer:
        """Return the newest events of a household; one without events is known when it was asked for its consent."""
        history = self._engine.history(self._demo.actor, user, RECENT)
        if history.events or any(
            state.at is not None for state in self._engine.gate.consent.state(self._demo.actor, user)
        ):
            return history
        some = ", ".join([*self.households][:OFFERED])
        raise NotFound("no such household", got=user, then=f"pick one of {some}" if some else None, field="user")

    def _title(self, item: str) -> str:
        stored = self._engine.gate.catalogue.get(item)
        return item if stored is None else stored.title

    def _similar(self, item: str) -> Listing:
        answer = self._engine.similar(self._demo.actor, item, SHOWN)
        title = f"Like {self._title(item)}"
        cards = cards_of("similar", answer.items, frozenset())
        return Listing(
            "similar", title, "What is bought by the same households.", *_basis(answer), SIMILAR_EMPTY, cards
        )

    def _listing(self, name: str, answer: Answer, change: Change) -> Listing:
        title, blurb, empty = LISTS[name]
        if answer.policy == "non-profiling":
            blurb = UNPROFILED.get(name, blurb)
        new = frozenset(item for placement, item in change.entered if placement == name)
        return Listing(name, title, blurb, *_basis(answer), empty, cards_of(name, answer.items, new))


def _basis(answer: Answer) -> tuple[str, str, str, str]:
    return (
        BASES.get(answer.policy, answer.policy),
        answer.model.name,
        answer.model.digest[:8],
        answer.slate[:8],
    )


def _order(answers: Mapping[str, Answer]) -> list[list[str]]:
    return [[ranked.item for ranked in answer.items] for answer in answers.values()]


def _news(entered: frozenset[tuple[str, str]], *, moved: bool) -> str:
    counts = {name: sum(placement == name for placement, _ in entered) for name in LISTS}
    told = [
        f"{count} new {'item' if count == 1 else 'items'} in {LISTS[name][0]}"
        for name, count in counts.items()
        if count
    ]
    if told:
        return f"{', '.join(told)}."
    return "The same items stay, in a new order." if moved else "Nothing else changes."
