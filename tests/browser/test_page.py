"""What a person does on the shop page: pick, read, buy, refuse, switch off; with the mouse, the keyboard, a phone."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect

from penchant.engine.engine import Engine
from penchant.trust.access import SYSTEM

pytestmark = pytest.mark.browser


def ids(page: Page, placement: str) -> list[str]:
    cards = page.locator(f"#{placement} .card").all()
    return [(card.get_attribute("id") or "").removeprefix(f"{placement}-") for card in cards]


def first(page: Page, placement: str) -> Locator:
    return page.locator(f"#{placement} .card").first


def test_pick_a_household_and_see_its_page(page: Page) -> None:
    page.goto("/")
    page.get_by_label("Pick a household").fill("905")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Household 905")
    expect(page.locator(".recent li")).to_have_count(8)
    for heading in ("For you", "Buy again", "Trending"):
        expect(page.get_by_role("heading", level=2, name=heading)).to_be_visible()
    assert page.locator("#households option").count() == 40


def test_a_score_is_shown_as_its_addends(page: Page) -> None:
    page.goto("/?user=900")
    card = first(page, "for-you")
    card.locator("summary").click()
    expect(card.locator(".sum")).to_be_visible()
    text = (card.locator(".sum").text_content() or "").replace("\u2212", "-")
    total, _, terms = text.partition(" = ")
    addends = [float(term.replace(" ", "")) for term in re.findall(r"(?:^|[+-] )?[\d.]+", terms)]
    assert sum(addends) == pytest.approx(float(total), abs=1e-6)
    assert card.locator("svg.addends rect").count() == card.locator(".legend li").count() == len(addends)
    box = card.locator("svg.addends").bounding_box()
    assert box is not None
    assert box["width"] > 150


def test_buy_changes_the_lists_at_once(page: Page, engine: Engine) -> None:
    page.goto("/?user=900")
    before, document = ids(page, "for-you"), page.evaluate("performance.timeOrigin")
    first(page, "for-you").get_by_role("button", name="Buy").click()
    expect(page.get_by_role("status")).to_contain_text(re.compile(r"^Bought .* new items? in For you"))
    after = ids(page, "for-you")
    assert before[0] not in after
    assert page.locator("#for-you .card.entered").count() == len(set(after) - set(before)) >= 1
    assert engine.history(SYSTEM, "900").events[0].item == before[0]
    assert page.evaluate("performance.timeOrigin") == document, "the page was loaded anew, not swapped"
    assert page.evaluate("document.activeElement.dataset.act") == "purchase"
    expect(page.locator(".recent li").first).to_contain_text("bought")


def test_not_interested_takes_the_item_out(page: Page, engine: Engine) -> None:
    page.goto("/?user=901")
    before = ids(page, "for-you")
    first(page, "for-you").get_by_role("button", name="Not interested").click()
    expect(page.get_by_role("status")).to_contain_text("Not interested in")
    assert before[0] not in ids(page, "for-you")
    assert engine.history(SYSTEM, "901").events[0].kind == "dislike"
    expect(page.locator(".recent li").first).to_contain_text("not interested")


def test_the_switch_takes_the_history_out_of_the_answer(page: Page) -> None:
    page.goto("/?user=902")
    switch = page.get_by_role("switch", name="Personalize")
    expect(switch).to_have_attribute("aria-checked", "true")
    switch.click()
    expect(switch).to_have_attribute("aria-checked", "false")
    expect(page.locator("#for-you .basis")).to_contain_text("nobody's history was used")
    expect(page.locator("#buy-again")).to_contain_text("Nothing to buy again")
    expect(switch).to_be_focused()
    switch.click()
    expect(page.locator("#for-you .basis")).to_contain_text("with its consent")


def test_similar_items_open_and_stay_while_buying(page: Page) -> None:
    page.goto("/?user=900")
    link = first(page, "trending").get_by_role("link")
    title = link.text_content()
    link.click()
    expect(page.get_by_role("heading", name=f"Like {title}")).to_be_visible()
    first(page, "similar").get_by_role("button", name="Buy").click()
    expect(page.get_by_role("status")).to_contain_text("Bought")
    expect(page.get_by_role("heading", name=f"Like {title}")).to_be_visible()
    page.get_by_role("link", name="Close").click()
    expect(page.locator("#similar")).to_have_count(0)


def test_the_keyboard_is_enough(page: Page) -> None:
    page.goto("/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the lists")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Pick a household")).to_be_focused()
    page.keyboard.type("903")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Household 903")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.dataset.act") == "purchase":
            break
    button = page.locator(":focus")
    assert (button.get_attribute("aria-label") or "").startswith("Buy ")
    assert button.evaluate("node => getComputedStyle(node).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Bought")
    assert page.evaluate("document.activeElement.dataset.act") == "purchase"


def test_it_fits_a_phone(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto("/?user=900&item=1007")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    for button in page.locator(".acts button").all()[:4]:
        box = button.bounding_box()
        assert box is not None
        assert box["height"] >= 40


def test_what_is_clicked_is_large_enough(page: Page) -> None:
    page.goto("/?user=900&item=1007")
    for target in page.locator(".card summary, .card h3 a, .close").all():
        box = target.bounding_box()
        assert box is not None
        assert box["height"] >= 24, target.text_content()


def test_it_works_without_javascript(browser: Browser, url: str, engine: Engine) -> None:
    context = browser.new_context(base_url=url, java_script_enabled=False)
    page = context.new_page()
    page.goto("/?user=904")
    before = ids(page, "for-you")
    first(page, "for-you").get_by_role("button", name="Buy").click()
    expect(page.get_by_role("status")).to_contain_text("Bought")
    assert before[0] not in ids(page, "for-you")
    assert engine.history(SYSTEM, "904").events[0].item == before[0]
    page.get_by_role("switch", name="Personalize").click()
    expect(page.locator("#for-you .basis")).to_contain_text("nobody's history was used")
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(page: Page, scheme: str) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.goto("/?user=900&item=1007")
    first(page, "for-you").locator("summary").click()
    first(page, "for-you").get_by_role("button", name="Not interested").click()
    expect(page.get_by_role("status")).to_contain_text("Not interested")
    found = Axe().run(page).response["violations"]
    told = [(rule["impact"], rule["id"], rule["nodes"][0]["html"][:160]) for rule in found]
    assert told == []
