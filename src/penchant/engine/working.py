"""One round of the worker: new models from the events of now, compared with those in charge, and promoted or not."""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import numpy as np
from msgspec import Struct

from penchant.core.clock import parse_duration
from penchant.core.disk import sweep_scratch
from penchant.core.errors import ArtifactError, PenchantError, UnknownName
from penchant.core.progress import SILENT, Progress
from penchant.core.settings import Settings
from penchant.data.dataset import Dataset
from penchant.engine.bundle import Bundle, load_bundle, place_of, save_bundle
from penchant.engine.challenging import Champion, Verdict, challenge
from penchant.engine.refitting import change_of, refit
from penchant.engine.training import learnt, recipes, retain, served, usable_events
from penchant.trust.access import Actor
from penchant.trust.artifacts import Artifact
from penchant.trust.gate import Gate
from penchant.trust.leases import Held, Lease

__all__ = ["LEASE", "Round", "due", "holder", "round_of", "run_round", "work"]

log = logging.getLogger(__name__)

LEASE = "train"
"The lease that whoever trains holds."

LOOK = 15.0
"Seconds between two looks at whether it is time, at most."


class Round(Struct, frozen=True, kw_only=True):
    """What one round came to.

    >>> Round(digest="ab12", promoted=False, why="nothing new", seconds=0.1).how
    {}
    """

    digest: str
    "The bundle that was trained."
    promoted: bool
    "Whether it is in charge now, and was not before."
    why: str
    "In words."
    seconds: float
    "What it took."
    how: dict[str, str] = {}
    "Model name to kept, updated or fitted."


def holder() -> str:
    """Return what this process is called when it holds a lease: another name each time.

    >>> f":{os.getpid()}:" in holder(), holder() == holder()
    (True, False)
    """
    return f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:6]}"


def run_round(
    gate: Gate, actor: Actor, settings: Settings, *, seen: Lease | None = None, progress: Progress = SILENT
) -> Round | None:
    """Do one round under the lease; return None when another process is at it, or did it since ``seen`` was read.

    >>> from penchant.testing import shop
    >>> from penchant.trust.access import SYSTEM
    >>> with shop() as engine:
    ...     done = run_round(engine.gate, SYSTEM, engine.settings)
    ...     with engine.gate.leases.held(LEASE, "another"):
    ...         none = run_round(engine.gate, SYSTEM, engine.settings)
    >>> done.promoted, done.why, done.how["ease"], none
    (False, 'nothing new: the models in charge are those of the events of now', 'kept', None)

    Raises:
        EmptyData: nothing may be learnt from.
        NotFound: the lease was lost before the promotion; then nothing was promoted.
    """
    with gate.leases.held(LEASE, holder(), parse_duration(settings.worker.lease)) as held:
        if held is None or (seen is not None and gate.leases.get(LEASE).done != seen.done):
            return None
        sweep_scratch(Path(settings.artifacts))
        done = round_of(gate, actor, settings, held, progress)
        held.done.set()
    return done


def round_of(gate: Gate, actor: Actor, settings: Settings, held: Held, progress: Progress = SILENT) -> Round:
    """Train, compare, promote or not, and remove what is not kept any more, under a lease that is held.

    >>> from penchant.testing import shop
    >>> from penchant.trust.access import SYSTEM
    >>> with shop() as engine, engine.gate.leases.held(LEASE, "me") as held:
    ...     round_of(engine.gate, SYSTEM, engine.settings, held).promoted
    False
    """
    began = time.perf_counter()
    if settings.worker.placement not in settings.placements:
        raise UnknownName.of("placement", settings.worker.placement, settings.placements, field="worker.placement")
    events = usable_events(gate, actor)
    now = Dataset.from_events(events, weights=settings.events.weights, valued=settings.events.valued)
    data = now.filter(min_users=settings.train.min_users)
    row, old = _in_charge(gate, settings)
    rows = 0 if row is None else int(row.metrics.get("rows", 0))
    change = None if old is None else change_of(events, now, rows, settings)
    learners = recipes(settings, served(settings))
    scorers, how = refit(learners, data, {} if old is None else old.scorers, change, progress=progress)
    if row is not None and old is not None and old.scorers.keys() == scorers.keys() and set(how.values()) == {"kept"}:
        why = "nothing new: the models in charge are those of the events of now"
        return Round(digest=row.digest, promoted=False, why=why, seconds=time.perf_counter() - began, how=how)
    newest = None if row is None else row.metrics.get("newest")
    champion = None if row is None else Champion({} if old is None else old.scorers, newest)
    verdict = challenge(settings, now, champion, progress=progress)
    bundle = save_bundle(scorers, settings.artifacts)
    facts = {**learnt(now), "how": how, "check": msgspec.to_builtins(verdict), "seconds": time.perf_counter() - began}
    gate.artifacts.record(actor, bundle.digest, bundle.path, models=bundle.digests, metrics=facts)
    done = _decided(gate, actor, bundle, verdict, held)
    retain(gate, actor, settings)
    log.info("bundle %s: %s", bundle.digest[:12], done.why)
    return msgspec.structs.replace(done, seconds=time.perf_counter() - began, how=how)


def _decided(gate: Gate, actor: Actor, bundle: Bundle, verdict: Verdict, held: Held) -> Round:
    """Promote, when the verdict allows it and nobody took this bundle back before."""
    promote, why = verdict.promote, verdict.why
    last = next((each for each in gate.artifacts.promotions() if each.digest == bundle.digest), None)
    if last is not None and last.undone is not None:
        promote, why = False, f"this bundle was rolled back at {last.undone:%Y-%m-%d %H:%M}"
    if promote:
        gate.artifacts.promote(actor, bundle.digest, by=f"worker {held.holder}", why=why, lease=held.key)
    return Round(digest=bundle.digest, promoted=promote, why=why, seconds=0.0)


def _in_charge(gate: Gate, settings: Settings) -> tuple[Artifact | None, Bundle | None]:
    """Return the bundle in charge; no bundle where it cannot be read, and then there is nothing to compare with."""
    row = gate.artifacts.promoted()
    if row is None:
        return None, None
    try:
        return row, load_bundle(place_of(row.path, settings.artifacts))
    except ArtifactError as error:
        log.error("the models in charge cannot be read, so new ones are not compared with them: %s", error)
        return row, None


def due(lease: Lease, settings: Settings, extra: timedelta) -> datetime | None:
    """Return when the next round begins; None for at once.

    >>> due(Lease("train", "", None, None), Settings(), timedelta()) is None
    True
    >>> due(Lease("train", "", None, datetime(2017, 12, 30)), Settings(), timedelta(minutes=1))
    datetime.datetime(2017, 12, 31, 0, 1)
    """
    return None if lease.done is None else lease.done + parse_duration(settings.worker.every) + extra


def work(
    gate: Gate,
    actor: Actor,
    settings: Settings,
    stop: threading.Event,
    heard: Callable[[Round], None],
    *,
    progress: Progress = SILENT,
) -> None:
    """Do a round whenever it is time, until told to stop; of several workers one does it, and the others wait.

    A round that fails is written to the log and tried again after a while that grows from one minute to ``every``.

    >>> from penchant.testing import shop
    >>> from penchant.trust.access import SYSTEM
    >>> rounds, stop = [], threading.Event()
    >>> with shop() as engine:
    ...     work(engine.gate, SYSTEM, engine.settings, stop, lambda done: (rounds.append(done), stop.set()))
    >>> len(rounds)
    1

    Args:
        gate: the door to the store.
        actor: on whose behalf.
        settings: how often, and how models are compared.
        stop: ends the work when set, between rounds.
        heard: told of every round.
        progress: told how far a round is.
    """
    chance, failures = np.random.default_rng(), 0
    jitter = parse_duration(settings.worker.jitter).total_seconds()
    extra = timedelta(seconds=chance.uniform(0.0, jitter))
    while not stop.is_set():
        try:
            lease = gate.leases.get(LEASE)
            wait = _wait(gate, lease, settings, extra)
            if wait > 0:
                stop.wait(min(wait, LOOK))
                continue
            done = run_round(gate, actor, settings, seen=lease, progress=progress)
            failures, extra = 0, timedelta(seconds=chance.uniform(0.0, jitter))
            if done is not None:
                heard(done)
        except PenchantError as error:
            failures += 1
            pause = min(60.0 * 2 ** (failures - 1), parse_duration(settings.worker.every).total_seconds())
            log.error("a round failed and is tried again in %.0f s: %s", pause, error)
            stop.wait(pause)


def _wait(gate: Gate, lease: Lease, settings: Settings, extra: timedelta) -> float:
    """Return the seconds until a round can begin; 0 for at once."""
    now = gate.now()
    if not lease.free(now, parse_duration(settings.worker.lease)):
        return LOOK
    when = due(lease, settings, extra)
    if when is None or (lease.done is not None and lease.done > now):  # done by a clock that was ahead
        return 0.0
    return max(0.0, (when - now).total_seconds())
