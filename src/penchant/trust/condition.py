"""How a store is, looked at without changing it."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from penchant.store.backends import database_of
from penchant.store.migrate import newest, version

__all__ = ["Condition", "condition_of", "file_of"]


class Condition(Struct, frozen=True):
    """What was found.

    >>> Condition("0002", "0005").old
    True
    """

    schema: str | None
    "The version of its tables; None when it has none."
    newest: str
    "The newest version that this code knows."

    @property
    def old(self) -> bool:
        """Whether it is brought forward when it is opened."""
        return self.schema != self.newest


def condition_of(url: str) -> Condition:
    """Return how a store is.

    >>> from tempfile import TemporaryDirectory
    >>> from penchant.store.store import Store
    >>> with TemporaryDirectory() as folder:
    ...     Store.create(f"sqlite:///{folder}/shop.db").close()
    ...     condition_of(f"sqlite:///{folder}/shop.db").old
    False

    Raises:
        StoreMissing: there is none.
        StoreError: it cannot be reached, or cannot be written to.
    """
    database = database_of(url, create=False)
    try:
        with database.reading() as connection:
            found = version(connection)
        with database.writing():  # the lock of a writer is taken and given back: a disk that is read-only says so
            pass
    finally:
        database.close()
    return Condition(found, newest())


def file_of(url: str) -> Path | None:
    """Return the file that a store is, or None.

    >>> file_of("sqlite:////srv/shop.db"), file_of("postgresql://db/shop")
    (PosixPath('/srv/shop.db'), None)
    """
    prefix = "sqlite:///"
    return Path(url.removeprefix(prefix)) if url.startswith(prefix) else None
