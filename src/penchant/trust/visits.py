"""Anonymous sessions: what their visitor agreed to, and who the visitor turned out to be."""

from __future__ import annotations

from collections.abc import Iterable

from penchant.core.clock import Clock, micros
from penchant.core.errors import InputError
from penchant.store.store import Store
from penchant.store.visits import visitor
from penchant.trust.access import Actor, require
from penchant.trust.check import LONGEST, flaw
from penchant.trust.purpose import purpose

__all__ = ["Visits"]


class Visits:
    """The anonymous sessions of one store. Events of one have a session and no user.

    A link says whose a session was. The events stay as they came; whoever reads the person's past, or all events for
    training, finds them there from then on, so far as the person agreed and the visitor had not refused.

    >>> from tempfile import TemporaryDirectory
    >>> from penchant.core.clock import SystemClock
    >>> from penchant.trust.access import SYSTEM
    >>> with TemporaryDirectory() as folder, Store.create(f"sqlite:///{folder}/shop.db") as store:
    ...     visits = Visits(store, SystemClock())
    ...     visits.answer(SYSTEM, "s1", ["personalize"], granted=True, basis="banner of May 2")
    ...     visits.link(SYSTEM, "s1", "ann")
    ...     visits.link(SYSTEM, "s1", "bob")
    Traceback (most recent call last):
        ...
    penchant.core.errors.InputError: the session is somebody else's; next: begin a new session when a visitor signs out
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def link(self, actor: Actor, session: str, user: str) -> None:
        """Record whose a session is, for good; saying it again changes nothing.

        Raises:
            Forbidden: the actor lacks ``events:write``.
            InputError: the session is somebody else's, or an id cannot be one.
        """
        require(actor, "events:write")
        _check(session=session, user=user)
        if not self._store.visits.link(session, user, micros(self._clock.now())):
            raise InputError(
                "the session is somebody else's", then="begin a new session when a visitor signs out", field="session"
            )

    def answer(self, actor: Actor, session: str, purposes: Iterable[str], *, granted: bool, basis: str) -> None:
        """Record what the visitor of a session agreed to, or took back; it holds from the next answer on.

        Raises:
            Forbidden: the actor lacks ``consent:write``.
            UnknownName: a purpose is not one that people are asked about.
            InputError: an id or the basis is empty, too long or holds control characters.
        """
        require(actor, "consent:write")
        uses = [purpose(name) for name in purposes]
        _check(session=session, basis=basis)
        at = micros(self._clock.now())
        row = {"user": visitor(session), "granted": granted, "basis": basis, "at": at}
        self._store.consent.put([{**row, "purpose": use.value} for use in uses])


def _check(**texts: str) -> None:
    for name, text in texts.items():
        wrong = flaw(text)
        if wrong:
            raise InputError(f"{name} {wrong}", got=text, allowed=f"1 to {LONGEST} characters", field=name)
