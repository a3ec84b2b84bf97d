"""The few statements that differ between databases, and JSON in text columns."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

__all__ = ["dump", "insert", "parse", "upsert"]

T = TypeVar("T")
Insert = sqlite.Insert | postgresql.Insert


def insert(connection: sa.Connection, table: sa.Table) -> Insert:
    """Return an INSERT that can be told what to do on a conflict."""
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)


def upsert(connection: sa.Connection, table: sa.Table) -> Insert:
    """Return an INSERT that replaces the row with the same primary key."""
    statement = insert(connection, table)
    keys = [column.name for column in table.primary_key]
    changed = {column.name: statement.excluded[column.name] for column in table.columns if column.name not in keys}
    return statement.on_conflict_do_update(index_elements=keys, set_=changed)


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
    return msgspec.json.decode(text, type=kind)
