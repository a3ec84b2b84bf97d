"""Whose history a question may be answered from: read once a question, and not at all when the store is down."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from penchant.core.clock import micros
from penchant.core.errors import InputError, NotFound, StoreError
from penchant.core.measuring import IMPRESSION
from penchant.core.nouns import History, Item
from penchant.core.settings import EventSettings
from penchant.data.vocabulary import Vocabulary
from penchant.engine.answers import Ask, SessionEvent
from penchant.engine.deadline import Deadline, Late
from penchant.trust.access import Actor
from penchant.trust.gate import Gate, Past
from penchant.trust.purpose import Purpose

__all__ = ["HISTORY", "Histories", "history_of", "page_of", "visit_of"]

HISTORY = 10_000
"The newest events of a person that an answer takes into account."


class Histories:
    """What may be known of who asks; several placements of one page share it, so that each is read once.

    >>> from penchant.testing import shop
    >>> from penchant.trust.access import SYSTEM
    >>> with shop() as engine:
    ...     histories = Histories(engine.gate, SYSTEM, Deadline(0, engine.timer))
    ...     past, why = histories.person("ann")
    >>> past.items, why
    (('assam', 'ceylon', 'jasmine', 'assam'), '')
    """

    def __init__(self, gate: Gate, actor: Actor, deadline: Deadline, *, down: bool = False, own: bool = False) -> None:
        """Take the gate, who asks, and until when.

        Args:
            gate: the door to what is stored.
            actor: who asks.
            deadline: until when.
            down: whether the store is known not to answer.
            own: whether a session is asked about by its visitor.
        """
        self._gate = gate
        self._actor = actor
        self.deadline = deadline
        self._down = down
        self._own = own
        self._read: dict[tuple[str, str], tuple[Past, str]] = {}
        self.late = False

    def person(self, user: str) -> tuple[Past, str]:
        """Return the past of a person that may be used; with no event in it, why."""
        return self._once(("user", user), lambda: self._gate.history(self._actor, _PERSONALIZE, user, HISTORY))

    def visit(self, session: str) -> tuple[Past, str]:
        """Return the stored past of an anonymous session that may be used; with no event in it, why."""
        return self._once(
            ("session", session), lambda: self._gate.session(self._actor, session, HISTORY, own=self._own)
        )

    def item(self, key: str) -> tuple[Item | None, str]:
        """Return what the catalogue knows of an item that no model knows; with nothing, why."""
        if self._down:
            return None, "store_down"
        try:
            return self._gate.catalogue.get(key), ""
        except StoreError:
            self._down = True
            return None, "store_down"

    def _once(self, key: tuple[str, str], read: Callable[[], Past]) -> tuple[Past, str]:
        if key not in self._read:
            self._read[key] = self._now(read)
        return self._read[key]

    def _now(self, read: Callable[[], Past]) -> tuple[Past, str]:
        if self._down:
            return Past(), "store_down"
        try:
            past = self.deadline.wait(read)
        except StoreError:  # whether they agreed is not known then, so nothing of theirs is used
            self._down = True
            return Past(), "store_down"
        except Late:
            self.late = True
            return Past(), "late"
        return past, "" if len(past) else "no_history"


_PERSONALIZE = Purpose.PERSONALIZE


def history_of(items: Vocabulary, settings: EventSettings, past: Past) -> History:
    """Return a stored past as the models read it.

    >>> past = Past(("tea", "rye"), ("view", "purchase"), (1, 2), (1.0, 2.0))
    >>> history = history_of(Vocabulary.of(["jam", "tea"]), EventSettings(), past)
    >>> history.items.tolist(), history.weights.tolist()
    ([1, -1], [1.0, 5.0])
    """
    weights = settings.weigh(past.kinds, past.values)
    return History.of(items.codes(past.items), weights, past.at, past.kinds)


def visit_of(items: Vocabulary, settings: EventSettings, events: Sequence[SessionEvent]) -> History:
    """Return a visit that was sent along as a history, by its times; where one is missing, by order, a second apart.

    >>> events = [SessionEvent("tea"), SessionEvent("jam", "purchase")]
    >>> visit_of(Vocabulary.of(["jam", "tea"]), EventSettings(), events).items.tolist()
    [1, 0]
    """
    events = [event for event in events if event.kind != IMPRESSION]
    times = [micros(event.at) for event in events if event.at is not None]
    if len(times) < len(events):
        times = [second * 1_000_000 for second in range(len(events))]
    ordered = sorted(zip(times, events, strict=True), key=lambda pair: pair[0])
    return History.of(
        items.codes([event.item for _, event in ordered]),
        settings.weigh([event.kind for _, event in ordered], [event.value for _, event in ordered]),
        [at for at, _ in ordered],
        tuple(event.kind for _, event in ordered),
    )


def page_of(items: Vocabulary, ask: Ask) -> History:
    """Return the item on the page as a history.

    >>> page_of(Vocabulary.of(["jam", "tea"]), Ask(placement="similar", item="tea")).items.tolist()
    [1]

    Raises:
        InputError: there is no item in the question.
        NotFound: the models do not know it.
    """
    if ask.item is None:
        raise InputError(
            f"the placement {ask.placement!r} needs the item on the page",
            allowed="an item id",
            then='add "item" to the question',
            field="item",
        )
    code = items.code(ask.item)
    if code < 0:
        raise NotFound(
            "the models do not know this item",
            got=ask.item,
            then="put it in the catalogue, send events about it, and train",
            field="item",
        )
    return History.of([code], kinds=("page",))
