"""What a database is to the tables above it: transactions, the event log's bulk ways, and what failures are called."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import polars as pl
import sqlalchemy as sa

from penchant.core.errors import InputError
from penchant.core.progress import Advance
from penchant.store.question import Question

__all__ = ["CONTENT", "Database", "Log", "Row", "Then", "unwritable"]

Row = dict[str, Any]
"An event: the columns of the table but seq; one that may be NULL may be left out."

Then = Callable[[sa.Connection, int], None]
"What is to be done in the transaction that adds rows, given how many of them were new."

CONTENT: tuple[str, ...] = ("id", "user", "item", "kind", "at", "value", "session", "channel", "context")
CONTENT += ("replaces", "slate", "price", "recorded")
"The columns of an event but seq, in their order."


def unwritable() -> InputError:
    """Return the error for text that no database can keep; it does not repeat the text, which may be personal.

    >>> print(unwritable())
    text holds half of a surrogate pair; allowed: text that can be written as UTF-8
    """
    return InputError("text holds half of a surrogate pair", allowed="text that can be written as UTF-8")


class Log(ABC):
    """The ways in and out of the event log that differ between databases; all else is SQL that they share.

    >>> from tempfile import TemporaryDirectory
    >>> from penchant.store.backends import database_of
    >>> with TemporaryDirectory() as folder:
    ...     database = database_of(f"sqlite:///{folder}/any.db", create=True)
    ...     isinstance(database.log, Log)
    ...     database.close()
    True
    """

    @abstractmethod
    def add(self, batches: Sequence[Sequence[Row]]) -> list[int]:
        """Add batches of rows in one transaction; return how many of each were new."""

    @abstractmethod
    def add_table(self, rows: pl.DataFrame, advance: Advance, then: Then) -> int:
        """Add a table (the columns of ``CONTENT``, ids distinct) in one transaction; return how many were new."""

    @abstractmethod
    def fill(self, connection: sa.Connection, rows: Sequence[sa.Row[Any]]) -> None:
        """Add whole rows of another log, with their numbers, to one that was empty."""

    @abstractmethod
    def filled(self, connection: sa.Connection) -> None:
        """Bring up what goes with rows that were filled in."""

    @abstractmethod
    def forget(self, connection: sa.Connection, users: Sequence[str]) -> int:
        """Remove the events of some people, and what was worked out from them; return how many events."""

    @abstractmethod
    def prune(self, before: int) -> int:
        """Remove the events of before a moment, in microseconds, and their ids; return how many events."""

    @abstractmethod
    def load(self, query: sa.Select[Any], schema: dict[str, pl.DataType]) -> pl.DataFrame:
        """Return the rows of a query as a table."""


class Database(ABC):
    """A database and the connections to it. Threads may share it.

    >>> from tempfile import TemporaryDirectory
    >>> from penchant.store.backends import database_of
    >>> with TemporaryDirectory() as folder:
    ...     database = database_of(f"sqlite:///{folder}/any.db", create=True)
    ...     with database.writing() as connection:
    ...         _ = connection.exec_driver_sql("CREATE TABLE items (id TEXT)")
    ...         _ = connection.exec_driver_sql("INSERT INTO items VALUES ('tea')")
    ...     with database.reading() as connection:
    ...         connection.exec_driver_sql("SELECT id FROM items").scalar_one()
    ...     database.close()
    'tea'
    """

    url: str
    "Opens the same database again; it may hold a password."
    place: str
    "The same for people to read, without a password."
    log: Log
    "The event log's own ways."

    @abstractmethod
    def reading(self) -> AbstractContextManager[sa.Connection]:
        """Return a connection that sees the store as it was at its first read."""

    @abstractmethod
    def asking(self) -> AbstractContextManager[sa.Connection]:
        """Return a connection for one question only, which spares what :meth:`reading` needs for several."""

    @abstractmethod
    def ask(self, question: Question, **values: str | float | None) -> Sequence[Any]:
        """Return the rows of a question, as tuples, the shortest way there is."""

    @abstractmethod
    def writing(self) -> AbstractContextManager[sa.Connection]:
        """Return a connection in a transaction that no other :meth:`writing` shares time with.

        All of it is on disk on leaving, or, on an error, none of it.
        """

    @abstractmethod
    def facts(self) -> dict[str, str]:
        """Return what an operator may want to know: the kind of database, its version, how commits reach the disk."""

    @abstractmethod
    def settled(self) -> None:
        """Tidy up once the store is at the newest schema."""

    @abstractmethod
    def close(self) -> None:
        """Let go of every connection."""
