"""``penchant data``: what the events are like, and what they can be used for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from penchant.cli.evaluate import check_places
from penchant.cli.faults import Misuse, in_options
from penchant.cli.importing import (
    EVENT_FIELDS,
    ITEM_FIELDS,
    Columns,
    Constants,
    Mapped,
    Separator,
    TimeFormat,
    mapped,
    pairs,
    read_options,
)
from penchant.cli.shown import emit, say
from penchant.cli.state import State, state_of
from penchant.core.errors import PenchantError

if TYPE_CHECKING:
    from penchant.evaluation.datareport.report import DataReport

__all__ = ["APP", "report"]

APP = typer.Typer(help="Look at the data.", rich_markup_mode=None)


@APP.callback(invoke_without_command=True)
def data(context: typer.Context) -> None:
    """Look at the data."""
    if context.invoked_subcommand is None:
        say(context.get_help())


@APP.command()
def report(
    context: typer.Context,
    *,
    path: Annotated[
        Path | None,
        typer.Argument(metavar="[FILE]", help="CSV, Parquet or JSON Lines, gzip too; the store when left out."),
    ] = None,
    json: Annotated[
        str | None, typer.Option(metavar="PATH", help="Write all of it as JSON; - prints only that.")
    ] = None,
    html: Annotated[Path | None, typer.Option(metavar="PATH", help="Write a page.")] = None,
    items: Annotated[
        Path | None, typer.Option(metavar="PATH", help="A file of the catalogue, to go with FILE.")
    ] = None,
    mapping: Mapped = None,
    item_mapping: Annotated[
        list[str] | None, typer.Option("--map-item", metavar="FIELD=COLUMN", help="The same of the catalogue.")
    ] = None,
    constants: Constants = None,
    columns: Columns = None,
    separator: Separator = None,
    time_format: TimeFormat = None,
    idle: Annotated[float, typer.Option(metavar="MINUTES", help="A longer gap begins another session.")] = 30.0,
    windows: Annotated[int, typer.Option(metavar="N", help="Parts of the time that are compared.")] = 4,
) -> None:
    """Tell what events are like, and what they can support."""
    from penchant.evaluation.page import write

    state = state_of(context)
    target = None if json in (None, "-") else Path(str(json))
    check_places(None, html, target)
    options = read_options(EVENT_FIELDS, mapping, constants, (columns, separator, time_format))
    described = mapped(pairs("--map-item", item_mapping or [], ITEM_FIELDS))
    try:
        if path is None:
            _only_with_file(options, items, described)
            made = _of_store(state, idle, windows)
        else:
            made = _of_file(state, path, options, items, described, idle=idle, windows=windows)
    except PenchantError as error:
        raise in_options(error) from error
    if json == "-":
        emit(made.json())
    else:
        say(made.text.rstrip())
    if target is not None:
        write(target, made.json().encode())
    if html is not None:
        made.html(html)
    written = [str(place) for place in (target, html) if place is not None]
    if written and json != "-":
        say("\nwritten: " + ", ".join(written))


def _only_with_file(options: dict[str, Any], items: Path | None, described: dict[str, Any]) -> None:
    """Refuse options about a file when there is none, rather than leave them unheard."""
    names = {"constants": "--set", "columns": "--columns", "separator": "--separator", "time_format": "--time-format"}
    said = [names.get(name, "--map") for name, value in options.items() if value]
    said += ["--items"] * (items is not None) + ["--map-item"] * bool(described)
    if said:
        raise Misuse(f"{said[0]} is about a file, and none is named; got no FILE")


def _of_store(state: State, idle: float, windows: int) -> DataReport:
    from penchant.engine.reporting import report_data
    from penchant.trust.access import SYSTEM
    from penchant.trust.gate import Gate

    settings = state.settings()
    with Gate.open(settings, state.clock) as gate:
        return report_data(gate, SYSTEM, settings, idle=idle, windows=windows, progress=state.progress())


def _of_file(
    state: State,
    path: Path,
    options: dict[str, Any],
    items: Path | None,
    described: dict[str, Any],
    **rules: Any,
) -> DataReport:
    """Return the report of a file; where there are settings, their weights count."""
    from penchant.data.readers import read_events, read_items
    from penchant.evaluation.datareport.report import data_report

    if described and items is None:
        raise Misuse("--map-item is about the catalogue; got no --items")
    kinds = state.settings().events if state.path.exists() else None
    if kinds is not None:
        rules |= {"weights": kinds.weights, "valued": kinds.valued}
    progress = state.progress()
    events = read_events(path, rejects=False, progress=progress, **options)
    catalogue = None if items is None else read_items(items, rejects=False, progress=progress, **described)
    return data_report(events, catalogue, progress=progress, **rules)
