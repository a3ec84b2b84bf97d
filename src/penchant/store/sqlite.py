"""SQLite: one file, its own connections, one writer at a time."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from penchant.core.errors import StoreError, StoreMissing
from penchant.core.memory import free_memory
from penchant.store.database import Database, unwritable
from penchant.store.question import Question
from penchant.store.sqlitelog import SQLiteLog
from penchant.store.stage import sweep

__all__ = ["SQLite"]


_PREFIX = "sqlite:///"
_WAIT = 30.0  # seconds that a new file's users wait for each other
_CACHE = 8192  # KiB a connection, and a server has many; the system caches the file once for all of them
_ROOM = 512 * 2**20  # bytes, at most, for the one that moves whole tables: rows of it go all over the indexes
_PRAGMAS = (
    "synchronous=FULL",  # a commit returns once it is on disk, not before
    "foreign_keys=ON",
    "busy_timeout=30000",  # milliseconds that a write waits for another process's write
    f"cache_size=-{_CACHE}",
    "journal_size_limit=67108864",  # bytes of log kept on disk after a large import
)


class SQLite(Database):
    """A SQLite file and the connections to it. Threads may share it.

    Writes take turns: one lock in this process, one in the file for other processes. A file that is removed or replaced
    while it is open would take writes that nobody ever reads; so nothing is read from it or written to it any more.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     database = SQLite(f"sqlite:///{folder}/any.db", create=True)
    ...     facts = database.facts()
    ...     database.close()
    >>> facts["database"], facts["commits"]
    ('SQLite', 'on disk')
    """

    @staticmethod
    def understands(url: str) -> bool:
        """Return whether a URL names a SQLite file; a store in memory would lose what it acknowledged."""
        name = url.removeprefix(_PREFIX)
        return url.startswith(_PREFIX) and bool(name) and not name.startswith(":memory:")

    def __init__(self, url: str, *, create: bool) -> None:
        """Connect to ``url``; with ``create``, make the file, readable by its owner only, when there is none.

        Raises:
            StoreMissing: there is no such file.
            StoreError: the file cannot be opened.
        """
        self.url = url
        self.path = Path(url.removeprefix(_PREFIX)).absolute()
        self.place = str(self.path)
        self.log = SQLiteLog(self)
        if create:
            _touch(self.path)
        elif not self.path.is_file():
            raise StoreMissing("there is no store", got=str(self.path), then="run 'penchant init', then 'import'")
        # Parameters are personal data: no error, and so no log, repeats them.
        engine = sa.create_engine(f"{_PREFIX}{self.path}", pool_size=8, max_overflow=64, hide_parameters=True)
        self._file = _identity(self.path)
        sa.event.listen(engine, "connect", _connected)
        sa.event.listen(engine, "begin", _began)
        self._bare = engine.execution_options(begin="")
        self._reader = engine.execution_options(begin="BEGIN")
        self._writer = engine.execution_options(begin="BEGIN IMMEDIATE")
        self._turn = threading.Lock()
        self._free: list[sqlite3.Connection] = []  # of pop and append, one is whole before the next

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """Yield a connection that sees the store as it was at its first read."""
        with self._connected(self._reader) as connection:
            yield connection

    def asking(self) -> AbstractContextManager[sa.Connection]:
        """Return a connection for one question only, which needs no transaction to see the store at one moment."""
        return self._connected(self._bare)

    def ask(self, question: Question, **values: str | float | None) -> Sequence[Any]:
        """Return the rows of a question."""
        sql, names, fixed = question.compiled(self._bare.dialect)
        with self._translated():
            self._check()
            known = {**fixed, **values}
            with self._spare() as driver:
                rows: list[Any] = driver.execute(sql, [known[name] for name in names]).fetchall()
            return rows

    @contextmanager
    def _spare(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection for questions: one that is free, or a new one, which is kept for the next question.

        SQLAlchemy's pool takes longer to lend one than SQLite takes to answer. There are as many as threads that asked
        at once; one whose question failed is not asked again.
        """
        new = False
        try:
            driver = self._free.pop()
        except IndexError:
            driver, new = sqlite3.connect(self.path, timeout=_WAIT, check_same_thread=False), True
        try:
            if new:
                _connected(driver, None)
            yield driver
        except BaseException:
            driver.close()
            raise
        self._free.append(driver)

    @contextmanager
    def _connected(self, engine: sa.Engine) -> Iterator[sa.Connection]:
        with self._translated():
            self._check()
            with engine.connect() as connection:
                yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """Yield a connection in a transaction: all of it is on disk on leaving, or, on an error, none of it.

        Raises:
            StoreError: the store failed, or its file was removed or replaced, then also while this lasted.
        """
        with self._translated(), self._turn:
            self._check()
            with self._writer.begin() as connection:
                yield connection
                self._check()
            self._check()

    @contextmanager
    def attached(self, other: Path) -> Iterator[sa.Connection]:
        """Yield a connection that sees the file ``other`` as schema ``stage``; it has no transaction of its own."""
        self._check()
        with self._translated(), self._bare.connect() as connection:
            connection.exec_driver_sql("ATTACH DATABASE ? AS stage", (str(other),))
            connection.exec_driver_sql(f"PRAGMA cache_size=-{_room() // 1024}")
            try:
                yield connection
            finally:
                connection.exec_driver_sql("DETACH DATABASE stage")
                connection.exec_driver_sql(f"PRAGMA cache_size=-{_CACHE}")
                connection.exec_driver_sql("PRAGMA shrink_memory")

    @contextmanager
    def transaction(self, connection: sa.Connection) -> Iterator[None]:
        """Make what is done inside, on a connection of :meth:`attached`, one write transaction, as :meth:`writing`."""
        with self._turn:
            self._check()
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            try:
                yield
                self._check()
                connection.exec_driver_sql("COMMIT")
            except BaseException:
                driver = connection.connection.driver_connection
                if driver is not None and driver.in_transaction:  # a full disk has rolled back already
                    connection.exec_driver_sql("ROLLBACK")
                raise
            self._check()

    def facts(self) -> dict[str, str]:
        """Return the kind of database, its version, and how commits reach the disk."""
        return {"database": "SQLite", "version": sqlite3.sqlite_version, "commits": "on disk"}

    def settled(self) -> None:
        """Remove what killed processes left beside the file."""
        sweep(self.path)

    def close(self) -> None:
        """Let go of every connection."""
        self._reader.dispose()
        while self._free:
            self._free.pop().close()

    def _check(self) -> None:
        """Check that the file at the path is the one that was opened; a new connection would even make an empty one."""
        if _identity(self.path) != self._file:
            raise StoreError(
                "the store's file was removed or replaced while it was open",
                got=str(self.path),
                then="put it back and start again; nothing of this request was kept",
            )

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except UnicodeEncodeError:
            raise unwritable() from None
        except (sa.exc.SQLAlchemyError, sqlite3.Error) as error:
            cause = getattr(error, "orig", None) or error
            raise StoreError(
                "the store failed",
                got=f"{self.path}: {cause}",
                then="check the disk and run 'penchant doctor'; nothing of this request was kept",
            ) from error


def _room() -> int:
    """Return how many bytes a connection may cache while whole tables pass through it."""
    free = free_memory()
    return _ROOM // 4 if free is None else max(_CACHE * 1024, min(_ROOM, free // 4))


def _identity(path: Path) -> tuple[int, int] | None:
    """Return what no other file is called while this one is open; None when there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _touch(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():  # an existing file stays unopened here: closing it drops the locks this process has on it
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise StoreError(
            "the store cannot be made",
            got=f"{path}: {error.strerror}",
            then="choose a place that can be written to in penchant.toml",
        ) from error


def _connected(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None  # transactions begin where _began says, not where the driver guesses
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")
    _log_ahead(connection)


def _log_ahead(connection: sqlite3.Connection) -> None:
    """Keep the log that lets readers and the writer go on side by side.

    Only the first connection to a new file changes anything; when several are first at once, SQLite refuses all but one
    without waiting, whatever the busy timeout, so they try again.
    """
    deadline = time.monotonic() + _WAIT
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def _began(connection: sa.Connection) -> None:
    statement = connection.get_execution_options().get("begin", "BEGIN")
    if statement:
        connection.exec_driver_sql(statement)
