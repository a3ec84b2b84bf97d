"""``penchant tune``: better hyper-parameters, and what they are worth on events the search never saw."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from penchant.cli.evaluate import check_places, held_out
from penchant.cli.faults import in_options
from penchant.cli.files import EventFile, MinUsers, reads_file
from penchant.cli.reports import command_of, show_reports, write_forms
from penchant.cli.results import deliver, file_of, tell
from penchant.cli.shown import say
from penchant.cli.state import State, state_of
from penchant.core.errors import MissingExtra, PenchantError

if TYPE_CHECKING:
    from penchant.core.settings import Settings
    from penchant.evaluation.tuned import TuningReport

__all__ = ["tune"]

_KEEP = "the test does not show that these are better than what you have; keep that, or search longer"
_NEXT = {
    "better": "put these lines into penchant.toml in place of the table that is there, then penchant train",
    None: "nothing; the settings you have stay the best that is known",
}


@reads_file
def tune(
    context: typer.Context,
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A model of the settings, or a learner.")],
    *,
    file: EventFile,
    trials: Annotated[int, typer.Option(metavar="N", help="How many there shall be in all.")] = 50,
    seconds: Annotated[float | None, typer.Option(metavar="S", help="No trial begins later than this.")] = None,
    metric: Annotated[str, typer.Option(metavar="A@K", help="What is to be as high as can be.")] = "ndcg@10",
    field: Annotated[list[str] | None, typer.Option(metavar="NAME", help="Search this field; repeat it.")] = None,
    test: Annotated[str | None, typer.Option(metavar="SPAN", help="The last part, never searched on.")] = None,
    windows: Annotated[int, typer.Option(metavar="N", help="Parts of the rest that a trial has to foresee.")] = 2,
    study: Annotated[Path | None, typer.Option(metavar="PATH", help="Keep the trials in a file, and go on.")] = None,
    seed: Annotated[int, typer.Option(metavar="N", help="The same seed, the same trials.")] = 0,
    json: Annotated[
        str | None, typer.Option(metavar="PATH", help="Write all of it as JSON; - prints only that.")
    ] = None,
    html: Annotated[Path | None, typer.Option(metavar="PATH", help="Write the evaluation as a page.")] = None,
    markdown: Annotated[Path | None, typer.Option(metavar="PATH", help="Write its table as Markdown.")] = None,
    latex: Annotated[Path | None, typer.Option(metavar="PATH", help="Write its table for LaTeX.")] = None,
    min_users: MinUsers = None,
) -> None:
    """Search the hyper-parameters of a model."""
    if importlib.util.find_spec("optuna") is None:
        raise MissingExtra.of("tune", "optuna")
    state = state_of(context)
    check_places(None, file_of(json), html, markdown, latex)
    search = {"metric": metric, "trials": trials, "seconds": seconds, "fields": field or (), "windows": windows}
    try:
        settings = held_out(file.settings(state, min_users), test)
        report, note = _tuned(state, file, model, settings, search | {"storage": study, "rng": seed})
    except PenchantError as error:
        raise in_options(error) from error
    outer = report.outer.command(command_of(context, state.path))
    forms = {"html": html, "markdown": markdown, "latex": latex}
    written = deliver(json, report.json, lambda: _show(report, model, note))
    tell(json, [*written, *write_forms(outer, forms, outer.names)])
    if json != "-":
        state.remark(f"next: {_NEXT.get(report.verdict, _KEEP)}")


def _show(report: TuningReport, model: str, note: tuple[str, ...]) -> None:
    for sentence in (*report.sentences(), *note):
        say(sentence)
    say("")
    show_reports({report.learner.task: report.outer}, report.outer.names)
    say(report.toml(model))


def _tuned(
    state: State, file: EventFile, model: str, settings: Settings, search: dict[str, Any]
) -> tuple[TuningReport, tuple[str, ...]]:
    """Return what a search found in the store or in a file, and what is to be said of the file."""
    from penchant.engine.tuning import tune_events, tune_model
    from penchant.trust.access import SYSTEM
    from penchant.trust.gate import Gate

    progress = state.progress()
    if file.path is not None:
        data, note = file.dataset(state, settings)
        return tune_events(data, settings, model, progress=progress, **search), (note,)
    with Gate.open(settings, state.clock) as gate:
        return tune_model(gate, SYSTEM, settings, model, progress=progress, **search), ()
