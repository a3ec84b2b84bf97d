"""What is counted and timed, for Prometheus. Labels are routes, kinds and names; never people or items."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

__all__ = ["Meters"]

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

    def text(self) -> bytes:
        """Return everything in Prometheus' text format."""
        return generate_latest(self.registry)
