"""Which database a URL means."""

from __future__ import annotations

from penchant.core.errors import MissingExtra, StoreError
from penchant.store.database import Database
from penchant.store.postgres import Postgres
from penchant.store.sqlite import SQLite

__all__ = ["database_of"]


def database_of(url: str, *, create: bool) -> Database:
    """Connect to the database that a URL means: ``sqlite:///path`` or ``postgresql://user@host/name``.

    >>> database_of("mysql://root:secret@host/shop", create=True)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    penchant.core.errors.StoreError: a database that is not supported; got mysql://...; allowed: sqlite:///path/...

    Raises:
        StoreMissing: there is no store, and ``create`` is false.
        StoreError: the URL is of a database that is not supported, or it cannot be opened.
        MissingExtra: the driver for PostgreSQL is not installed.
    """
    if SQLite.understands(url):
        return SQLite(url, create=create)
    if Postgres.understands(url):
        try:
            return Postgres(url, create=create)
        except ModuleNotFoundError as error:
            raise MissingExtra.of("postgres", "psycopg") from error
    shown = url.split("://", 1)[0] + "://..." if "@" in url else url  # never repeat a password
    raise StoreError(
        "a database that is not supported",
        got=shown,
        allowed="sqlite:///path/to/file.db, postgresql://user@host/name",
        then="set 'store' in penchant.toml",
    )
