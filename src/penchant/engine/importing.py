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
from penchant.trust.access import Actor
from penchant.trust.gate import Gate
from penchant.trust.purpose import Purpose

__all__ = ["Imported", "import_events", "import_items", "record_consent"]


class Imported(Struct, frozen=True, eq=False):
    """What became of the rows of a file."""

    quality: Quality
    "Rows read, accepted and rejected, with reasons."
    added: int
    "Rows that are new in the store."
    duplicates: int = 0
    "Accepted rows that the store had already."
    users: int = 0
    "People the rows are about."
    consenting: int = 0
    "People whose consent was recorded with them."


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
    """Read a file or table of events, and write the good rows in one transaction.

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
    latest = clock.now() + parse_duration(settings.events.future)
    events = read_events(source, now=latest, progress=progress, **(mapping or {}))
    if events.table.is_empty():
        raise EmptyData(
            "no row of the file can be used", got=str(events.quality), then="see the rejects, or map the columns"
        )
    receipt = gate.admit_table(actor, events.table, progress)
    users = events.table["user"].unique()
    if consent is not None:
        record_consent(gate, actor, users, consent)
    agreed = len(users) if consent is not None else 0
    return Imported(events.quality, receipt.accepted, receipt.duplicates, len(users), agreed)


def import_items(
    gate: Gate, actor: Actor, source: Any, *, mapping: Mapping[str, Any] | None = None, progress: Progress = SILENT
) -> Imported:
    """Read a file or table of items, and put the good rows into the catalogue, all in one transaction.

    Raises:
        InputError: the file cannot be read at all.
        EmptyData: no row of it can be used.
    """
    items = read_items(source, progress=progress, **(mapping or {}))
    if items.table.is_empty():
        raise EmptyData(
            "no row of the file can be used", got=str(items.quality), then="see the rejects, or map the columns"
        )
    gate.catalogue.put_table(actor, items.table)
    return Imported(items.quality, items.table.height)


def record_consent(gate: Gate, actor: Actor, users: Any, basis: str) -> None:
    """Record that people agreed to training and personalization, and where that is known from."""
    if not basis.strip():
        raise InputError("consent needs a basis", got=basis, allowed="where the consent comes from, in words")
    gate.consent.grant(actor, users, [p.value for p in Purpose if p.asked], basis=basis)
