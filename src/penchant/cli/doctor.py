"""``penchant doctor``: what is wrong, and what to do about it."""

from __future__ import annotations

import typer

from penchant.cli.shown import say
from penchant.cli.state import state_of

__all__ = ["doctor"]


def doctor(context: typer.Context) -> None:
    """Look at settings, store, models and keys, and say what to do."""
    from penchant.engine.doctor import examine

    findings = examine(state_of(context).path)
    for finding in findings:
        then = f"; next: {finding.then}" if finding.then and finding.then not in finding.what else ""
        say(f"{finding.level:4}  {finding.what}{then}")
    if any(finding.level == "fail" for finding in findings):
        raise typer.Exit(1)
