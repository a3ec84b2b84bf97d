"""A table of events, made complete: every column there, typed, and nothing in it that one event could not hold."""

from __future__ import annotations

import polars as pl

from penchant.core.errors import InputError, MissingColumn
from penchant.core.nouns import RETRACT
from penchant.store.visits import visitor
from penchant.trust.check import LONGEST
from penchant.trust.identity import derived_all

__all__ = ["complete"]

_NEEDED = ("user", "item", "kind", "at", "value")
_TEXT = ("user", "item", "kind", "channel", "id", "session", "replaces", "slate")
_OPTIONAL = {"id": None, "session": None, "channel": "web", "context": None}
_OPTIONAL |= dict.fromkeys(("replaces", "slate", "price"))


def complete(table: pl.DataFrame, latest: int) -> pl.DataFrame:
    """Return the table with all columns of the log, ids derived where there are none.

    >>> complete(pl.DataFrame({"user": ["900"], "item": ["tea"], "kind": ["view"], "at": [5], "value": [1]}), 9).columns
    ['id', 'user', 'item', 'kind', 'at', 'value', 'session', 'channel', 'context', 'replaces', 'slate', 'price']

    Args:
        table: user, item, kind, at, value; optionally id, session, channel, context, replaces, slate, price. An empty
            user is somebody who is not known, who then has a session.
        latest: the last moment allowed, in microseconds since 1970 UTC.

    Raises:
        MissingColumn: a column that is needed is absent.
        InputError: a column has another type, or a row holds what an event may not hold.
    """
    for name in _NEEDED:
        if name not in table.columns:
            raise MissingColumn(
                f"the events have no column {name!r}", got=", ".join(table.columns), allowed=", ".join(_NEEDED)
            )
    absent = {name: pl.lit(value, pl.String) for name, value in _OPTIONAL.items() if name not in table.columns}
    filled = _typed(table.with_columns(**absent))
    _refuse(filled, latest)
    if filled["id"].null_count():
        filled = filled.with_columns(id=pl.coalesce("id", derived_all(filled)))
    anonymous = pl.col("user") == ""
    return filled.with_columns(user=pl.when(anonymous).then(visitor("") + pl.col("session")).otherwise("user"))


def _typed(table: pl.DataFrame) -> pl.DataFrame:
    at = pl.col("at")
    kind = table.schema["at"]
    if isinstance(kind, pl.Datetime):
        at = (at if kind.time_zone is None else at.dt.convert_time_zone("UTC")).dt.epoch("us")
    text = pl.col("user", "item", "kind").cast(pl.String)
    channel = pl.col("channel").cast(pl.String).fill_null("web")
    try:
        return table.select(
            pl.col("id").cast(pl.String),
            text,
            at.cast(pl.Int64),
            pl.col("value").cast(pl.Float64),
            pl.col("session").cast(pl.String),
            channel,
            pl.col("context", "replaces", "slate").cast(pl.String),
            pl.col("price").cast(pl.Float64),
        )
    except pl.exceptions.PolarsError as error:
        raise InputError(
            "a column has a type that cannot be used",
            got=str(error),
            allowed="at: datetime; value: number; others: text",
        ) from error


def _refuse(table: pl.DataFrame, latest: int) -> None:
    """Raise when a row holds what an event may not hold, naming the first."""
    tests = {
        "a missing value": pl.any_horizontal(pl.col(*_NEEDED).is_null()),
        "a value that is not finite": pl.any_horizontal(~pl.col("value", "price").is_finite()),
        "a time before 1970 or in the future": ~pl.col("at").is_between(0, latest),
        f"an id that is empty or longer than {LONGEST}": pl.any_horizontal(
            ~pl.col(*_TEXT[1:]).str.len_chars().is_between(1, LONGEST),
            ~pl.col("user").str.len_chars().is_between(pl.col("session").is_null().cast(pl.Int64), LONGEST),
        ),
        f"a {RETRACT} that names no event": (pl.col("kind") == RETRACT) & pl.col("replaces").is_null(),
        "an event that replaces itself": pl.col("id") == pl.col("replaces"),
        "an id with a control character": pl.any_horizontal(pl.col(*_TEXT).str.contains(r"[\x00-\x1f\x7f-\u009f]")),
    }
    for what, test in tests.items():
        rows = table.select(row=test.fill_null(value=False).arg_true())["row"]
        if len(rows):
            raise InputError(
                f"the events hold {what}",
                got=f"{len(rows):,} rows, first {rows[0]}: {table.row(rows[0], named=True)}",
                then="read the file with read_events, which finds and reports such rows",
            )
