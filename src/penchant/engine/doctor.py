"""Looks a deployment over and says what to mend."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from penchant.core.clock import Clock, SystemClock, utc
from penchant.core.errors import PenchantError
from penchant.core.settings import Settings, load_settings
from penchant.engine import exposed
from penchant.engine.engine import Engine
from penchant.engine.finding import Finding, days
from penchant.trust.access import SYSTEM
from penchant.trust.condition import condition_of, file_of

__all__ = ["Finding", "examine"]

LOW_DISK = 1 << 30
"Free bytes below which a store may soon fail to write."

OLD = timedelta(days=30)
"The age at which models have seen nothing of a whole month."

SKEW = timedelta(minutes=5)
"How far ahead of the clock something may have been written before the clock is in doubt."


def examine(settings: str | Path, *, clock: Clock | None = None) -> list[Finding]:
    """Return what was found of the deployment that a settings file describes; never raises for what it finds.

    >>> [finding.level for finding in examine("no-such-file.toml")]
    ['fail']
    """
    clock = clock or SystemClock()
    try:
        decoded = load_settings(settings)
    except PenchantError as error:
        return [Finding("fail", f"settings: {error}", error.then or "")]
    found = [Finding("ok", f"settings: {settings}")]
    try:
        found += _schema(decoded)
        with Engine.open(decoded, clock) as engine:
            found += [*_store(engine), *_models(engine), *_times(engine)]
            found += exposed.keys(engine.gate.keys.list(SYSTEM), decoded, clock.now())
    except PenchantError as error:
        found.append(Finding("fail", f"store: {error}", error.then or ""))
    return [
        *found,
        *exposed.reach(decoded, clock.now()),
        *exposed.files(Path(settings), decoded),
        *_disk(Path(settings), decoded),
    ]


def _schema(settings: Settings) -> Iterator[Finding]:
    found = condition_of(settings.store)
    if found.schema is not None and found.old and found.schema < found.newest:
        what = f"store: its tables were of version {found.schema} and are brought to {found.newest} now"
        yield Finding("warn", what, "upgrade the other servers of this store, too")
    else:
        yield Finding("ok", f"store: can be read and written, version {found.schema or 'none'} of its tables")


def _store(engine: Engine) -> Iterator[Finding]:
    about = engine.gate.about(SYSTEM)
    what = f"database: {about.database} {about.version} at {about.place}; commits: {about.commits}"
    if about.commits == "on disk":
        yield Finding("ok", what)
    else:
        yield Finding("warn", what, "switch it on, or a power cut may lose what was acknowledged")
    counts = engine.gate.counts(SYSTEM)
    said = f"store: {counts.events:,} events of {counts.users:,} users, {counts.items:,} items"
    if counts.events:
        yield Finding("ok", said)
    else:
        yield Finding("warn", said, "run 'penchant import FILE', or post events to /v1/events")
    for purpose, users in counts.consenting.items():
        what = f"consent: {users:,} of {counts.users:,} users with events agree to {purpose}"
        if counts.users and not users:
            yield Finding("warn", what, "import with --consent, run 'penchant consent grant', or set consent.default")
        else:
            yield Finding("ok", what)
    if counts.events and not counts.items:
        yield Finding("warn", "catalogue: empty, so slates show ids for titles", "run 'penchant import --items FILE'")


def _models(engine: Engine) -> Iterator[Finding]:
    ready = engine.ready()
    if ready.ready:
        yield Finding("ok", f"models: bundle {(ready.model or '')[:12]} is whole and answers every placement")
    for what in ready.missing:
        yield Finding("fail" if ready.model is None else "warn", f"models: {what}", "run 'penchant train'")


def _times(engine: Engine) -> Iterator[Finding]:
    """Yield how old models and events are, and whether anything was written in the future."""
    now = utc(engine.clock.now())
    promoted, newest = engine.gate.artifacts.promoted(), engine.gate.newest(SYSTEM)
    written = {
        "the last event": newest,
        "the bundle in charge": None if promoted is None else promoted.created,
        "a key": max((key.created for key in engine.gate.keys.list(SYSTEM)), default=None),
    }
    ahead = {what: utc(at) - now for what, at in written.items() if at is not None and utc(at) - now > SKEW}
    for what, by in ahead.items():
        hours = f"{by / timedelta(hours=1):,.1f} hours"
        then = "set the clocks of all machines by NTP; until then keys and sessions end at the wrong time"
        yield Finding("fail", f"clock: {what} was written {hours} in the future of this machine", then)
    if not ahead:
        yield Finding("ok", "clock: nothing was written in the future")
    if promoted is not None:
        age = now - utc(promoted.created)
        stale = age > OLD and newest is not None and newest > promoted.created
        what = f"models: trained {days(age)} ago"
        yield (
            Finding("warn", f"{what}, and events came since", "run 'penchant train'") if stale else Finding("ok", what)
        )


def _disk(place: Path, settings: Settings) -> Iterator[Finding]:
    """Yield how much room there is where something is written, once for each disk."""
    seen: set[int] = set()
    store = file_of(settings.store)
    for folder in (place.resolve().parent, *([store.parent] if store else []), Path(settings.artifacts)):
        if not folder.is_dir() or folder.stat().st_dev in seen:
            continue
        seen.add(folder.stat().st_dev)
        free = shutil.disk_usage(folder).free
        what = f"disk: {free / (1 << 30):.1f} GiB free at {folder}"
        low = Finding("warn", what, "make room before the store cannot write")
        yield Finding("ok", what) if free >= LOW_DISK else low
