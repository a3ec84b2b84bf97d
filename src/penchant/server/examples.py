"""Examples of what is sent and answered, for the description of the API; the tests send them."""

from __future__ import annotations

from typing import Any

__all__ = ["ANSWERS", "BODIES", "PROBLEMS"]

_EVENT = {
    "user": "900",
    "item": "1095275",
    "kind": "purchase",
    "at": "2017-12-31T10:00:00Z",
    "value": 1,
    "id": "order-1/line-1",
}
_ITEM = {"title": "Bananas", "categories": ["produce"], "price": 0.59, "currency": "USD", "available": True}

BODIES: dict[tuple[str, str], Any] = {
    ("post", "/v1/events"): _EVENT,
    ("put", "/v1/items/{id}"): _ITEM,
    ("put", "/v1/items"): [{"id": "1095275", **_ITEM}],
    ("post", "/v1/recommendations"): {"user": "900", "placement": "for-you", "n": 10},
    ("post", "/v1/debug/recommendations"): {"user": "900", "placement": "for-you", "n": 10},
    ("post", "/v1/session/events"): {"item": "1095275", "kind": "view", "id": "page-1"},
    ("post", "/v1/session/recommendations"): {"placement": "for-you", "n": 10},
    ("post", "/v1/pages"): {
        "user": "900",
        "placements": [{"placement": "for-you", "n": 6}, {"placement": "similar", "item": "1007", "n": 4}],
    },
    ("post", "/v1/rankings"): {"user": "900", "placement": "for-you", "items": ["1095275", "1007", "unheard-of"]},
    ("put", "/v1/sessions/{id}/user"): {"user": "900"},
    ("put", "/v1/sessions/{id}/consent"): {
        "purposes": ["personalize"],
        "granted": True,
        "basis": "banner of 2026-11-01",
    },
    ("put", "/v1/users/{id}/consent"): {"purposes": ["personalize"], "granted": True, "basis": "form of 2026-11-01"},
}
"Method and path to a body that can be sent."

_SLATE = {
    "slate": "0f6c1f3e9d0a4b7c",
    "placement": "for-you",
    "policy": "personalized",
    "model": {"name": "ease", "digest": "9f2c4e"},
    "items": [
        {
            "item": "1095275",
            "title": "Bananas",
            "rank": 1,
            "score": 0.83,
            "reasons": [
                {"code": "purchase", "evidence": "847982", "weight": 0.6, "text": "because you bought Milk"},
                {"code": "view", "evidence": "995242", "weight": 0.23, "text": "because you looked at Bread"},
            ],
            "price": 0.59,
            "currency": "USD",
            "categories": ["produce"],
            "propensity": 1.0,
        }
    ],
    "basis": "personal",
    "fallback": [],
    "skipped": [],
    "next": "k3vJr0o...",
    "experiment": None,
}

ANSWERS: dict[tuple[str, str, str], Any] = {
    ("post", "/v1/events", "202"): {"accepted": 1, "duplicates": 0, "rejected": []},
    ("put", "/v1/items/{id}", "200"): {"stored": 1},
    ("put", "/v1/items", "200"): {"stored": 1},
    ("post", "/v1/recommendations", "200"): _SLATE,
    ("post", "/v1/debug/recommendations", "200"): {
        "answer": _SLATE,
        "ms": 2.1,
        "history": 50,
        "steps": [
            {"stage": "gate", "detail": "history", "ms": 0.3, "before": 0, "after": 50, "depth": 0},
            {"stage": "retrieve", "detail": "ease", "ms": 0.9, "before": 0, "after": 20000, "depth": 1},
            {"stage": "filter", "detail": "seen", "ms": 0.1, "before": 20000, "after": 19960, "depth": 0},
        ],
    },
    ("post", "/v1/session", "201"): {
        "session": "s1.2b7e151628aed2a6abf7158809cf4f3c.5a49a2c0.m0qSh1Yy0Jq0F3mZ5x8p2v7Tt4c9XoLk6dWbQe1RrUo",
        "id": "2b7e151628aed2a6abf7158809cf4f3c",
        "expires": "2018-01-01T10:00:00Z",
    },
    ("post", "/v1/session/events", "202"): {"accepted": 1, "duplicates": 0, "rejected": []},
    ("post", "/v1/session/recommendations", "200"): {**_SLATE, "policy": "session"},
    ("get", "/v1/items/{id}/similar", "200"): {**_SLATE, "placement": "similar", "policy": "item", "basis": "item"},
    ("post", "/v1/pages", "200"): {"slates": [_SLATE]},
    ("post", "/v1/rankings", "200"): {"slate": {**_SLATE, "next": None}, "unranked": ["unheard-of"]},
    ("put", "/v1/sessions/{id}/user", "200"): {"session": "s1", "user": "900"},
    ("put", "/v1/sessions/{id}/consent", "200"): {"session": "s1", "consent": {"personalize": True}},
}
"Method, path and status to an answer."

PROBLEMS: dict[str, Any] = {
    "400": {
        "code": "unknown_name",
        "message": "unknown placement; got for-yuo; allowed: buy-again, for-you, similar, trending; "
        "next: did you mean 'for-you'?",
        "field": "placement",
    },
    "401": {
        "code": "unauthorized",
        "message": "the Authorization header holds no key; allowed: Authorization: Bearer <key>",
        "field": None,
    },
    "403": {
        "code": "forbidden",
        "message": "'shop' may not send events; got scopes: recommend:read; allowed: scope events:write; "
        "next: use a key with that scope ('penchant keys create --scope events:write')",
        "field": None,
    },
    "404": {
        "code": "not_found",
        "message": "no such route; got /v2; next: GET /openapi.json lists them",
        "field": None,
    },
    "408": {
        "code": "too_slow",
        "message": "the body did not arrive in time; allowed: 30 s; next: send it faster, or in smaller parts",
        "field": None,
    },
    "413": {
        "code": "too_large",
        "message": "the list is too long; got 20,000 elements; allowed: 10,000; "
        "next: send it in parts, or raise server.max_batch",
        "field": None,
    },
    "414": {
        "code": "address_too_long",
        "message": "the query is too long; got 9,000 bytes; allowed: 4,096 bytes",
        "field": None,
    },
    "415": {
        "code": "wrong_content_type",
        "message": "the body is of a type that is not read here; got text/csv; allowed: application/json; "
        "next: send the header Content-Type: application/json",
        "field": None,
    },
    "429": {
        "code": "rate_limited",
        "message": "the key was used too often; allowed: 600/m; next: wait 2 s",
        "field": None,
    },
    "431": {
        "code": "headers_too_large",
        "message": "the headers are too large; allowed: 16,384 bytes",
        "field": None,
    },
    "503": {"code": "not_ready", "message": "no models are trained; next: run 'penchant train'", "field": None},
}
"Status to what an error looks like."
