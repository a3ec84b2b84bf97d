"""``penchant keys``: who may ask the server what."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from penchant.cli.faults import Misuse
from penchant.cli.shown import clean, say, show, table
from penchant.cli.state import state_of
from penchant.core.clock import parse_duration

if TYPE_CHECKING:
    from penchant.trust.keys import Key

__all__ = ["APP", "create", "listing", "revoke", "rotate"]

APP = typer.Typer(help="Create, list, rotate and revoke API keys.", rich_markup_mode=None)


@APP.callback(invoke_without_command=True)
def keys(context: typer.Context) -> None:
    """Create, list, rotate and revoke API keys."""
    if context.invoked_subcommand is None:
        say(context.get_help())


@APP.command()
def create(
    context: typer.Context,
    *,
    scope: Annotated[list[str] | None, typer.Option(help="What it allows, such as recommend:read; repeat it.")] = None,
    name: Annotated[str, typer.Option(help="Whose it is.")] = "unnamed",
    expires: Annotated[str | None, typer.Option(metavar="SPAN", help="How long it works, such as 90d.")] = None,
    rate: Annotated[str | None, typer.Option(metavar="RATE", help="Requests allowed, such as 600/m.")] = None,
    network: Annotated[
        list[str] | None, typer.Option(help="Where it may be used from, such as 10.0.0.0/8; repeat it.")
    ] = None,
    public: Annotated[
        bool, typer.Option("--public", help="For web pages: it opens a visitor's own session only.")
    ] = False,
) -> None:
    """Make a key; it is printed this once, and stored as a hash."""
    from penchant.trust.access import SYSTEM
    from penchant.trust.keys import Terms

    if not scope and not public:
        raise Misuse("a key needs a --scope, or --public")
    lasts = None if expires is None else parse_duration(expires, field="expires")
    terms = Terms(lasts, rate, tuple(network or ()), public)
    with state_of(context).engine() as engine:
        say(engine.gate.keys.create(SYSTEM, name, scope or (), terms))


@APP.command(name="list")
def listing(context: typer.Context) -> None:
    """Show every key, ended ones too; never what is secret of it."""
    from penchant.trust.access import SYSTEM

    made = table("id", "name", "scopes", "limits", "created", "ends")
    with state_of(context).engine() as engine:
        now = engine.clock.now()
        for key in engine.gate.keys.list(SYSTEM):
            scopes = "public" if key.public else " ".join(key.scopes)
            made.add_row(key.id, clean(key.name), scopes, _limits(key), _minute(key.created), _end(key, now))
    if made.row_count:
        show(made)
    else:
        say("there is no key; next: penchant keys create --scope recommend:read --scope events:write")


@APP.command()
def rotate(
    context: typer.Context,
    *,
    key: Annotated[str, typer.Argument(metavar="ID", help="As 'keys list' shows it.")],
    overlap: Annotated[
        str, typer.Option(metavar="SPAN", help="How long the old one goes on working; 0s for not at all.")
    ] = "24h",
) -> None:
    """Make a key that replaces another one; it is printed this once. The old one works until the overlap ends."""
    from datetime import timedelta

    from penchant.trust.access import SYSTEM

    span = timedelta(0) if overlap in ("0", "0s") else parse_duration(overlap, field="overlap")
    with state_of(context).engine() as engine:
        say(engine.gate.keys.rotate(SYSTEM, key, span))


@APP.command()
def revoke(
    context: typer.Context, *, key: Annotated[str, typer.Argument(metavar="ID", help="As 'keys list' shows it.")]
) -> None:
    """Make a key useless at once."""
    from penchant.trust.access import SYSTEM

    with state_of(context).engine() as engine:
        engine.gate.keys.revoke(SYSTEM, key)
    say(f"{key}: revoked")


def _minute(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"


def _limits(key: Key) -> str:
    rate = f"{key.rate} each address" if key.rate and key.public else key.rate
    return " ".join(each for each in (rate, *key.networks) if each) or "-"


def _end(key: Key, now: datetime) -> str:
    if key.revoked is not None:
        return f"revoked {_minute(key.revoked)}"
    if key.expires is None:
        return "-"
    return f"{'ends' if key.works(now) else 'ended'} {_minute(key.expires)}"
