"""``penchant serve``: the HTTP server."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from penchant.cli.shown import warn
from penchant.cli.state import State, state_of
from penchant.core.errors import NotReady

if TYPE_CHECKING:
    from penchant.trust.gate import Gate

__all__ = ["serve"]


def serve(
    context: typer.Context,
    *,
    host: Annotated[str | None, typer.Option(help="The address; the settings' when not said.")] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="The port; the settings' when not said.")] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes; the settings' number when not said.")] = None,
) -> None:
    """Answer over HTTP until stopped."""
    state = state_of(context)
    settings = state.settings()
    where = (host or settings.server.host, port or settings.server.port)
    n = workers or settings.server.workers
    if n > 1:
        with _shared_counts():
            _serve_from(state, where, n)
        return
    from penchant.server.run import serve as run

    with state.engine() as engine:
        _check(state, engine.gate, where)
        engine.models.watch()
        for missing in engine.ready().missing:
            warn(missing)
        run(engine, *where)


def _serve_from(state: State, where: tuple[str, int], n: int) -> None:
    from penchant.server.workers import supervise
    from penchant.trust.gate import Gate

    with Gate.open(state.settings(), state.clock) as gate:  # closed before the processes are made
        _check(state, gate, where)
    supervise(state.settings, *where, n)


def _check(state: State, gate: Gate, where: tuple[str, int]) -> None:
    from penchant.server.run import is_loopback
    from penchant.trust.access import SYSTEM

    if all(key.revoked is not None for key in gate.keys.list(SYSTEM)):
        raise NotReady(
            "there is no key, so nobody could ask the server",
            then="penchant keys create --scope recommend:read --scope events:write",
        )
    if not is_loopback(where[0]):
        warn(f"{where[0]} reaches beyond this machine, and the server speaks plain HTTP; next: a proxy with TLS")
    state.remark(f"http://{where[0]}:{where[1]} (Ctrl-C stops)")


@contextmanager
def _shared_counts() -> Iterator[None]:
    """Give the processes a folder to add up their counts in; it has to be named before the server is imported."""
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        yield
        return
    with tempfile.TemporaryDirectory(prefix="penchant-metrics-") as folder:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        try:
            yield
        finally:
            del os.environ["PROMETHEUS_MULTIPROC_DIR"]
