"""``penchant worker``: trains on a schedule, and promotes what is not worse."""

from __future__ import annotations

import logging
import signal
import threading
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from penchant.cli.shown import say
from penchant.cli.state import State, state_of

if TYPE_CHECKING:
    from penchant.engine.working import Round

__all__ = ["worker"]


class _Told(BaseException):
    """SIGTERM came: whatever is under way ends here, and leaves nothing half-done behind."""


def worker(
    context: typer.Context,
    *,
    once: Annotated[bool, typer.Option(help="Do one round now, and end; for cron.")] = False,
) -> None:
    """Train whenever it is time, compare with what is in charge, and promote what is not worse."""
    state = state_of(context)
    before = signal.signal(signal.SIGTERM, _stop)
    try:
        _work(state, once=once)
    except _Told:
        state.remark("stopped")
    finally:
        signal.signal(signal.SIGTERM, before)


def _work(state: State, *, once: bool) -> None:
    from penchant.engine.working import run_round, work
    from penchant.server.log import json_lines
    from penchant.trust.access import SYSTEM
    from penchant.trust.gate import Gate

    settings = state.settings()
    if lines := settings.observe.logs == "json":
        json_lines()
    tell = _log if lines else _tell
    with Gate.open(settings, state.clock) as gate:
        if not once:
            state.remark(f"trains every {settings.worker.every} (Ctrl-C stops)")
            work(gate, SYSTEM, settings, threading.Event(), tell, progress=state.progress())
            return
        done = run_round(gate, SYSTEM, settings, progress=state.progress())
        if done is None:
            say("another worker is training; nothing was done")
        else:
            tell(done)


def _tell(done: Round) -> None:
    word = "promoted" if done.promoted else "not promoted"
    how = ", ".join(f"{name} {way}" for name, way in done.how.items())
    say(f"{done.digest[:12]}: {word}; {done.why} ({how}; {done.seconds:.1f} s)")


def _log(done: Round) -> None:
    from penchant.server.log import log_line

    how = {f"how_{name}": way for name, way in done.how.items()}
    facts: dict[str, str | float] = {"digest": done.digest, "promoted": done.promoted, "why": done.why}
    log_line(logging.INFO, "round", **facts, seconds=round(done.seconds, 3), **how)


def _stop(number: int, _frame: FrameType | None) -> None:
    signal.signal(number, signal.SIG_IGN)  # told once is told
    raise _Told
