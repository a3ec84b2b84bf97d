"""``penchant train``: from the events that may be learnt from to models that answer."""

from __future__ import annotations

import time

import typer

from penchant.cli.shown import say
from penchant.cli.state import state_of
from penchant.core.clock import parse_duration
from penchant.core.errors import NotReady

__all__ = ["train"]


def train(context: typer.Context) -> None:
    """Fit the models that placements ask, and put them in charge."""
    from penchant.engine.training import train as fit
    from penchant.engine.working import LEASE, holder
    from penchant.trust.access import SYSTEM
    from penchant.trust.gate import Gate

    state = state_of(context)
    settings = state.settings()
    began = time.perf_counter()
    span = parse_duration(settings.worker.lease)
    with Gate.open(settings, state.clock) as gate, gate.leases.held(LEASE, holder(), span) as held:
        if held is None:
            then = "wait until it is done; when it was killed, that takes a minute"
            raise NotReady("another process is training", got=gate.leases.get(LEASE).holder, then=then)
        bundle = fit(gate, SYSTEM, settings, progress=state.progress())
        held.done.set()
    facts = next(iter(bundle.scorers.values())).facts
    say(f"models   {', '.join(bundle.scorers)}")
    say(f"learnt   {facts['events']:,} events, {facts['users']:,} people, {facts['items']:,} items")
    say(f"seconds  {time.perf_counter() - began:.1f}")
    say(f"digest   {bundle.digest}")
    say(f"where    {bundle.path}")
    state.remark(
        "in charge from the next question on; next: penchant evaluate, penchant recommend USER, penchant serve"
    )
