"""``penchant keys``: who may ask the server what."""

from __future__ import annotations

from typing import Annotated

import typer

from penchant.cli.shown import clean, say, show, table
from penchant.cli.state import state_of

__all__ = ["APP", "create", "listing", "revoke"]

APP = typer.Typer(help="Create, list and revoke API keys.", rich_markup_mode=None)


@APP.callback(invoke_without_command=True)
def keys(context: typer.Context) -> None:
    """Create, list and revoke API keys."""
    if context.invoked_subcommand is None:
        say(context.get_help())


@APP.command()
def create(
    context: typer.Context,
    *,
    scope: Annotated[list[str], typer.Option(help="What it allows, such as recommend:read; repeat it.")],
    name: Annotated[str, typer.Option(help="Whose it is.")] = "unnamed",
) -> None:
    """Make a key; it is printed this once, and stored as a hash."""
    from penchant.trust.access import SYSTEM

    with state_of(context).engine() as engine:
        say(engine.gate.keys.create(SYSTEM, name, scope))


@APP.command(name="list")
def listing(context: typer.Context) -> None:
    """Show every key, the revoked ones too; never what is secret of it."""
    from penchant.trust.access import SYSTEM

    made = table("id", "name", "scopes", "created", "revoked")
    with state_of(context).engine() as engine:
        for key in engine.gate.keys.list(SYSTEM):
            revoked = "-" if key.revoked is None else f"{key.revoked:%Y-%m-%d %H:%M}"
            made.add_row(key.id, clean(key.name), " ".join(key.scopes), f"{key.created:%Y-%m-%d %H:%M}", revoked)
    if made.row_count:
        show(made)
    else:
        say("there is no key; next: penchant keys create --scope recommend:read --scope events:write")


@APP.command()
def revoke(
    context: typer.Context, *, key: Annotated[str, typer.Argument(metavar="ID", help="As 'keys list' shows it.")]
) -> None:
    """Make a key useless at once."""
    from penchant.trust.access import SYSTEM

    with state_of(context).engine() as engine:
        engine.gate.keys.revoke(SYSTEM, key)
    say(f"{key}: revoked")
