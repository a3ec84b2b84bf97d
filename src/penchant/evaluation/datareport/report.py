"""The data report: figures, verdicts, and what shows them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import polars as pl

from penchant.core.errors import EmptyData, InputError
from penchant.core.progress import SILENT, Progress
from penchant.core.settings import EventSettings
from penchant.data.catalogue import Items, read_items
from penchant.data.dataset import Dataset
from penchant.data.readers import Events, read_events
from penchant.evaluation.datareport import page, text
from penchant.evaluation.datareport.concerns import concerns
from penchant.evaluation.datareport.facts import Facts, Reading
from penchant.evaluation.datareport.findings import Finding
from penchant.evaluation.datareport.gathering import Given, gather
from penchant.evaluation.datareport.thresholds import IDLE, WINDOWS
from penchant.evaluation.datareport.verdicts import models, placements, splits
from penchant.evaluation.page import write

__all__ = ["DataReport", "data_report"]

_ONES = dict.fromkeys(EventSettings().weights, 1.0)
"The kinds that are known where a dataset names no weight of theirs; it counts them 1."


class DataReport(Facts, frozen=True, kw_only=True):
    """What a pile of events is like, and which models, placements and splits it supports. It names no user.

    >>> from penchant.testing import checkerboard
    >>> report = data_report(checkerboard(8))
    >>> report.size.density, report.items.gini
    (0.5, 0.0)
    >>> print(report.findings[0])
    temporal split: no. All 32 events have the same time, so nothing is before or after: split at random or by users.
    """

    findings: tuple[Finding, ...]
    "The verdicts: splits, models, placements, then what is wrong with the data."

    @property
    def text(self) -> str:
        """The report as plain text."""
        return text.told(self, self.findings)

    def json(self) -> str:
        """Return the report as JSON; ``msgspec.json.decode(text, type=DataReport)`` reads it back."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2).decode()

    def html(self, path: str | Path) -> None:
        """Write the report as one page with its charts inside: no network, no script.

        Raises:
            InputError: the path cannot be written.
        """
        write(Path(path), page.render(self, self.findings).encode())

    def __repr__(self) -> str:
        return f"DataReport({self.size.events:,} events, {len(self.findings)} findings)"


def data_report(
    data: Any,
    catalogue: Any = None,
    *,
    weights: Mapping[str, float] | None = None,
    valued: tuple[str, ...] = ("rating",),
    idle: float = IDLE,
    windows: int = WINDOWS,
    source: str | None = None,
    progress: Progress = SILENT,
) -> DataReport:
    """Return what the events are like and what they can be used for.

    Memory is about 250 bytes an event; time is a few sorts of the events, 3 to 4 seconds for 1.5 million.

    >>> events = pl.DataFrame({"user": ["ann", "bob"], "item": ["tea", "jam"], "at": ["2017-01-01", "2017-01-02"]})
    >>> data_report(events).size.days
    1.0

    Args:
        data: a Dataset, what ``read_events`` returns, or whatever that reads: a path, or any pandas, polars or Arrow
            table with its columns. The sessions that events name are used; a Dataset has none, so gaps part them.
        catalogue: what ``read_items`` returns, or whatever that reads; the Dataset's own when None.
        weights: kind to weight; those of the default settings when None. Kinds it does not name weigh 1, and the report
            says so. A Dataset has its own.
        valued: kinds whose value multiplies the weight.
        idle: minutes without an event that end a session.
        windows: parts of equal length that the time is cut into to see drift.
        source: what to call the data in the report; the name of the file when None.
        progress: told of the steps.

    Raises:
        EmptyData: there are no events, or none of the rows can be used.
        InputError: the data cannot be read, ``idle`` is not a positive number, or ``windows`` is below 2.
    """
    if not (np.isfinite(idle) and idle > 0):
        raise InputError("idle is out of range", got=idle, allowed="minutes above 0", field="idle")
    if windows < 2:
        raise InputError("windows are too few", got=windows, allowed="2 or more", field="windows")
    if isinstance(data, Dataset):
        if weights is not None:
            raise InputError("a Dataset has its weights already", got="weights", then="leave them out", field="weights")
        given = Given(source="a dataset", data=data, weights={**_ONES, **data.weights})
    else:
        given = _read(data, EventSettings().weights if weights is None else weights, valued, progress)
    if not given.data.n_events:
        raise EmptyData("there are no events", got=repr(given.data), then="check how they were chosen")
    facts = gather(
        msgspec.structs.replace(
            given,
            source=source or given.source,
            valued=valued,
            catalogue=_items(given.data.catalogue if catalogue is None else catalogue, progress),
            idle=idle,
            windows=windows,
        ),
        progress,
    )
    found = (*splits(facts), *models(facts), *placements(facts), *concerns(facts))
    return DataReport(**{name: getattr(facts, name) for name in facts.__struct_fields__}, findings=found)


def _read(data: Any, weights: Mapping[str, float], valued: tuple[str, ...], progress: Progress) -> Given:
    """Return a table or a file of events as a dataset, with the sessions that it names in the order of its frame."""
    events = data if isinstance(data, Events) else read_events(data, rejects=False, progress=progress)
    table = events.table
    if table.is_empty():
        account = "; ".join(line.strip() for line in str(events.quality).splitlines())
        raise EmptyData("no row can be used", got=account, then="map the columns, or mend the rows")
    dataset = Dataset.from_events(table, weights=weights, valued=valued)
    names = None
    if "session" in table.columns and not table["session"].null_count():
        coded = table.select(pl.Series("user", dataset.users.codes(table["user"])), "at", "session")
        names = coded.sort("user", "at", maintain_order=True)["session"]
    reading = Reading.of(events.quality)
    return Given(source=reading.source, data=dataset, weights=weights, sessions=names, reading=reading)


def _items(catalogue: Any, progress: Progress) -> pl.DataFrame | None:
    if catalogue is None:
        return None
    return (
        catalogue if isinstance(catalogue, Items) else read_items(catalogue, rejects=False, progress=progress)
    ).table
