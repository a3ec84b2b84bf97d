"""``penchant doctor``: what is wrong, and what to do about it."""

from __future__ import annotations

from typing import Annotated

import typer

from penchant.cli.shown import emit, say
from penchant.cli.state import state_of

__all__ = ["doctor"]


def doctor(
    context: typer.Context,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")] = False,
) -> None:
    """Look at settings, store, models, keys and what others reach, and say what to do."""
    import msgspec

    from penchant.engine.doctor import examine

    findings = examine(state_of(context).path)
    failed = any(finding.level == "fail" for finding in findings)
    if as_json:
        emit(msgspec.json.format(msgspec.json.encode({"ok": not failed, "findings": findings})).decode())
    for finding in () if as_json else findings:
        then = f"; next: {finding.then}" if finding.then and finding.then not in finding.what else ""
        say(f"{finding.level:4}  {finding.what}{then}")
    if failed:
        raise typer.Exit(1)
