"""What is counted and timed, for Prometheus. Labels are routes, kinds and names; never people or items."""

from __future__ import annotations

import os
from typing import Any, cast

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from penchant.engine.keeper import Swap

__all__ = ["Meters", "forget_process"]

_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"The variable that names the folder through which processes add up; the client reads it when it is imported."

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class Meters:
    """The counters of one app, in a registry of their own, so that two apps in one process do not mix.

    >>> meters = Meters()
    >>> meters.events(accepted=2, duplicates=1, rejected=0)
    >>> b'penchant_events_total{outcome="accepted"} 2.0' in meters.text()
    True
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry(auto_describe=True)
        self._requests = Counter(
            "penchant_http_requests", "Requests answered.", ["route", "method", "status"], registry=self.registry
        )
        self._seconds = Histogram(
            "penchant_http_request_seconds",
            "Seconds from a request to the last byte of its answer.",
            ["route", "method"],
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self._events = Counter(
            "penchant_events", "Events sent, by what became of them.", ["outcome"], registry=self.registry
        )
        self._slates = Counter("penchant_slates", "Slates answered.", ["placement", "policy"], registry=self.registry)
        self._swaps = Counter(
            "penchant_model_swaps", "Bundles promoted, by whether they were taken.", ["outcome"], registry=self.registry
        )
        for outcome in ("taken", "refused"):
            self._swaps.labels(outcome)
        for outcome in ("accepted", "duplicate", "rejected"):
            self._events.labels(outcome)

    def request(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count one request; ``route`` is the template, such as /v1/items/{id}."""
        self._requests.labels(route, method, str(status)).inc()
        self._seconds.labels(route, method).observe(seconds)

    def events(self, *, accepted: int, duplicates: int, rejected: int) -> None:
        """Count what became of the events of one request."""
        self._events.labels("accepted").inc(accepted)
        self._events.labels("duplicate").inc(duplicates)
        self._events.labels("rejected").inc(rejected)

    def slate(self, placement: str, policy: str) -> None:
        """Count one slate."""
        self._slates.labels(placement, policy).inc()

    def swap(self, swap: Swap) -> None:
        """Count one bundle that was promoted: taken into use, or refused."""
        self._swaps.labels("taken" if swap.taken else "refused").inc()

    def text(self) -> bytes:
        """Return everything in Prometheus' text format; of several processes on one socket, their sum."""
        if _FOLDER not in os.environ:
            return generate_latest(self.registry)
        registry, collector = CollectorRegistry(), cast("Any", MultiProcessCollector)
        collector(registry)
        return generate_latest(registry)


def forget_process(process: int | None) -> None:
    """Say that a process ended: what it counted stays counted, what it measured of itself is gone.

    >>> forget_process(0)
    """
    if _FOLDER in os.environ and process is not None:
        cast("Any", mark_process_dead)(process)
