"""The rows of trained bundles, and which of them was in service when."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from penchant.store.database import Database
from penchant.store.leases import holds
from penchant.store.sql import upsert
from penchant.store.tables import artifacts, promotions

__all__ = ["Artifacts"]


class Artifacts:
    """The artifacts and promotions of one store.

    >>> from tempfile import TemporaryDirectory
    >>> from penchant.store.store import Store
    >>> with TemporaryDirectory() as folder, Store.create(f"sqlite:///{folder}/shop.db") as store:
    ...     for digest in ("ab12", "cd34"):
    ...         store.artifacts.put({"digest": digest, "path": digest, "created": 1, "models": "{}", "metrics": "{}"})
    ...         _ = store.artifacts.promote(digest, at=2)
    ...     store.artifacts.promoted().digest, store.artifacts.rollback(at=3), store.artifacts.promoted().digest
    ('cd34', ('cd34', 'ab12'), 'ab12')
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, row: dict[str, Any]) -> None:
        """Add or replace a bundle: digest, path, created, models, metrics; whether it is promoted stays as it is."""
        with self._database.writing() as connection:
            kept = sa.select(artifacts.c.promoted).where(artifacts.c.digest == row["digest"])
            promoted = connection.execute(kept).scalar_one_or_none()
            connection.execute(upsert(connection, artifacts), {**row, "promoted": promoted})

    def promote(
        self, digest: str, at: int, *, by: str = "", why: str = "", lease: tuple[str, str] | None = None
    ) -> bool:
        """Put one bundle in service in place of any other, in one transaction, and remember that.

        Args:
            digest: which.
            at: when, in microseconds.
            by: who or what promotes it.
            why: in words.
            lease: name and holder of a lease that must still be held; None for no such condition.

        Returns:
            False, and nothing is changed, when the bundle is unknown or the lease is not held any more.
        """
        with self._database.writing() as connection:
            known = connection.execute(sa.select(artifacts.c.promoted).where(artifacts.c.digest == digest)).first()
            if known is None or (lease is not None and not holds(connection, *lease, at)):
                return False
            if known.promoted is None or _top(connection, 1)[:1] != [digest]:
                row = {"digest": digest, "at": at, "by": by, "why": why}
                connection.execute(sa.insert(promotions), row)
            _serve(connection, digest, at)
        return True

    def rollback(self, at: int) -> tuple[str, str] | None:
        """Put the bundle that was in service before back; return the digests of the two, or None when there is none."""
        with self._database.writing() as connection:
            found = _stack(connection)
            if found is None:
                return None
            top, before = found
            undone = sa.update(promotions).where(promotions.c.seq > before.seq, promotions.c.undone.is_(None))
            connection.execute(undone.values(undone=at))
            _serve(connection, before.digest, at)
        return str(top.digest), str(before.digest)

    def before(self) -> str | None:
        """Return the digest of the bundle that a rollback would put back; None when there is none."""
        with self._database.reading() as connection:
            found = _stack(connection)
        return None if found is None else str(found[1].digest)

    def promotions(self, limit: int) -> list[sa.Row[Any]]:
        """Return the latest promotions, newest first."""
        query = sa.select(promotions).order_by(promotions.c.seq.desc()).limit(limit)
        with self._database.reading() as connection:
            return list(connection.execute(query).fetchall())

    def all(self) -> list[sa.Row[Any]]:
        """Return every row, newest first."""
        query = sa.select(artifacts).order_by(artifacts.c.created.desc(), artifacts.c.digest)
        with self._database.asking() as connection:
            return list(connection.execute(query).fetchall())

    def promoted(self) -> sa.Row[Any] | None:
        """Return the row in service, or None."""
        with self._database.asking() as connection:
            return connection.execute(sa.select(artifacts).where(artifacts.c.promoted.is_not(None))).first()

    def forget(self, keep: int) -> list[sa.Row[Any]]:
        """Remove all rows but the newest ``keep``, the one in service and the one before it; return those removed."""
        query = sa.select(artifacts).order_by(artifacts.c.created.desc(), artifacts.c.digest)
        with self._database.writing() as connection:
            rows = connection.execute(query).fetchall()
            spared = set(_top(connection, 2))
            old = [row for row in rows[keep:] if row.promoted is None and row.digest not in spared]
            gone = artifacts.c.digest.in_([row.digest for row in old])
            connection.execute(sa.delete(artifacts).where(gone))
        return old


def _stack(connection: sa.Connection) -> tuple[sa.Row[Any], sa.Row[Any]] | None:
    """Return the promotion in force and the one before it, of another bundle that is still there; None without one."""
    known = set(connection.execute(sa.select(artifacts.c.digest)).scalars())
    query = sa.select(promotions).where(promotions.c.undone.is_(None)).order_by(promotions.c.seq.desc())
    rows = connection.execute(query).fetchall()
    before = next((row for row in rows[1:] if row.digest in known and row.digest != rows[0].digest), None)
    return None if before is None else (rows[0], before)


def _top(connection: sa.Connection, n: int) -> Sequence[str]:
    """Return the digests of the last ``n`` different bundles in service that are still there, the newest first."""
    known = sa.select(artifacts.c.digest)
    query = sa.select(promotions.c.digest).where(promotions.c.undone.is_(None), promotions.c.digest.in_(known))
    found = connection.execute(query.order_by(promotions.c.seq.desc())).scalars()
    return list(dict.fromkeys(found))[:n]


def _serve(connection: sa.Connection, digest: str, at: int) -> None:
    now = sa.case((artifacts.c.digest == digest, sa.literal(at)), else_=sa.null())
    connection.execute(sa.update(artifacts).values(promoted=now))
