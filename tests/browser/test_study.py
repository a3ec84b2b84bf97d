"""The pages of a study in Chromium: without JavaScript from consent to withdrawal, and open to everybody."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from penchant.engine.engine import Engine
from penchant.evaluation.questionnaire import CONSTRUCTS
from penchant.trust.access import SYSTEM

pytestmark = pytest.mark.browser


@pytest.fixture(autouse=True)
def study(engine: Engine) -> None:
    engine.studies.create(SYSTEM, "aisles", "item-knn", "popular", n=4)


def go_to_lists(page: Page) -> None:
    page.goto("/study/aisles")
    page.get_by_label("I have read this, and agree to take part.").check()
    page.get_by_role("button", name="Begin").click()
    for box in page.get_by_role("checkbox").all()[:3]:
        box.check()
    page.get_by_role("button", name="Show me the lists").click()
    expect(page.get_by_role("heading", name="Second list")).to_be_visible()


def answer(page: Page) -> None:
    for place, said in (("First list", "4, agree"), ("Second list", "2, disagree")):
        groups = page.get_by_role("radiogroup", name=place, exact=True).all()
        assert len(groups) == len(CONSTRUCTS)
        for group in groups:
            group.get_by_label(said, exact=True).check()
    page.get_by_label("The first list").check()
    page.get_by_role("button", name="Send my answers").click()
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()


def test_a_study_without_javascript(browser: Browser, url: str, engine: Engine) -> None:
    context = browser.new_context(base_url=url, java_script_enabled=False)
    page = context.new_page()
    page.set_default_timeout(10_000)
    go_to_lists(page)
    answer(page)
    (said,) = engine.gate.studies.answers(SYSTEM, "aisles")
    assert said.prefers == said.first
    assert set(said.ratings[said.first].values()) == {4}
    page.get_by_role("button", name="Withdraw and delete").click()
    expect(page.get_by_role("status")).to_contain_text("was deleted")
    assert engine.gate.studies.answers(SYSTEM, "aisles") == ()
    assert context.cookies() == []
    context.close()


def test_answers_that_are_missing_are_asked_for_before_anything_is_sent(page: Page, engine: Engine) -> None:
    go_to_lists(page)
    page.get_by_role("button", name="Send my answers").click()
    expect(page.get_by_role("heading", name="Two lists for you")).to_be_visible()
    assert engine.gate.studies.answers(SYSTEM, "aisles") == ()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(page: Page, scheme: str) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")

    def check() -> None:
        found = Axe().run(page).response["violations"]
        assert [(rule["impact"], rule["id"], rule["nodes"][0]["html"][:160]) for rule in found] == []

    page.goto("/study/aisles")
    check()
    page.get_by_label("I have read this").check()
    page.get_by_role("button", name="Begin").click()
    check()
    go_to_lists(page)
    check()
    answer(page)
    check()


def test_the_lists_fit_a_phone(page: Page) -> None:
    page.set_viewport_size({"width": 360, "height": 700})
    go_to_lists(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
