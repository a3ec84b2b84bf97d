"""Ids for events that came without one: the same event always gets the same id, so sending it again is harmless."""

from __future__ import annotations

import struct
from hashlib import blake2b

import polars as pl

from penchant.core.clock import micros
from penchant.core.nouns import Event

__all__ = ["derived", "derived_all"]

_NUMBER, _BITS = struct.Struct("<d"), struct.Struct("<q")
_SEPARATOR = "\x1f"  # no id may hold it, so two different events never spell the same text


def derived(event: Event, at: int | None = None) -> str:
    """Return 32 hex characters: BLAKE2b-128 of user, item, kind, at, value, session, channel and what it replaces.

    >>> from datetime import datetime
    >>> derived(Event("900", "1095275", "purchase", datetime(2017, 1, 1)))
    '60ec41dcbec3842309acff4cf2f3de39'

    Args:
        event: which has no id.
        at: its time in microseconds since 1970 UTC, where that is known already.
    """
    at = micros(event.at) if at is None else at
    (bits,) = _BITS.unpack(_NUMBER.pack(float(event.value) + 0.0))  # -0.0 and 0.0 are one value
    parts = [event.user, event.item, event.kind, str(at), str(bits), event.session or "", event.channel]
    if event.replaces is not None:
        parts.append(event.replaces)
    return blake2b(_SEPARATOR.join(parts).encode(), digest_size=16).hexdigest()


def derived_all(table: pl.DataFrame) -> pl.Series:
    """Return the ids of a table of events; a row that repeats one above it counts as another event.

    The first of equal rows gets the id that :func:`derived` gives; the next ones hash their number with it. So
    reading the same file twice gives the same ids, and two equal lines in one file stay two events.

    >>> from datetime import datetime
    >>> row = {"user": "900", "item": "tea", "kind": "view", "at": 5, "value": 1.0, "session": None, "channel": "web"}
    >>> ids = derived_all(pl.DataFrame([row, row], schema_overrides={"session": pl.String}))
    >>> ids[0] == ids[1], ids[0] == derived(Event("900", "tea", "view", datetime(1970, 1, 1, 0, 0, 0, 5)))
    (False, True)

    Args:
        table: user, item, kind, session (nullable), channel, maybe replaces (nullable): str; at: Int64 microseconds;
            value: Float64.
    """
    spelled = pl.concat_str(
        "user",
        "item",
        "kind",
        pl.col("at").cast(pl.String),
        pl.when(pl.col("value") == 0).then(0.0).otherwise("value").reinterpret(dtype=pl.Int64).cast(pl.String),
        pl.col("session").fill_null(""),
        "channel",
        separator=_SEPARATOR,
    )
    if "replaces" in table.columns:
        longer = pl.concat_str(spelled, "replaces", separator=_SEPARATOR)
        spelled = pl.when(pl.col("replaces").is_null()).then(spelled).otherwise(longer)
    ids = _hashed(table.select(text=spelled)["text"])
    if ids.n_unique() == len(ids):
        return ids
    repeated = ids.is_duplicated()
    rows = pl.DataFrame({"id": ids, "row": pl.int_range(len(ids), eager=True)}).filter(repeated)
    rows = rows.with_columns(nth=pl.int_range(pl.len()).over("id")).filter(pl.col("nth") > 0)
    renamed = _hashed(
        rows.select(text=pl.concat_str("id", pl.col("nth").cast(pl.String), separator=_SEPARATOR))["text"]
    )
    return ids.scatter(rows["row"], renamed)


def _hashed(texts: pl.Series) -> pl.Series:
    digests = [blake2b(text, digest_size=16).hexdigest() for text in texts.cast(pl.Binary).to_list()]
    return pl.Series("id", digests, dtype=pl.String)
