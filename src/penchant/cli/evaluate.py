"""``penchant evaluate``: how well every model foresees what was held out."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from penchant.cli.faults import Misuse, in_options
from penchant.cli.files import EventFile, MinUsers, reads_file
from penchant.cli.protocol import (
    CUT,
    Allow,
    Baseline,
    By,
    Folds,
    Gap,
    HeldOut,
    Models,
    Negatives,
    Protocol,
    Seed,
    Share,
    Task,
    Threshold,
    Users,
    Windows,
    plan_of,
)
from penchant.cli.reports import SHOWN, command_of, document, show_reports, write_forms
from penchant.cli.results import deliver, file_of, tell
from penchant.cli.state import State, state_of
from penchant.core.errors import InputError, MissingExtra, PenchantError

if TYPE_CHECKING:
    from penchant.core.settings import Settings
    from penchant.data.split import Split
    from penchant.engine.plans import Plan
    from penchant.evaluation.report import Report

__all__ = ["check_places", "evaluate", "held_out"]

_ASKED = (
    "protocol", "test", "windows", "folds", "share", "gap", "seed", "models", "baseline", "task", "by", "negatives",
    "threshold", "examples", "real_ids",
)  # fmt: skip
"Options that are fields of a plan."


@reads_file
def evaluate(
    context: typer.Context,
    *,
    file: EventFile,
    held_out_in: HeldOut = None,
    protocol: Protocol = None,
    test: Annotated[str | None, typer.Option(metavar="SPAN", help="The last part, held out, such as 28d.")] = None,
    windows: Windows = None,
    folds: Folds = None,
    share: Share = None,
    gap: Gap = None,
    seed: Seed = 0,
    models: Models = None,
    baseline: Baseline = None,
    task: Task = None,
    metrics: Annotated[str | None, typer.Option(metavar="A@K,B@K", help="What the table shows.")] = None,
    by: By = None,
    users: Users = None,
    negatives: Negatives = None,
    threshold: Threshold = None,
    allow: Allow = None,
    min_users: MinUsers = None,
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
    state = state_of(context)
    check_places(plot, html, markdown, latex, file_of(json))
    told = context.params
    asked = {name: told[name] for name in _ASKED} | {"allow": tuple(allow or ())}
    try:
        settings = file.settings(state, min_users)
        reports, shown, quiet = _compared(state, file, settings, asked, users=users, metrics=metrics, held=held_out_in)
    except PenchantError as error:
        raise in_options(error) from error
    reports = {task: report.command(command_of(context, state.path)) for task, report in reports.items()}
    written = deliver(json, lambda: document(reports), lambda: show_reports(reports, shown, quiet))
    forms = {"html": html, "plot": plot, "markdown": markdown, "latex": latex}
    for number, (name, report) in enumerate(reports.items()):
        written += write_forms(report, forms, shown, f"-{name}" if number else "", quiet=quiet)
    tell(json, written)


def _compared(
    state: State,
    file: EventFile,
    settings: Settings,
    asked: dict[str, Any],
    *,
    users: Path | None,
    metrics: str | None,
    held: Path | None,
) -> tuple[dict[str, Report], list[str], tuple[str, ...]]:
    """Return the reports of the store or of a file, the metrics that tables show, and columns only files tell of."""
    from penchant.data.split import given
    from penchant.engine.assessing import assess, compare
    from penchant.engine.plans import cut
    from penchant.trust.access import SYSTEM
    from penchant.trust.gate import Gate

    if held is not None and file.path is None:
        raise Misuse("--held-out goes with a file of what is learnt from; got no FILE")
    if held is not None and any(asked[name] is not None for name in ("protocol", *CUT)):
        raise Misuse("--held-out is a protocol of its own; got another one, or an option of one")
    settings = held_out(settings, asked["test"])
    plan, progress = plan_of(state, settings, users, asked), state.progress()
    plan, shown = _metrics(metrics, plan)
    plan, quiet = _charted(plan)
    if file.path is None:
        with Gate.open(settings, state.clock) as gate:
            return assess(gate, SYSTEM, settings, plan=plan, progress=progress), shown, quiet
    data, note = file.dataset(state, settings)
    plan = msgspec.structs.replace(plan, notes=(note,))
    if held is None:
        cuts: tuple[Split, ...] = cut(data, plan)
    else:
        other, more = file.dataset(state, settings, held)
        cuts = (given(data, other).allowing(*plan.allow),)
        plan = msgspec.structs.replace(plan, notes=(note, more))
    return compare(cuts, settings, plan, progress=progress), shown, quiet


def _metrics(said: str | None, plan: Plan) -> tuple[Plan, list[str]]:
    """Return the plan with the metrics that were named, which may settle its task, and what tables show."""
    from penchant.evaluation.calls import chosen_task
    from penchant.evaluation.metrics import DEFAULT_RATINGS
    from penchant.evaluation.sampled import SAMPLED

    if said is None:
        named = list(DEFAULT_RATINGS if plan.task == "rating" else SHOWN)
        if plan.negatives is not None:
            named = [name for name in named if name.partition("@")[0] in SAMPLED]
    else:
        task, found = chosen_task(said.split(","), plan.task)
        named = found or []
        plan = msgspec.structs.replace(plan, task="rating") if task == "rating" else plan
    return msgspec.structs.replace(plan, also=tuple(named) if said is not None else ()), named


def _charted(plan: Plan) -> tuple[Plan, tuple[str, ...]]:
    """Return the plan with the slices that the page draws beside those asked for, and the columns of these.

    Groups of users are compared by the columns that were asked for and no other, so where they are, none is added.
    """
    from penchant.evaluation.metrics import PARITIES

    more = ("user.history",)
    compared = any(PARITIES.get(name.partition("@")[0]) == "user" for name in plan.also)
    if compared or set(more) <= set(plan.by):
        return plan, ()
    return msgspec.structs.replace(plan, by=(*plan.by, *more)), more


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
