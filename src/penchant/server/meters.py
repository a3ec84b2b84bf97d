"""What is counted and timed, for Prometheus. Labels are routes, kinds and names; never people or items."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

from penchant.core.errors import PenchantError
from penchant.engine.answers import Answer
from penchant.engine.keeper import Swap
from penchant.engine.watching import Step

__all__ = ["Meters", "forget_process"]

_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"The variable that names the folder through which processes add up; the client reads it when it is imported."

Reading = float | Mapping[str, float] | None
"A number, or numbers by the value of a label; None when there is none now."

log = logging.getLogger(__name__)

_SHORT = (0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5)
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
        self._fallbacks = Counter(
            "penchant_fallbacks",
            "Slates that not the first step of their chain answered, by the step that did.",
            ["placement", "basis"],
            registry=self.registry,
        )
        self._stages = Histogram(
            "penchant_stage_seconds",
            "Seconds of one step of an answer, those of the steps within it among them.",
            ["stage"],
            buckets=_SHORT,
            registry=self.registry,
        )
        self._lines: dict[str, Histogram] = {}  # a dozen steps an answer, and to look one up takes as long as to count
        self._problems = Counter(
            "penchant_problems", "Errors answered, by their code.", ["code"], registry=self.registry
        )
        self._gauges = _Gauges()
        self.registry.register(self._gauges)
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

    def slate(self, answer: Answer) -> None:
        """Count one slate, and that it fell back when the first step of its chain did not answer."""
        self._slates.labels(answer.placement, answer.policy).inc()
        if answer.fallback:
            self._fallbacks.labels(answer.placement, answer.basis).inc()

    def swap(self, swap: Swap) -> None:
        """Count one bundle that was promoted: taken into use, or refused."""
        self._swaps.labels("taken" if swap.taken else "refused").inc()

    def step(self, step: Step, placement: str) -> None:
        """Time one step of an answer."""
        line = self._lines.get(step.stage)
        if line is None:
            line = self._lines[step.stage] = self._stages.labels(step.stage)
        line.observe(step.ms / 1000)

    def problem(self, code: str) -> None:
        """Count one error."""
        self._problems.labels(code).inc()

    def gauge(self, name: str, says: str, read: Callable[[], Reading], label: str = "") -> None:
        """Ask for a number, or for one of each value of a label, whenever somebody looks; None stands for none now.

        >>> meters = Meters()
        >>> meters.gauge("penchant_queue_depth", "What waits to be written.", lambda: {"events": 3}, "queue")
        >>> b'penchant_queue_depth{queue="events"} 3.0' in meters.text()
        True
        """
        self._gauges.add(name, says, read, label)

    def text(self) -> bytes:
        """Return everything in Prometheus' text format; of several processes on one socket, their sum."""
        if _FOLDER not in os.environ:
            return generate_latest(self.registry)
        registry, collector = CollectorRegistry(), cast("Any", MultiProcessCollector)
        collector(registry)
        registry.register(self._gauges)
        return generate_latest(registry)


class _Gauges(Collector):
    """Numbers that are asked for at each look."""

    def __init__(self) -> None:
        self._known: list[tuple[str, str, Callable[[], Reading], str]] = []

    def add(self, name: str, says: str, read: Callable[[], Reading], label: str) -> None:
        self._known.append((name, says, read, label))

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield those that can be had; one that cannot is absent, and the log says why."""
        for name, says, read, label in self._known:
            try:
                value = read()
            except PenchantError as error:
                log.warning("%s cannot be had: %s", name, error)
                continue
            if value is not None:
                yield _family(name, says, value, label)


def _family(name: str, says: str, value: float | Mapping[str, float], label: str) -> GaugeMetricFamily:
    if not isinstance(value, Mapping):
        return GaugeMetricFamily(name, says, value=value)
    family = GaugeMetricFamily(name, says, labels=[label])
    for of, number in value.items():
        family.add_metric([of], number)
    return family


def forget_process(process: int | None) -> None:
    """Say that a process ended: what it counted stays counted, what it measured of itself is gone.

    >>> forget_process(0)
    """
    if _FOLDER in os.environ and process is not None:
        cast("Any", mark_process_dead)(process)
