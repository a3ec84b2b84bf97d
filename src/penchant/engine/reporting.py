"""What the store's own events are like."""

from __future__ import annotations

import msgspec
import polars as pl

from penchant.core.nouns import Item
from penchant.core.progress import SILENT, Progress
from penchant.core.settings import Settings
from penchant.data.catalogue import Items, read_items
from penchant.engine.training import consented_data
from penchant.evaluation.datareport.report import DataReport, data_report
from penchant.evaluation.datareport.thresholds import IDLE, WINDOWS
from penchant.trust.access import Actor
from penchant.trust.gate import Gate

__all__ = ["report_data", "stored_catalogue"]


def report_data(
    gate: Gate,
    actor: Actor,
    settings: Settings,
    *,
    idle: float = IDLE,
    windows: int = WINDOWS,
    progress: Progress = SILENT,
) -> DataReport:
    """Return the report of all events that people let us learn from, and of the catalogue.

    >>> from penchant.testing import shop
    >>> from penchant.trust.access import SYSTEM
    >>> with shop() as engine:
    ...     report = report_data(engine.gate, SYSTEM, engine.settings)
    >>> report.size.events, report.catalogue.items, report.source
    (34, 8, 'the store, events of people who agreed to training')

    Raises:
        EmptyData: nothing may be learnt from.
        InputError: ``idle`` or ``windows`` is out of range.
    """
    data = consented_data(gate, actor, settings)
    source = "the store, events of people who agreed to training"
    return data_report(data, stored_catalogue(gate), idle=idle, windows=windows, source=source, progress=progress)


def stored_catalogue(gate: Gate) -> Items | None:
    """Return the catalogue of the store; None when it is empty.

    >>> from penchant.testing import shop
    >>> with shop() as engine:
    ...     stored_catalogue(engine.gate).table.height
    8
    """
    items, _ = gate.catalogue.changed()
    return _table(items) if items else None


def _table(items: list[Item]) -> Items:
    """Return the items as the readers would."""
    rows = [{**msgspec.structs.asdict(item), "categories": list(item.categories)} for item in items]
    columns = {name: [row[name] for row in rows] for name in Item.__struct_fields__}
    columns["attributes"] = [msgspec.json.encode(row["attributes"]).decode() for row in rows]
    schema: dict[str, pl.DataType] = {
        "categories": pl.List(pl.String),
        "price": pl.Float64(),
        "currency": pl.String(),
        "published": pl.Datetime("us", "UTC"),
    }
    return read_items(pl.DataFrame(columns, schema_overrides=schema), rejects=False)
