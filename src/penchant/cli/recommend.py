"""``penchant recommend``: one slate, with its reasons and its basis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from penchant.cli.faults import in_options
from penchant.cli.shown import clean, emit, say, show, table, warn
from penchant.cli.state import state_of
from penchant.core.errors import PenchantError

if TYPE_CHECKING:
    from penchant.engine.answers import Answer, SessionEvent
    from penchant.engine.engine import Engine

__all__ = ["recommend"]


def recommend(
    context: typer.Context,
    *,
    user: Annotated[str | None, typer.Argument(metavar="[USER]", help="Whose history is asked.")] = None,
    placement: Annotated[str, typer.Option("--placement", "-p", help="Which placement answers.")] = "for-you",
    n: Annotated[int, typer.Option("-n", "--n", help="How many items.")] = 10,
    item: Annotated[str | None, typer.Option(metavar="ID", help="The item on the page, as similar needs.")] = None,
    session: Annotated[str | None, typer.Option(metavar="ID,ID", help="Items an unknown visitor viewed.")] = None,
    category: Annotated[list[str] | None, typer.Option(help="Keep these categories; repeat it.")] = None,
    exclude_category: Annotated[list[str] | None, typer.Option(help="Leave these out; repeat it.")] = None,
    price_min: Annotated[float | None, typer.Option(help="Keep what costs at least this.")] = None,
    price_max: Annotated[float | None, typer.Option(help="Keep what costs at most this.")] = None,
    include: Annotated[list[str] | None, typer.Option(metavar="ID", help="Keep only these; repeat it.")] = None,
    exclude: Annotated[list[str] | None, typer.Option(metavar="ID", help="Leave these out; repeat it.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the answer as JSON and nothing else.")] = False,
) -> None:
    """Answer one question, with the reasons behind every item."""
    from penchant.core.nouns import Filters
    from penchant.engine.answers import Ask
    from penchant.trust.access import SYSTEM

    state = state_of(context)
    filters = Filters(
        categories=tuple(category or ()),
        exclude_categories=tuple(exclude_category or ()),
        price_min=price_min,
        price_max=price_max,
        include=tuple(include or ()),
        exclude=tuple(exclude or ()),
    )
    visit = None if session is None else _visit(session)
    ask = Ask(placement=placement, user=user, session=visit, item=item, n=n, filters=filters)
    with state.engine() as engine:
        try:
            answer = engine.recommend(SYSTEM, ask, shown=False)
        except PenchantError as error:
            raise in_options(error) from error
        if json:
            emit(msgspec.json.format(msgspec.json.encode(answer), indent=2).decode())
            return
        _show(answer)
        if user is not None and answer.items and answer.policy == "non-profiling":
            warn(_why_nobody(engine, user))


def _visit(items: str) -> tuple[SessionEvent, ...]:
    from penchant.engine.answers import SessionEvent

    return tuple(SessionEvent(item) for item in items.split(",") if item)


def _show(answer: Answer) -> None:
    if answer.items:
        made = table("#", "item", "title", "score", "because", right=("#", "score"))
        for ranked in answer.items:
            because = "\n".join(f"{reason.weight:+.4f}  {reason.text}" for reason in ranked.reasons)
            made.add_row(
                str(ranked.rank), clean(ranked.item), clean(ranked.title), f"{ranked.score:.4f}", clean(because)
            )
        show(made)
    else:
        say("no item is left: nothing that may be shown passes the filters")
    for fall in answer.fallback:
        say(f"passed over: {fall.step}, {fall.why}")
    basis = f"{answer.placement}, {answer.policy}, by {answer.model.name or 'no model'} {answer.model.digest[:12]}"
    say(f"basis: {basis}, slate {answer.slate}")


def _why_nobody(engine: Engine, user: str) -> str:
    from penchant.trust.purpose import Purpose

    if engine.gate.permits(Purpose.PERSONALIZE, user):
        return f"these models can say nothing from the history of {user}, so the answer is the one for everybody"
    return (
        f"{user} has not agreed to personalization, so the answer is the one for everybody; "
        f"next: penchant consent grant {user} --basis TEXT"
    )
