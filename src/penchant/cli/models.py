"""``penchant models``: which trained models there are, and which are in charge."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING, Annotated

import typer

from penchant.cli.shown import clean, emit, say, show, table
from penchant.cli.state import State, state_of
from penchant.core.errors import ArtifactDamaged

if TYPE_CHECKING:
    from penchant.engine.registry import Entry

__all__ = ["APP", "back", "check", "history", "listing", "promote"]

APP = typer.Typer(help="Show, promote, roll back and check trained models.", rich_markup_mode=None)


@APP.callback(invoke_without_command=True)
def models(context: typer.Context) -> None:
    """Show, promote, roll back and check trained models."""
    if context.invoked_subcommand is None:
        _list(state_of(context), as_json=False)


@APP.command(name="list")
def listing(
    context: typer.Context, *, json: Annotated[bool, typer.Option(help="Print them as JSON and nothing else.")] = False
) -> None:
    """Show every bundle, newest first; the one in charge has a star."""
    _list(state_of(context), as_json=json)


@APP.command()
def promote(
    context: typer.Context, *, digest: Annotated[str, typer.Argument(help="The beginning of a digest is enough.")]
) -> None:
    """Put a bundle in charge, once every byte of it was read."""
    from penchant.engine.registry import SHORT
    from penchant.engine.registry import promote as put
    from penchant.trust.access import SYSTEM
    from penchant.trust.gate import Gate

    state = state_of(context)
    settings = state.settings()
    with Gate.open(settings, state.clock) as gate:
        artifact = put(gate, SYSTEM, settings, digest, by=_who())
    say(f"{artifact.digest[:SHORT]}: in charge")
    state.remark("running servers take it up within two seconds; 'penchant models rollback' takes it back")


@APP.command(name="rollback")
def back(context: typer.Context) -> None:
    """Put the bundle before back in charge; again goes further."""
    from penchant.engine.registry import SHORT, rollback
    from penchant.trust.access import SYSTEM
    from penchant.trust.gate import Gate

    state = state_of(context)
    settings = state.settings()
    with Gate.open(settings, state.clock) as gate:
        gone, come = rollback(gate, SYSTEM, settings)
    say(f"{come[:SHORT]}: in charge, in place of {gone[:SHORT]}")


@APP.command()
def history(context: typer.Context) -> None:
    """Show what was in charge when, by whom and why."""
    from penchant.engine.registry import SHORT
    from penchant.trust.gate import Gate

    state = state_of(context)
    made = table("digest", "promoted", "by", "why", "rolled back")
    with Gate.open(state.settings(), state.clock) as gate:
        for each in gate.artifacts.promotions():
            undone = "-" if each.undone is None else f"{each.undone:%Y-%m-%d %H:%M}"
            made.add_row(each.digest[:SHORT], f"{each.at:%Y-%m-%d %H:%M}", clean(each.by), clean(each.why), undone)
    if made.row_count:
        show(made)
    else:
        say("nothing was ever in charge; next: penchant train")


@APP.command()
def check(
    context: typer.Context,
    *,
    digest: Annotated[str | None, typer.Argument(help="The beginning of a digest; all bundles when not said.")] = None,
) -> None:
    """Read every byte, and say which bundles are sound.

    It ends with status 1 when one is not.
    """
    from penchant.engine import registry
    from penchant.trust.gate import Gate

    state = state_of(context)
    settings = state.settings()
    faults = 0
    with Gate.open(settings, state.clock) as gate:
        asked = gate.artifacts.list() if digest is None else (registry.chosen(gate, digest),)
        for artifact in asked:
            found = registry.check(gate, settings, artifact)
            say(f"{artifact.digest[: registry.SHORT]}: {found.fault or 'sound'}")
            faults += bool(found.fault)
    if faults:
        raise ArtifactDamaged(
            "not every bundle is sound", got=f"{faults} of {len(asked)}", then="restore them from a backup, or train"
        )


def _list(state: State, *, as_json: bool) -> None:
    import msgspec

    from penchant.engine.registry import SHORT, entries
    from penchant.trust.gate import Gate

    settings = state.settings()
    with Gate.open(settings, state.clock) as gate:
        found = entries(gate, settings)
    if as_json:
        emit(msgspec.json.encode(found).decode())
        return
    made = table("", "digest", "created", "promoted", "by", "measured", "size", "forgetting", right=("size",))
    for entry in found:
        artifact, last = entry.artifact, entry.promotion
        made.add_row(
            "" if artifact.promoted is None else "*",
            artifact.digest[:SHORT],
            f"{artifact.created:%Y-%m-%d %H:%M}",
            "-" if last is None else f"{last.at:%Y-%m-%d %H:%M}" + (" (rolled back)" if last.undone else ""),
            "-" if last is None else clean(last.by),
            _measured(entry),
            f"{entry.size / (1 << 20):,.1f} MB",
            entry.forgetting or "unreadable",
        )
    if made.row_count:
        show(made)
    else:
        say("no models are trained; next: penchant train")


def _measured(entry: Entry) -> str:
    check = entry.artifact.metrics.get("check") or {}
    value = check.get("challenger")
    return "-" if value is None else f"{check['metric']} {value:.4f}"


def _who() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user without a name, as in some containers
        return "somebody"
