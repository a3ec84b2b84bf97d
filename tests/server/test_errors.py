"""Every error has one shape, and its text says what, what was got, what is allowed and what to do next."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from litestar.testing import TestClient

from penchant.core import errors
from penchant.core.errors import PenchantError, StoreError
from penchant.server import body, refusal
from penchant.server import errors as server_errors
from penchant.server.app import create_app
from penchant.server.errors import STATUS

EVENT = {"user": "900", "item": "1007", "kind": "purchase", "at": "2017-12-31T10:00:00Z"}
KNOWN = "user, item, kind, at, value, id, session, channel, context, replaces, slate, price"
JSON = {"content-type": "application/json"}


def post(client: TestClient, path: str, content: bytes | Any) -> tuple[int, dict[str, Any]]:
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    answer = client.post(path, content=raw, headers=JSON)
    assert set(answer.json()) == {"code", "message", "field"}
    return answer.status_code, answer.json()


SHAPES: list[tuple[Any, str, str | None]] = [
    ({**EVENT, "usr": "1"}, f"unknown field; got usr; allowed: {KNOWN}; next: did you mean 'user'?", "usr"),
    ([EVENT, {**EVENT, "zzz": 1}], f"unknown field; got zzz; allowed: {KNOWN}; next: leave it out", "[1].zzz"),
    ({**EVENT, "user": 900}, "user has the wrong type; got 900; allowed: a string", "user"),
    ({**EVENT, "user": None}, "user has the wrong type; got null; allowed: a string", "user"),
    ([EVENT, {**EVENT, "value": "1"}], '[1].value has the wrong type; got "1"; allowed: a number', "[1].value"),
    ({**EVENT, "id": 5}, "id has the wrong type; got 5; allowed: a string or null", "id"),
    (
        {**EVENT, "at": "yesterday"},
        "at is not a time; got yesterday; allowed: a time such as 2017-12-31T10:00:00Z (RFC 3339)",
        "at",
    ),
    (
        {**EVENT, "at": 1514714400},
        "at has the wrong type; got 1514714400; allowed: a time such as 2017-12-31T10:00:00Z",
        "at",
    ),
    (
        {**EVENT, "context": {"a": 1}},
        'a value in context has the wrong type; got {"a": 1}; allowed: a string',
        "context",
    ),
    ({"user": "1"}, "item is missing; allowed: it has no default; next: send item", "item"),
    ([EVENT, {}], "[1].user is missing; allowed: it has no default; next: send user", "[1].user"),
    ([[]], "[0] has the wrong type; got []; allowed: an object", "[0]"),
    (b"5", "the body has the wrong type; got 5; allowed: an object or a list of objects", None),
    (b"null", "the body has the wrong type; got null; allowed: an object or a list of objects", None),
    (
        json.dumps(EVENT).encode().replace(b'"900"', b'"900", "value": 1e999'),
        "value is out of range; got Infinity; allowed: a finite number",
        "value",
    ),
]


@pytest.mark.parametrize(("sent", "message", "field"), SHAPES)
def test_a_wrong_shape_is_named(client: TestClient, sent: Any, message: str, field: str | None) -> None:
    assert post(client, "/v1/events", sent) == (400, {"code": "bad_input", "message": message, "field": field})


MALFORMED: list[tuple[bytes, str]] = [
    (b"", "the body is empty; allowed: JSON; next: send an object or a list"),
    (b"  \n", "the body is empty; allowed: JSON; next: send an object or a list"),
    (b"{", "the body is not JSON; got Input data was truncated; next: check it with a JSON tool"),
    (
        b"{} {}",
        "the body is not JSON; got JSON is malformed: trailing characters (byte 4); next: check it with a JSON tool",
    ),
    (
        b'{"value": nan}',
        "the body is not JSON; got JSON is malformed: invalid character (byte 11); next: check it with a JSON tool",
    ),
    (b'{"value": NaN}', "a number is not finite; got NaN; allowed: finite numbers"),
    (b'[{"value": -Infinity}]', "a number is not finite; got -Infinity; allowed: finite numbers"),
    (b"[Infinity]", "a number is not finite; got Infinity; allowed: finite numbers"),
    (b'{"user": "\xff"}', "the body is not UTF-8; got byte 0xff at 10"),
    (b'{"user": "1", "user": "2"}', "a key stands twice in one object; got user; next: keep one of them"),
    (b"[" * 50_000, "the body is nested too deep; next: flatten it"),
    (b'{"a":' * 15_000, "the body is nested too deep; next: flatten it"),
    (b'{"value": ' + b"1" * 5000 + b"}", "a number has too many digits; allowed: 4,300 digits; next: send it as text"),
]


@pytest.mark.parametrize(("sent", "message"), MALFORMED, ids=[str(row[0][:20]) for row in MALFORMED])
def test_what_is_not_json_is_a_400(client: TestClient, sent: bytes, message: str) -> None:
    assert post(client, "/v1/events", sent) == (400, {"code": "malformed_json", "message": message, "field": None})


def test_an_id_that_stands_twice_stores_nothing(client: TestClient, engine: Any) -> None:
    sent = [{"id": "x", "title": "First"}, {"id": "x", "title": "Second"}]
    answer = client.put("/v1/items", json=sent)
    message = "item 1: id stands twice; got x, as item 0; next: keep one of them"
    assert (answer.status_code, answer.json()["message"], answer.json()["field"]) == (400, message, "[1].id")
    assert engine.gate.catalogue.get("x") is None


def test_deep_attributes_are_refused_or_kept_but_never_a_500(client: TestClient) -> None:
    for depth in (10, 900, 5_000, 15_000):
        raw = b'{"title": "deep", "attributes": {"a":' + b"[" * depth + b"]" * depth + b"}}"
        assert client.put("/v1/items/deep", content=raw, headers=JSON).status_code in (200, 400)


ASKS: list[tuple[Any, str, str, str | None]] = [
    (
        {"placement": "for-yuo"},
        "unknown_name",
        "unknown placement; got for-yuo; allowed: buy-again, for-you, similar, trending; next: did you mean 'for-you'?",
        "placement",
    ),
    ({"placement": "for-you", "n": 0}, "bad_input", "n is out of range; got 0; allowed: a whole number >= 1", "n"),
    (
        {"placement": "for-you", "n": 1001},
        "bad_input",
        "n is out of range; got 1001; allowed: a whole number <= 1000",
        "n",
    ),
    (
        {"placement": "for-you", "n": 2.5},
        "bad_input",
        "n has the wrong type; got 2.5; allowed: a whole number",
        "n",
    ),
    (
        {"placement": "for-you", "n": "10"},
        "bad_input",
        'n has the wrong type; got "10"; allowed: a whole number',
        "n",
    ),
    (
        {"placement": "for-you", "user": ""},
        "bad_input",
        "user is empty; allowed: a user id; next: leave it out for the answer for everybody",
        "user",
    ),
    (
        {"placement": "for-you", "filters": {"price_min": 5, "price_max": 2.5}},
        "bad_input",
        "filters.price_min is above filters.price_max; got 5 and 2.5; allowed: at most 2.5",
        "filters.price_min",
    ),
    (
        {"placement": "for-you", "filters": {"category": ["x"]}},
        "bad_input",
        "unknown field; got category; allowed: categories, exclude_categories, price_min, price_max, include, exclude; "
        "next: did you mean 'categories'?",
        "filters.category",
    ),
    (
        {"placement": "for-you", "filters": {"categories": ["x", 1]}},
        "bad_input",
        "filters.categories[1] has the wrong type; got 1; allowed: a string",
        "filters.categories[1]",
    ),
    (
        {"placement": "for-you", "session": [{**EVENT, "itm": 1}]},
        "bad_input",
        "unknown field; got itm; allowed: item, kind, at, value, user, id, session, channel, context, slate, price; "
        "next: did you mean 'item'?",
        "session[0].itm",
    ),
]


@pytest.mark.parametrize(("sent", "code", "message", "field"), ASKS)
def test_a_wrong_question_is_named(client: TestClient, sent: Any, code: str, message: str, field: str) -> None:
    got = post(client, "/v1/recommendations", sent)
    assert got == (400, {"code": code, "message": message, "field": field})


def test_an_unknown_purpose_is_named(client: TestClient) -> None:
    said = {"purposes": ["personalise"], "granted": True, "basis": "form"}
    answer = client.put("/v1/users/900/consent", json=said)
    assert (answer.status_code, answer.json()) == (
        400,
        {
            "code": "unknown_name",
            "message": "unknown purpose; got personalise; allowed: personalize, train; "
            "next: did you mean 'personalize'?",
            "field": "purpose",
        },
    )


GETS: list[tuple[str, int, tuple[str, str, str | None]]] = [
    ("/v1/items/1007/similar?n=0", 400, ("bad_input", "n is out of range; got 0; allowed: a whole number >= 1", "n")),
    ("/v1/items/1007/similar?n=x", 400, ("bad_input", "n has the wrong type; got x; allowed: a whole number", "n")),
    (
        "/v1/users/900/history?m=1",
        400,
        ("bad_input", "unknown query parameter; got m; allowed: n; next: leave it out", "m"),
    ),
    (
        "/v1/users/900/history?n=1&n=2",
        400,
        ("bad_input", "a query parameter stands twice; got n; next: send it once", "n"),
    ),
    (
        "/v1/users/%FF/history",
        400,
        ("bad_input", "the id in the path is not UTF-8; got %FF; allowed: percent-encoded UTF-8", None),
    ),
    ("/v2", 404, ("not_found", "no such route; got /v2; next: GET /openapi.json lists them", None)),
    (
        "/v1/users//history",
        404,
        ("not_found", "no such route; got /v1/users//history; next: GET /openapi.json lists them", None),
    ),
]


@pytest.mark.parametrize(("path", "status", "told"), GETS)
def test_a_wrong_address_is_named(
    client: TestClient, path: str, status: int, told: tuple[str, str, str | None]
) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.json()) == (status, dict(zip(("code", "message", "field"), told, strict=True)))


def test_an_item_under_another_id_is_refused(client: TestClient) -> None:
    answer = client.put("/v1/items/a", json={"id": "b", "title": "B"})
    assert answer.status_code == 400
    assert answer.json() == {
        "code": "bad_input",
        "message": "the id in the body is not the one in the path; got b; allowed: a; next: leave it out of the body",
        "field": "id",
    }


def test_a_wrong_method_names_the_right_ones(client: TestClient) -> None:
    answer = client.delete("/v1/events")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "OPTIONS, POST"
    assert answer.json() == {
        "code": "method_not_allowed",
        "message": "this route has no such method; got DELETE; allowed: OPTIONS, POST",
        "field": None,
    }


@pytest.mark.parametrize("kind", ["text/csv", "application/json; charset=latin-1", None])
def test_a_wrong_content_type_is_a_415(client: TestClient, kind: str | None) -> None:
    answer = client.post("/v1/events", content=b"{}", headers={"content-type": kind} if kind else {})
    assert answer.status_code == 415
    assert answer.json() == {
        "code": "wrong_content_type",
        "message": f"the body is of a type that is not read here; got {kind or 'no Content-Type'}; "
        "allowed: application/json; next: send the header Content-Type: application/json",
        "field": None,
    }


def test_too_much_is_a_413(client: TestClient) -> None:
    assert post(client, "/v1/events", b" " * 100_001) == (
        413,
        {
            "code": "too_large",
            "message": "the body is too large; got 100,001 bytes; allowed: 100,000 bytes; "
            "next: send it in parts, or raise server.max_body",
            "field": None,
        },
    )
    assert post(client, "/v1/events", [EVENT] * 101) == (
        413,
        {
            "code": "too_large",
            "message": "the list is too long; got 101 elements; allowed: 100; "
            "next: send it in parts, or raise server.max_batch",
            "field": None,
        },
    )


@pytest.mark.parametrize("header", ["Basic dXNlcjpwYXNz", "Bearer", "Bearer ", "secret-key"])
def test_a_header_without_a_key_is_not_repeated(anyone: TestClient, header: str) -> None:
    answer = anyone.get("/v1/users/900/history", headers={"Authorization": header})
    assert answer.status_code == 401
    assert answer.json() == {
        "code": "unauthorized",
        "message": "the Authorization header holds no key; allowed: Authorization: Bearer <key>",
        "field": None,
    }


def test_a_key_that_is_not_known_is_not_repeated(anyone: TestClient) -> None:
    answer = anyone.get("/v1/users/900/history", headers={"Authorization": "Bearer pk_guess"})
    assert answer.status_code == 401
    assert "pk_guess" not in answer.text


def test_a_crash_tells_nothing_but_the_request_id(
    engine: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def crash(*_: object) -> None:
        raise ZeroDivisionError("household 900 lives at 5 Elm Street")

    monkeypatch.setattr(engine, "authenticate", crash)
    with (
        caplog.at_level(logging.INFO, "penchant.server"),
        TestClient(create_app(engine), raise_server_exceptions=False) as client,
    ):
        answer = client.get("/v1/users/900/history", headers={"X-Request-Id": "r-77"})
    assert answer.status_code == 500
    assert answer.json() == {
        "code": "internal",
        "message": "the server failed in a way nobody expected; "
        "next: tell its operator that the log names request r-77",
        "field": None,
    }
    assert answer.headers["x-request-id"] == "r-77"
    lines = [json.loads(record.message) for record in caplog.records if record.name == "penchant.server"]
    (crashed,) = [line for line in lines if line["event"] == "crash"]
    assert crashed["kind"] == "ZeroDivisionError"
    assert crashed["request"] == "r-77"
    assert "test_errors.py" in crashed["where"]
    assert "Elm" not in caplog.text


def test_the_operators_errors_are_logged_and_not_told(
    engine: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise StoreError("the disk under /srv/shop.db is full")

    monkeypatch.setattr(engine, "authenticate", fail)
    with caplog.at_level(logging.INFO, "penchant.server"), TestClient(create_app(engine)) as client:
        answer = client.get("/v1/users/900/history", headers={"X-Request-Id": "r-78"})
    assert answer.status_code == 503
    assert answer.json()["code"] == "store_failed"
    assert "srv" not in answer.text
    assert "/srv/shop.db is full" in caplog.text


def test_every_code_has_a_status() -> None:
    kinds = [
        value
        for module in (errors, server_errors, body, refusal)
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, PenchantError)
    ]
    assert {kind.code for kind in kinds} == set(STATUS)


def test_logs_hold_no_ids(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "penchant.server"):
        client.get("/v1/users/someone-private/history", headers={"X-Request-Id": "bad id\t"})
    (line,) = [json.loads(record.message) for record in caplog.records if record.name == "penchant.server"]
    assert line["route"] == "/v1/users/{id}/history"
    assert line["status"] == 200
    assert len(line["request"]) == 32
    assert "someone-private" not in json.dumps(line)


def test_every_answer_has_the_security_headers(client: TestClient) -> None:
    for path in ("/healthz", "/nowhere", "/v1/users/900/history"):
        head = client.get(path).headers
        assert "'unsafe-inline'" not in head["content-security-policy"]
        assert "frame-ancestors 'none'" in head["content-security-policy"]
        assert head["x-content-type-options"] == "nosniff"
        assert head["referrer-policy"] == "same-origin"
        assert head["cache-control"] == "no-store"
        assert "server" not in head
