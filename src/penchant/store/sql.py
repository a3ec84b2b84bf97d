"""The few statements that differ between databases, and JSON in text columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, TypeVar

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from penchant.core.decoding import decode

__all__ = ["add_rows", "dump", "insert", "parse", "upsert"]

T = TypeVar("T")
Insert = sqlite.Insert | postgresql.Insert

_INSERTS: dict[str, Callable[[sa.Table], Insert]] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


def insert(connection: sa.Connection, table: sa.Table) -> Insert:
    """Return an INSERT that can be told what to do on a conflict.

    >>> table = sa.Table("items", sa.MetaData(), sa.Column("id", sa.Text, primary_key=True))
    >>> engine = sa.create_engine("sqlite://")
    >>> with engine.begin() as connection:
    ...     table.create(connection)
    ...     statement = insert(connection, table).on_conflict_do_nothing()
    ...     [connection.execute(statement, {"id": "tea"}).rowcount for _ in range(2)]
    [1, 0]
    >>> engine.dispose()
    """
    return _INSERTS[connection.dialect.name](table)


def upsert(connection: sa.Connection, table: sa.Table) -> Insert:
    """Return an INSERT that replaces the row with the same primary key.

    >>> key, price = sa.Column("id", sa.Text, primary_key=True), sa.Column("price", sa.Double)
    >>> table, engine = sa.Table("items", sa.MetaData(), key, price), sa.create_engine("sqlite://")
    >>> with engine.begin() as connection:
    ...     table.create(connection)
    ...     _ = connection.execute(upsert(connection, table), {"id": "tea", "price": 2.5})
    ...     _ = connection.execute(upsert(connection, table), {"id": "tea", "price": 3.0})
    ...     connection.execute(sa.select(table)).all()
    [('tea', 3.0)]
    >>> engine.dispose()
    """
    statement = insert(connection, table)
    keys = [column.name for column in table.primary_key]
    changed = {column.name: statement.excluded[column.name] for column in table.columns if column.name not in keys}
    return statement.on_conflict_do_update(index_elements=keys, set_=changed)


def add_rows(connection: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add rows of text and numbers by the driver itself, which takes a tenth of the time; one that is there stays.

    >>> table = sa.Table("items", sa.MetaData(), sa.Column("id", sa.Text, primary_key=True))
    >>> engine = sa.create_engine("sqlite://")
    >>> with engine.begin() as connection:
    ...     table.create(connection)
    ...     add_rows(connection, table, [{"id": "tea"}, {"id": "milk"}, {"id": "tea"}])
    ...     connection.execute(sa.select(table)).scalars().all()
    ['tea', 'milk']
    >>> engine.dispose()

    Args:
        connection: in a transaction.
        table: has a primary key.
        rows: all have the keys of the first.
    """
    if not rows:
        return
    sql, names = _adding(connection.dialect, table, tuple(rows[0]))
    if names:
        connection.exec_driver_sql(sql, [tuple([row[name] for name in names]) for row in rows])
    else:
        connection.exec_driver_sql(sql, list(rows))


@lru_cache(maxsize=64)
def _adding(dialect: sa.Dialect, table: sa.Table, keys: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """Return the SQL, and the order of its values; they go by their names when that is empty."""
    statement = _INSERTS[dialect.name](table).on_conflict_do_nothing()
    made: Any = statement.compile(dialect=dialect, column_keys=list(keys))
    return made.string, tuple(made.positiontup) if made.positional else ()


def dump(value: Any) -> str:
    """Return a value as JSON text.

    >>> dump(["dairy", "milk"])
    '["dairy","milk"]'
    """
    return msgspec.json.encode(value).decode()


def parse(text: str, kind: type[T]) -> T:
    """Return the value of JSON text, checked to be of ``kind``.

    >>> parse('["dairy"]', list[str])
    ['dairy']
    """
    return decode(text, kind)
