"""The API does what it says, end to end over a real store."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient
from prometheus_client import CONTENT_TYPE_LATEST

from penchant.server.examples import BODIES
from penchant.trust.access import SYSTEM

EVENT = {"user": "900", "item": "1007", "kind": "purchase", "at": "2017-12-31T10:00:00Z", "id": "order-1/line-1"}


def test_an_event_is_accepted_once_and_part_of_the_next_answer(client: TestClient) -> None:
    assert client.get("/v1/users/new/history").json()["events"] == []
    event = {**EVENT, "user": "new"}
    answer = client.post("/v1/events", json=event)
    assert answer.status_code == 202
    assert answer.json() == {"accepted": 1, "duplicates": 0, "rejected": []}
    assert client.post("/v1/events", json=event).json() == {"accepted": 0, "duplicates": 1, "rejected": []}
    (known,) = client.get("/v1/users/new/history").json()["events"]
    assert known == {
        "item": "1007",
        "title": "Bananas",
        "kind": "purchase",
        "at": "2017-12-31T10:00:00Z",
        "value": 1.0,
    }
    slate = client.post("/v1/recommendations", json={"user": "new", "placement": "for-you", "n": 3}).json()
    assert slate["policy"] == "personalized"
    evidence = {reason["evidence"] for item in slate["items"] for reason in item["reasons"]}
    assert "1007" in evidence


def test_what_cannot_be_true_is_rejected_by_index_and_the_rest_is_kept(client: TestClient) -> None:
    sent = [{**EVENT, "id": "a"}, {**EVENT, "user": ""}, {**EVENT, "at": "9999-01-01T00:00:00Z"}, {**EVENT, "id": "b"}]
    got = client.post("/v1/events", json=sent).json()
    assert (got["accepted"], got["duplicates"]) == (2, 0)
    assert [(each["index"], each["code"]) for each in got["rejected"]] == [(1, "bad_id"), (2, "bad_time")]
    assert got["rejected"][0]["message"].startswith("user is empty; allowed: text of 1 to 512 characters")


def test_a_wrong_shape_anywhere_writes_nothing(client: TestClient) -> None:
    sent = [{**EVENT, "user": "half", "id": "a"}, {**EVENT, "user": "half", "value": "1"}]
    answer = client.post("/v1/events", json=sent)
    assert answer.status_code == 400
    assert answer.json()["field"] == "[1].value"
    assert client.get("/v1/users/half/history").json()["events"] == []


def test_a_slate_has_its_basis_and_its_addends_sum_up(client: TestClient) -> None:
    answer = client.post("/v1/recommendations", json={"user": "900", "placement": "for-you", "n": 4})
    assert answer.status_code == 200
    slate = answer.json()
    assert slate["slate"]
    assert slate["placement"] == "for-you"
    assert set(slate["model"]) == {"name", "digest"}
    assert [item["rank"] for item in slate["items"]] == [1, 2, 3, 4]
    for item in slate["items"]:
        assert sum(reason["weight"] for reason in item["reasons"]) == pytest.approx(item["score"], rel=1e-4)
        assert set(item["reasons"][0]) == {"code", "evidence", "weight", "text"}


def test_similar_items_leave_out_the_item_itself(client: TestClient) -> None:
    slate = client.get("/v1/items/1007/similar", params={"n": 3}).json()
    assert slate["placement"] == "similar"
    assert len(slate["items"]) == 3
    assert "1007" not in {item["item"] for item in slate["items"]}


def test_history_is_newest_first_and_as_long_as_asked(client: TestClient) -> None:
    events = client.get("/v1/users/900/history", params={"n": 3}).json()["events"]
    times = [event["at"] for event in events]
    assert len(times) == 3
    assert times == sorted(times, reverse=True)


def test_no_consent_no_history_and_still_an_answer(client: TestClient) -> None:
    said = {"purposes": ["personalize"], "granted": False, "basis": "by telephone"}
    answer = client.put("/v1/users/900/consent", json=said)
    assert answer.status_code == 200
    assert answer.json()["user"] == "900"
    assert answer.json()["consent"]["personalize"] is False
    slate = client.post("/v1/recommendations", json={"user": "900", "placement": "for-you"}).json()
    assert slate["policy"] == "non-profiling"
    assert slate["items"]


def test_items_are_put_one_or_many(client: TestClient) -> None:
    assert client.put("/v1/items/new", json={"title": "New"}).json() == {"stored": 1}
    assert client.put("/v1/items/new", json={"id": "new", "title": "Newer"}).json() == {"stored": 1}
    many = [{"id": "a", "title": "A"}, {"id": "b", "title": "B", "price": 1.5, "currency": "EUR"}]
    assert client.put("/v1/items", json=many).json() == {"stored": 2}
    assert client.put("/v1/items", json=many[0]).json() == {"stored": 1}
    client.post("/v1/events", json={**EVENT, "user": "titles", "item": "new"})
    assert client.get("/v1/users/titles/history").json()["events"][0]["title"] == "Newer"


@pytest.mark.parametrize(
    "name", ["a/b", "a b", "é", "100%", "?x=1", "#", "..", ".", "a%2Fb", "日本", "/", "+", "a\\b", ";"]
)
def test_an_id_in_a_path_may_hold_any_character(client: TestClient, name: str) -> None:
    quoted = "".join(f"%{byte:02X}" for byte in name.encode())
    client.post("/v1/events", json={**EVENT, "user": name, "id": None})
    answer = client.get(f"/v1/users/{quoted}/history")
    assert answer.status_code == 200
    assert answer.json()["user"] == name
    assert len(answer.json()["events"]) == 1


def test_every_documented_example_can_be_sent(client: TestClient) -> None:
    for (method, path), body in BODIES.items():
        if path == "/v1/session" or path.startswith("/v1/session/"):  # with a public key: test_visits.py
            continue
        answer = client.request(method, path.replace("{id}", "900"), json=body)
        assert answer.status_code in (200, 202), answer.text


@pytest.mark.parametrize(
    ("route", "body", "scope"),
    [
        ("post /v1/events", EVENT, "events:write"),
        ("put /v1/items/x", {"title": "X"}, "items:write"),
        ("put /v1/items", [{"id": "x", "title": "X"}], "items:write"),
        ("post /v1/recommendations", {"placement": "for-you"}, "recommend:read"),
        ("get /v1/items/1007/similar", None, "recommend:read"),
        ("get /v1/users/900/history", None, "users:read"),
        ("put /v1/users/900/consent", {"purposes": ["train"], "granted": True, "basis": "x"}, "consent:write"),
        ("get /metrics", None, "metrics:read"),
    ],
)
def test_every_route_needs_a_key_with_its_scope(
    anyone: TestClient, engine: Any, route: str, body: Any, scope: str
) -> None:
    method, path = route.split()

    def ask(scopes: list[str] | None) -> Any:
        head = {"Authorization": f"Bearer {engine.gate.keys.create(SYSTEM, 'key', scopes)}"} if scopes else {}
        return (
            anyone.request(method, path, headers=head, json=body)
            if body
            else anyone.request(method, path, headers=head)
        )

    refused = ask(None)
    assert refused.status_code == 401
    assert refused.json()["code"] == "unauthorized"
    assert refused.headers["www-authenticate"] == 'Bearer realm="penchant"'
    others = [name for name in ("events:write", "items:write", "recommend:read", "users:read") if name != scope]
    forbidden = ask(others)
    assert forbidden.status_code == 403
    assert forbidden.json()["code"] == "forbidden"
    assert f"allowed: scope {scope};" in forbidden.json()["message"]
    enough = [scope, "users:read"] if scope == "consent:write" else [scope]
    assert ask(enough).status_code in (200, 202)


def test_consent_is_not_half_written(anyone: TestClient, engine: Any) -> None:
    head = {"Authorization": f"Bearer {engine.gate.keys.create(SYSTEM, 'key', ['consent:write'])}"}
    said = {"purposes": ["personalize"], "granted": False, "basis": "x"}
    assert anyone.put("/v1/users/900/consent", headers=head, json=said).status_code == 403
    assert engine.history(SYSTEM, "900").consent["personalize"] is True


def test_a_revoked_key_fails_at_once(client: TestClient, engine: Any) -> None:
    assert client.get("/v1/users/900/history").status_code == 200
    engine.gate.keys.revoke(SYSTEM, engine.gate.keys.list(SYSTEM)[0].id)
    assert client.get("/v1/users/900/history").status_code == 401


def test_health_needs_no_key(anyone: TestClient) -> None:
    assert anyone.get("/healthz").json() == {"status": "alive"}
    alive = anyone.head("/healthz")
    assert (alive.status_code, alive.content) == (200, b"")
    ready = anyone.get("/readyz")
    assert ready.status_code == 200
    assert ready.json()["ready"] is True


def test_a_store_that_is_down_gives_the_popular_answer(client: TestClient, tmp_path: Path) -> None:
    before = client.post("/v1/recommendations", json={"user": "900", "placement": "for-you"}).json()
    assert (before["policy"], before["basis"]) == ("personalized", "personal")
    for path in tmp_path.glob("shop.db*"):
        path.unlink()
    answer = client.post("/v1/recommendations", json={"user": "900", "placement": "for-you"})
    assert answer.status_code == 200
    slate = answer.json()
    assert (slate["policy"], slate["basis"], slate["model"]["name"]) == ("non-profiling", "popular", "popular")
    assert slate["fallback"][0] == {"step": "personal", "why": "store_down"}
    assert slate["items"]
    stranger = {"Authorization": f"Bearer pk_{'0' * 16}_{'A' * 43}"}
    unknown = client.post("/v1/recommendations", json={"placement": "for-you"}, headers=stranger)
    assert unknown.status_code == 503
    assert client.get("/v1/users/900/history").status_code == 503, "a remembered key may ask for slates only"


def test_a_visit_goes_on_when_its_visitor_signs_in(client: TestClient) -> None:
    yes = {"purposes": ["personalize"], "granted": True, "basis": "banner"}
    seen = [
        {**EVENT, "user": "", "session": "s1", "id": f"v{n}", "item": item} for n, item in enumerate(["1007", "1014"])
    ]
    assert client.post("/v1/events", json=seen).json()["accepted"] == 2
    assert client.put("/v1/sessions/s1/consent", json=yes).json()["consent"] == {"personalize": True}
    asked = {"placement": "for-you", "n": 3}
    visit = client.post("/v1/recommendations", json={**asked, "session": "s1"}).json()
    assert (visit["policy"], visit["basis"]) == ("session", "session")
    assert client.put("/v1/sessions/s1/user", json={"user": "fresh"}).json() == {"session": "s1", "user": "fresh"}
    person = client.post("/v1/recommendations", json={**asked, "user": "fresh"}).json()
    assert (person["policy"], person["items"]) == ("personalized", visit["items"])
    taken = client.put("/v1/sessions/s1/user", json={"user": "other"})
    assert (taken.status_code, taken.json()["field"]) == (400, "session")


def test_pages_of_a_slate_and_slates_of_a_page(client: TestClient) -> None:
    ask = {"placement": "for-you", "user": "900", "n": 4}
    seen: list[str] = []
    while True:
        slate = client.post("/v1/recommendations", json=ask).json()
        seen += [item["item"] for item in slate["items"]]
        if slate["next"] is None:
            break
        ask["cursor"] = slate["next"]
    whole = client.post("/v1/recommendations", json={"placement": "for-you", "user": "900", "n": 1000}).json()
    assert seen == [item["item"] for item in whole["items"]]
    rails = [{"placement": "for-you", "n": 3}, {"placement": "trending", "n": 3}]
    page = client.post("/v1/pages", json={"user": "900", "placements": rails}).json()
    shown = [item["item"] for slate in page["slates"] for item in slate["items"]]
    assert len(shown) == len(set(shown)) == 6
    wrong = client.post("/v1/recommendations", json={**ask, "placement": "trending"})
    assert (wrong.status_code, wrong.json()["field"]) == (400, "cursor")
    listed = client.post("/v1/rankings", json={"user": "900", "placement": "for-you", "items": ["1014", "x", "1007"]})
    assert listed.json()["unranked"] == ["x"]


def test_a_store_that_was_removed_takes_no_events_and_answers_are_degraded(client: TestClient, tmp_path: Path) -> None:
    assert client.get("/readyz").json()["status"] == "ready"
    for path in tmp_path.glob("shop.db*"):
        path.unlink()
    ready, sent = client.get("/readyz"), client.post("/v1/events", json=[EVENT])
    assert (ready.status_code, ready.json()["status"]) == (200, "degraded")
    assert "the store's file was removed or replaced while it was open" in ready.json()["missing"][0]
    assert (sent.status_code, "accepted" in sent.json()) == (503, False)
    assert client.get("/healthz").status_code == 200
    assert not (tmp_path / "shop.db").exists()


def test_metrics_count_routes_by_template_and_no_ids(client: TestClient) -> None:
    client.get("/v1/users/900/history")
    client.post("/v1/events", json=[EVENT, EVENT, {**EVENT, "user": ""}])
    client.post("/v1/recommendations", json={"user": "900", "placement": "for-you"})
    client.get("/v1/nowhere/900")
    answer = client.get("/metrics")
    assert answer.headers["content-type"] == CONTENT_TYPE_LATEST
    text = answer.text
    assert 'penchant_http_requests_total{method="GET",route="/v1/users/{id}/history",status="200"} 1.0' in text
    assert 'penchant_http_requests_total{method="GET",route="unmatched",status="404"} 1.0' in text
    assert 'penchant_events_total{outcome="accepted"} 1.0' in text
    assert 'penchant_events_total{outcome="duplicate"} 1.0' in text
    assert 'penchant_events_total{outcome="rejected"} 1.0' in text
    assert 'penchant_slates_total{placement="for-you",policy="personalized"} 1.0' in text
    assert 'penchant_http_request_seconds_count{method="GET",route="/v1/users/{id}/history"} 1.0' in text
    assert "900" not in re.sub(r" \S+$", "", text, flags=re.MULTILINE), "figures aside, which may be any"


def test_the_description_is_complete(anyone: TestClient) -> None:
    document = anyone.get("/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    assert document["components"]["securitySchemes"]["key"]["scheme"] == "bearer"
    named = set(document["components"]["schemas"])
    pointed = {part.split('"')[0] for part in json.dumps(document).split("#/components/schemas/")[1:]}
    assert pointed == named
    for path, item in document["paths"].items():
        for method, operation in item.items():
            assert operation["summary"]
            assert operation["description"]
            codes = set(operation["responses"])
            if path.startswith("/v1"):
                assert {"400", "401", "403", "503"} <= codes
                for code in codes - {"200", "201", "202"}:
                    content = operation["responses"][code]["content"]["application/json"]
                    assert content["schema"] == {"$ref": "#/components/schemas/Problem"}
            if method in ("post", "put") and path != "/v1/session":  # which has no body
                assert {"413", "415"} <= codes
                assert operation["requestBody"]["content"]["application/json"]["example"]


def test_the_description_loads_nothing_from_elsewhere(anyone: TestClient) -> None:
    for path in ("/schema", "/schema/redoc", "/schema/swagger", "/docs", "/openapi.json/x"):
        assert anyone.get(path).status_code == 404
