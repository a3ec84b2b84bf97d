"""Files of events and items into the store, with nothing silently dropped."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from penchant.core.clock import Clock, parse_duration
from penchant.core.errors import EmptyData, InputError
from penchant.core.progress import SILENT, Progress
from penchant.core.settings import Settings
from penchant.data.quality import Quality
from penchant.data.readers import read_events, read_items
from penchant.trust.access import Actor, require
from penchant.trust.check import LONGEST, flaw
from penchant.trust.gate import Gate
from penchant.trust.purpose import Purpose

__all__ = ["Imported", "import_events", "import_items", "record_consent"]


class Imported(Struct, frozen=True, eq=False):
    """What became of the rows of a file.

    >>> import polars as pl
    >>> rejected = pl.DataFrame({"line": [3], "reason": ["missing_user"], "text": [",milk"]})
    >>> done = Imported(Quality("events.csv", 3, 2, rejected), added=1, duplicates=1, users=2)
    >>> done.quality.read == done.added + done.duplicates + done.quality.rejected
    True
    """

    quality: Quality
    "Rows read, accepted and rejected, with reasons."
    added: int
    "Rows that are new in the store."
    duplicates: int = 0
    "Accepted rows that the store had already."
    users: int = 0
    "People the rows are about."
    consenting: int = 0
    "People whose consent was recorded with them, or before."
    refusing: int = 0
    "People who said no before; that stays."


def import_events(
    gate: Gate,
    actor: Actor,
    settings: Settings,
    source: Any,
    *,
    clock: Clock,
    mapping: Mapping[str, Any] | None = None,
    consent: str | None = None,
    progress: Progress = SILENT,
) -> Imported:
    """Read a file or table of events, and write the good rows; an import that was stopped goes on where it was.

    >>> import polars as pl
    >>> from tempfile import TemporaryDirectory
    >>> from penchant.core.clock import SystemClock
    >>> from penchant.trust.access import SYSTEM
    >>> rows = {"user": ["ann", "bob", ""], "item": ["tea", "tea", "milk"], "at": ["2017-12-30"] * 3}
    >>> with TemporaryDirectory() as folder:
    ...     settings = Settings(store=f"sqlite:///{folder}/shop.db")
    ...     with Gate.create(settings, SystemClock()) as gate:
    ...         done = import_events(
    ...             gate, SYSTEM, settings, pl.DataFrame(rows), clock=SystemClock(), consent="sign-up form of 2016"
    ...         )
    >>> done.added, done.consenting, done.quality.by_reason
    (2, 2, {'missing_user': 1})

    Args:
        gate: the door to the store.
        actor: who imports.
        settings: says how far ahead of the clock an event may lie.
        source: a path, or any pandas, polars or Arrow table.
        clock: says what the future is.
        mapping: keyword arguments of :func:`penchant.read_events`, such as ``user="CustomerID"``.
        consent: where these people's consent to training and personalization comes from; None records none.
        progress: told of reading and writing.

    Raises:
        InputError: the file cannot be read at all.
        EmptyData: no row of it can be used.
    """
    if consent is not None:
        _check_basis(actor, consent)
    latest = clock.now() + parse_duration(settings.events.future)
    events = read_events(source, now=latest, progress=progress, **(mapping or {}))
    if events.table.is_empty():
        raise _nothing(events.quality)
    receipt = gate.admit_table(actor, events.table, progress)
    users = events.table["user"].unique()
    refusing = record_consent(gate, actor, users, consent) if consent is not None else 0
    agreed = len(users) - refusing if consent is not None else 0
    return Imported(events.quality, receipt.accepted, receipt.duplicates, len(users), agreed, refusing)


def import_items(
    gate: Gate, actor: Actor, source: Any, *, mapping: Mapping[str, Any] | None = None, progress: Progress = SILENT
) -> Imported:
    """Read a file or table of items, and put the good rows into the catalogue, all in one transaction.

    >>> import polars as pl
    >>> from tempfile import TemporaryDirectory
    >>> from penchant.core.clock import SystemClock
    >>> from penchant.trust.access import SYSTEM
    >>> with TemporaryDirectory() as folder:
    ...     with Gate.create(Settings(store=f"sqlite:///{folder}/shop.db"), SystemClock()) as gate:
    ...         done = import_items(
    ...             gate, SYSTEM, pl.DataFrame({"sku": ["tea"], "title": ["Green tea"]}), mapping={"id": "sku"}
    ...         )
    ...         done.added, gate.catalogue.get("tea").title
    (1, 'Green tea')

    Raises:
        InputError: the file cannot be read at all.
        EmptyData: no row of it can be used.
    """
    items = read_items(source, progress=progress, **(mapping or {}))
    if items.table.is_empty():
        raise _nothing(items.quality)
    gate.catalogue.put_table(actor, items.table)
    return Imported(items.quality, items.table.height)


def record_consent(gate: Gate, actor: Actor, users: Any, basis: str) -> int:
    """Record that people agreed to training and personalization, and where that is known from.

    Who said no before keeps it; return how many these are.

    >>> from tempfile import TemporaryDirectory
    >>> from penchant.core.clock import SystemClock
    >>> from penchant.trust.access import SYSTEM
    >>> with TemporaryDirectory() as folder:
    ...     with Gate.create(Settings(store=f"sqlite:///{folder}/shop.db"), SystemClock()) as gate:
    ...         _ = record_consent(gate, SYSTEM, ["ann"], "sign-up form of 2016")
    ...         [(state.purpose, state.granted, state.basis) for state in gate.consent.state(SYSTEM, "ann")]
    [('train', True, 'sign-up form of 2016'), ('personalize', True, 'sign-up form of 2016')]
    """
    _check_basis(actor, basis)
    return gate.consent.grant_unasked(actor, users, [p.value for p in Purpose if p.asked], basis=basis)


def _check_basis(actor: Actor, basis: str) -> None:
    """Refuse, before anything is written, a consent that could not be recorded afterwards."""
    require(actor, "consent:write")
    wrong = "is empty" if not basis.strip() else flaw(basis)
    if wrong:
        allowed = f"where the consent comes from, in up to {LONGEST} characters"
        raise InputError(f"consent needs a basis, and this one {wrong}", got=basis, allowed=allowed, field="consent")


def _nothing(quality: Quality) -> EmptyData:
    see = f"see {quality.written}, or " if quality.written else ""
    account = "; ".join(line.strip() for line in str(quality).splitlines())
    return EmptyData("no row of the file can be used", got=account, then=f"{see}map the columns")
