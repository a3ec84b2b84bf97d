"""``penchant consent``: what people agreed to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from penchant.cli.faults import Misuse
from penchant.cli.shown import clean, people, say, show, table
from penchant.cli.state import state_of

if TYPE_CHECKING:
    from penchant.engine.engine import Engine

__all__ = ["APP", "grant", "status", "withdraw"]

APP = typer.Typer(help="Record and show what people agreed to.", rich_markup_mode=None)

_Users = Annotated[list[str] | None, typer.Argument(metavar="[USER]...", help="Whose answer it is.")]
_All = Annotated[bool, typer.Option("--all", help="Of all who have events; nobody's no is overruled.")]
_Purposes = Annotated[list[str] | None, typer.Option(help="train or personalize; both when not said; repeat it.")]


@APP.callback(invoke_without_command=True)
def consent(context: typer.Context) -> None:
    """Record and show what people agreed to."""
    if context.invoked_subcommand is None:
        say(context.get_help())


@APP.command()
def grant(
    context: typer.Context,
    *,
    users: _Users = None,
    basis: Annotated[str, typer.Option(metavar="TEXT", help="How it is known, such as: checkout form, 2026-05.")],
    everybody: _All = False,
    purpose: _Purposes = None,
) -> None:
    """Record that people said yes."""
    from penchant.trust.access import SYSTEM

    with state_of(context).engine() as engine:
        whose = _people(engine, users, everybody=everybody)
        purposes = _purposes(purpose)
        consent = engine.gate.consent
        kept = consent.grant_unasked(SYSTEM, whose, purposes, basis=basis) if everybody else 0
        count = len(whose) - kept if everybody else consent.grant(SYSTEM, whose, purposes, basis=basis)
    say(f"{people(count)} agreed to {' and '.join(purposes)}")
    if kept:
        say(f"{people(kept)} said no before, and that stays; to change it, name them")


@APP.command()
def withdraw(
    context: typer.Context,
    *,
    users: _Users = None,
    basis: Annotated[str, typer.Option(metavar="TEXT", help="How it is known.")] = "withdrawn",
    everybody: _All = False,
    purpose: _Purposes = None,
) -> None:
    """Record that people said no."""
    from penchant.trust.access import SYSTEM

    with state_of(context).engine() as engine:
        whose = _people(engine, users, everybody=everybody)
        purposes = _purposes(purpose)
        count = engine.gate.consent.withdraw(SYSTEM, whose, purposes, basis=basis)
    say(f"{people(count)} withdrew from {' and '.join(purposes)}")
    if "train" in purposes:
        say("models in charge were trained before; next: penchant train")


@APP.command(name="show")
def status(
    context: typer.Context, *, user: Annotated[str, typer.Argument(metavar="USER", help="Whose answers.")]
) -> None:
    """Show what a person agreed to, and how that is known."""
    from penchant.trust.access import SYSTEM

    made = table("purpose", "granted", "basis", "since")
    with state_of(context).engine() as engine:
        for state in engine.gate.consent.state(SYSTEM, user):
            since = "never asked" if state.at is None else f"{state.at:%Y-%m-%d %H:%M}"
            made.add_row(state.purpose, "yes" if state.granted else "no", clean(state.basis), since)
    show(made)


def _people(engine: Engine, users: Sequence[str] | None, *, everybody: bool) -> Sequence[str]:
    from penchant.trust.access import SYSTEM

    if bool(users) == everybody:
        raise Misuse(f"name users or say --all; got {'both' if users else 'neither'}")
    return users or engine.users(SYSTEM, engine.gate.counts(SYSTEM).users)


def _purposes(named: Sequence[str] | None) -> list[str]:
    from penchant.trust.purpose import Purpose

    return list(dict.fromkeys(named)) if named else [each.value for each in Purpose if each.asked]
