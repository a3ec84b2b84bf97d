"""Slates on their way into the log: offered without waiting, written in batches by a thread of their own."""

from __future__ import annotations

import hashlib
import logging
import threading
from collections import deque
from datetime import datetime, timedelta

from penchant.core.clock import Clock
from penchant.core.errors import StoreError
from penchant.core.settings import SlateSettings
from penchant.engine.answers import Answer, Ask
from penchant.trust.access import SYSTEM
from penchant.trust.slates import Served, Slates, Thing

__all__ = ["SlateLog", "sampled", "served"]

log = logging.getLogger(__name__)

_BATCH = 500
"Slates of one transaction."

_PAUSE = 0.1
"Seconds that slates are gathered before they are written: answers wait while many are."


_HOUR = timedelta(hours=1)


class SlateLog:
    """Writes the slates that were answered. An answer never waits for it.

    A row of this log is no acknowledged event: what was offered in the last moment before a crash is lost, and so is
    what finds the queue full or the store failing; ``lost`` counts the latter two.

    >>> from penchant.testing import shop
    >>> with shop() as engine:
    ...     answer = engine.recommend(SYSTEM, Ask(placement="trending", n=2))
    ...     engine.slates.flush()
    ...     table = engine.gate.slates.outcomes(SYSTEM, engine.clock.now())
    ...     engine.slates.lost, table["position"].to_list(), set(table["slate"]) == {answer.slate}
    (0, [1, 2], True)
    """

    def __init__(self, slates: Slates, settings: SlateSettings, clock: Clock) -> None:
        self.lost = 0
        self._slates = slates
        self._settings = settings
        self._clock = clock
        self._pruned: datetime | None = None
        self._waiting: deque[Served] = deque()
        self._wake = threading.Event()
        self._writing = threading.Lock()
        self._starting = threading.Lock()
        self._closed = False
        self._thread: threading.Thread | None = None

    def offer(self, ask: Ask, answer: Answer, at: datetime) -> None:
        """Take a slate that was answered, when it is one of the share that is logged."""
        if not sampled(answer.slate, self._settings.log):
            return
        if len(self._waiting) >= self._settings.waiting:
            self.lost += 1
            return
        self._waiting.append(served(ask, answer, at))
        if self._thread is None:
            self._start()
        if len(self._waiting) >= _BATCH:
            self._wake.set()

    @property
    def waiting(self) -> int:
        """How many slates wait to be written."""
        return len(self._waiting)

    def flush(self) -> None:
        """Write what is waiting, now."""
        with self._writing:
            while self._waiting:
                batch = [self._waiting.popleft() for _ in range(min(_BATCH, len(self._waiting)))]
                try:
                    self._slates.log(SYSTEM, batch)
                except StoreError as error:
                    self.lost += len(batch)
                    log.warning("%d slates could not be logged: %s", len(batch), error)

    def close(self) -> None:
        """Write what is waiting, and stop."""
        self._closed = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join()
        self.flush()

    def _start(self) -> None:
        with self._starting:
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._run, name="penchant-slates", daemon=True)
                self._thread.start()

    def prune(self) -> None:
        """Remove slates that were kept long enough: once an hour, and then bit by bit until none is left."""
        now = self._clock.now()
        if self._pruned is not None and now - self._pruned < _HOUR:
            return
        try:
            if not self._slates.prune(SYSTEM, now):
                self._pruned = now
        except StoreError as error:
            self._pruned = now
            log.warning("old slates could not be removed: %s", error)

    def _run(self) -> None:
        while not self._closed:
            self._wake.wait(_PAUSE)
            self._wake.clear()
            self.flush()
            self.prune()


def served(ask: Ask, answer: Answer, at: datetime) -> Served:
    """Return a slate as it is logged.

    >>> from penchant.engine.answers import ModelName
    >>> answer = Answer("9f2c", "home", "non-profiling", ModelName("popular", "ab"), ())
    >>> served(Ask(placement="home", session="s1"), answer, datetime(2017, 12, 31)).session
    's1'
    """
    return Served(
        answer.slate,
        at,
        answer.placement,
        answer.policy,
        answer.basis,
        answer.model.name,
        answer.model.digest,
        tuple(Thing(each.item, each.rank, each.score, each.propensity) for each in answer.items),
        user=ask.user,
        session=ask.session if isinstance(ask.session, str) else None,
        experiment=ask.experiment,
    )


def sampled(slate: str, share: float) -> bool:
    """Return whether a slate is one of the share; the same everywhere, since the id alone decides.

    >>> [sampled("9f2c", share) for share in (0.0, 0.5, 1.0)]
    [False, False, True]
    """
    if share >= 1.0:
        return True
    return int.from_bytes(hashlib.blake2b(slate.encode(), digest_size=6).digest()) < share * 2**48
