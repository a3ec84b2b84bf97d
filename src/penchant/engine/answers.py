"""What goes in and out of the engine, with ids as ``str``: the shapes of the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct, field

from penchant.core.nouns import Filters, Reason

__all__ = [
    "Answer",
    "Ask",
    "Fall",
    "HistoryAnswer",
    "HistoryEntry",
    "ModelName",
    "Ranked",
    "Readiness",
    "SessionEvent",
]

MAX_N = 1000
"Items in one slate at most."


class SessionEvent(Struct, frozen=True, forbid_unknown_fields=True):
    """Something an unknown visitor did; an event without the fields that say who did it.

    >>> SessionEvent("1095275").kind
    'view'
    """

    item: str
    "With which item."
    kind: str = "view"
    "What was done."
    at: datetime | None = None
    "When; without it, the order of the list is the order in time."
    value: float = 1.0
    "How much."
    user: str | None = None
    "Taken and not used, so that events can be sent along as they are; likewise the fields below."
    id: str | None = None
    session: str | None = None
    channel: str = "web"
    context: dict[str, str] = field(default_factory=dict)
    slate: str | None = None
    price: float | None = None


class Ask(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A question for a slate, of a user, of an anonymous session, or of nobody.

    >>> Ask(user="900", placement="for-you").n
    10
    """

    placement: str
    "The name of a placement in the settings."
    user: str | None = None
    "Whose stored history is asked, so far as consent allows."
    session: tuple[SessionEvent, ...] | str | None = None
    "An anonymous session: its id, whose stored events are asked so far as its visitor agreed; or its events, oldest \
first, sent along, used for this answer and not stored. Beside a user, it is asked when nothing is known of the user."
    item: str | None = None
    "The item on the page; needed by placements with history = 'item'."
    n: Annotated[int, Meta(ge=1, le=MAX_N)] = 10
    "How many items are wanted."
    filters: Filters = Filters()
    "What the slate may hold."
    context: dict[str, str] = field(default_factory=dict)
    "Device, page... as text."
    cursor: str | None = None
    "The `next` of an answer to the same question: then what follows, and nothing that was shown."
    deadline_ms: Annotated[int, Meta(ge=1, le=60_000)] | None = None
    "Milliseconds after which steps that are late are skipped; None for what the placement's settings say."
    experiment: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    "What this answer belongs to, such as 'home-rail/b'; it is logged with the slate."


class ModelName(Struct, frozen=True):
    """Which model answered.

    >>> ModelName("ease", "9f2c").name
    'ease'
    """

    name: str
    "Its name in the settings; several blended ones are joined by +."
    digest: str
    "The identity of its bytes, as hex."


class Ranked(Struct, frozen=True):
    """One item of a slate, ready to show.

    >>> Ranked("1095275", "Bananas", 1, 0.83).reasons
    ()
    """

    item: str
    "Its id."
    title: str
    "What a person reads; the id when the catalogue has no title."
    rank: int
    "From 1."
    score: float
    "The sum of the weights of its reasons."
    reasons: tuple[Reason, ...] = ()
    "The addends, strongest first, in words too."
    price: float | None = None
    "In currency."
    currency: str | None = None
    "ISO 4217."
    categories: tuple[str, ...] = ()
    "The groups it belongs to."
    propensity: float = 1.0
    "The chance it had of standing here; 1 for a ranking without chance."


class Fall(Struct, frozen=True):
    """A step of the chain that did not answer.

    >>> Fall("personal", "no_history").why
    'no_history'
    """

    step: str
    "personal, session, item, content or popular."
    why: str
    "no_history (none, or none that may be used), no_model, nothing_found, late, or store_down."


class Answer(Struct, frozen=True):
    """A slate and its basis.

    >>> bananas = Ranked("1095275", "Bananas", 1, 0.83, (Reason("popular", "popular", 0.83),))
    >>> answer = Answer("5d41", "for-you", "non-profiling", ModelName("popular", "9f2c"), (bananas,))
    >>> answer.policy, [ranked.title for ranked in answer.items]
    ('non-profiling', ['Bananas'])
    """

    slate: str
    "Identifies this answer."
    placement: str
    "Where it is shown."
    policy: str
    "personalized (a consented history), session (events sent along), item (the page), or non-profiling (nobody's)."
    model: ModelName
    "Which model answered."
    items: tuple[Ranked, ...]
    "Best first."
    basis: str = "popular"
    "The step of the chain that answered: personal, session, item, content or popular."
    fallback: tuple[Fall, ...] = ()
    "The steps before it, and why they did not."
    skipped: tuple[str, ...] = ()
    "What was left out because it was late: history, a step, rerank, explain (then there are no reasons)."
    next: str | None = None
    "The cursor of what follows; None at the end."
    experiment: str | None = None
    "What the question said it belongs to."


class HistoryEntry(Struct, frozen=True):
    """One event of a person's history, ready to show.

    >>> HistoryEntry("1095275", "Bananas", "purchase", datetime(2017, 12, 30), 2.0).value
    2.0
    """

    item: str
    "Its id."
    title: str
    "What a person reads."
    kind: str
    "What was done."
    at: datetime
    "When, UTC."
    value: float
    "How much."


class HistoryAnswer(Struct, frozen=True):
    """What is stored of one person, newest first.

    >>> bought = HistoryEntry("1095275", "Bananas", "purchase", datetime(2017, 12, 30), 2.0)
    >>> told = HistoryAnswer("900", (bought,), {"train": True, "personalize": False})
    >>> told.events[0].title, told.consent["personalize"]
    ('Bananas', False)
    """

    user: str
    "Whose."
    events: tuple[HistoryEntry, ...]
    "The newest n."
    consent: dict[str, bool]
    "Purpose to whether the history may be used for it."


class Readiness(Struct, frozen=True):
    """Whether answers can be given.

    >>> Readiness(True).missing
    ()
    """

    ready: bool
    "True when questions are answered, if need be by falling back."
    missing: tuple[str, ...] = ()
    "What is not there, in words."
    model: str | None = None
    "Digest of the bundle in use."
    status: str = "ready"
    "ready; degraded, when questions are answered without what is missing; or not ready."
