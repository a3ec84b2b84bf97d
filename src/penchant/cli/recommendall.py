"""``penchant recommend-all``: slates for everybody who agreed, in one file, for a mail."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from penchant.cli.faults import in_options
from penchant.cli.shown import people, say, warn
from penchant.cli.state import state_of
from penchant.core.errors import InputError, PenchantError

__all__ = ["recommend_all"]


def recommend_all(
    context: typer.Context,
    *,
    to: Annotated[Path, typer.Option("--to", metavar="FILE.parquet", help="Where; replaced when it is there.")],
    placement: Annotated[str, typer.Option("--placement", "-p", help="Which placement answers.")] = "for-you",
    n: Annotated[int, typer.Option("-n", "--n", help="How many items each.")] = 10,
    category: Annotated[list[str] | None, typer.Option(help="Keep these categories; repeat it.")] = None,
    exclude_category: Annotated[list[str] | None, typer.Option(help="Leave these out; repeat it.")] = None,
    price_min: Annotated[float | None, typer.Option(help="Keep what costs at least this.")] = None,
    price_max: Annotated[float | None, typer.Option(help="Keep what costs at most this.")] = None,
    exclude: Annotated[list[str] | None, typer.Option(metavar="ID", help="Leave these out; repeat it.")] = None,
    experiment: Annotated[str | None, typer.Option(metavar="NAME", help="What the slates belong to.")] = None,
) -> None:
    """Answer for everybody who agreed to personalization, into one Parquet file with reasons and slate ids."""
    from penchant.core.nouns import Filters
    from penchant.engine.everyone import Mailing
    from penchant.trust.access import SYSTEM

    if to.suffix != ".parquet":
        raise InputError("the file has another form", got=to.name, allowed=".parquet", field="to")
    filters = Filters(
        categories=tuple(category or ()),
        exclude_categories=tuple(exclude_category or ()),
        price_min=price_min,
        price_max=price_max,
        exclude=tuple(exclude or ()),
    )
    mailing = Mailing(placement=placement, n=n, filters=filters, experiment=experiment)
    state = state_of(context)
    with state.engine() as engine:
        try:
            done = engine.recommend_everyone(SYSTEM, mailing, to, state.progress())
        except PenchantError as error:
            raise in_options(error) from error
    say(f"{to}: {done.rows:,} rows, slates for {people(done.people)}")
    if done.empty:
        say(f"nothing was found for {people(done.empty)}, who are not in the file")
    if not done.people and not done.empty:
        warn("nobody has agreed to personalization; next: penchant consent grant USER --basis TEXT")
