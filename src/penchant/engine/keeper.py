"""Keeps the model that answers: notices promotions, loads beside the requests, and never gives up what still works."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator

from msgspec import Struct

from penchant.core.errors import ArtifactDamaged, ArtifactError, PenchantError, StoreError
from penchant.core.settings import Settings
from penchant.engine.bundle import load_bundle, place_of
from penchant.engine.recommending import Model, model_of
from penchant.engine.warming import ahead, warm
from penchant.engine.watching import Watching
from penchant.trust.artifacts import Artifact
from penchant.trust.gate import Gate

__all__ = ["Keeper", "Swap"]

log = logging.getLogger(__name__)

POLL = 0.5
"Seconds between two looks at which bundle is promoted."

RETRY = 30.0
"Seconds after which a bundle that could not be used is tried again: it may have been mended in place."


class Swap(Struct, frozen=True):
    """A bundle that was taken into use, or refused.

    >>> Swap("ab12", True, 0.4).why
    ''
    """

    digest: str
    "Which bundle."
    taken: bool
    "Whether it answers now; else the one before it does."
    seconds: float
    "What loading took."
    why: str = ""
    "Why it was refused."


class Keeper:
    """The model in use. One per process; its threads share it.

    Asked plainly, it looks at the store each time, and a bundle that was promoted is loaded before the answer. While it
    watches, a thread does that twice a second: the old bundle answers until the new one is whole and warm.

    >>> from penchant.testing import shop
    >>> with shop() as engine:
    ...     keeper = Keeper(engine.gate, engine.settings)
    ...     keeper.watch()
    ...     digest, threads = keeper.current().bundle.digest, keeper.watching
    ...     keeper.close()
    ...     digest == engine.gate.artifacts.promoted().digest, threads, keeper.watching
    (True, True, False)
    """

    def __init__(self, gate: Gate, settings: Settings, steps: Watching | None = None) -> None:
        self._gate = gate
        self._steps = steps or Watching()
        self._settings = settings
        self._model: Model | None = None
        self.down: str | None = None
        "Why the store could not be asked lately; None when it could."
        self._broken: tuple[Artifact, ArtifactError] | None = None
        self._tried = 0.0
        self._version = 0
        self._lock = threading.Lock()
        self._filling = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._heard: list[Callable[[Swap], None]] = []
        self._last: Swap | None = None

    @property
    def broken(self) -> str | None:
        """Why the promoted bundle is not the one that answers; None when it is."""
        broken = self._broken
        if broken is None:
            return None
        model = self._model
        instead = "" if model is None else f"; bundle {model.bundle.digest[:12]} answers in its place"
        return f"the promoted bundle {broken[0].digest[:12]} cannot be used: {broken[1]}{instead}"

    @property
    def held(self) -> Model | None:
        """What answers, as it is in memory: nothing is asked of the store."""
        return self._model

    @property
    def watching(self) -> bool:
        """Whether a thread looks for promotions."""
        return self._thread is not None and self._thread.is_alive()

    def listen(self, heard: Callable[[Swap], None]) -> None:
        """Have a function called after every swap and every refusal, such as one that counts them.

        It is told of the last one before, too; the same function twice is told once.
        """
        if heard not in self._heard:
            self._heard.append(heard)
            if self._last is not None:
                heard(self._last)

    def current(self) -> Model | None:
        """Return what answers now, with the newest catalogue; None when nothing was ever promoted.

        While the store fails, what is in memory is returned as it is, and :attr:`down` says so.

        Raises:
            ArtifactError: nothing that was promoted can be read.
            StoreError: the store failed, and nothing is in memory.
        """
        try:
            if not self.watching:
                self._look()
            if self._model is not None:
                self._fill(self._model)
            self.down = None
        except StoreError as error:
            if self._model is None:
                raise
            if self.down is None:
                log.error("the store fails, the models in memory answer: %s", error)
            self.down = str(error)
        if self._model is None and self._broken is not None:
            raise self._broken[1]
        return self._model

    def watch(self) -> None:
        """Load what is promoted, then look for other promotions in a thread until :meth:`close`.

        What cannot be loaded is written to the log and tried again when it is promoted again; this never raises for it.
        """
        if self.watching:
            return
        try:
            self._look(warmed=True)
        except PenchantError as error:
            log.error("no model can be loaded: %s", error)
        self._stop.clear()
        self._thread = threading.Thread(target=self._watch, name="penchant-keeper", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop looking."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _watch(self) -> None:
        failing = False
        while not self._stop.wait(POLL):
            try:
                self._look(warmed=True)
                failing = False
            except PenchantError as error:
                if not failing:
                    log.error("the model cannot be looked after, which is tried again: %s", error)
                failing = True

    def _look(self, *, warmed: bool = False) -> None:
        """Take up the promoted bundle when it is another; on failure keep, or find, one that works."""
        with self._lock:
            promoted = self._gate.artifacts.promoted()  # under the lock: an older answer must not undo a newer bundle
            if promoted is None or not self._differs(promoted):
                return
            began = self._tried = time.monotonic()
            try:
                self._use(*self._loaded(promoted, warmed=warmed))
            except ArtifactError as error:
                self._refuse(promoted, error, warmed=warmed)
                self._tell(Swap(promoted.digest, False, time.monotonic() - began, str(error)))
                return
            self._broken = None
            log.info("bundle %s is in charge", promoted.digest[:12])
            self._tell(Swap(promoted.digest, True, time.monotonic() - began))

    def _refuse(self, promoted: Artifact, error: ArtifactError, *, warmed: bool) -> None:
        said = self._broken is not None and self._broken[0] == promoted
        self._broken = (promoted, error)
        if self._model is None:
            self._fall_back(promoted, warmed=warmed)
        if not said:
            log.error("%s", self.broken)

    def _loaded(self, chosen: Artifact, *, warmed: bool) -> tuple[Model, int]:
        place = place_of(chosen.path, self._settings.artifacts)
        ahead(place)
        bundle = load_bundle(place)
        if bundle.digest != chosen.digest:
            raise ArtifactDamaged(
                "the bundle is not the one that was recorded",
                got=f"{place}: {bundle.digest[:12]}",
                allowed=chosen.digest[:12],
                then="restore it from a backup, or train again",
            )
        told = lambda: self._gate.catalogue.changed(0)[0]  # noqa: E731
        with self._filling:
            before, version = self._model, self._version
        model = model_of(bundle, self._settings, told, self._steps, before)
        if before is None or model.catalogue is not before.catalogue:
            version = self._gate.catalogue.version()
            model.catalogue.put(self._gate.catalogue.shown())
        if warmed:
            warm(model, self._gate)
        return model, version

    def _use(self, model: Model, version: int) -> None:
        with self._filling:
            kept = self._model is not None and self._model.catalogue is model.catalogue
            self._model, self._version = model, max(version, self._version) if kept else version

    def _fall_back(self, promoted: Artifact, *, warmed: bool) -> None:
        """Use the newest bundle that is sound: first those that were in service, then the others."""
        for other in self._others(promoted):
            try:
                self._use(*self._loaded(other, warmed=warmed))
                return
            except ArtifactError as error:
                log.error("bundle %s cannot be used either: %s", other.digest[:12], error)

    def _others(self, promoted: Artifact) -> Iterator[Artifact]:
        known = {artifact.digest: artifact for artifact in self._gate.artifacts.list()}
        served = [each.digest for each in self._gate.artifacts.promotions() if each.undone is None]
        for digest in dict.fromkeys([*served, *known]):
            if digest in known and digest != promoted.digest:
                yield known[digest]

    def _fill(self, model: Model) -> None:
        """Take in what changed in the catalogue since; another process may have put it there a moment ago."""
        if self._gate.catalogue.version() == self._version:
            return
        with self._filling:
            if model is self._model:
                version = self._gate.catalogue.version()
                model.catalogue.put(self._gate.catalogue.shown(self._version))
                self._version = version

    def _differs(self, promoted: Artifact) -> bool:
        """Return whether a bundle is neither in use nor known to be broken; one that is trained anew is tried anew."""
        known = self._model is not None and self._model.bundle.digest == promoted.digest
        if known and self._broken is not None:
            self._broken = None  # it was rolled back to what answers anyway
        again = time.monotonic() - self._tried > RETRY
        return not known and (self._broken is None or self._broken[0] != promoted or again)

    def _tell(self, swap: Swap) -> None:
        self._last = swap
        for heard in self._heard:
            heard(swap)
