"""``penchant evaluate``: how well every model foresees what was held out."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from penchant.cli.faults import Misuse, in_options
from penchant.cli.files import Catalogue, CatalogueMapped, EventFile, File, MinUsers
from penchant.cli.importing import Columns, Constants, Mapped, Separator, TimeFormat
from penchant.cli.protocol import (
    CUT,
    Allow,
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
from penchant.cli.reports import SHOWN, document, show_reports
from penchant.cli.shown import emit, say
from penchant.cli.state import State, state_of
from penchant.core.errors import InputError, MissingExtra, PenchantError

if TYPE_CHECKING:
    from penchant.core.settings import Settings
    from penchant.data.split import Split
    from penchant.engine.plans import Plan
    from penchant.evaluation.report import Report

__all__ = ["check_places", "evaluate", "held_out"]


def evaluate(
    context: typer.Context,
    *,
    path: File = None,
    held_out_in: HeldOut = None,
    protocol: Protocol = None,
    test: Annotated[str | None, typer.Option(metavar="SPAN", help="The last part, held out, such as 28d.")] = None,
    windows: Windows = None,
    folds: Folds = None,
    share: Share = None,
    gap: Gap = None,
    seed: Seed = 0,
    models: Models = None,
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
    items: Catalogue = None,
    mapping: Mapped = None,
    item_mapping: CatalogueMapped = None,
    constants: Constants = None,
    columns: Columns = None,
    separator: Separator = None,
    time_format: TimeFormat = None,
) -> None:
    """Compare the models on events they have not seen."""
    from penchant.evaluation.page import write

    state = state_of(context)
    read = {"mapping": mapping, "constants": constants, "columns": columns, "separator": separator}
    file = EventFile.of(path, items, item_mapping, read | {"time_format": time_format})
    asked = {"protocol": protocol, "test": test, "windows": windows, "folds": folds, "share": share, "gap": gap}
    asked |= {"seed": seed, "models": models, "task": task, "by": by, "negatives": negatives, "threshold": threshold}
    check_places(plot, html, None if json in (None, "-") else Path(str(json)))
    try:
        reports, shown = _compared(
            state,
            file,
            file.settings(state, min_users),
            asked | {"allow": tuple(allow or ())},
            users=users,
            metrics=metrics,
            held=held_out_in,
        )
    except PenchantError as error:
        raise in_options(error) from error
    if json == "-":
        emit(document(reports))
    else:
        show_reports(reports, shown)
    written = [] if json in (None, "-") else [Path(str(json))]
    if written:
        write(written[0], document(reports).encode())
    for number, (name, report) in enumerate(reports.items()):
        for target, make in ((html, report.html), (plot, lambda path, of=report: of.plot(path, shown[0]))):
            if target is not None:
                written.append(target if not number else target.with_stem(f"{target.stem}-{name}"))
                make(written[-1])
    if written and json != "-":
        say("written: " + ", ".join(map(str, written)))


def _compared(
    state: State,
    file: EventFile,
    settings: Settings,
    asked: dict[str, Any],
    *,
    users: Path | None,
    metrics: str | None,
    held: Path | None,
) -> tuple[dict[str, Report], list[str]]:
    """Return the reports of the store or of a file, and the metrics that tables show."""
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
    plan, shown, wanted = _metrics(metrics, settings, plan)
    if file.path is None:
        with Gate.open(settings, state.clock) as gate:
            return assess(gate, SYSTEM, settings, plan=plan, metrics=wanted, progress=progress), shown
    data, note = file.dataset(state, settings)
    plan = msgspec.structs.replace(plan, notes=(note,))
    if held is None:
        cuts: tuple[Split, ...] = cut(data, plan)
    else:
        other, more = file.dataset(state, settings, held)
        cuts = (given(data, other).allowing(*plan.allow),)
        plan = msgspec.structs.replace(plan, notes=(note, more))
    return compare(cuts, settings, plan, metrics=wanted, progress=progress), shown


def _metrics(said: str | None, settings: Settings, plan: Plan) -> tuple[Plan, list[str], tuple[str, ...]]:
    """Return the plan, whose task the metrics may settle, what tables show, and all that is measured."""
    from penchant.engine.assessing import measured
    from penchant.evaluation.calls import chosen_task
    from penchant.evaluation.sampled import SAMPLED

    if said is None:
        usual = measured(settings, plan)
        shown = [name for name in SHOWN if plan.negatives is None or name.partition("@")[0] in SAMPLED]
        shown = list(usual) if plan.task == "rating" else shown
    else:
        task, named = chosen_task(said.split(","), plan.task)
        plan = msgspec.structs.replace(plan, task="rating") if task == "rating" else plan
        usual, shown = measured(settings, plan), named or []
    of_sample = "" if plan.negatives is None else f" (sampled, {plan.negatives:,})"
    return plan, [f"{name}{of_sample}" for name in shown], tuple(dict.fromkeys((*usual, *shown)))


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
