"""``penchant store``: what the store is, the whole of it into another database, and old events out of it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from penchant.cli.shown import say, show, table
from penchant.cli.state import state_of

__all__ = ["APP", "copy", "info", "prune"]

APP = typer.Typer(help="Look at the store, copy it into another database, or remove old events.", rich_markup_mode=None)


@APP.callback(invoke_without_command=True)
def store(context: typer.Context) -> None:
    """Look at the store, copy it into another database, or remove old events."""
    if context.invoked_subcommand is None:
        say(context.get_help())


@APP.command()
def info(context: typer.Context) -> None:
    """Say which database it is, and how much it holds."""
    from penchant.trust.access import SYSTEM
    from penchant.trust.gate import Gate

    state = state_of(context)
    with Gate.open(state.settings(), state.clock) as gate:
        found = gate.about(SYSTEM)
    say(f"{found.place}")
    say(f"{found.database} {found.version}; commits: {found.commits}")
    made = table("table", "rows", right=("rows",))
    for name, rows in found.rows.items():
        made.add_row(name, f"{rows:,}")
    show(made)


@APP.command()
def prune(
    context: typer.Context,
    *,
    before: Annotated[
        datetime, typer.Option(metavar="DATE", formats=["%Y-%m-%d"], help="The first day that is kept, in UTC.")
    ],
) -> None:
    """Remove events of before a day, for good.

    Models forget them when they are trained again.
    """
    from penchant.trust.access import SYSTEM
    from penchant.trust.gate import Gate

    state = state_of(context)
    with Gate.open(state.settings(), state.clock) as gate:
        gone = gate.prune(SYSTEM, before)
    say(f"{gone:,} events of before {before:%Y-%m-%d} removed")
    if gone:
        state.remark("next: penchant train, for the models in charge still hold what they learnt of them")


@APP.command()
def copy(
    context: typer.Context,
    *,
    source: Annotated[str, typer.Argument(metavar="FROM", help="URL of the store to be copied.")],
    target: Annotated[str, typer.Argument(metavar="TO", help="URL of a new or empty database.")],
) -> None:
    """Copy a store into another database."""
    from penchant.trust.access import SYSTEM
    from penchant.trust.moving import copy_store

    state = state_of(context)
    copied = copy_store(SYSTEM, source, target, state.progress())
    made = table("table", "rows", "digest", right=("rows",))
    for each in copied:
        made.add_row(each.table, f"{each.rows:,}", each.digest)
    show(made)
    say(f"{sum(each.rows for each in copied):,} rows copied, and found to be the same on both sides")
    state.remark("next: set 'store' in penchant.toml to the new URL; what arrived since the copy began is not in it")
