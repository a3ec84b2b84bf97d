"""Questions that every request asks: put into SQL once, and then asked of the driver itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

__all__ = ["Question"]


class Question:
    """A SELECT whose values are text and numbers, as they are, on both sides.

    SQLAlchemy's way from a statement to its rows costs several times what SQLite takes to find them, and every answer
    would go it three times. What is asked stays a statement of SQLAlchemy; only the way is shorter.

    >>> at = sa.column("at", sa.BigInteger)
    >>> question = Question(sa.select(at).select_from(sa.table("events")).where(at > sa.bindparam("since"), at < 9))
    >>> sql, names, fixed = question.compiled(sa.create_engine("sqlite://").dialect)
    >>> names, [{**fixed, "since": 4}[name] for name in names]
    (('since', 'at_1'), [4, 9])
    """

    def __init__(self, statement: sa.Select[Any] | sa.CompoundSelect[Any]) -> None:
        self.statement = statement
        self._compiled: dict[str, tuple[str, tuple[str, ...], Mapping[str, Any]]] = {}

    def compiled(self, dialect: sa.Dialect) -> tuple[str, tuple[str, ...], Mapping[str, Any]]:
        """Return the SQL, the names of its values in their order, and the values that stand in the statement."""
        known = self._compiled.get(dialect.name)
        if known is None:
            made: Any = self.statement.compile(dialect=dialect)
            known = self._compiled[dialect.name] = (made.string, tuple(made.positiontup or ()), dict(made.params))
        return known
