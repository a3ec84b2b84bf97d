"""``penchant data``: what the events are like, and what they can be used for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from penchant.cli.evaluate import check_places
from penchant.cli.faults import in_options
from penchant.cli.files import EventFile, reads_file
from penchant.cli.results import deliver, file_of, tell
from penchant.cli.shown import say
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
@reads_file
def report(
    context: typer.Context,
    *,
    file: EventFile,
    json: Annotated[
        str | None, typer.Option(metavar="PATH", help="Write all of it as JSON; - prints only that.")
    ] = None,
    html: Annotated[Path | None, typer.Option(metavar="PATH", help="Write a page.")] = None,
    idle: Annotated[float, typer.Option(metavar="MINUTES", help="A longer gap begins another session.")] = 30.0,
    windows: Annotated[int, typer.Option(metavar="N", help="Parts of the time that are compared.")] = 4,
) -> None:
    """Tell what events are like, and what they can support."""
    state = state_of(context)
    check_places(None, html, file_of(json))
    rules = {"idle": idle, "windows": windows}
    try:
        made = _of_store(state, **rules) if file.path is None else _of_file(state, file, **rules)
    except PenchantError as error:
        raise in_options(error) from error
    written = deliver(json, made.json, lambda: say(f"{made.text.rstrip()}\n"))
    if html is not None:
        made.html(html)
        written.append(html)
    tell(json, written)


def _of_store(state: State, **rules: Any) -> DataReport:
    from penchant.engine.reporting import report_data
    from penchant.trust.access import SYSTEM
    from penchant.trust.gate import Gate

    settings = state.settings()
    with Gate.open(settings, state.clock) as gate:
        return report_data(gate, SYSTEM, settings, progress=state.progress(), **rules)


def _of_file(state: State, file: EventFile, **rules: Any) -> DataReport:
    """Return the report of a file; where there are settings, their weights count."""
    from penchant.evaluation.datareport.report import data_report

    if state.path.exists():
        kinds = state.settings().events
        rules |= {"weights": kinds.weights, "valued": kinds.valued}
    events, catalogue = file.read(state)
    return data_report(events, catalogue, progress=state.progress(), **rules)
