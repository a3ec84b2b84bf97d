"""``penchant serve``: the HTTP server."""

from __future__ import annotations

from typing import Annotated

import typer

from penchant.cli.shown import warn
from penchant.cli.state import state_of
from penchant.core.errors import NotReady

__all__ = ["serve"]


def serve(
    context: typer.Context,
    *,
    host: Annotated[str | None, typer.Option(help="The address; the settings' when not said.")] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="The port; the settings' when not said.")] = None,
) -> None:
    """Answer over HTTP until stopped."""
    from penchant.server.log import json_lines
    from penchant.server.run import is_loopback
    from penchant.server.run import serve as run
    from penchant.trust.access import SYSTEM

    state = state_of(context)
    with state.engine() as engine:
        where = (host or engine.settings.server.host, port or engine.settings.server.port)
        if not any(key.works(engine.clock.now()) for key in engine.gate.keys.list(SYSTEM)):
            raise NotReady(
                "there is no key, so nobody could ask the server",
                then="penchant keys create --scope recommend:read --scope events:write",
            )
        for missing in engine.ready().missing:
            warn(missing)
        if engine.settings.observe.logs == "json":
            json_lines()
        tls = engine.settings.tls.on
        if not is_loopback(where[0]) and not tls and not engine.settings.server.trusted_proxies:
            warn(f"{where[0]} reaches beyond this machine, and the server speaks plain HTTP; next: a proxy with TLS")
        state.remark(f"{'https' if tls else 'http'}://{where[0]}:{where[1]} (Ctrl-C stops)")
        run(engine, *where)
