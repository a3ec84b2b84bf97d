"""Traces for OpenTelemetry: a span for each request and one for every step of its answer; nobody's name in them."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from penchant.core.exposure import ObserveSettings
from penchant.version import __version__

__all__ = ["Traces", "traces_of"]

log = logging.getLogger(__name__)

_SDK = "opentelemetry.sdk.trace"
_EXPORTER = "opentelemetry.exporter.otlp.proto.http.trace_exporter"
_PROPAGATION = "opentelemetry.trace.propagation.tracecontext"
_FAILED = 500
_PATIENCE = 5  # seconds, all attempts together


def traces_of(observe: ObserveSettings) -> Traces | None:
    """Return what sends traces where the settings say; None when they say nothing, or OpenTelemetry is not installed.

    >>> traces_of(ObserveSettings()) is None
    True
    """
    if not observe.otlp:
        return None
    if find_spec("opentelemetry") is None or find_spec(_EXPORTER) is None:
        log.warning("no traces are sent: OpenTelemetry is not installed; next: pip install 'penchant[otel]'")
        return None
    return Traces(observe)


class Traces:
    """Makes spans and sends them in the background; when they cannot be sent, answers do not wait for it.

    Of an error only its code is noted: its text, and the places it went through, may quote what a person sent.

    >>> traces = Traces(ObserveSettings(otlp="http://127.0.0.1:9"))
    >>> traces.close()
    """

    def __init__(self, observe: ObserveSettings) -> None:
        sdk, exporter = import_module(_SDK), import_module(_EXPORTER)
        resource = import_module("opentelemetry.sdk.resources").Resource.create({"service.name": observe.service})
        self._provider = sdk.TracerProvider(resource=resource, shutdown_on_exit=False)
        sender = exporter.OTLPSpanExporter(endpoint=f"{observe.otlp.rstrip('/')}/v1/traces", timeout=_PATIENCE)
        self._provider.add_span_processor(import_module("opentelemetry.sdk.trace.export").BatchSpanProcessor(sender))
        self._tracer = self._provider.get_tracer("penchant", __version__)
        self._parent = import_module(_PROPAGATION).TraceContextTextMapPropagator()
        self._api = import_module("opentelemetry.trace")

    def span(self, name: str, attributes: dict[str, str | int]) -> AbstractContextManager[Any]:
        """Return a span within the one that is current; what happens inside is within it."""
        span: AbstractContextManager[Any] = self._tracer.start_as_current_span(
            name, attributes=attributes, record_exception=False, set_status_on_exception=False
        )
        return span

    @contextmanager
    def request(self, headers: dict[str, str], method: str, request_id: str) -> Iterator[Any]:
        """Yield the span of a request, within that of the caller who sent a traceparent."""
        with self._tracer.start_as_current_span(
            method,
            context=self._parent.extract(headers),
            kind=self._api.SpanKind.SERVER,
            attributes={"http.request.method": method, "penchant.request": request_id},
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            yield span

    def answered(self, span: Any, method: str, route: str, status: int) -> None:
        """Note how a request was answered; the name of its span becomes its method and its route."""
        span.update_name(f"{method} {route}")
        span.set_attribute("http.route", route)
        span.set_attribute("http.response.status_code", status)
        if status >= _FAILED:
            span.set_status(self._api.StatusCode.ERROR)

    def close(self) -> None:
        """Send what is left, for some seconds at most."""
        self._provider.shutdown()
