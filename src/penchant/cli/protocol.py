"""The options that say how an evaluation is made."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from penchant.cli.faults import Misuse
from penchant.cli.state import State

if TYPE_CHECKING:
    from penchant.core.settings import Settings
    from penchant.engine.plans import Plan

__all__ = [
    "CUT",
    "Allow",
    "Baseline",
    "By",
    "Folds",
    "Gap",
    "HeldOut",
    "Models",
    "Negatives",
    "Protocol",
    "Seed",
    "Share",
    "Task",
    "Threshold",
    "Users",
    "Windows",
    "plan_of",
]

CUT = ("test", "windows", "folds", "share", "gap")
"The options of one protocol or another."

Protocol = Annotated[
    str | None,
    typer.Option(
        metavar="NAME", help="temporal, rolling, leave-last-out, random, k-fold, strong or sessions; see the settings."
    ),
]
Windows = Annotated[int | None, typer.Option(metavar="N", help="Of rolling: how many windows.")]
Folds = Annotated[int | None, typer.Option(metavar="N", help="Of k-fold: how many folds.")]
Share = Annotated[float | None, typer.Option(metavar="X", help="Of random and strong: what is held out.")]
Gap = Annotated[str | None, typer.Option(metavar="SPAN", help="Of sessions: what ends one, such as 30m.")]
Seed = Annotated[int, typer.Option(metavar="N", help="Of what is cut, fitted and resampled at random.")]
HeldOut = Annotated[
    Path | None,
    typer.Option("--held-out", metavar="PATH", help="A file of what to foresee; FILE is what is learnt from."),
]
Models = Annotated[str | None, typer.Option(metavar="A,B", help="These models only, of the settings or as they are.")]
Baseline = Annotated[
    str | None, typer.Option(metavar="NAME", help="The model the others are compared with; each task has its own.")
]
Task = Annotated[str | None, typer.Option(metavar="NAME", help="new, repeat, any or rating; each model its own.")]
By = Annotated[str | None, typer.Option(metavar="A,B", help="Slices, such as user.history,item.popularity,item.brand.")]
Users = Annotated[Path | None, typer.Option(metavar="PATH", help="A file with what is known of users, for --by.")]
Negatives = Annotated[
    int | None, typer.Option(metavar="N", help="Rank among so many sampled items, not all; labelled so.")
]
Allow = Annotated[list[str] | None, typer.Option(metavar="LEAK", help="Let a leak through by name; repeat it.")]
Threshold = Annotated[float | None, typer.Option(metavar="X", help="A rating above it is a like.")]


def plan_of(state: State, settings: Settings, users: Path | None, said: dict[str, Any]) -> Plan:
    """Return the plan of the settings and of what was said on the command line, which wins.

    >>> from penchant.core.settings import Settings
    >>> plan_of(State(), Settings(), None, {"protocol": "k-fold", "by": "user.history,item.cold", "folds": 3}).by
    ('user.history', 'item.cold')

    Args:
        state: brings the bars of progress.
        settings: what holds where nothing was said.
        users: a file of what is known of users.
        said: fields of a plan, None where nothing was said; lists as texts with commas.

    Raises:
        Misuse: an option is about another protocol.
        MissingColumn: the file of users lacks what is asked.
    """
    from penchant.engine.plans import USED, Plan

    lists = {name: tuple(filter(None, str(said[name]).split(","))) for name in ("by", "models") if said.get(name)}
    plan = Plan.of(settings.evaluation, **said | lists)
    for name in CUT:
        if said.get(name) is not None and name not in USED[plan.protocol]:
            of = ", ".join(protocol for protocol, used in USED.items() if name in used)
            raise Misuse(f"--{name} is about {of}; got --protocol {plan.protocol}")
    if users is None:
        return plan
    from msgspec.structs import replace

    return replace(plan, users=_table(state, users, plan.by))


def _table(state: State, path: Path, by: tuple[str, ...]) -> Any:
    """Return the columns of a file of users that are asked for."""
    from penchant.core.errors import MissingColumn
    from penchant.data.fields import ids
    from penchant.data.tables import read_columns

    asked = [name.removeprefix("user.") for name in by if name.startswith("user.")]
    asked = [name for name in asked if name not in ("history", "cold")]
    if not asked:
        raise Misuse("--users is for slices of users; got no --by user.<column>")
    try:
        table = read_columns(path, ["user", *asked], progress=state.progress())
    except MissingColumn as error:
        raise MissingColumn(
            error.what, got=error.got, allowed="a column user, and one for each --by user.<column>"
        ) from error
    return table.with_columns(ids(table["user"], "user").alias("user"))
