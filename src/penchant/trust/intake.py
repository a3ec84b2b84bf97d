"""A table into the log, chunk by chunk, so that an import that was stopped goes on where it was."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b

import polars as pl
import sqlalchemy as sa
from msgspec import Struct

from penchant.core.progress import Advance, Progress
from penchant.store.database import Then
from penchant.store.events import Appended
from penchant.store.store import Store

__all__ = ["CHUNK", "identity", "take_in"]

log = logging.getLogger(__name__)

CHUNK = 250_000
"Rows in one transaction."
_FIRST = 4
"Times as many in the first one of an empty log: nobody waits for it, and SQLite makes its indexes once."


def identity(ids: pl.Series) -> str:
    """Return what tells one table from another: BLAKE2b-128 of its ids in their order, as 32 hex characters.

    >>> identity(pl.Series(["e1", "e2"])) == identity(pl.Series(["e2", "e1"]))
    False
    """
    digest = blake2b(digest_size=16)
    for start in range(0, len(ids), CHUNK):
        digest.update("\n".join(ids[start : start + CHUNK].to_list()).encode() + b"\n")
    return digest.hexdigest()


def take_in(store: Store, table: pl.DataFrame, recorded: int, progress: Progress) -> Appended:
    """Add a complete table of events in transactions of ``CHUNK`` rows; rows that are there add nothing.

    How far it is stands in the store, written with the rows of each chunk. The same table, given again after a kill, is
    taken up from there; once its end was reached, giving it again begins at its beginning and finds all of it there.

    >>> from tempfile import TemporaryDirectory
    >>> from penchant.core.progress import SILENT
    >>> from penchant.trust.bulk import complete
    >>> table = pl.DataFrame({"user": ["ann", "bob"], "item": ["tea", "tea"], "kind": ["view", "view"], "at": [1, 2]})
    >>> table = complete(table.with_columns(value=1.0), latest=9)
    >>> with TemporaryDirectory() as folder, Store.create(f"sqlite:///{folder}/shop.db") as store:
    ...     take_in(store, table, 9, SILENT), take_in(store, table, 9, SILENT)
    (Appended(accepted=2, duplicates=0), Appended(accepted=0, duplicates=2))

    Returns:
        New rows, those of the runs before the kill too, and rows that were there already.
    """
    source = identity(table["id"])
    done, accepted = store.imports.progress(source)
    done = min(done, table.height)
    if done:
        log.warning("the import goes on where it was stopped, after %s of %s rows", f"{done:,}", f"{table.height:,}")
    with progress.step("storing events", table.height, "events") as advance:
        advance(done)
        for start, stop in _parts(done, table.height, empty=store.events.empty()):
            part = table[start:stop]
            note = _note(store, source, (stop, accepted, recorded), last=stop == table.height)
            accepted += store.events.append_table(part, recorded, _Within(advance), note).accepted
    return Appended(accepted, table.height - accepted)


def _parts(done: int, total: int, *, empty: bool) -> Iterator[tuple[int, int]]:
    """Yield the rows of each transaction as (start, stop)."""
    while done < total:
        size = CHUNK * _FIRST if empty else CHUNK
        yield done, (done := min(done + size, total))
        empty = False


def _note(store: Store, source: str, at: tuple[int, int, int], *, last: bool) -> Then:
    done, before, recorded = at

    def note(connection: sa.Connection, accepted: int) -> None:
        if last:
            store.imports.end(connection, source)
        else:
            row: dict[str, str | int] = {"source": source, "done": done, "accepted": before + accepted, "at": recorded}
            store.imports.note(connection, row)

    return note


class _Within(Struct, frozen=True):
    """Counts the steps of a chunk as part of a longer one."""

    advance: Advance

    @contextmanager
    def step(self, what: str, total: int, unit: str = "") -> Iterator[Advance]:
        """Yield what counts in the longer step."""
        yield self.advance
