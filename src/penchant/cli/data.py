"""``penchant data``: what the events are like, and what they can be used for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from penchant.cli.evaluate import check_places
from penchant.cli.faults import in_options
from penchant.cli.files import Catalogue, CatalogueMapped, EventFile, File
from penchant.cli.importing import Columns, Constants, Mapped, Separator, TimeFormat
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
    path: File = None,
    json: Annotated[
        str | None, typer.Option(metavar="PATH", help="Write all of it as JSON; - prints only that.")
    ] = None,
    html: Annotated[Path | None, typer.Option(metavar="PATH", help="Write a page.")] = None,
    items: Catalogue = None,
    mapping: Mapped = None,
    item_mapping: CatalogueMapped = None,
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
    said = {"mapping": mapping, "constants": constants, "columns": columns, "separator": separator}
    file = EventFile.of(path, items, item_mapping, said | {"time_format": time_format})
    try:
        made = _of_store(state, idle, windows) if path is None else _of_file(state, file, idle=idle, windows=windows)
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


def _of_store(state: State, idle: float, windows: int) -> DataReport:
    from penchant.engine.reporting import report_data
    from penchant.trust.access import SYSTEM
    from penchant.trust.gate import Gate

    settings = state.settings()
    with Gate.open(settings, state.clock) as gate:
        return report_data(gate, SYSTEM, settings, idle=idle, windows=windows, progress=state.progress())


def _of_file(state: State, file: EventFile, **rules: Any) -> DataReport:
    """Return the report of a file; where there are settings, their weights count."""
    from penchant.evaluation.datareport.report import data_report

    if state.path.exists():
        kinds = state.settings().events
        rules |= {"weights": kinds.weights, "valued": kinds.valued}
    events, catalogue = file.read(state)
    return data_report(events, catalogue, progress=state.progress(), **rules)
