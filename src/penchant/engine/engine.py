"""The engine: what the server, the command line and a program of yours ask, synchronous and thread-safe."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from penchant.core.clock import Clock, SystemClock
from penchant.core.errors import ArtifactError, InputError, NotReady, StoreError, Unauthorized
from penchant.core.nouns import Event, Filters, Item
from penchant.core.progress import SILENT, Progress
from penchant.core.settings import Settings
from penchant.engine.answers import MAX_N, Answer, Ask, HistoryAnswer, HistoryEntry, Readiness
from penchant.engine.deadline import Deadline, Late
from penchant.engine.everyone import Everyone, Mailing, recommend_everyone
from penchant.engine.histories import Histories
from penchant.engine.keeper import Keeper
from penchant.engine.known import Known
from penchant.engine.pages import Page, PageAnswer, asks_of, page_answer
from penchant.engine.ranking import RankAsk, Ranking, ranking
from penchant.engine.recommending import Model, answered
from penchant.engine.slatelog import SlateLog
from penchant.engine.studying import Studying
from penchant.engine.visiting import VisitAsk, ask_of
from penchant.engine.watching import Debugged, Watching
from penchant.trust.access import Actor, require
from penchant.trust.caller import NOWHERE, Caller
from penchant.trust.gate import Gate, Receipt
from penchant.trust.moments import moment
from penchant.trust.purpose import Purpose

__all__ = ["Engine"]

log = logging.getLogger(__name__)

SIMILAR = "similar"
"The placement that answers what is similar to an item."


class Engine:
    """One deployment: its settings, its store behind the gate, and the bundle in charge.

    A bundle promoted by another process answers from the next question on; so do changes of the catalogue.

    >>> from penchant.testing import shop
    >>> from penchant.trust.access import SYSTEM
    >>> with shop() as engine:
    ...     asks = [Ask(placement="for-you", user=user, n=1) for user in ("ann", "leo")]
    ...     answers = [engine.recommend(SYSTEM, ask) for ask in asks]
    ...     _ = engine.ingest(SYSTEM, [Event("ann", "mocha", "purchase", engine.clock.now())])
    ...     engine.history(SYSTEM, "ann", n=1).events[0].title
    'Mocha'
    >>> [(answer.policy, answer.items[0].title) for answer in answers]  # Leo was never asked
    [('personalized', 'Sencha'), ('non-profiling', 'Assam')]
    """

    def __init__(
        self, settings: Settings, gate: Gate, clock: Clock, timer: Callable[[], float] = time.perf_counter
    ) -> None:
        self.settings = settings
        self.gate = gate
        self.clock = clock
        self.timer = timer
        self.slates = SlateLog(gate.slates, settings.slates, clock)
        self._known = Known(timer)
        self.studies = Studying(gate, self._current, clock)
        self.watching = Watching()
        self.models = Keeper(gate, settings, self.watching)

    @classmethod
    def open(cls, settings: Settings, clock: Clock | None = None) -> Engine:
        """Return the engine over the store that the settings name.

        Raises:
            StoreMissing: there is none; ``penchant init`` makes it.
            StoreVersion: a newer version of Penchant wrote it.
        """
        clock = clock or SystemClock()
        gate = Gate.open(settings, clock)
        gate.slates.settle()
        return cls(settings, gate, clock)

    def close(self) -> None:
        """Write the slates that wait, stop watching for promotions, and let go of the store."""
        self.slates.close()
        self.models.close()
        self.gate.close()

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def authenticate(self, token: str | None, caller: Caller = NOWHERE) -> Actor:
        """Return who holds a key, asked from somewhere.

        While the store is down, a key it knew lately may still ask for recommendations from where it asked then.

        Raises:
            Unauthorized: there is no key, or it is not known, revoked or expired.
            Forbidden: it may not be used from there.
            RateLimited: it was used too often.
        """
        if not token:
            raise Unauthorized(
                "a key is needed", then="send the header 'Authorization: Bearer <key>'; see penchant keys"
            )
        return self._known.authenticate(token, caller, self.gate.keys.authenticate)

    def ingest(self, actor: Actor, events: Sequence[Event]) -> Receipt:
        """Write events; what the receipt counts is on disk when this returns."""
        return self.gate.admit(actor, events)

    def put_items(self, actor: Actor, items: Sequence[Item]) -> int:
        """Add or replace items of the catalogue, all or none; return how many."""
        self.gate.catalogue.put(actor, items)
        return len(items)

    def recommend(self, actor: Actor, ask: Ask, *, shown: bool = True) -> Answer:
        """Return the slate for a question, with its reasons and its basis; logged, unless nobody will be shown it."""
        if not 1 <= ask.n <= MAX_N:
            raise InputError("n is out of range", got=ask.n, allowed=f"1 to {MAX_N}", field="n")
        return self._recommended(actor, ask, shown=shown)

    def _recommended(self, actor: Actor, ask: Ask, *, shown: bool = True, own: bool = False) -> Answer:
        now = self.clock.now()
        model, histories = self._begun(actor, ask.deadline_ms, (ask.placement,), own=own)
        found = answered(model, histories, actor, ask, now)
        if shown:
            self.slates.offer(ask, found, now)
        return found

    def page(self, actor: Actor, page: Page) -> PageAnswer:
        """Return the slates of all placements of a page, without an item twice."""
        now, asks = self.clock.now(), asks_of(page)
        model, histories = self._begun(actor, page.deadline_ms, tuple(ask.placement for ask in asks))
        found = page_answer(model, histories, actor, page, now)
        for ask, slate in zip(asks, found.slates, strict=True):
            self.slates.offer(ask, slate, now)
        return found

    def rank(self, actor: Actor, ask: RankAsk) -> Ranking:
        """Return a list of items in the order that suits who asks."""
        now = self.clock.now()
        model, histories = self._begun(actor, ask.deadline_ms, (ask.placement,))
        found = ranking(model, histories, actor, ask, now)
        self.slates.offer(ask.question, found.slate, now)
        return found

    def recommend_everyone(self, actor: Actor, mailing: Mailing, path: Path, progress: Progress = SILENT) -> Everyone:
        """Write the slates of everybody who agreed into a Parquet file, whole or not at all."""
        return recommend_everyone(
            self._current(), self.gate, actor, mailing, path, now=self.clock.now(), progress=progress
        )

    def debug(self, actor: Actor, ask: Ask) -> Debugged:
        """Return the slate for a question as :meth:`recommend` does, and how it came about, step by step."""
        require(actor, "admin")
        started = time.perf_counter()
        with self.watching.recorded() as steps:
            found = self.recommend(actor, ask, shown=False)
        ms = (time.perf_counter() - started) * 1000
        return Debugged(found, ms, sum(step.after for step in steps if step.stage == "gate"), tuple(steps))

    def recommend_visit(self, actor: Actor, session: str | None, ask: VisitAsk) -> Answer:
        """Return the slate for a visitor, from what their own session holds and nothing else."""
        own = self.gate.sessions.check(actor, session)
        return self._recommended(Actor(actor.name, frozenset({"recommend:read"})), ask_of(own, ask), own=True)

    def similar(self, actor: Actor, item: str, n: int = 10, filters: Filters | None = None) -> Answer:
        """Return items similar to one, by the placement ``similar``."""
        return self.recommend(actor, Ask(placement=SIMILAR, item=item, n=n, filters=filters or Filters()))

    def history(self, actor: Actor, user: str, n: int = 100) -> HistoryAnswer:
        """Return the newest ``n`` events stored of a person, newest first, and what they agreed to."""
        if n < 1:
            raise InputError("n is out of range", got=n, allowed="1 or more", field="n")
        past = self.gate.history(actor, Purpose.ACCESS, user, n)
        model = self._titles()
        rows = zip(past.items, past.kinds, past.at, past.values, strict=True)
        entries = [HistoryEntry(i, self._title(model, i), kind, moment(at), value) for i, kind, at, value in rows]
        return HistoryAnswer(user, tuple(reversed(entries)), self._consent(actor, user))

    def set_consent(
        self, actor: Actor, user: str, purposes: Sequence[str], *, granted: bool, basis: str
    ) -> dict[str, bool]:
        """Record what a person agrees to or withdraws; return their answers now."""
        for scope in ("consent:write", "users:read"):
            require(actor, scope)
        change = self.gate.consent.grant if granted else self.gate.consent.withdraw
        change(actor, user, purposes, basis=basis)
        return self._consent(actor, user)

    def users(self, actor: Actor, n: int = 100) -> list[str]:
        """Return the users with most events, most first."""
        return self.gate.busiest(actor, n)

    def ready(self) -> Readiness:
        """Return whether every placement can be answered, and what is missing."""
        try:
            model = self.models.current()
        except (StoreError, ArtifactError) as error:
            return Readiness(False, (str(error),), status="not ready")
        if model is None:
            return Readiness(False, ("no bundle of models is trained; run 'penchant train'",), status="not ready")
        lacking = tuple(why for why in (self.models.down, *model.missing, self.models.broken) if why is not None)
        ready = len(model.pipelines) == len(self.settings.placements)
        status = "not ready" if not ready else "degraded" if lacking else "ready"
        return Readiness(ready, lacking, model.bundle.digest, status)

    def _begun(
        self, actor: Actor, wanted: int | None, placements: tuple[str, ...], *, own: bool = False
    ) -> tuple[Model, Histories]:
        """Return what answers, and what reads histories until the deadline, which begins now.

        A store that does not say in time what changed in the catalogue leaves the models as they are in memory.
        """
        known = self.settings.placements
        limits = [known[name].deadline_ms for name in placements if name in known]
        longest = max(limits, default=0) if all(limits) else 0
        model = self.models.held or self._current()
        deadline = Deadline(longest if wanted is None else wanted, self.timer)
        with suppress(Late):
            model = deadline.wait(self._current)
        return model, Histories(self.gate, actor, deadline, down=self.models.down is not None, own=own)

    def _current(self) -> Model:
        model = self.models.current()
        if model is None:
            raise NotReady("no models are trained yet", then="run 'penchant train'")
        return model

    def _titles(self) -> Model | None:
        """Return what knows titles, or None: showing people their own data must not depend on a model."""
        try:
            return self.models.current()
        except ArtifactError as error:
            log.warning("titles come from the catalogue alone: %s", error)
            return None

    def _consent(self, actor: Actor, user: str) -> dict[str, bool]:
        return {state.purpose: state.granted for state in self.gate.consent.state(actor, user)}

    def _title(self, model: Model | None, item: str) -> str:
        code = -1 if model is None else model.catalogue.vocabulary.code(item)
        if model is not None and code >= 0:
            return model.catalogue.title(code)
        stored = self.gate.catalogue.get(item)
        return item if stored is None else stored.title
