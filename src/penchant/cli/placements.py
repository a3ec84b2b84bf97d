"""``penchant placements``: what slates bring."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from penchant.cli.shown import clean, emit, say, show, table
from penchant.cli.state import State, state_of
from penchant.core.clock import parse_duration, utc
from penchant.core.errors import InputError

if TYPE_CHECKING:
    from penchant.evaluation.interval import Effect, Inconclusive

__all__ = ["APP", "days", "export", "report"]

APP = typer.Typer(help="Tell what placements bring: clicks, purchases, revenue, coverage.", rich_markup_mode=None)

_Since = Annotated[str, typer.Option("--since", metavar="28d|DATE", help="Count what was shown from then on.")]
_Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]


@APP.callback(invoke_without_command=True)
def placements(context: typer.Context) -> None:
    """Tell what placements bring: clicks, purchases, revenue, coverage."""
    if context.invoked_subcommand is None:
        say(context.get_help())


@APP.command()
def report(context: typer.Context, *, since: _Since = "28d", json: _Json = False) -> None:
    """Show every placement's figures, with 95% intervals."""
    from penchant.engine.figures import figures
    from penchant.trust.access import SYSTEM

    state = state_of(context)
    with state.engine() as engine:
        found = figures(engine.gate, SYSTEM, _moment(state, since))
    if json:
        emit(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())
        return
    if not found:
        say("no slate was shown since then; next: ask for some, and see 'penchant placements report --since 365d'")
        return
    numbers = ("shown", "clicks", "ctr", "purchases", "conversion", "revenue", "per 1,000", "coverage")
    made = table("placement", *numbers, right=numbers)
    for each in found:
        made.add_row(
            clean(each.placement),
            f"{each.impressions:,}",
            f"{each.clicks:,}",
            _percent(each.ctr),
            f"{each.purchases:,}",
            _percent(each.conversion),
            f"{each.revenue:,.2f}",
            _amount(each.earned),
            "-" if each.coverage is None else f"{each.coverage:.1%}",
        )
    show(made)
    say("the unit of chance is the person, or else the slate; see docs/concepts/attribution.md")


@APP.command(name="days")
def days(context: typer.Context, *, since: _Since = "28d", json: _Json = False) -> None:
    """Show the same day by day (UTC), without intervals."""
    from penchant.trust.access import SYSTEM

    state = state_of(context)
    with state.engine() as engine:
        found = engine.gate.slates.days(SYSTEM, _moment(state, since))
    if json:
        emit(msgspec.json.format(msgspec.json.encode(found.to_dicts()), indent=2).decode())
        return
    numbers = ("shown", "clicks", "ctr", "purchases", "conversion", "revenue", "coverage")
    made = table("placement", "day", *numbers, right=numbers)
    for row in found.iter_rows(named=True):
        rates = [f"{row[name]:.2%}" for name in ("ctr", "conversion")]
        coverage = "-" if row["coverage"] is None else f"{row['coverage']:.1%}"
        counts = [f"{row[name]:,}" for name in ("impressions", "clicks", "purchases")]
        cells = (counts[0], counts[1], rates[0], counts[2], rates[1], f"{row['revenue']:,.2f}", coverage)
        made.add_row(clean(row["placement"]), row["day"], *cells)
    show(made)


@APP.command()
def export(
    context: typer.Context,
    *,
    path: Annotated[Path, typer.Argument(metavar="FILE", help="A .parquet or .csv file; replaced when it is there.")],
    placement: Annotated[str | None, typer.Option("--placement", "-p", help="This one only.")] = None,
    since: _Since = "28d",
) -> None:
    """Write what was shown and what came of it.

    A row is an item; pt.Logged reads it. No ids of people are in it.
    """
    from penchant.trust.access import SYSTEM

    if path.suffix not in (".parquet", ".csv"):
        raise InputError("the file has another form", got=path.name, allowed=".parquet, .csv", field="path")
    state = state_of(context)
    with state.engine() as engine:
        found = engine.gate.slates.outcomes(SYSTEM, _moment(state, since), placement)
    scratch = path.with_name(f".{path.name}.tmp")
    try:
        if path.suffix == ".csv":
            found.write_csv(scratch)
        else:
            found.write_parquet(scratch)
        scratch.replace(path)
    except OSError as error:
        raise InputError(
            "the file cannot be written", got=f"{path}: {error.strerror or error}", then="check the path and free space"
        ) from error
    finally:
        scratch.unlink(missing_ok=True)
    say(f"{path}: {found.height:,} items shown, in {found['slate'].n_unique():,} slates")


def _moment(state: State, since: str) -> datetime:
    """Return the moment that a span back from now, or a date, stands for."""
    try:
        return utc(datetime.fromisoformat(since)) if "-" in since else state.clock.now() - parse_duration(since)
    except (ValueError, InputError) as error:
        raise InputError(
            "since is no span of time and no date", got=since, allowed="such as 28d, 12h, 2026-11-01", field="since"
        ) from error


def _percent(found: Effect | Inconclusive) -> str:
    return _spelled(found, lambda value: f"{value:.2%}")


def _amount(found: Effect | Inconclusive) -> str:
    return _spelled(found, lambda value: f"{value:,.2f}")


def _spelled(found: Effect | Inconclusive, spell: Callable[[float], str]) -> str:
    from penchant.evaluation.interval import Effect

    if not isinstance(found, Effect):
        return spell(found.value)
    return f"{spell(found.value)} [{spell(found.low)}, {spell(found.high)}]"
