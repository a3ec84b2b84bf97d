"""What those who watch are told: numbers, traces, how one answer came about; and nobody's name in any of it."""

from __future__ import annotations

import gzip
import io
import json
import logging
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import msgspec
import pytest
from litestar.testing import TestClient
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from penchant.core.clock import FixedClock
from penchant.core.errors import StoreError
from penchant.core.exposure import ObserveSettings
from penchant.engine.engine import Engine
from penchant.server import tracing
from penchant.server.app import create_app
from penchant.server.log import JsonLines
from penchant.server.run import running
from penchant.server.tracing import traces_of
from penchant.trust.access import SCOPES, SYSTEM

ASK = {"user": "900", "placement": "for-you", "n": 3}
NOTHING = {"user": "nobody-yet", "placement": "for-you", "n": 3}
"A question to which the models of the blend have no answer: nobody knows what this person did."

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def value(text: str, name: str) -> float:
    (found,) = re.findall(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
    return float(found)


def test_metrics_tell_of_stages_errors_and_fallbacks(client: TestClient[Any]) -> None:
    client.post("/v1/recommendations", json=ASK)
    client.post("/v1/recommendations", json=NOTHING)
    client.post("/v1/recommendations", json={"placement": "for-yuo"})
    client.get("/v1/nowhere")
    text = client.get("/metrics").text
    for stage in ("gate", "retrieve", "sift", "filter", "rank", "explain"):
        assert value(text, f'penchant_stage_seconds_count{{stage="{stage}"}}') >= 2
    assert value(text, 'penchant_stage_seconds_count{stage="blend"}') == 1
    assert value(text, 'penchant_fallbacks_total{basis="popular",placement="for-you"}') == 1
    assert value(text, 'penchant_problems_total{code="unknown_name"}') == 1
    assert value(text, 'penchant_problems_total{code="not_found"}') == 1
    assert value(text, 'penchant_http_requests_total{method="POST",route="/v1/recommendations",status="400"}') == 1


def test_metrics_tell_how_old_models_and_events_are(client: TestClient[Any], engine: Engine) -> None:
    text = client.get("/metrics").text
    assert value(text, "penchant_ready") == 1
    assert value(text, "penchant_model_age_seconds") == 0
    assert isinstance(engine.clock, FixedClock)
    engine.clock.advance(timedelta(hours=2))
    event = {"user": "900", "item": "1007", "kind": "view", "at": "2017-12-31T10:00:00Z"}
    assert value(client.get("/metrics").text, "penchant_newest_event_age_seconds") == 7200
    client.post("/v1/events", json=event)
    text = client.get("/metrics").text
    assert value(text, "penchant_newest_event_age_seconds") == 0
    assert value(text, "penchant_model_age_seconds") == 7200


def test_a_number_that_cannot_be_had_is_absent_and_the_others_are_told(
    client: TestClient[Any], engine: Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise StoreError("the disk is full")

    monkeypatch.setattr(engine.gate, "newest", fail)
    text = client.get("/metrics").text
    assert "penchant_newest_event_age_seconds" not in text
    assert value(text, "penchant_model_age_seconds") == 0
    assert "penchant_newest_event_age_seconds cannot be had: the disk is full" in caplog.text


def test_one_answer_is_explained_step_by_step(client: TestClient[Any]) -> None:
    plain = client.post("/v1/recommendations", json=ASK).json()
    told = client.post("/v1/debug/recommendations", json=ASK)
    assert told.status_code == 200
    found = told.json()
    assert [item["item"] for item in found["answer"]["items"]] == [item["item"] for item in plain["items"]]
    assert found["history"] == 8
    steps = [(step["stage"], step["detail"], step["depth"]) for step in found["steps"]]
    assert steps[:4] == [
        ("gate", "history", 0),
        ("retrieve", "ease", 1),
        ("retrieve", "popular", 1),
        ("blend", "", 0),
    ]
    assert [detail for stage, detail, _ in steps if stage == "filter"][:2] == ["seen", "disliked"]
    assert steps[-3:] == [("rank", "", 0), ("explain", "reasons", 0), ("explain", "words", 0)]
    by = {(step["stage"], step["detail"]): step for step in found["steps"]}
    assert by["retrieve", "popular"]["after"] == 18
    assert by["filter", "seen"]["before"] == 18 > by["filter", "seen"]["after"] == by["filter", "disliked"]["before"]
    assert by["rank", ""]["after"] == 4, "one more tells that there is more"
    assert by["explain", "words"]["after"] == 3
    outer = sum(step["ms"] for step in found["steps"] if step["depth"] == 0)
    assert 0 < outer <= found["ms"]


def test_a_fallback_is_told(client: TestClient[Any]) -> None:
    found = client.post("/v1/debug/recommendations", json=NOTHING).json()
    assert found["answer"]["fallback"][0] == {"step": "personal", "why": "no_history"}
    assert [step["detail"] for step in found["steps"] if step["stage"] == "retrieve"] == ["popular"]
    assert found["history"] == 0


def test_only_administrators_ask_how(engine: Engine) -> None:
    with TestClient(create_app(engine)) as client:
        key = engine.gate.keys.create(SYSTEM, "shop", set(SCOPES) - {"admin"})
        answer = client.post("/v1/debug/recommendations", json=ASK, headers={"Authorization": f"Bearer {key}"})
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


class Collector:
    """An OpenTelemetry collector that keeps what it gets."""

    def __init__(self) -> None:
        self.raw: list[bytes] = []
        kept = self.raw

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                if self.headers.get("content-encoding") == "gzip":
                    body = gzip.decompress(body)
                kept.append(body)
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def spans(self) -> list[Any]:
        found = []
        for body in self.raw:
            request = ExportTraceServiceRequest.FromString(body)
            found += [span for part in request.resource_spans for scope in part.scope_spans for span in scope.spans]
        return found

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def traced(engine: Engine, observe: ObserveSettings) -> Iterator[str]:
    settings = msgspec.structs.replace(engine.settings, observe=observe)
    with Engine.open(settings, engine.clock) as again, running(create_app(again)) as url:
        yield url


@pytest.fixture
def collector() -> Iterator[Collector]:
    collector = Collector()
    yield collector
    collector.close()


def test_a_trace_has_a_span_for_each_step_within_that_of_the_request(engine: Engine, collector: Collector) -> None:
    observe = ObserveSettings(otlp=collector.url, service="the-shop")
    key = engine.gate.keys.create(SYSTEM, "shop", ["admin"])
    headers = {"Authorization": f"Bearer {key}", "traceparent": PARENT, "X-Request-ID": "r-1"}
    with traced(engine, observe) as url, httpx.Client(base_url=url, headers=headers, timeout=60) as client:
        client.post("/v1/recommendations", json={**ASK, "context": {"page": "secret-page"}})
        client.get("/v1/users/u-private/history")
        client.post("/v1/recommendations", json={"user": "u-private", "placement": "u-private"})
    spans = collector.spans()
    roots = [span for span in spans if span.parent_span_id.hex() == PARENT.split("-")[2]]
    assert [span.name for span in roots].count("POST /v1/recommendations") == 2
    assert "GET /v1/users/{id}/history" in [span.name for span in roots]
    assert {span.trace_id.hex() for span in spans} == {PARENT.split("-")[1]}
    by_id = {span.span_id: span for span in spans}
    (gate,) = [span for span in spans if span.name == "gate history"]
    assert by_id[gate.parent_span_id].name == "POST /v1/recommendations"
    names = {span.name for span in spans}
    assert {
        "retrieve ease",
        "retrieve popular",
        "blend",
        "filter seen",
        "rank",
        "explain reasons",
        "explain words",
    } <= names
    (retrieve,) = [span for span in spans if span.name == "retrieve ease"]
    assert by_id[retrieve.parent_span_id].name == "blend"
    assert {pair.key for pair in retrieve.attributes} == {"penchant.placement", "penchant.before", "penchant.after"}
    raw = b"".join(collector.raw)
    assert b"the-shop" in raw
    for private in (b"u-private", b"900", b"1007", b"secret-page", b"127.0.0.1", key.encode()[3:], b"Bananas"):
        assert private not in raw


def test_a_collector_that_is_not_there_costs_no_answer(engine: Engine) -> None:
    observe = ObserveSettings(otlp="http://127.0.0.1:9")
    with traced(engine, observe) as url:
        assert httpx.get(f"{url}/healthz").status_code == 200


def test_without_opentelemetry_the_log_says_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(tracing, "find_spec", lambda name: None)
    assert traces_of(ObserveSettings(otlp="http://127.0.0.1:9")) is None
    assert "no traces are sent: OpenTelemetry is not installed; next: pip install 'penchant[otel]'" in caplog.text


def test_every_line_that_is_written_for_a_request_carries_its_id(
    client: TestClient[Any], engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise StoreError("the disk is full")

    monkeypatch.setattr(engine.gate, "newest", fail)
    lines = io.StringIO()
    handler = logging.StreamHandler(lines)
    handler.setFormatter(JsonLines())
    logging.getLogger("penchant").addHandler(handler)
    try:
        client.get("/metrics", headers={"X-Request-ID": "r-5"})
    finally:
        logging.getLogger("penchant").removeHandler(handler)
    (line,) = [json.loads(line) for line in lines.getvalue().splitlines()]
    assert (line["logger"], line["level"], line["request"]) == ("penchant.server.meters", "warning", "r-5")
