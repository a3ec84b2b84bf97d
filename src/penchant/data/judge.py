"""The end of every reading: accepted rows on one side, refused rows with their reason and text on the other."""

from __future__ import annotations

import logging
from typing import Any

import polars as pl

from penchant.data.columns import Raw
from penchant.data.quality import Quality, beside

__all__ = ["first_reason", "judged", "warn"]

log = logging.getLogger(__name__)

_SCHEMA = {"line": pl.Int64, "reason": pl.String, "text": pl.String}


def first_reason(table: pl.DataFrame, faults: dict[str, pl.Series]) -> pl.DataFrame:
    """Return the table with a column ``reason``: the first fault (bool[n]) that holds in each row, or null.

    >>> first_reason(pl.DataFrame({"n": [1, 2]}), {"bad_value": pl.Series([False, True])})["reason"].to_list()
    [None, 'bad_value']
    """
    held = [pl.when(fault).then(pl.lit(code)) for code, fault in faults.items()]
    return table.with_columns(pl.coalesce(*held).alias("reason"))


def judged(raw: Raw, table: pl.DataFrame, notes: list[str], rejects: Any) -> tuple[pl.DataFrame, Quality]:
    """Return the accepted rows without ``line`` and ``reason``, and the account; write the rejects when asked.

    >>> raw = Raw("events.csv", None, pl.DataFrame({"line": [2, 3]}), [], lambda lines: {3: ",tea"})
    >>> table = pl.DataFrame({"line": [2, 3], "reason": [None, "missing_user"], "user": ["ann", None]})
    >>> accepted, quality = judged(raw, table, [], rejects=None)
    >>> accepted.rows(), quality.rejects.rows()
    ([('ann',)], [(3, 'missing_user', ',tea')])

    Args:
        raw: what was read.
        table: line, reason (null where accepted) and the columns to keep.
        notes: what was assumed.
        rejects: None, False, "beside" or a path.
    """
    refused = table.filter(pl.col("reason").is_not_null()).select("line", "reason")
    lines = refused["line"].to_list()
    texts = raw.text_of(lines) if lines else {}
    refused = refused.with_columns(text=pl.Series([texts.get(line, "") for line in lines], dtype=pl.String))
    structural = pl.DataFrame(raw.bad, schema=_SCHEMA, orient="row")
    rejected = pl.concat([refused, structural]).sort("line", maintain_order=True)
    accepted = table.filter(pl.col("reason").is_null()).drop("line", "reason")
    target = beside(raw.path, rejects)
    quality = Quality(raw.name, raw.read, accepted.height, rejected, tuple(notes), raw.unit)
    if target is None or (rejected.is_empty() and not target.exists()):
        return accepted, quality
    quality.write(target)
    return accepted, Quality(raw.name, raw.read, accepted.height, rejected, tuple(notes), raw.unit, str(target))


def warn(quality: Quality, name: str, rejects: Any) -> None:
    """Log one warning when rows were refused and nothing was asked to be done with them.

    >>> rejects = pl.DataFrame({"line": [3], "reason": ["missing_user"], "text": [",tea"]})
    >>> warn(Quality("events.csv", 2, 1, rejects), "events", rejects="beside")  # they are in a file: nothing to say

    Args:
        quality: the account.
        name: what the caller's result is called: events or items.
        rejects: what was asked for; None for nothing.
    """
    if rejects is not None or not quality.rejected:
        return
    place = "beside" if quality.unit == "line" else "<path>"
    advice = f"see {name}.quality.rejects, or pass rejects={place!r} to have them in a file"
    log.warning("%s; %s", quality.line, advice)
