"""``penchant study``: two models side by side, judged by people."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from penchant.cli.shown import emit, people, say, show, table, warn
from penchant.cli.state import state_of
from penchant.core.errors import InputError

if TYPE_CHECKING:
    from penchant.evaluation.interval import Effect, Inconclusive

__all__ = ["APP", "close", "create", "erase", "export", "listing", "report"]

APP = typer.Typer(
    help="Show people the slates of two models side by side, and ask what they think.", rich_markup_mode=None
)

_Name = Annotated[str, typer.Argument(metavar="NAME", help="Of the study.")]


@APP.callback(invoke_without_command=True)
def study(context: typer.Context) -> None:
    """Show people the slates of two models side by side, and ask what they think."""
    if context.invoked_subcommand is None:
        say(context.get_help())


@APP.command()
def create(
    context: typer.Context,
    *,
    name: _Name,
    a: Annotated[str, typer.Option("--a", metavar="MODEL", help="The one model, as the settings name it.")],
    b: Annotated[str, typer.Option("--b", metavar="MODEL", help="The other.")],
    n: Annotated[int, typer.Option("--n", help="Items in a slate.")] = 5,
    places: Annotated[int, typer.Option(help="How many people may take part.")] = 1000,
    seed: Annotated[int, typer.Option(help="Of the order in which the slates are shown.")] = 0,
) -> None:
    """Make a study, whose page is open from now on."""
    from penchant.trust.access import SYSTEM

    with state_of(context).engine() as engine:
        made = engine.studies.create(SYSTEM, name, a, b, n=n, places=places, seed=seed)
        server = engine.settings.server
    say(f"{made.name}: {made.a} beside {made.b}, {made.n} items each, open to {people(made.places)}")
    say(f"next: penchant serve, and send people to http://{server.host}:{server.port}/study/{made.name}")


@APP.command(name="list")
def listing(context: typer.Context) -> None:
    """Show every study."""
    from penchant.trust.access import SYSTEM

    made = table("name", "a", "b", "taking part", "answered", "open", right=("taking part", "answered"))
    with state_of(context).engine() as engine:
        for found, joined, answered in engine.gate.studies.list(SYSTEM):
            opened = "yes" if found.open else "no"
            made.add_row(found.name, found.a, found.b, f"{joined:,}", f"{answered:,}", opened)
    if made.row_count:
        show(made)
    else:
        say("there is no study; next: penchant study create NAME --a MODEL --b MODEL")


@APP.command()
def report(
    context: typer.Context,
    *,
    name: _Name,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")] = False,
) -> None:
    """Say what participants prefer, and what of it is more than chance."""
    from penchant.engine.studied import study_findings
    from penchant.trust.access import SYSTEM

    with state_of(context).engine() as engine:
        found = study_findings(engine.gate, SYSTEM, name)
    if json:
        emit(found.json())
        return
    made = table("construct", found.a, found.b, "difference", "p", "verdict", right=(found.a, found.b, "p"))
    for line in found.lines if found.people else ():
        difference, p = _spelled(line.difference)
        made.add_row(line.construct, f"{line.a:.2f}", f"{line.b:.2f}", difference, p, line.verdict)
    if found.people:
        show(made)
    for sentence in found.sentences():
        (warn if sentence.startswith("warning: ") else say)(sentence.removeprefix("warning: "))


@APP.command()
def export(
    context: typer.Context,
    *,
    name: _Name,
    path: Annotated[Path, typer.Argument(metavar="PATH", help="A CSV file.")],
) -> None:
    """Write the answers as CSV, a row for each mark given."""
    from penchant.engine.studied import study_answers
    from penchant.trust.access import SYSTEM

    with state_of(context).engine() as engine:
        found = study_answers(engine.gate, SYSTEM, name)
    if not path.absolute().parent.is_dir():
        raise InputError("there is no such folder", got=str(path.parent), then="make it, or choose another path")
    found.write_csv(path)
    say(f"written: {path}, {people(found['participant'].n_unique())}, {found.height:,} rows")


@APP.command()
def close(context: typer.Context, *, name: _Name) -> None:
    """Let nobody else in; who is in can still answer or withdraw."""
    from penchant.trust.access import SYSTEM

    with state_of(context).engine() as engine:
        engine.gate.studies.close(SYSTEM, name)
    say(f"{name}: closed")


@APP.command()
def erase(
    context: typer.Context,
    *,
    token: Annotated[str, typer.Argument(metavar="TOKEN", help="The last part of the address of their page.")],
) -> None:
    """Delete everything that a participant said."""
    with state_of(context).engine() as engine:
        engine.gate.studies.withdraw(token)
    say("erased: everything this participant said")


def _spelled(difference: Effect | Inconclusive) -> tuple[str, str]:
    from penchant.evaluation.interval import Inconclusive

    if isinstance(difference, Inconclusive):
        return f"{difference.value:+.2f} ({difference.why})", "-"
    ends = f"{difference.value:+.2f} [{difference.low:+.2f}, {difference.high:+.2f}]"
    return ends, "-" if difference.p is None else f"{difference.p:.3f}"
