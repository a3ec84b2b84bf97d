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
    "413": {
        "code": "too_large",
        "message": "the list is too long; got 20,000 elements; allowed: 10,000; "
        "next: send it in parts, or raise server.max_batch",
        "field": None,
    },
    "415": {
        "code": "wrong_content_type",
        "message": "the body is of a type that is not read here; got text/csv; allowed: application/json; "
        "next: send the header Content-Type: application/json",
        "field": None,
    },
    "429": {
        "code": "busy",
        "message": "the store has more to write than it can keep up with; got 99,990 events waiting; "
        "allowed: 100,000; next: send these again in a second; none of them was kept",
        "field": None,
    },
    "503": {"code": "not_ready", "message": "no models are trained; next: run 'penchant train'", "field": None},
}
"Status to what an error looks like."
