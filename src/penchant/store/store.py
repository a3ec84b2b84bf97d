"""A store: one database, opened at the newest schema, and the tables in it."""

from __future__ import annotations

from types import TracebackType

from penchant.store.artifacts import Artifacts
from penchant.store.backends import database_of
from penchant.store.consent import Consents
from penchant.store.database import Database
from penchant.store.erasing import erase
from penchant.store.events import Events
from penchant.store.imports import Imports
from penchant.store.items import Items
from penchant.store.keys import Keys
from penchant.store.leases import Leases
from penchant.store.migrate import migrate
from penchant.store.slates import Slates
from penchant.store.studies import Studies
from penchant.store.visits import Visits

__all__ = ["WAITING", "Store"]

WAITING = 100_000
"Events that may wait to be written, in one process, before more are refused."


class Store:
    """Everything Penchant remembers; threads and processes may share it.

    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> with Store.create(f"sqlite:///{folder.name}/shop.db") as store:
    ...     store.events.counts()
    (0, 0)
    >>> folder.cleanup()
    """

    def __init__(self, database: Database, waiting: int = WAITING) -> None:
        """Take a database at the newest schema; use :meth:`create` or :meth:`open`."""
        self._database = database
        self.url = database.url
        self.events = Events(database, waiting)
        self.items = Items(database)
        self.consent = Consents(database)
        self.keys = Keys(database)
        self.artifacts = Artifacts(database)
        self.leases = Leases(database)
        self.studies = Studies(database)
        self.slates = Slates(database)
        self.visits = Visits(database)
        self.imports = Imports(database)

    @classmethod
    def create(cls, url: str, *, waiting: int = WAITING) -> Store:
        """Return the store at ``url``, made when there is none, brought forward when it is older.

        Raises:
            StoreVersion: it is from a newer version of Penchant.
            StoreError: it cannot be made, is another kind of database, or is damaged.
        """
        return cls._opened(url, waiting, create=True)

    @classmethod
    def open(cls, url: str, *, waiting: int = WAITING) -> Store:
        """Return the store at ``url``, brought forward when it is older.

        Raises:
            StoreMissing: there is none.
            StoreVersion: it is from a newer version of Penchant.
            StoreError: it is another kind of database, or damaged.
        """
        return cls._opened(url, waiting, create=False)

    @classmethod
    def _opened(cls, url: str, waiting: int, *, create: bool) -> Store:
        database = database_of(url, create=create)
        try:
            with database.writing() as connection:
                migrate(connection, fresh=create)
        except BaseException:
            database.close()
            raise
        database.settled()
        return cls(database, waiting)

    def erase(self, user: str) -> dict[str, int]:
        """Remove a person from every table; return table to how many rows of it are gone."""
        return erase(self._database, user)

    def close(self) -> None:
        """Let go of the database."""
        self._database.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()
