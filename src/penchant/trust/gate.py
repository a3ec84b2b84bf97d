"""The Gate: nobody reads or writes personal data but through it, and it asks who, what for, and whether they agreed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

from penchant.core.clock import Clock, micros, parse_duration
from penchant.core.errors import InputError
from penchant.core.nouns import Event
from penchant.core.progress import SILENT, Progress
from penchant.core.settings import Settings
from penchant.store.events import Past, Who
from penchant.store.sql import dump
from penchant.store.store import Store
from penchant.store.visits import visitor
from penchant.trust.access import Actor, require
from penchant.trust.artifacts import Artifacts
from penchant.trust.bulk import complete
from penchant.trust.catalogue import Catalogue
from penchant.trust.check import Rejection, fault
from penchant.trust.consent import Consents
from penchant.trust.identity import derived
from penchant.trust.intake import take_in
from penchant.trust.keys import Keys
from penchant.trust.leases import Leases
from penchant.trust.moments import moment
from penchant.trust.moving import About, about
from penchant.trust.purpose import Purpose
from penchant.trust.rates import counters_of
from penchant.trust.sessions import Sessions, VisitEvent
from penchant.trust.slates import Slates
from penchant.trust.studies import Studies
from penchant.trust.visits import Visits

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Counts", "Gate", "Past", "Receipt"]


class Receipt(Struct, frozen=True):
    """What became of events that were sent; when it is returned, the accepted ones are on disk.

    >>> Receipt(accepted=2, duplicates=1).rejected
    ()
    """

    accepted: int
    "New events."
    duplicates: int = 0
    "Events whose id was known already."
    rejected: tuple[Rejection, ...] = ()
    "Events that cannot be used."


class Counts(Struct, frozen=True):
    """How much a store holds.

    >>> Counts(events=3, users=2, items=1).consenting
    {}
    """

    events: int
    "Events in the log."
    users: int
    "People with events."
    items: int
    "Items in the catalogue."
    consenting: dict[str, int] = field(default_factory=dict)
    "Purpose to people with events who may be used for it."


class Gate:
    """The door. One is opened per process and shared by its threads.

    >>> import tempfile
    >>> from datetime import datetime
    >>> from penchant.core.clock import FixedClock
    >>> from penchant.trust.access import SYSTEM
    >>> folder = tempfile.TemporaryDirectory()
    >>> settings = Settings(store=f"sqlite:///{folder.name}/shop.db")
    >>> gate = Gate.create(settings, FixedClock(datetime(2017, 12, 31)))
    >>> gate.admit(SYSTEM, [Event("900", "tea", "view", datetime(2017, 12, 30))])
    Receipt(accepted=1, duplicates=0, rejected=())
    >>> gate.history(SYSTEM, Purpose.PERSONALIZE, "900").items  # nobody was asked yet
    ()
    >>> gate.consent.grant(SYSTEM, "900", [Purpose.PERSONALIZE], basis="checkout form")
    1
    >>> gate.history(SYSTEM, Purpose.PERSONALIZE, "900").items
    ('tea',)
    >>> gate.close(); folder.cleanup()
    """

    def __init__(self, store: Store, settings: Settings, clock: Clock) -> None:
        """Take an open store; use :meth:`open` or :meth:`create` for the one that the settings name."""
        self._store = store
        self._default = settings.consent.default
        self._future = parse_duration(settings.events.future, field="events.future")
        self._clock = clock
        self.keys = Keys(store, clock, counters_of(settings.access.counters, settings.store), settings.access.origins)
        self.sessions = Sessions(store, clock, parse_duration(settings.access.session_life))
        self._kinds = settings.access.session_kinds
        self.consent = Consents(store, settings, clock)
        self.catalogue = Catalogue(store)
        self.artifacts = Artifacts(store, clock)
        self.leases = Leases(store, clock)
        self.studies = Studies(store, clock)
        self.slates = Slates(store, settings)
        self.visits = Visits(store, clock)

    @classmethod
    def open(cls, settings: Settings, clock: Clock) -> Gate:
        """Return the gate to the store that the settings name.

        Raises:
            StoreMissing: there is none.
            StoreVersion: it is from a newer version of Penchant.
            StoreError: it is another kind of database, or damaged.
        """
        return cls(Store.open(settings.store, waiting=settings.events.waiting), settings, clock)

    @classmethod
    def create(cls, settings: Settings, clock: Clock) -> Gate:
        """Return the gate to the store that the settings name, made when there is none.

        Raises:
            StoreVersion: it is from a newer version of Penchant.
            StoreError: it cannot be made, is another kind of database, or is damaged.
        """
        return cls(Store.create(settings.store, waiting=settings.events.waiting), settings, clock)

    def admit(self, actor: Actor, events: Sequence[Event]) -> Receipt:
        """Write the events that can be used, all or none of them, and return once they are on disk.

        Raises:
            Forbidden: the actor lacks ``events:write``.
            Busy: more events wait to be written than may; then none was kept.
            StoreError: the store failed; then none was kept.
        """
        require(actor, "events:write")
        now, latest = self._now_and_latest()
        rows: list[dict[str, Any]] = []
        rejected: list[Rejection] = []
        for index, event in enumerate(events):
            wrong = fault(event, latest)
            if wrong is None:
                rows.append(_row(event, now))
            else:
                rejected.append(Rejection(index, *wrong))
        done = self._store.events.append(rows)
        return Receipt(done.accepted, done.duplicates, tuple(rejected))

    def admit_visit(self, actor: Actor, session: str | None, sent: Sequence[VisitEvent]) -> Receipt:
        """Write what a visitor did into their own session, as :meth:`admit` does.

        Raises:
            Forbidden: the actor has no public key.
            Unauthorized: the session is not one of this key, or has ended.
            StoreError: the store failed; then none was kept.
        """
        own = self.sessions.check(actor, session)
        strange = {n: event.kind for n, event in enumerate(sent) if event.kind not in self._kinds}
        known = [n for n in range(len(sent)) if n not in strange]
        writer = Actor(actor.name, frozenset({"events:write"}))
        done = self.admit(writer, self.sessions.events(own, [sent[n] for n in known]))
        rejected = [Rejection(known[each.index], each.code, each.message) for each in done.rejected]
        allowed = f"allowed: {', '.join(self._kinds) or 'none'} (settings: access.session_kinds)"
        rejected += [
            Rejection(n, "bad_kind", f"a visitor may not send {kind!r:.60}; {allowed}") for n, kind in strange.items()
        ]
        return Receipt(done.accepted, done.duplicates, tuple(sorted(rejected, key=lambda each: each.index)))

    def visit(self, actor: Actor, session: str | None, limit: int = 500) -> Past:
        """Return the newest events of a visitor's own session, oldest first; none when the visitor said no.

        Raises:
            Forbidden: the actor has no public key.
            Unauthorized: the session is not one of this key, or has ended.
        """
        reader = Actor(actor.name, frozenset({Purpose.PERSONALIZE.scope}))
        return self.session(reader, self.sessions.check(actor, session), limit, own=True)

    def admit_table(self, actor: Actor, table: pl.DataFrame, progress: Progress = SILENT) -> Receipt:
        """Write a whole table of checked events, in transactions of 250,000 rows, the first of an empty log a million.

        Equal rows of one table are different events; the same table admitted twice adds nothing. When it was stopped
        half-way, admitting the same table again goes on from there; the receipt counts what was added before, too.

        Args:
            actor: who imports.
            table: user, item, kind (str), at (Datetime or Int64 microseconds UTC), value (number); optionally id,
                session, channel, replaces, slate (str), price (number) and context (str, a JSON object of text).
            progress: told of the rows written.

        Raises:
            Forbidden: the actor lacks ``events:write``.
            MissingColumn, InputError: the table is not one of checked events; then none was kept.
            StoreError: the store failed; then the transaction it failed in kept nothing.
        """
        require(actor, "events:write")
        now, latest = self._now_and_latest()
        done = take_in(self._store, complete(table, latest), now, progress)
        return Receipt(done.accepted, done.duplicates)

    def read(self, actor: Actor, purpose: Purpose) -> pl.DataFrame:
        """Return the events of everyone who agreed to the purpose, in order of arrival.

        Returns:
            user, item, kind (str), at (Int64 microseconds), value (Float64).

        Raises:
            Forbidden: the actor lacks the purpose's scope.
            InputError: the purpose is ACCESS, which is about one person: use :meth:`history`.
        """
        require(actor, purpose.scope)
        if not purpose.asked:
            raise InputError("everyone's data is not anyone's to access", got=purpose.value, then="use history")
        return self._store.events.read(self._who(purpose))

    def history(self, actor: Actor, purpose: Purpose, user: str, limit: int = 500) -> Past:
        """Return the newest ``limit`` events of one person, oldest first; none when they did not agree.

        Raises:
            Forbidden: the actor lacks the purpose's scope.
            InputError: the limit is below 1.
        """
        require(actor, purpose.scope)
        if limit < 1:
            raise InputError("limit is out of range", got=limit, allowed="1 or more", field="limit")
        return self._store.events.past(self._who(purpose), user, limit)

    def session(self, actor: Actor, session: str, limit: int = 500, *, own: bool = False) -> Past:
        """Return the newest ``limit`` events of an anonymous session, oldest first; none without its visitor's consent.

        With ``own`` it is the visitor who asks, and has shown that the session is theirs: then none after a no only.

        Raises:
            Forbidden: the actor lacks ``recommend:read``.
        """
        require(actor, Purpose.PERSONALIZE.scope)
        who = Who(Purpose.PERSONALIZE.value, default=True) if own else self._who(Purpose.PERSONALIZE)
        return self._store.events.past(who, visitor(session), limit)

    def erase(self, actor: Actor, user: str) -> dict[str, int]:
        """Remove a person's rows: events, consent, logged slates, and those of the visits that were theirs.

        Models keep what they learnt of them until they are trained again, or the person is taken out of them.

        Raises:
            Forbidden: the actor is not an administrator.
        """
        require(actor, "admin")
        return self._store.erase(user)

    def prune(self, actor: Actor, before: datetime) -> int:
        """Remove everybody's events of before a moment, and their ids; return how many.

        An event that is sent again later counts as new. What was taken back stays so. Models keep what they learnt
        until they are trained again.

        Raises:
            Forbidden: the actor is not an administrator.
            InputError: the moment lies in the future.
        """
        require(actor, "admin")
        if (until := micros(before)) > micros(self._clock.now()):
            then = "choose a day that is over"
            got = before.isoformat()
            raise InputError("the moment lies in the future", got=got, allowed="the past", then=then, field="before")
        return self._store.events.prune(until)

    def permits(self, purpose: Purpose, user: str) -> bool:
        """Return whether a person's data may be used for a purpose."""
        return not purpose.asked or self._store.consent.permits(purpose.value, user, self._default)

    def busiest(self, actor: Actor, n: int = 100) -> list[str]:
        """Return the ids of the ``n`` people with most events, most first.

        Raises:
            Forbidden: the actor lacks ``users:read``.
        """
        require(actor, "users:read")
        return self._store.events.busiest(n)

    def consenting(self, actor: Actor, purpose: Purpose) -> int:
        """Return how many people with events agreed to a purpose; anonymous visits are not among them.

        Raises:
            Forbidden: the actor lacks ``users:read``.
        """
        require(actor, "users:read")
        return self._store.visits.count(purpose.value, default=self._default)

    def people(self, actor: Actor, purpose: Purpose, at_once: int) -> Iterator[list[str]]:
        """Yield the ids of everybody with events who agreed to a purpose, some at a time, in order.

        Raises:
            Forbidden: the actor lacks ``users:read``.
        """
        require(actor, "users:read")
        after = ""
        while users := self._store.visits.people(purpose.value, after, at_once, default=self._default):
            yield users
            after = users[-1]

    def counts(self, actor: Actor) -> Counts:
        """Return how much the store holds.

        Raises:
            Forbidden: the actor lacks ``metrics:read``.
        """
        require(actor, "metrics:read")
        total, users = self._store.events.counts()
        asked = (purpose for purpose in Purpose if purpose.asked)
        consenting = {purpose.value: self._store.events.users(self._who(purpose)) for purpose in asked}
        return Counts(total, users, self._store.items.count(), consenting)

    def now(self) -> datetime:
        """Return the present moment, as this gate's clock has it."""
        return self._clock.now()

    def about(self, actor: Actor) -> About:
        """Return what the store is and how much it holds, for its operator.

        Raises:
            Forbidden: the actor is not an administrator.
        """
        return about(actor, self._store)

    def waiting(self, actor: Actor) -> int:
        """Return how many events wait to be written, in this process.

        Raises:
            Forbidden: the actor lacks ``metrics:read``.
        """
        require(actor, "metrics:read")
        return self._store.events.waiting

    def newest(self, actor: Actor) -> datetime | None:
        """Return when the last event was admitted; None when there is none.

        Raises:
            Forbidden: the actor lacks ``metrics:read``.
        """
        require(actor, "metrics:read")
        at = self._store.events.newest()
        return None if at is None else moment(at)

    def close(self) -> None:
        """Close the store."""
        self.keys.close()
        self._store.close()

    def __enter__(self) -> Gate:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _who(self, purpose: Purpose) -> Who:
        return Who(purpose.value if purpose.asked else None, self._default)

    def _now_and_latest(self) -> tuple[int, int]:
        now = self._clock.now()
        return micros(now), micros(now + self._future)


def _row(event: Event, recorded: int) -> dict[str, Any]:
    at = micros(event.at)
    return {
        "id": derived(event, at) if event.id is None else event.id,
        "user": event.user or visitor(event.session or ""),
        "item": event.item,
        "kind": event.kind,
        "at": at,
        "value": float(event.value),
        "session": event.session,
        "channel": event.channel,
        "context": dump(event.context) if event.context else None,
        "replaces": event.replaces,
        "recorded": recorded,
        "slate": event.slate,
        "price": event.price,
    }
