"""Looks a deployment over and says what to mend."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from msgspec import Struct

from penchant.core.clock import Clock, SystemClock
from penchant.core.errors import PenchantError
from penchant.core.settings import Settings, load_settings
from penchant.engine.engine import Engine
from penchant.trust.access import SYSTEM

__all__ = ["Finding", "examine"]

LOCAL_HOSTS = ("127.0.0.1", "::1", "localhost")
"Addresses that only this machine reaches."

LOW_DISK = 1 << 30
"Free bytes below which a store may soon fail to write."


class Finding(Struct, frozen=True):
    """One thing that was looked at.

    >>> Finding("ok", "settings: penchant.toml").then
    ''
    """

    level: Literal["ok", "warn", "fail"]
    "ok; warn: works but should be mended; fail: does not work."
    what: str
    "What was found."
    then: str = ""
    "What to do about it."


def examine(settings: str | Path, *, clock: Clock | None = None) -> list[Finding]:
    """Return what was found of the deployment that a settings file describes; never raises for what it finds.

    >>> [finding.level for finding in examine("no-such-file.toml")]
    ['fail']
    """
    try:
        decoded = load_settings(settings)
    except PenchantError as error:
        return [Finding("fail", f"settings: {error}", error.then or "")]
    found = [Finding("ok", f"settings: {settings}")]
    try:
        with Engine.open(decoded, clock or SystemClock()) as engine:
            found += [*_store(engine), *_models(engine), *_access(engine, decoded)]
    except PenchantError as error:
        found.append(Finding("fail", f"store: {error}", error.then or ""))
    return [*found, *_disk(Path(settings))]


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
        yield Finding("ok", f"models: bundle {(ready.model or '')[:12]} answers every placement")
    for what in ready.missing:
        yield Finding("fail" if ready.model is None else "warn", f"models: {what}", "run 'penchant train'")


def _access(engine: Engine, settings: Settings) -> Iterator[Finding]:
    keys = [key for key in engine.gate.keys.list(SYSTEM) if key.revoked is None]
    if keys:
        yield Finding("ok", f"keys: {len(keys)} in force")
    else:
        yield Finding("warn", "keys: none, so nobody can call the server", "run 'penchant keys create'")
    if settings.server.host not in LOCAL_HOSTS:
        yield Finding(
            "warn",
            f"server: listens on {settings.server.host}, which other machines reach, without encryption of its own",
            "put a proxy with TLS before it",
        )


def _disk(settings: Path) -> Iterator[Finding]:
    free = shutil.disk_usage(settings.resolve().parent).free
    what = f"disk: {free / (1 << 30):.1f} GiB free"
    yield Finding("ok", what) if free >= LOW_DISK else Finding("warn", what, "make room before the store cannot write")
