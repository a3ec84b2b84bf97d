"""Which trained bundles there are, and which one is in service. They hold items, not people."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from msgspec import Struct

from penchant.core.clock import Clock, micros
from penchant.core.errors import InputError, NotFound
from penchant.store.sql import dump, parse
from penchant.store.store import Store
from penchant.trust.access import Actor, require
from penchant.trust.moments import moment

__all__ = ["Artifact", "Artifacts", "Promotion"]


class Artifact(Struct, frozen=True):
    """One trained bundle.

    >>> Artifact("ab12", "artifacts/ab12", datetime(2017, 12, 31)).promoted is None
    True
    """

    digest: str
    "What it is, exactly."
    path: str
    "Where it lies."
    created: datetime
    "When it was trained."
    models: dict[str, Any] = {}
    "Model name to what it is."
    metrics: dict[str, Any] = {}
    "What it scored."
    promoted: datetime | None = None
    "When it was put in service; None when it is not."


class Promotion(Struct, frozen=True):
    """When a bundle was put in service, by whom and why.

    >>> Promotion("ab12", datetime(2017, 12, 31), "penchant train").undone is None
    True
    """

    digest: str
    "Which bundle."
    at: datetime
    "When."
    by: str
    "Who or what put it there."
    why: str = ""
    "In words."
    undone: datetime | None = None
    "When it was rolled back; None when it was not."


class Artifacts:
    """The list of bundles of one store. Reading it needs no scope; changing it needs ``admin``.

    >>> from tempfile import TemporaryDirectory
    >>> from penchant.core.clock import SystemClock
    >>> from penchant.trust.access import SYSTEM
    >>> with TemporaryDirectory() as folder, Store.create(f"sqlite:///{folder}/shop.db") as store:
    ...     artifacts = Artifacts(store, SystemClock())
    ...     for digest in ("ab12", "cd34"):
    ...         artifacts.record(SYSTEM, digest, f"artifacts/{digest}", models={}, metrics={})
    ...     artifacts.promote(SYSTEM, "ab12")
    ...     artifacts.promoted().path, len(artifacts.list())
    ('artifacts/ab12', 2)
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def record(
        self, actor: Actor, digest: str, path: str | Path, *, models: Mapping[str, Any], metrics: Mapping[str, Any]
    ) -> None:
        """Remember a bundle; one with this digest is replaced and stays in service when it was.

        Raises:
            Forbidden: the actor is not an administrator.
            InputError: the digest is empty.
        """
        require(actor, "admin")
        if not digest:
            raise InputError("an artifact needs a digest", got=digest, field="digest")
        row = {"digest": digest, "path": str(path), "created": micros(self._clock.now())}
        self._store.artifacts.put({**row, "models": dump(dict(models)), "metrics": dump(dict(metrics))})

    def promote(
        self, actor: Actor, digest: str, *, by: str = "", why: str = "", lease: tuple[str, str] | None = None
    ) -> None:
        """Put a bundle in service in place of the one before it, and remember that.

        Args:
            actor: on whose behalf.
            digest: which.
            by: who or what promotes it, for people to read; the actor's name when not said.
            why: in words.
            lease: name and holder of a lease that must still be held; None for no such condition.

        Raises:
            Forbidden: the actor is not an administrator.
            NotFound: there is no such bundle, or the lease is lost; the one in service stays.
        """
        require(actor, "admin")
        at = micros(self._clock.now())
        if self._store.artifacts.promote(digest, at, by=by or actor.name, why=why, lease=lease):
            return
        if lease is not None and any(row.digest == digest for row in self._store.artifacts.all()):
            raise NotFound("the lease ran out before the bundle was promoted", got=lease[1], then="nothing to do")
        raise NotFound("no such artifact", got=digest, then="run 'penchant train'")

    def rollback(self, actor: Actor) -> tuple[str, str]:
        """Put the bundle that was in service before back; return the digest that leaves and the one that is back.

        Raises:
            Forbidden: the actor is not an administrator.
            NotFound: there is none before, or it was forgotten; the one in service stays.
        """
        require(actor, "admin")
        done = self._store.artifacts.rollback(micros(self._clock.now()))
        if done is None:
            raise NotFound("there is no bundle to roll back to", then="'penchant models' shows those that there are")
        return done

    def before(self) -> Artifact | None:
        """Return the bundle that a rollback would put back; None when there is none."""
        digest = self._store.artifacts.before()
        return next((artifact for artifact in self.list() if artifact.digest == digest), None)

    def promotions(self, n: int = 100) -> tuple[Promotion, ...]:
        """Return the latest promotions, newest first, those that were rolled back too."""
        rows = self._store.artifacts.promotions(n)
        return tuple(
            Promotion(row.digest, moment(row.at), row.by, row.why, None if row.undone is None else moment(row.undone))
            for row in rows
        )

    def promoted(self) -> Artifact | None:
        """Return the bundle in service, or None."""
        row = self._store.artifacts.promoted()
        return None if row is None else _artifact(row)

    def list(self) -> tuple[Artifact, ...]:
        """Return every bundle, newest first."""
        return tuple(_artifact(row) for row in self._store.artifacts.all())

    def forget(self, actor: Actor, keep: int) -> tuple[Artifact, ...]:
        """Forget all but the newest ``keep``, the one in service and the one before it; return those forgotten.

        Their files are the caller's to remove.

        Raises:
            Forbidden: the actor is not an administrator.
            InputError: keep is below 1.
        """
        require(actor, "admin")
        if keep < 1:
            raise InputError("keep is out of range", got=keep, allowed="1 or more", field="keep")
        return tuple(_artifact(row) for row in self._store.artifacts.forget(keep))


def _artifact(row: sa.Row[Any]) -> Artifact:
    return Artifact(
        digest=row.digest,
        path=row.path,
        created=moment(row.created),
        models=parse(row.models, dict[str, Any]),
        metrics=parse(row.metrics, dict[str, Any]),
        promoted=None if row.promoted is None else moment(row.promoted),
    )
