"""Whole tables between polars and SQLite, through a file of their own.

ADBC moves Arrow tables in and out of a SQLite file several times faster than rows through Python. But it carries its
own copy of SQLite, and two copies in one process must never open the same file: closing it in one drops the locks of
the other (https://www.sqlite.org/howtocorrupt.html, section 2.2). So ADBC only ever touches a file beside the store,
and the store's own connection attaches that file when ADBC has let go of it, or before it takes hold. The driver is
imported where it is needed. Its low-level interface is used, and not its DB-API: that one takes over Ctrl-C while it
works, loses what comes between two of its calls, and loads pyarrow and pandas where they are installed, for seconds.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from penchant.core.disk import discard
from penchant.core.errors import StoreError

if TYPE_CHECKING:
    from adbc_driver_manager import AdbcConnection

__all__ = ["load", "save", "stage", "sweep"]

_SUFFIX = ".stage-"
_ABANDONED = 24 * 3600  # seconds after which a stage cannot be in use any more


@contextmanager
def stage(store: Path) -> Iterator[Path]:
    """Yield the name of a file beside the store, in a directory only its owner may read; gone on leaving.

    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with stage(Path(folder, "shop.db")) as path:
    ...         save(pl.DataFrame({"item": ["tea", "milk"]}), path)
    ...         table = load(path)
    ...     table["item"].to_list(), list(Path(folder).iterdir())
    (['tea', 'milk'], [])

    Raises:
        StoreError: the file cannot be made, written or read.
    """
    from adbc_driver_manager import Error

    try:
        with tempfile.TemporaryDirectory(prefix=f"{store.name}{_SUFFIX}", dir=store.parent) as folder:
            yield Path(folder) / "rows.db"
    except (OSError, Error) as error:
        raise StoreError(
            "the store failed to stage a table",
            got=f"{store.parent}: {error}",
            then="check that the disk has room for a second copy of the events; nothing of this request was kept",
        ) from error


def sweep(store: Path) -> int:
    """Remove the stages a killed process left beside the store a day ago or longer; return how many.

    >>> import os
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name, age in (("shop.db.stage-old", 2 * 24 * 3600), ("shop.db.stage-new", 60)):
    ...         Path(folder, name).mkdir()
    ...         os.utime(Path(folder, name), (time.time() - age,) * 2)
    ...     sweep(Path(folder, "shop.db")), [path.name for path in Path(folder).iterdir()]
    (1, ['shop.db.stage-new'])
    """
    oldest = time.time() - _ABANDONED
    left = [folder for folder in store.parent.glob(f"{store.name}{_SUFFIX}*") if _made(folder) < oldest]
    return sum(discard(folder) for folder in left)


def _made(folder: Path) -> float:
    """Return when a stage was made; never long ago for one that another process removed meanwhile."""
    try:
        return folder.stat().st_mtime
    except FileNotFoundError:
        return time.time()


def save(table: pl.DataFrame, path: Path) -> None:
    """Write a table as the table ``rows`` of a new SQLite file, in order, rowid from 1.

    >>> import sqlite3
    >>> from contextlib import closing
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(pl.DataFrame({"item": ["tea", "milk"], "at": [2, 1]}), Path(folder, "rows.db"))
    ...     with closing(sqlite3.connect(f"{folder}/rows.db")) as connection:
    ...         connection.execute("SELECT rowid, item FROM rows").fetchall()
    [(1, 'tea'), (2, 'milk')]
    """
    from adbc_driver_manager import (
        INGEST_OPTION_MODE,
        INGEST_OPTION_MODE_CREATE,
        INGEST_OPTION_TARGET_TABLE,
        AdbcStatement,
    )

    with _connected(path) as connection:
        for pragma in ("journal_mode=OFF", "synchronous=OFF"):  # the file is thrown away whole when anything fails
            with AdbcStatement(connection) as statement:
                statement.set_sql_query(f"PRAGMA {pragma}")
                statement.execute_query()[0].release()
        with AdbcStatement(connection) as statement:
            statement.set_options(**{INGEST_OPTION_TARGET_TABLE: "rows", INGEST_OPTION_MODE: INGEST_OPTION_MODE_CREATE})
            statement.bind_stream(table)
            statement.execute_update()


def load(path: Path) -> pl.DataFrame:
    """Return the table ``rows`` of a SQLite file, in rowid order; the types are what SQLite says, so cast them.

    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(pl.DataFrame({"item": ["tea", "milk"], "at": [2, 1]}), Path(folder, "rows.db"))
    ...     load(Path(folder, "rows.db")).rows()
    [('tea', 2), ('milk', 1)]
    """
    from adbc_driver_manager import AdbcStatement

    with _connected(path) as connection, AdbcStatement(connection) as statement:
        statement.set_sql_query("SELECT * FROM rows ORDER BY rowid")
        stream, _ = statement.execute_query()
        return pl.DataFrame(stream)


@contextmanager
def _connected(path: Path) -> Iterator[AdbcConnection]:
    """Yield a connection of ADBC to a SQLite file; what is done over it is committed at once."""
    from adbc_driver_manager import AdbcConnection
    from adbc_driver_sqlite import connect

    with connect(str(path)) as database, AdbcConnection(database) as connection:
        yield connection
