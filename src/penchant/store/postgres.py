"""PostgreSQL: a pool of connections, writers beside each other, and failures in plain words."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import sqlalchemy as sa

from penchant.core.errors import InputError, PenchantError, StoreError, StoreMissing
from penchant.store.database import Database, unwritable
from penchant.store.postgreslog import PostgresLog
from penchant.store.question import Question

__all__ = ["TURN", "Postgres"]

T = TypeVar("T")

TURN = 0x70656E6368616E74
"The advisory lock of those whose writes must not share time: the letters of penchant."

_NAMES = ("postgresql", "postgresql+psycopg")
_OLDEST = 140000  # PostgreSQL 14
_AGAIN = ("40001", "40P01")  # a serialization failure, a deadlock: the transaction was undone and may be done again
_TRIES = 5
_IDLE = 1.0  # seconds after which a connection is tried before it is used
_ABSENT = re.compile('database ".*" does not exist')
_PATIENCE = {
    "connect_timeout": 10,  # seconds
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,  # milliseconds that sent data may stay unacknowledged
    "application_name": "penchant",
    "client_encoding": "utf8",
}


class Postgres(Database):
    """A database of a PostgreSQL server. Threads may share it.

    A connection that lay idle is tried before it is used, and replaced when it broke; when one breaks in use, all are
    replaced. So a server that was started again is found by the next question.

    >>> Postgres.understands("postgresql://shop@db/penchant"), Postgres.understands("mysql://shop@db/penchant")
    (True, False)
    """

    def __init__(self, url: str, *, create: bool) -> None:
        """Connect to ``url``; the database has to be there, ``create`` says whether it may be empty.

        Raises:
            StoreMissing: there is no store in it, and ``create`` is false.
            StoreError: it cannot be reached, is older than PostgreSQL 14, or does not keep text as UTF-8.
        """
        parsed = _parsed(url)
        self.url = parsed.render_as_string(hide_password=False)
        self.place = _shown(parsed)
        # Parameters are personal data: no error, and so no log, repeats them.
        self._engine = sa.create_engine(
            parsed,
            pool_size=8,
            max_overflow=24,
            hide_parameters=True,
            connect_args={name: value for name, value in _PATIENCE.items() if name not in parsed.query},
        )
        self._error: type[Exception] = self._engine.dialect.loaded_dbapi.Error
        sa.event.listen(self._engine, "connect", _connected)
        sa.event.listen(self._engine, "checkin", _returned)
        sa.event.listen(self._engine, "checkout", self._taken)
        self._reader = self._engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        self._single = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        self.log = PostgresLog(self)
        try:
            self._check(create)
        except BaseException:
            self.close()
            raise

    @staticmethod
    def understands(url: str) -> bool:
        """Return whether a URL names a PostgreSQL database."""
        return url.partition("://")[0] in _NAMES

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """Yield a connection that sees the store as it was at its first read."""
        with self._translated(), self._reader.connect() as connection:
            yield connection

    @contextmanager
    def asking(self) -> Iterator[sa.Connection]:
        """Yield a connection for one question only, without the ways there and back that a transaction costs."""
        with self._translated(), self._single.connect() as connection:
            yield connection

    def ask(self, question: Question, **values: str | float | None) -> Sequence[Any]:
        """Return the rows of a question; the way to the server is what takes the time."""
        with self.asking() as connection:
            return connection.execute(question.statement, values).fetchall()

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """Yield a connection in a transaction that no other, of any process, shares time with."""
        with self.transaction() as connection:
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(TURN)))
            yield connection

    def adding(self, work: Callable[[sa.Connection], T]) -> T:
        """Do work in a transaction beside others; again when it was undone because it stood in another's way."""

        def once() -> T:
            with self.transaction() as connection:
                return work(connection)

        return self.again(once)

    def once(self, statement: str, values: Sequence[Any], but: str) -> Sequence[Any] | None:
        """Return the one row of a statement that is a transaction by itself; again when it stood in another's way.

        That spares the ways to the server and back for its beginning and end. None when it failed, and kept nothing,
        with the server's code ``but``.
        """

        def work() -> Sequence[Any] | None:
            with self._translated(), self._single.connect() as connection:
                try:
                    return connection.exec_driver_sql(statement, tuple(values)).one()
                except sa.exc.DBAPIError as error:
                    if _state(error) == but:
                        return None
                    self._check_kept(error)
                    raise

        return self.again(work)

    def _check_kept(self, error: sa.exc.DBAPIError) -> None:
        """Say, when the server hung up, that what it was given may have been kept."""
        if error.connection_invalidated:
            raise StoreError(
                "the store hung up while it was keeping this",
                got=self.place,
                then="send it again: it may have been kept, and an event with the same id counts once",
            ) from None

    @contextmanager
    def transaction(self) -> Iterator[sa.Connection]:
        """Yield a connection in a transaction: all of it is on disk on leaving, or, on an error, none of it."""
        with self._translated(), self._engine.connect() as connection:
            yield connection
            try:
                connection.commit()
            except sa.exc.DBAPIError as error:
                self._check_kept(error)
                raise

    def again(self, work: Callable[[], T]) -> T:
        """Do work; a few times more while other transactions stand in its way."""
        for number in range(1, _TRIES):
            try:
                return work()
            except StoreError as error:
                if _state(error.__context__) not in _AGAIN:
                    raise
                time.sleep(random.uniform(0, 0.01 * 2**number))  # noqa: S311
        return work()

    def facts(self) -> dict[str, str]:
        """Return the kind of database, its version, and how commits reach the disk."""
        with self.reading() as connection:
            said = {
                name: str(connection.exec_driver_sql(f"SHOW {name}").scalar_one())
                for name in ("server_version", "fsync", "full_page_writes", "synchronous_commit")
            }
        lax = [f"{name} is off" for name in ("fsync", "full_page_writes", "synchronous_commit") if said[name] == "off"]
        version = said["server_version"].split()[0]
        return {"database": "PostgreSQL", "version": version, "commits": "; ".join(lax) or "on disk"}

    def settled(self) -> None:
        """Do nothing: nothing of ours lies beside the database."""

    def close(self) -> None:
        """Let go of every connection."""
        self._engine.dispose()

    def _check(self, create: bool) -> None:
        with self.reading() as connection:
            number = int(connection.exec_driver_sql("SHOW server_version_num").scalar_one())
            encoding = connection.exec_driver_sql("SHOW server_encoding").scalar_one()
            if number < _OLDEST:
                version = f"PostgreSQL {number // 10000}"
                raise StoreError(
                    "the server is too old", got=f"{self.place}: {version}", allowed="PostgreSQL 14 or later"
                )
            if encoding != "UTF8":
                raise StoreError(
                    "the database cannot hold all text",
                    got=f"{self.place}: encoding {encoding}",
                    allowed="UTF8",
                    then="make one with: createdb --encoding=UTF8 --template=template0 NAME",
                )
            if not create and not sa.inspect(connection).get_table_names():
                raise StoreMissing("there is no store", got=self.place, then="run 'penchant init', then 'import'")

    def _taken(self, connection: Any, record: Any, _proxy: Any) -> None:
        """Try a connection that lay idle; the pool replaces it when this fails."""
        if time.monotonic() - record.info.get("returned", time.monotonic()) < _IDLE:
            return
        try:
            self._engine.dialect.do_ping(connection)
        except self._error as error:
            raise sa.exc.DisconnectionError from error

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Say failures in our words, and without the values that the server's own words repeat."""
        try:
            yield
        except UnicodeEncodeError:
            raise unwritable() from None
        except (sa.exc.SQLAlchemyError, self._error) as error:
            raise self._translation(error) from None

    def _translation(self, error: BaseException) -> PenchantError:
        cause, state = getattr(error, "orig", None) or error, _state(error)
        said = getattr(getattr(cause, "diag", None), "message_primary", None) or str(cause)
        got = f"{self.place}: {said.strip()}"
        if "NUL (0x00)" in said:
            return InputError("text holds a NUL character", allowed="text without U+0000")
        if _ABSENT.search(said):
            name = "createdb --encoding=UTF8 --template=template0"
            return StoreError("there is no such database", got=got, then=f"make an empty one ({name} NAME)")
        lost = state is None and isinstance(cause, self._error)
        if lost or str(state).startswith(("08", "28", "53300", "57P")):
            then = "check that the server runs and that 'store' in penchant.toml is right; nothing of this was kept"
            return StoreError("the store cannot be reached", got=got, then=then)
        return StoreError("the store failed", got=got, then="see the server's log; nothing of this request was kept")


def _returned(_connection: Any, record: Any) -> None:
    record.info["returned"] = time.monotonic()


def _state(error: BaseException | None) -> str | None:
    """Return the server's code for what went wrong, or None when it was not the server that said so."""
    code: str | None = getattr(getattr(error, "orig", None) or error, "sqlstate", None)
    return code


def _parsed(url: str) -> sa.URL:
    try:
        parsed = sa.make_url(url)
    except (sa.exc.ArgumentError, ValueError) as error:
        raise StoreError(
            "the URL of the store cannot be read",
            got=f"{url.partition('://')[0]}://...",
            allowed="postgresql://user:password@host:5432/name",
            then="write special characters of the password as %40 and so on",
        ) from error
    return parsed.set(drivername="postgresql+psycopg")


def _shown(url: sa.URL) -> str:
    """Return a URL without its password, and without options, which may hold one too."""
    user = f"{url.username}@" if url.username else ""
    port = f":{url.port}" if url.port else ""
    return f"postgresql://{user}{url.host or ''}{port}/{url.database or ''}"


def _connected(connection: Any, _record: Any) -> None:
    """See to it that a commit waits for the disk, whatever the database or the role was told."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
        )
    connection.commit()
