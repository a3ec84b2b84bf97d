"""What people agreed to."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from msgspec import Struct

from penchant.core.clock import Clock, micros
from penchant.core.errors import InputError
from penchant.core.settings import Settings
from penchant.store.store import Store
from penchant.trust.access import Actor, require
from penchant.trust.check import LONGEST, flaw
from penchant.trust.moments import moment
from penchant.trust.purpose import Purpose, purpose

__all__ = ["Consents", "State"]


class State(Struct, frozen=True):
    """Where one person stands on one purpose.

    >>> State("train", granted=False, basis="settings: consent.default").at is None
    True
    """

    purpose: str
    "What for."
    granted: bool
    "Whether it is allowed now."
    basis: str
    "Where the answer comes from."
    at: datetime | None = None
    "When it was given; None when the person was never asked."


class Consents:
    """Records what people agree to; the Gate's reads follow it from the next one on.

    >>> from tempfile import TemporaryDirectory
    >>> from penchant.core.clock import SystemClock
    >>> from penchant.trust.access import SYSTEM
    >>> with TemporaryDirectory() as folder, Store.create(f"sqlite:///{folder}/shop.db") as store:
    ...     consents = Consents(store, Settings(), SystemClock())
    ...     _ = consents.grant(SYSTEM, "ann", ["train", "personalize"], basis="checkout form")
    ...     _ = consents.withdraw(SYSTEM, "ann", ["train"], basis="letter of May 2")
    ...     [(state.purpose, state.granted, state.basis) for state in consents.state(SYSTEM, "ann")]
    [('train', False, 'letter of May 2'), ('personalize', True, 'checkout form')]

    Consent for many at once is for those who never answered; a no that was said stays.

    >>> with TemporaryDirectory() as folder, Store.create(f"sqlite:///{folder}/shop.db") as store:
    ...     consents = Consents(store, Settings(), SystemClock())
    ...     _ = consents.withdraw(SYSTEM, "ann", ["train"], basis="letter of May 2")
    ...     kept = consents.grant_unasked(SYSTEM, ["ann", "bob"], ["train"], basis="sign-up form")
    ...     kept, [consents.state(SYSTEM, user)[0].granted for user in ("ann", "bob")]
    (1, [False, True])
    """

    def __init__(self, store: Store, settings: Settings, clock: Clock) -> None:
        self._store = store
        self._default = settings.consent.default
        self._clock = clock

    def grant(self, actor: Actor, users: str | Iterable[str], purposes: Iterable[str], *, basis: str) -> int:
        """Record that people said yes; return how many people.

        Args:
            actor: who records it.
            users: one id, or many (a list or a polars series).
            purposes: train, personalize.
            basis: where the answer comes from, such as "checkout form, 2026-05".

        Raises:
            Forbidden: the actor lacks ``consent:write``.
            UnknownName: a purpose is not one that people are asked about.
            InputError: an id or the basis is empty, too long or holds control characters.
        """
        return self._record(actor, users, purposes, (True, basis))

    def grant_unasked(self, actor: Actor, users: str | Iterable[str], purposes: Iterable[str], *, basis: str) -> int:
        """Record a yes for those who never answered; an answer that is recorded already stays, above all a no.

        Returns:
            How many of the people have said no to any of the purposes, and keep it.

        Arguments and errors are those of :meth:`grant`.
        """
        rows = self._rows(actor, users, purposes, (True, basis))
        self._store.consent.add(rows)
        return len({row["user"] for row in rows} & self._store.consent.refusing([*{row["purpose"] for row in rows}]))

    def withdraw(self, actor: Actor, users: str | Iterable[str], purposes: Iterable[str], *, basis: str) -> int:
        """Record that people said no; return how many people. Arguments and errors as for :meth:`grant`."""
        return self._record(actor, users, purposes, (False, basis))

    def state(self, actor: Actor, user: str) -> tuple[State, ...]:
        """Return where a person stands on each purpose.

        Raises:
            Forbidden: the actor lacks ``users:read``.
        """
        require(actor, "users:read")
        recorded = {row.purpose: row for row in self._store.consent.of(user)}
        unasked = "settings: consent.default"
        return tuple(
            State(name, bool(recorded[name].granted), recorded[name].basis, moment(recorded[name].at))
            if name in recorded
            else State(name, self._default, unasked)
            for name in (each.value for each in Purpose if each.asked)
        )

    def _record(
        self, actor: Actor, users: str | Iterable[str], purposes: Iterable[str], answer: tuple[bool, str]
    ) -> int:
        rows = self._rows(actor, users, purposes, answer)
        self._store.consent.put(rows)
        return len({row["user"] for row in rows})

    def _rows(
        self, actor: Actor, users: str | Iterable[str], purposes: Iterable[str], answer: tuple[bool, str]
    ) -> list[dict[str, Any]]:
        require(actor, "consent:write")
        granted, basis = answer
        people = dict.fromkeys([users] if isinstance(users, str) else users)
        uses = [purpose(name) for name in ([purposes] if isinstance(purposes, str) else purposes)]
        for name, text in (("basis", basis), *(("user", user) for user in people)):
            wrong = flaw(text)
            if wrong:
                raise InputError(f"{name} {wrong}", got=text, allowed=f"1 to {LONGEST} characters", field=name)
        at = micros(self._clock.now())
        return [
            {"user": user, "purpose": use.value, "granted": granted, "basis": basis, "at": at}
            for user in people
            for use in uses
        ]
