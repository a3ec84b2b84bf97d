"""``penchant evaluate``: how well every model foresees what was held out."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from penchant.cli.reports import SHOWN, command_of, document, show_reports, write_forms
from penchant.cli.shown import emit, say
from penchant.cli.state import state_of
from penchant.core.errors import InputError, MissingExtra

if TYPE_CHECKING:
    from penchant.core.settings import Settings

__all__ = ["check_places", "evaluate", "held_out"]


def evaluate(
    context: typer.Context,
    *,
    test: Annotated[str | None, typer.Option(metavar="SPAN", help="The last part, held out, such as 28d.")] = None,
    metrics: Annotated[str, typer.Option(metavar="A@K,B@K", help="What the table shows.")] = ",".join(SHOWN),
    json: Annotated[
        str | None, typer.Option(metavar="PATH", help="Write all of it as JSON; - prints only that.")
    ] = None,
    plot: Annotated[Path | None, typer.Option(metavar="PATH", help="Draw the first metric: .png, .svg, .pdf.")] = None,
    html: Annotated[Path | None, typer.Option(metavar="PATH", help="Write a page.")] = None,
    markdown: Annotated[Path | None, typer.Option(metavar="PATH", help="Write the table as Markdown.")] = None,
    latex: Annotated[Path | None, typer.Option(metavar="PATH", help="Write the table for LaTeX.")] = None,
    examples: Annotated[int, typer.Option(metavar="N", min=0, help="How many users the page shows.")] = 3,
    real_ids: Annotated[bool, typer.Option("--real-ids", help="Call these users by their ids.")] = False,
) -> None:
    """Compare the models on events they have not seen."""
    from penchant.engine.assessing import assess
    from penchant.evaluation.metrics import parse_metrics
    from penchant.evaluation.page import write
    from penchant.trust.access import SYSTEM
    from penchant.trust.gate import Gate

    state = state_of(context)
    shown = [str(metric) for metric in parse_metrics(metrics.split(","))]
    check_places(plot, html, markdown, latex, None if json in (None, "-") else Path(str(json)))
    settings = held_out(state.settings(), test)
    with Gate.open(settings, state.clock) as gate:
        reports = assess(
            gate,
            SYSTEM,
            settings,
            also=tuple(shown),
            by=("user.history",),
            examples=examples,
            real_ids=real_ids,
            progress=state.progress(),
        )
    reports = {task: report.command(command_of(context, state.path)) for task, report in reports.items()}
    if json == "-":
        emit(document(reports))
    else:
        show_reports(reports, shown)
    written = [] if json in (None, "-") else [Path(str(json))]
    if written:
        write(written[0], document(reports).encode())
    for number, (task, report) in enumerate(reports.items()):
        forms = {"html": html, "plot": plot, "markdown": markdown, "latex": latex}
        written += write_forms(report, forms, shown, f"-{task}" if number else "")
    if written and json != "-":
        say("written: " + ", ".join(map(str, written)))


def held_out(settings: Settings, test: str | None) -> Settings:
    """Return the settings with another span that is held out, when one was said.

    >>> from penchant.core.settings import Settings
    >>> held_out(Settings(), "7d").evaluation.test, held_out(Settings(), None).evaluation.test
    ('7d', '28d')
    """
    from penchant.core.clock import parse_duration

    if test is None:
        return settings
    parse_duration(test, field="--test")
    return msgspec.structs.replace(settings, evaluation=msgspec.structs.replace(settings.evaluation, test=test))


def check_places(plot: Path | None, *others: Path | None) -> None:
    """Refuse early what would be refused after minutes of work.

    >>> check_places(None, Path("report.html"))

    Raises:
        InputError: a file would go where no folder is.
        MissingExtra: a plot is asked for, and nothing can draw it.
    """
    for place in (plot, *others):
        if place is not None and not place.absolute().parent.is_dir():
            raise InputError("there is no such folder", got=str(place.parent), then="make it, or choose another path")
    if plot is not None and importlib.util.find_spec("matplotlib") is None:
        raise MissingExtra.of("plot", "matplotlib")
