"""Work that one process of all does at a time, such as training; whoever is killed is replaced when the lease ends."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from msgspec import Struct

from penchant.core.clock import Clock, micros
from penchant.core.errors import PenchantError
from penchant.store.store import Store
from penchant.trust.moments import moment

__all__ = ["SPAN", "Held", "Lease", "Leases"]

log = logging.getLogger(__name__)

SPAN = timedelta(minutes=1)
"How long a lease lasts without being renewed."

_LONGEST = timedelta(days=1)
"A lease that ends later than this, or than its own span if that is longer, was taken by a clock that was ahead."


class Lease(Struct, frozen=True):
    """Who does some work now, and when it was last done.

    >>> Lease("train", "", None, None).free(datetime(2017, 12, 31))
    True
    """

    name: str
    "The work."
    holder: str
    "Who does it; empty when nobody."
    until: datetime | None
    "When another may take it over; None when nobody holds it."
    done: datetime | None
    "When it was last done to its end; None when it never was."

    def free(self, now: datetime, span: timedelta = SPAN) -> bool:
        """Return whether the work can be taken, where a lease lasts ``span``."""
        return self.until is None or not now < self.until <= now + max(span, _LONGEST)


class Leases:
    """The leases of one store. They last by the machines' clocks, which must agree to within the span of a lease.

    >>> from tempfile import TemporaryDirectory
    >>> from penchant.core.clock import SystemClock
    >>> with TemporaryDirectory() as folder, Store.create(f"sqlite:///{folder}/shop.db") as store:
    ...     leases = Leases(store, SystemClock())
    ...     with leases.held("train", "ann", timedelta(minutes=1)) as ours, leases.held("train", "bob") as theirs:
    ...         ours is not None, theirs is not None, leases.get("train").holder
    ...     leases.get("train").holder
    (True, False, 'ann')
    ''
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def get(self, name: str) -> Lease:
        """Return a lease as it is now."""
        row = self._store.leases.get(name)
        if row is None:
            return Lease(name, "", None, None)
        until = moment(row.until) if row.holder else None
        return Lease(name, row.holder, until, None if row.done is None else moment(row.done))

    @contextmanager
    def held(self, name: str, holder: str, span: timedelta = SPAN) -> Iterator[Held | None]:
        """Hold a lease for as long as the block lasts, renewed from a thread; yields None when another holds it.

        Whoever is killed stops renewing, and after ``span`` at most another can take it.
        """
        now = self._clock.now()
        latest = micros(now + max(span, _LONGEST))
        if not self._store.leases.take(name, holder, micros(now), micros(now + span), latest):
            yield None
            return
        held = Held(name, holder)
        thread = threading.Thread(target=self._renew, args=(held, span), name=f"penchant-lease-{name}", daemon=True)
        thread.start()
        try:
            yield held
        finally:
            try:
                self._give_back(held, thread)
            except BaseException:  # a signal that stops this process may come here too, and once: then do it again
                self._give_back(held, thread)
                raise

    def _give_back(self, held: Held, thread: threading.Thread) -> None:
        held.over.set()
        thread.join()
        done = micros(self._clock.now()) if held.done.is_set() else None
        if not self._store.leases.release(held.name, held.holder, done):
            held.lost.set()

    def _renew(self, held: Held, span: timedelta) -> None:
        while not held.over.wait(span.total_seconds() / 3):
            now = self._clock.now()
            try:
                if self._store.leases.renew(held.name, held.holder, micros(now), micros(now + span)):
                    continue
                held.lost.set()
                log.warning("the lease %s ran out or was taken over", held.name)
                return
            except PenchantError as error:
                log.warning("the lease %s could not be renewed, which is tried again: %s", held.name, error)


class Held:
    """A lease that this process holds.

    >>> held = Held("train", "ann")
    >>> held.lost.is_set(), held.key
    (False, ('train', 'ann'))
    """

    def __init__(self, name: str, holder: str) -> None:
        self.name = name
        self.holder = holder
        self.lost = threading.Event()
        "Set when another took it over."
        self.done = threading.Event()
        "To be set when the work was done to its end."
        self.over = threading.Event()
        "Set when it is given back."

    @property
    def key(self) -> tuple[str, str]:
        """What a write can ask to be still held."""
        return self.name, self.holder
