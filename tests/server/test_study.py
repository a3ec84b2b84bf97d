"""The pages of a study: forms that work without JavaScript, from consent to withdrawal, and closed to other sites."""

from __future__ import annotations

import logging
import re
from typing import Any

import pytest
from litestar.testing import TestClient

from penchant.engine.studied import study_answers
from penchant.evaluation.questionnaire import CONSTRUCTS
from penchant.server.app import create_app
from penchant.trust.access import SYSTEM


@pytest.fixture
def page(engine: Any) -> Any:
    engine.studies.create(SYSTEM, "aisles", "item-knn", "popular", n=4)
    with TestClient(create_app(engine), raise_server_exceptions=False) as client:
        yield client


def begin(page: TestClient) -> str:
    answer = page.post("/study/aisles", data={"agreed": "yes"}, follow_redirects=False)
    assert answer.status_code == 303
    return answer.headers["location"]


def offered(html: str) -> list[str]:
    return re.findall(r'name="pick" value="([^"]+)"', html)


def pick(page: TestClient, home: str, n: int = 3) -> None:
    picks = offered(page.get(home).text)[:n]
    answer = page.post(f"{home}/pick", data={"pick": picks}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, home)


def answers(first: int = 4, second: int = 2, prefers: str = "1") -> dict[str, str]:
    said = {f"{place}-{construct}": str(v) for place, v in ((1, first), (2, second)) for construct in CONSTRUCTS}
    return {**said, "prefers": prefers}


def lists(html: str) -> list[list[str]]:
    return [re.findall(r"<li><b>(.*?)</b>", part) for part in re.findall(r"<ol>(.*?)</ol>", html, re.DOTALL)]


def test_from_consent_to_thanks(page: TestClient, engine: Any) -> None:
    invited = page.get("/study/aisles")
    assert "I have read this, and agree to take part." in invited.text
    home = begin(page)
    html = page.get(home).text
    assert len(offered(html)) == 18
    pick(page, home)
    html = page.get(home).text
    shown = lists(html)
    assert [len(each) for each in shown] == [4, 4]
    assert "popular" not in html.lower().replace("popular with other customers", "").replace("popular right now", "")
    assert page.post(f"{home}/answer", data=answers(), follow_redirects=False).status_code == 303
    assert "Your answers are stored" in page.get(home).text
    (said,) = engine.gate.studies.answers(SYSTEM, "aisles")
    second = "b" if said.first == "a" else "a"
    assert said.prefers == said.first
    assert set(said.ratings[said.first].values()) == {4}
    assert set(said.ratings[second].values()) == {2}
    titles = {item.id: item.title for item in engine.gate.catalogue.changed(0)[0]}
    assert shown == [[titles[item] for item in said.slates[side]] for side in (said.first, second)]
    assert study_answers(engine.gate, SYSTEM, "aisles").height == 14


def test_the_lists_are_those_of_the_two_models_in_either_order(page: TestClient, engine: Any) -> None:
    seen = set()
    for _ in range(4):
        home = begin(page)
        pick(page, home)
        who = engine.gate.studies.participant(home.rpartition("/")[2])
        assert all("pick of" in card.why for card in who.slates["a"][:1])
        assert all("opular" in card.why for card in who.slates["b"])
        first = lists(page.get(home).text)[0]
        assert first == [card.title for card in who.slates[who.first]]
        seen.add(who.first)
    assert seen == {"a", "b"}


def test_without_a_yes_there_is_no_way_on(page: TestClient, engine: Any) -> None:
    for form in ({}, {"agreed": "no"}):
        answer = page.post("/study/aisles", data=form, follow_redirects=False)
        assert answer.status_code == 400
        assert "nobody takes part without agreeing" in answer.text
    assert page.get("/study/aisles/made-up").status_code == 404
    for step, data in (("pick", {"pick": ["1007"]}), ("answer", answers()), ("withdraw", {})):
        assert page.post(f"/study/aisles/made-up/{step}", data=data, follow_redirects=False).status_code == 404
    assert engine.gate.studies.list(SYSTEM)[0][1:] == (0, 0)


def test_withdrawal_deletes_at_every_step(page: TestClient, engine: Any) -> None:
    for steps in range(3):
        home = begin(page)
        if steps > 0:
            pick(page, home)
        if steps > 1:
            page.post(f"{home}/answer", data=answers(), follow_redirects=False)
        assert f'action="{home}/withdraw"' in page.get(home).text
        gone = page.post(f"{home}/withdraw")
        assert "everything that you said was deleted" in gone.text
        assert page.get(home).status_code == 404
        assert page.post(f"{home}/answer", data=answers(), follow_redirects=False).status_code == 404
    assert engine.gate.studies.list(SYSTEM)[0][1:] == (0, 0)
    assert study_answers(engine.gate, SYSTEM, "aisles").height == 0


def test_half_an_answer_is_no_answer(page: TestClient, engine: Any) -> None:
    home = begin(page)
    too_few = page.post(f"{home}/pick", data={"pick": offered(page.get(home).text)[:2]}, follow_redirects=False)
    assert too_few.status_code == 400
    assert "too few were picked; got 2; allowed: 3 or more" in too_few.text
    foreign = page.post(f"{home}/pick", data={"pick": ["a", "b", "c"]}, follow_redirects=False)
    assert foreign.status_code == 400
    assert "this was not offered; got a; next: pick from the page" in foreign.text
    pick(page, home)
    for form in (
        {**answers(), "1-trust": "6"},
        {**answers(), "prefers": "a"},
        {key: value for key, value in answers().items() if key != "2-novelty"},
    ):
        answer = page.post(f"{home}/answer", data=form, follow_redirects=False)
        assert answer.status_code == 400
        assert "nothing was stored" in answer.text
    assert engine.gate.studies.answers(SYSTEM, "aisles") == ()


def test_a_participant_of_one_study_is_nobody_in_another(page: TestClient, engine: Any) -> None:
    engine.studies.create(SYSTEM, "other", "ease", "popular")
    token = begin(page).rpartition("/")[2]
    assert page.get(f"/study/other/{token}").status_code == 404
    assert page.get("/study/nothing").status_code == 404


def test_what_mail_programs_add_to_a_link_does_no_harm(page: TestClient) -> None:
    assert page.get("/study/aisles", params={"utm_source": "letter"}).status_code == 200


@pytest.mark.parametrize("path", ["/study/%FF", "/study/a%2Fb", "/study/aisles/%00", "/study/aisles/%FF", "/study/"])
def test_addresses_that_are_none_get_a_page(page: TestClient, path: str) -> None:
    answer = page.get(path)
    assert answer.status_code in (400, 404)


def test_a_closed_study_says_so(page: TestClient, engine: Any) -> None:
    engine.gate.studies.close(SYSTEM, "aisles")
    assert "takes nobody else" in page.get("/study/aisles").text
    assert "<form" not in page.get("/study/aisles").text
    assert page.post("/study/aisles", data={"agreed": "yes"}).status_code == 403


def test_other_sites_send_nothing(page: TestClient) -> None:
    for headers in ({"origin": "https://elsewhere.example"}, {"sec-fetch-site": "cross-site"}):
        answer = page.post("/study/aisles", data={"agreed": "yes"}, headers=headers, follow_redirects=False)
        assert answer.status_code == 403


def test_pages_load_nothing_from_elsewhere_and_run_nothing(page: TestClient) -> None:
    home = begin(page)
    htmls = [page.get("/study/aisles").text, page.get(home).text]
    pick(page, home)
    htmls.append(page.get(home).text)
    for html in htmls:
        assert set(re.findall(r'(?:src|href)="([^"]+)"', html)) == {"data:,", "/study/style.css"}
        assert not re.search(r"<script|\son\w+=|\sstyle=|<style", html)
    style = page.get("/study/style.css")
    assert style.headers["content-type"].startswith("text/css")
    assert "url(" not in style.text


def test_every_field_has_a_label_and_every_group_a_name(page: TestClient) -> None:
    home = begin(page)
    htmls = [page.get("/study/aisles").text, page.get(home).text]
    pick(page, home)
    htmls.append(page.get(home).text)
    for html in htmls:
        fields = re.findall(r'<input type="(?:radio|checkbox)" id="([^"]+)"', html)
        assert fields
        assert sorted(fields) == sorted(set(fields) & set(re.findall(r'<label for="([^"]+)"', html)))
        assert html.count("<fieldset>") == html.count("<legend>")
        for named in re.findall(r'aria-(?:labelledby|describedby)="([^"]+)"', html):
            assert f'id="{named}"' in html
        assert '<html lang="en">' in html


def test_titles_are_shown_as_text(page: TestClient, engine: Any) -> None:
    row = next(iter(engine.gate.catalogue.changed(0)[0]))
    engine.gate.catalogue.put(SYSTEM, [type(row)(row.id, "<script>alert(1)</script>")])
    html = page.get(begin(page)).text
    assert "&lt;script&gt;" in html
    assert "<script" not in html


def test_logs_name_no_participant(page: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, logger="penchant"):
        home = begin(page)
        page.get(home)
        page.post(f"{home}/answer", data=answers())
    assert "/study/{name" in caplog.text
    assert home.rpartition("/")[2] not in caplog.text


def test_without_models_the_page_says_that_it_is_not_ready(engine: Any, page: TestClient) -> None:
    home = begin(page)
    engine.models.current = lambda: None
    answer = page.get(home)
    assert answer.status_code == 503
    assert "That did not work" in answer.text
