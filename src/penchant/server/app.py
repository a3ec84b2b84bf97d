"""Puts the app together: routes, errors, description, edge."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from litestar import Litestar, Router
from litestar.datastructures import State
from litestar.exceptions import HTTPException

from penchant.core.errors import PenchantError
from penchant.server import asking, debug, health, routes, visits
from penchant.server.demo import Demo
from penchant.server.door import WAITING, Door
from penchant.server.edge import Edge
from penchant.server.errors import answer_error
from penchant.server.gauges import watch_over
from penchant.server.meters import Meters
from penchant.server.openapi import CONFIG
from penchant.server.pages import shop_routers
from penchant.server.shop import Shop
from penchant.server.study import study_router
from penchant.server.tracing import traces_of

if TYPE_CHECKING:
    from penchant.engine.engine import Engine

__all__ = ["create_app"]


def create_app(engine: Engine, *, demo: Demo | None = None) -> Litestar:
    """Return the ASGI app over an engine, with the shop page when there is a ``demo``; the caller closes the engine.

    >>> from litestar.testing import TestClient
    >>> from penchant.testing import shop
    >>> from penchant.trust.access import SYSTEM
    >>> with shop() as engine, TestClient(create_app(engine)) as client:
    ...     key = engine.gate.keys.create(SYSTEM, "the shop's pages", ["recommend:read"])
    ...     client.headers["Authorization"] = f"Bearer {key}"
    ...     answer = client.post("/v1/recommendations", json={"placement": "for-you", "user": "ann", "n": 1}).json()
    >>> answer["policy"], answer["items"][0]["title"]
    ('personalized', 'Sencha')
    """
    door, traces = Door(engine, Meters()), traces_of(engine.settings.observe)
    watch_over(engine, door.meters)
    engine.watching.trace(traces.span if traces else None)

    def count() -> None:
        engine.models.listen(door.meters.swap)

    def hire() -> None:
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(WAITING, "penchant-http"))

    state = State({"door": door})
    pages: list[Router] = []
    if demo is not None:
        state["shop"] = Shop(engine, demo)
        pages = shop_routers()
    app = Litestar(
        route_handlers=[
            *(*routes.ROUTES, *asking.ROUTES, *visits.ROUTES, *debug.ROUTES, *health.ROUTES),
            *(study_router(), *pages),
        ],
        exception_handlers={PenchantError: answer_error, HTTPException: answer_error, Exception: answer_error},
        state=state,
        on_startup=[count, hire],
        openapi_config=CONFIG,
        request_max_body_size=engine.settings.server.max_body,
        on_shutdown=[traces.close] if traces else [],
        logging_config=None,
        debug=False,
    )
    app.asgi_handler = Edge(app.asgi_handler, door.meters, engine.settings, traces)
    return app
