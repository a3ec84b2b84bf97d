"""A web page asks with a public key: for its own visitor, from its own origin, and nothing else."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from litestar.testing import TestClient

from penchant.core.exposure import AccessSettings
from penchant.engine.engine import Engine
from penchant.server.app import create_app
from penchant.server.examples import BODIES
from penchant.trust.access import SYSTEM
from penchant.trust.keys import Terms

ORIGIN = "https://shop.example"


@pytest.fixture
def engine(engine: Engine) -> Engine:
    settings = msgspec.structs.replace(engine.settings, access=AccessSettings(origins=(ORIGIN,)))
    return Engine.open(settings, engine.clock)


@pytest.fixture
def page(engine: Engine) -> Iterator[TestClient[Any]]:
    """A browser on a page of the shop."""
    with engine, TestClient(create_app(engine), raise_server_exceptions=False) as client:
        token = engine.gate.keys.create(SYSTEM, "pages", [], Terms(public=True))
        client.headers.update({"Authorization": f"Bearer {token}", "Origin": ORIGIN})
        yield client


def begin(page: TestClient[Any]) -> dict[str, str]:
    answer = page.post("/v1/session")
    assert answer.status_code == 201, answer.text
    return {"Penchant-Session": answer.json()["session"]}


def test_a_visitor_is_answered_from_what_they_did_a_moment_ago(page: TestClient[Any]) -> None:
    mine, other = begin(page), begin(page)
    sent = page.post("/v1/session/events", json=[{"item": "1007"}, {"item": "1014"}], headers=mine)
    assert (sent.status_code, sent.json()) == (202, {"accepted": 2, "duplicates": 0, "rejected": []})
    ask = {"placement": "for-you", "n": 3}
    slate = page.post("/v1/session/recommendations", json=ask, headers=mine).json()
    assert slate["policy"] == "session"
    evidence = {reason["evidence"] for item in slate["items"] for reason in item["reasons"]}
    assert evidence & {"1007", "1014"}
    assert page.post("/v1/session/recommendations", json=ask, headers=other).json()["policy"] == "non-profiling"
    similar = page.post("/v1/session/recommendations", json={"placement": "similar", "item": "1007"}, headers=mine)
    assert similar.json()["policy"] == "item"


def test_every_documented_example_can_be_sent(page: TestClient[Any]) -> None:
    mine = begin(page)
    sent = {path: page.post(path, json=body, headers=mine) for (_, path), body in BODIES.items() if "/session/" in path}
    assert {path: answer.status_code for path, answer in sent.items()} == {
        "/v1/session/events": 202,
        "/v1/session/recommendations": 200,
    }


def test_what_a_visitor_was_shown_and_did_is_joined(page: TestClient[Any], engine: Engine) -> None:
    mine = begin(page)
    slate = page.post("/v1/session/recommendations", json={"placement": "trending", "n": 2}, headers=mine).json()
    first, second = (each["item"] for each in slate["items"])
    sent = [{"item": first, "kind": "impression", "slate": slate["slate"]}]
    sent += [{"item": first, "kind": "click", "slate": slate["slate"]}]
    assert page.post("/v1/session/events", json=sent, headers=mine).json()["accepted"] == 2
    engine.slates.flush()
    found = engine.gate.slates.outcomes(SYSTEM, engine.clock.now() - timedelta(days=1))
    assert found.select("item", "position", "clicked").rows() == [(first, 1, 1), (second, 2, 0)]


def test_a_store_that_is_down_gives_visitors_what_is_popular(page: TestClient[Any], tmp_path: Path) -> None:
    mine, ask = begin(page), {"placement": "for-you", "n": 3}
    page.post("/v1/session/events", json={"item": "1007"}, headers=mine)
    assert page.post("/v1/session/recommendations", json=ask, headers=mine).json()["policy"] == "session"
    for path in tmp_path.glob("shop.db*"):
        path.unlink()
    answer = page.post("/v1/session/recommendations", json=ask, headers=mine)
    assert (answer.status_code, answer.json()["policy"]) == (200, "non-profiling")
    assert answer.json()["fallback"][0] == {"step": "session", "why": "store_down"}
    assert page.post("/v1/session/events", json={"item": "1007"}, headers=mine).status_code == 503
    assert page.post("/v1/recommendations", json=ask).status_code == 503


@pytest.mark.parametrize("name", ["user", "session", "at", "history"])
def test_there_is_no_room_for_anybody_elses_name(page: TestClient[Any], name: str) -> None:
    mine = begin(page)
    for path, body in (
        ("/v1/session/events", {"item": "1007", name: "900"}),
        ("/v1/session/recommendations", {"placement": "for-you", name: "900"}),
    ):
        answer = page.post(path, json=body, headers=mine)
        assert (answer.status_code, answer.json()["field"]) == (400, name)
        assert answer.json()["message"].startswith(f"unknown field; got {name}; allowed: ")


def test_a_public_key_opens_no_other_route(page: TestClient[Any]) -> None:
    for (method, path), body in BODIES.items():
        if "/session" not in path:
            answer = page.request(method, path.replace("{id}", "900"), json=body)
            assert (answer.status_code, answer.json()["code"]) == (403, "forbidden"), path
    for path in ("/v1/users/900/history", "/v1/items/1007/similar", "/metrics"):
        answer = page.get(path)
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden"), path
        assert "a public key is for the routes under /v1/session" in answer.json()["message"]


def test_the_session_must_be_ones_own(page: TestClient[Any], engine: Engine) -> None:
    mine = begin(page)["Penchant-Session"]
    for wrong in ({}, {"Penchant-Session": mine[:-2]}, {"Penchant-Session": "900"}):
        for path, body in (("events", {"item": "1007"}), ("recommendations", {"placement": "for-you"})):
            answer = page.post(f"/v1/session/{path}", json=body, headers=wrong)
            assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
    twice = [*page.headers.items(), ("Penchant-Session", mine), ("Penchant-Session", mine)]
    answer = page.post("/v1/session/recommendations", json={"placement": "for-you"}, headers=twice)
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
    users = engine.gate.counts(SYSTEM).users
    assert users == 40, "nothing was stored for anybody but the shop's own"


def test_pages_of_other_origins_are_refused(page: TestClient[Any]) -> None:
    for origin in ("https://evil.example", "null", "https://shop.example:444", ""):
        answer = page.post("/v1/session", headers={"Origin": origin})
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
        assert "access-control-allow-origin" not in answer.headers
        assert answer.headers["vary"] == "origin"


def test_a_browser_may_ask_whether_it_may_ask(page: TestClient[Any]) -> None:
    asks = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    del page.headers["Authorization"]
    answer = page.options("/v1/session/events", headers=asks)
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert "POST" in answer.headers["access-control-allow-methods"]
    assert "penchant-session" in answer.headers["access-control-allow-headers"]
    assert "access-control-allow-credentials" not in answer.headers
    assert answer.headers.get_list("vary") == ["origin"]
    refused = page.options("/v1/session/events", headers={**asks, "Origin": "https://evil.example"})
    assert refused.status_code == 403
    assert not [name for name in refused.headers if name.startswith("access-control")]


def test_errors_too_can_be_read_by_the_page(page: TestClient[Any]) -> None:
    answer = page.post("/v1/session/events", json={"item": "1007"})
    assert answer.status_code == 401
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert "x-request-id" in answer.headers["access-control-expose-headers"]


def test_a_page_that_asks_too_often_is_told_when_to_ask_again(page: TestClient[Any], engine: Engine) -> None:
    token = engine.gate.keys.create(SYSTEM, "pages", [], Terms(rate="2/d", public=True))
    asked = [page.post("/v1/session", headers={"Authorization": f"Bearer {token}"}) for _ in range(3)]
    assert [answer.status_code for answer in asked] == [201, 201, 429]
    assert asked[2].json()["code"] == "rate_limited"
    assert 43_000 < int(asked[2].headers["retry-after"]) <= 43_200


def test_too_many_and_too_large_is_refused_and_leaves_nothing(page: TestClient[Any], engine: Engine) -> None:
    mine, before = begin(page), engine.gate.counts(SYSTEM)
    many = page.post("/v1/session/events", json=[{"item": "1007"}] * 101, headers=mine)
    large = page.post("/v1/session/events", json=[{"item": "x" * 70_000}], headers=mine)
    assert [many.status_code, large.status_code] == [413, 413]
    assert engine.gate.counts(SYSTEM) == before


def test_logs_hold_nothing_of_the_visitor(page: TestClient[Any], caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        mine = begin(page)
        page.post("/v1/session/events", json=[{"item": "1007"}], headers=mine)
        page.post("/v1/session/recommendations", json={"placement": "for-you"}, headers=mine)
    told = caplog.text + json.dumps([record.__dict__ for record in caplog.records], default=str)
    for secret in (mine["Penchant-Session"], mine["Penchant-Session"].split(".")[1], page.headers["Authorization"][7:]):
        assert secret not in told
