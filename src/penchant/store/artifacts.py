"""The rows of trained bundles."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from penchant.store.database import Database
from penchant.store.sql import upsert
from penchant.store.tables import artifacts

__all__ = ["Artifacts"]


class Artifacts:
    """The artifacts table of one store.

    >>> from tempfile import TemporaryDirectory
    >>> from penchant.store.store import Store
    >>> with TemporaryDirectory() as folder, Store.create(f"sqlite:///{folder}/shop.db") as store:
    ...     for digest in ("ab12", "cd34"):
    ...         store.artifacts.put({"digest": digest, "path": digest, "created": 1, "models": "{}", "metrics": "{}"})
    ...         _ = store.artifacts.promote(digest, at=2)
    ...     store.artifacts.promoted().digest, [row.digest for row in store.artifacts.all() if row.promoted]
    ('cd34', ['cd34'])
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, row: dict[str, Any]) -> None:
        """Add or replace a bundle: digest, path, created, models, metrics; whether it is promoted stays as it is."""
        with self._database.writing() as connection:
            kept = sa.select(artifacts.c.promoted).where(artifacts.c.digest == row["digest"])
            promoted = connection.execute(kept).scalar_one_or_none()
            connection.execute(upsert(connection, artifacts), {**row, "promoted": promoted})

    def promote(self, digest: str, at: int) -> bool:
        """Put one bundle in service in place of any other, in one transaction; False, and no change, when unknown."""
        with self._database.writing() as connection:
            known = connection.execute(sa.select(artifacts.c.digest).where(artifacts.c.digest == digest)).first()
            if known is None:
                return False
            now = sa.case((artifacts.c.digest == digest, sa.literal(at)), else_=sa.null())
            connection.execute(sa.update(artifacts).values(promoted=now))
        return True

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
        """Remove all rows but the newest ``keep`` and the one in service; return those removed."""
        query = sa.select(artifacts).order_by(artifacts.c.created.desc(), artifacts.c.digest)
        with self._database.writing() as connection:
            rows = connection.execute(query).fetchall()
            old = [row for row in rows[keep:] if row.promoted is None]
            gone = artifacts.c.digest.in_([row.digest for row in old])
            connection.execute(sa.delete(artifacts).where(gone))
        return old
