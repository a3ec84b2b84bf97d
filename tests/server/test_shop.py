"""The shop page without a browser: plain forms, in words, and closed to other sites."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient

import penchant.server
from penchant.core.nouns import Reason
from penchant.engine.answers import Ask
from penchant.server.app import create_app
from penchant.server.bar import WIDTH, bar_of, shares
from penchant.server.cards import headline
from penchant.server.demo import Demo
from penchant.server.shop import LISTS, SHOWN, Shop
from penchant.trust.access import SYSTEM

STATIC = Path(penchant.server.__file__).parent / "static"
HERE = "http://127.0.0.1:8080"
HX = {"hx-request": "true"}


@pytest.fixture
def page(engine: Any) -> Iterator[TestClient]:
    demo = Demo(SYSTEM, lambda user: f"Household {user} · 45-54, 2 adults")
    with TestClient(create_app(engine, demo=demo), base_url=HERE, raise_server_exceptions=False) as client:
        yield client


def items(html: str, placement: str) -> list[str]:
    return re.findall(rf'<li class="card[^"]*" id="{placement}-(\d+)"', html)


def order(engine: Any, user: str) -> list[list[str]]:
    answers = [engine.recommend(SYSTEM, Ask(placement=name, user=user, n=SHOWN)) for name in LISTS]
    return [[ranked.item for ranked in answer.items] for answer in answers]


def status(html: str) -> str:
    found = re.search(r'<div id="status"[^>]*>(.*?)</div>', html, re.DOTALL)
    assert found
    return unescape(found[1])


def test_without_a_demo_there_is_no_page(client: TestClient) -> None:
    assert client.get("/").status_code == 404
    assert client.get("/static/shop.css").status_code == 404


def test_the_page_shows_a_household_its_lists_and_their_basis(page: TestClient) -> None:
    html = page.get("/", params={"user": "900"}).text
    assert '<h1 id="who">Household 900</h1>' in html
    assert '<option value="901">Household 901 · 45-54, 2 adults</option>' in html
    for placement in ("for-you", "buy-again", "trending"):
        assert len(items(html, placement)) >= 3
    assert "Personalized from this household&#39;s history, with its consent" in html
    assert "model <b>ease" in html
    assert "Show items like this one" in html


def test_the_page_runs_nothing_inline_and_loads_nothing_from_elsewhere(page: TestClient) -> None:
    answer = page.get("/", params={"user": "900"})
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert not re.search(r"\son\w+=|\sstyle=|<style|<script(?![^>]*\ssrc=\"/static/)|hx-on|javascript:", answer.text)
    assert not re.search(r"(?:src|href|action)=\"(?:https?:)?//", answer.text)
    for address in set(re.findall(r'(?:src|href)="(/static/[^"]+)"', answer.text)):
        assert page.get(address).status_code == 200


def test_a_form_without_javascript_buys_and_comes_back(page: TestClient) -> None:
    before = items(page.get("/", params={"user": "900"}).text, "for-you")
    form = {"user": "900", "on": before[0], "kind": "purchase"}
    sent = page.post("/act", data=form, follow_redirects=False)
    assert sent.status_code == 303
    html = page.get(sent.headers["location"]).text
    after = items(html, "for-you")
    assert before[0] not in after
    assert status(html).startswith("Bought ")
    assert f'<li class="card entered" id="for-you-{(set(after) - set(before)).pop()}"' in html


def test_a_swap_is_the_lists_alone_with_what_changed(page: TestClient) -> None:
    before = items(page.get("/", params={"user": "900"}).text, "for-you")
    html = page.post("/act", data={"user": "900", "on": before[1], "kind": "dislike"}, headers=HX).text
    assert "<html" not in html
    assert before[1] not in items(html, "for-you")
    assert re.fullmatch(r"Not interested in [\w ]+\. \d+ new items? in For you.*", status(html))
    assert 'class="no">not interested</b>' in html


def test_consent_off_gives_the_unprofiled_answer_at_once(page: TestClient) -> None:
    off = page.post("/agree", data={"user": "900", "granted": "no"}, headers=HX).text
    assert status(off) == "Personalization is off. The lists are made without anybody's history."
    assert "Not profiled: nobody&#39;s history was used" in off
    assert "Because you bought" not in off
    assert 'aria-checked="false"' in off
    assert "Nothing to buy again" in off
    on = page.post("/agree", data={"user": "900", "granted": "yes"}, headers=HX).text
    assert "Because you bought" in on
    assert 'aria-checked="true"' in on


def test_similar_items_of_one(page: TestClient) -> None:
    html = page.get("/", params={"user": "900", "item": "1007"}).text
    assert "Like Bananas" in html
    assert items(html, "similar")
    assert "From the item on the page; nobody&#39;s history was used" in html
    assert 'name="item" value="1007"' in html


def test_an_unknown_household_is_called_unknown(page: TestClient, engine: Any) -> None:
    answer = page.get("/", params={"user": "nobody <b>"})
    assert answer.status_code == 404
    first = ", ".join(engine.users(SYSTEM, 5))
    assert f"<p>no such household; got nobody &lt;b&gt;; next: pick one of {first}</p>" in answer.text
    assert "nobody <b>" not in answer.text
    for path, form in (("/act", {"on": "1007", "kind": "purchase"}), ("/agree", {"granted": "yes"})):
        refused = page.post(path, data={"user": "999999", **form}, headers=HX)
        assert refused.status_code == 404
        assert "no such household; got 999999" in refused.text
    assert engine.history(SYSTEM, "999999").events == ()


@pytest.mark.parametrize("granted", [True, False])
def test_what_an_empty_history_promises_depends_on_consent(page: TestClient, engine: Any, granted: bool) -> None:
    engine.set_consent(SYSTEM, "new", ["personalize"], granted=granted, basis="form")
    html = page.get("/", params={"user": "new"}).text
    assert "Nothing is known of this household yet." in html
    assert ("Buy something, and the lists will answer." in html) is granted
    assert ("the lists answer once it agrees that its history may be used" in html) is not granted


def test_the_status_says_whether_anything_else_changed(page: TestClient, engine: Any) -> None:
    engine.set_consent(SYSTEM, "900", ["personalize"], granted=False, basis="form")
    before = page.get("/", params={"user": "900"}).text
    form = {"user": "900", "on": items(before, "for-you")[0], "kind": "purchase"}
    swapped = page.post("/act", data=form, headers=HX).text
    assert [items(swapped, name) for name in LISTS] == [items(before, name) for name in LISTS]
    assert status(swapped).endswith(" Nothing else changes.")
    sent = page.post("/act", data=form, follow_redirects=False)
    assert "moved" not in sent.headers["location"]
    assert status(page.get(sent.headers["location"]).text).endswith(" Nothing else changes.")
    told = page.get("/", params={"user": "900", "did": "purchase", "on": "1007", "moved": "1"}).text
    assert status(told) == "Bought Bananas. The same items stay, in a new order."


def test_the_order_is_compared_not_guessed(engine: Any) -> None:
    shop = Shop(engine, Demo(SYSTEM, str))
    for user in ("903", "904"):
        for ranked in engine.recommend(SYSTEM, Ask(placement="buy-again", user=user, n=6)).items[::-1]:
            before = order(engine, user)
            change = shop.act(user, ranked.item, "purchase")
            assert change.moved == (order(engine, user) != before)


def test_the_reason_told_first_is_what_the_history_did(page: TestClient) -> None:
    html = page.get("/", params={"user": "900"}).text
    cards = html.split('<section class="list" id="for-you"')[1].split("</section>")[0].split('<li class="card')[1:]
    for card in cards:
        why = re.search(r'<p class="why">(.*?)</p>', card)
        parts = re.findall(r"</svg><span>(.*?)</span>", card)
        assert why
        assert any(part.startswith("Popular") for part in parts)
        assert why[1].startswith("Because you bought ")
        assert why[1] in parts
    trending = html.split('<section class="list" id="trending"')[1]
    assert '<p class="why">Popular right now</p>' in trending


@pytest.mark.parametrize(
    ("reasons", "told"),
    [
        ([("popular", 0.5), ("purchase", 0.2), ("view", 0.1)], "purchase"),
        ([("popular", 0.5), ("rest", 0.4), ("view", 0.1)], "view"),
        ([("popular", 0.5), ("rest", 0.4)], "rest"),
        ([("dislike", -0.6), ("popular", 0.5)], "popular"),
        ([("dislike", -0.6), ("popular", 0.5), ("view", 0.2)], "view"),
        ([("popular", 0.5)], "popular"),
        ([("dislike", -0.6)], "dislike"),
    ],
)
def test_which_reason_is_told_first(reasons: list[tuple[str, float]], told: str) -> None:
    assert headline([Reason(code, "1", weight, code) for code, weight in reasons]) == told


def test_errors_are_a_page_or_a_line(page: TestClient) -> None:
    whole = page.get("/", params={"user": "900", "item": "nothing"})
    assert whole.status_code == 404
    assert "<h1>That did not work</h1>" in whole.text
    assert "the models do not know this item; got nothing" in whole.text
    line = page.post("/act", data={"user": "900", "on": "1007", "kind": "steal"}, headers=HX)
    assert line.status_code == 400
    assert line.headers["hx-retarget"] == "#status"
    assert "kind is unknown; got steal; allowed: purchase, dislike" in line.text
    assert page.post("/act", content=b"\xff").status_code == 400
    missing = page.post("/act", data={"kind": "purchase", "user": "900"})
    assert (missing.status_code, "on is missing" in missing.text) == (400, True)


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"host": "evil.example"},
    ],
)
def test_other_sites_cannot_act(page: TestClient, engine: Any, headers: dict[str, str]) -> None:
    before = engine.history(SYSTEM, "900").events
    for path, form in (
        ("/act", {"user": "900", "on": "1007", "kind": "purchase"}),
        ("/agree", {"user": "900", "granted": "no"}),
    ):
        assert page.post(path, data=form, headers=headers).status_code == 403
    assert engine.history(SYSTEM, "900").events == before
    assert engine.history(SYSTEM, "900").consent["personalize"] is True


def test_the_page_itself_can_act(page: TestClient) -> None:
    headers = {"origin": HERE, "sec-fetch-site": "same-origin", **HX}
    assert page.post("/agree", data={"user": "900", "granted": "no"}, headers=headers).status_code == 200


def test_another_host_name_sees_nothing(page: TestClient) -> None:
    assert page.get("/", headers={"host": "rebound.example"}).status_code == 403


def test_vendored_files_are_the_ones_that_were_vendored() -> None:
    manifest = json.loads((STATIC / "vendor" / "manifest.json").read_text())
    listed = {row["file"]: row["sha256"] for row in manifest["files"]}
    there = {path.name for path in (STATIC / "vendor").iterdir()} - {"manifest.json"}
    assert set(listed) == there
    for name, digest in listed.items():
        assert hashlib.sha256((STATIC / "vendor" / name).read_bytes()).hexdigest() == digest, name


def test_a_bar_stacks_what_adds_right_and_what_takes_left() -> None:
    reasons = [Reason("purchase", "a", 0.6), Reason("dislike", "b", -0.2), Reason("rest", "3", 0.2)]
    bar = bar_of(reasons, before=0.2, scale=1.0)
    assert [(part.x, part.width) for part in bar.segments] == [
        (pytest.approx(200), pytest.approx(600)),
        (pytest.approx(0, abs=1e-9), pytest.approx(200)),
        (pytest.approx(800), pytest.approx(200)),
    ]
    assert [part.shade for part in bar.segments] == ["shade-1", "shade-2 against", "rest"]
    assert bar.zero == pytest.approx(WIDTH / 5)
    assert bar.sum == "0.600 = 0.600 \u2212 0.200 + 0.200"


@pytest.mark.parametrize(
    "weights",
    [[], [0.0], [0.1234] * 7, [1.0 / 3] * 3, [-0.0004, 0.2], [-0.3333, -0.3333], [64.4, 0.77], [812.25, -3.1]],
)
def test_figures_add_up_to_the_figure_of_the_score(weights: list[float]) -> None:
    figures, total = shares(weights)

    def number(text: str) -> float:
        return float(text.replace("\u2212", "-"))

    digits = len(total.partition(".")[2])
    assert sum(map(number, figures)) == pytest.approx(number(total), abs=1e-9)
    assert number(total) == pytest.approx(sum(weights), abs=0.51 * 10**-digits)
    for figure, weight in zip(figures, weights, strict=True):
        assert number(figure) == pytest.approx(weight, abs=1.01 * 10**-digits)
        assert (figure[0] == "\u2212") == (weight < 0)
