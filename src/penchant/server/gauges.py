"""Numbers that say how a deployment is: how old its models are, how fresh its events, whether it can answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penchant.core.clock import utc
from penchant.server.meters import Meters
from penchant.trust.access import SYSTEM

if TYPE_CHECKING:
    from datetime import datetime

    from penchant.engine.engine import Engine

__all__ = ["watch_over"]


def watch_over(engine: Engine, meters: Meters) -> None:
    """Have an engine's steps counted, and its condition told to whoever looks.

    >>> from penchant.core.nouns import Filters
    >>> from penchant.engine.answers import Ask
    >>> from penchant.testing import shop
    >>> with shop() as engine:
    ...     watch_over(engine, meters := Meters())
    ...     _ = engine.recommend(SYSTEM, Ask(placement="for-you", filters=Filters(categories=("none",))))
    ...     text = meters.text().decode()
    >>> [name in text for name in ("penchant_ready 1.0", 'penchant_stage_seconds_count{stage="sift"} 1.0')]
    [True, True]
    >>> [line for line in text.splitlines() if line.startswith("penchant_queue_depth")]
    ['penchant_queue_depth{queue="events"} 0.0', 'penchant_queue_depth{queue="slates"} 1.0']
    """

    def age(at: datetime | None) -> float | None:
        return None if at is None else (utc(engine.clock.now()) - utc(at)).total_seconds()

    def model_age() -> float | None:
        promoted = engine.gate.artifacts.promoted()
        return None if promoted is None else age(promoted.created)

    engine.watching.listen(meters.step)
    meters.gauge("penchant_ready", "1 when every placement can be answered.", lambda: float(engine.ready().ready))
    meters.gauge("penchant_model_age_seconds", "Seconds since the models in charge were trained.", model_age)
    meters.gauge(
        "penchant_queue_depth",
        "What waits to be written, in this process: events, and slates for the log.",
        lambda: {"events": engine.gate.waiting(SYSTEM), "slates": engine.slates.waiting},
        label="queue",
    )
    meters.gauge(
        "penchant_newest_event_age_seconds",
        "Seconds since the last event was admitted.",
        lambda: age(engine.gate.newest(SYSTEM)),
    )
