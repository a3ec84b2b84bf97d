"""``penchant demo``: real shopping patterns, from an empty folder to a shop page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from penchant.cli.reports import show_reports
from penchant.cli.shown import emit, say
from penchant.cli.state import state_of

__all__ = ["demo"]

HOST = "127.0.0.1"


def demo(
    context: typer.Context,
    *,
    once: Annotated[bool, typer.Option("--once", help="Do all but serve.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")] = False,
    folder: Annotated[Path, typer.Option(help="Where it lives; a former demonstration there is cleared.")] = Path(
        "penchant-demo"
    ),
    port: Annotated[int, typer.Option(min=1, max=65535, help="Where the shop page is served.")] = 8080,
) -> None:
    """Import demo data, train, compare, serve a shop page."""
    from penchant.engine.demo import run_demo

    state = state_of(context)
    if not once:
        from penchant.server.run import check_address

        check_address(HOST, port)
    with run_demo(folder, clock=state.clock, progress=state.progress()) as run:
        if json:
            emit(msgspec.json.format(msgspec.json.encode(run.document()), indent=2).decode())
        else:
            counts = run.counts
            state.remark(f"{counts.events:,} events of {counts.users:,} households, {counts.items:,} items\n")
            show_reports(run.reports)
        if once:
            return
        from penchant.server.demo import Demo
        from penchant.server.run import serve

        if not json:
            say(f"the shop page: http://{HOST}:{port} (Ctrl-C stops)")
        serve(run.engine, HOST, port, demo=Demo(run.actor, run.label))
