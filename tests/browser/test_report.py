"""The page of an evaluation in Chromium, from a file: to be read by everybody, on paper too."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

import penchant as pt
from penchant.data.dataset import Dataset
from penchant.testing import generated

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report with every part: charts, examples, warnings."""
    data = generated(200, 80, 1800)
    titles = [f"A thing with a name that is not short, number {item}" for item in data.items]
    catalogue = pl.DataFrame({"id": [*data.items], "title": titles, "categories": [["a"], ["b"]] * 40})
    split = pt.split.temporal(Dataset(data.users, data.items, data.frame, catalogue, data.weights), "30d")
    learners = {"popular": pt.Popular(), "a model with quite a long name WWWWW": pt.ItemKNN(), "ease": pt.EASE(l2=10.0)}
    models = {name: learner.fit(split.train) for name, learner in learners.items()}
    metrics = ["ndcg@5", "ndcg@10", "hit@10", "diversity@10"]
    seconds = dict.fromkeys(models, 1.5)
    report = pt.evaluate(models, split, metrics, by=["user.history", "item.popularity"], seconds=seconds)
    path = tmp_path_factory.mktemp("report") / "report.html"
    report.command("penchant evaluate --test 30d").html(path)
    return path


@pytest.fixture(params=[("light", 1280), ("dark", 1280), ("light", 360), ("dark", 360)], ids=str)
def opened(browser: Browser, place: Path, request: pytest.FixtureRequest) -> Iterator[Page]:
    """The page, which must not complain, and must ask for nothing."""
    scheme, width = request.param
    faults: list[str] = []
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    page.on("console", lambda message: faults.append(message.text))
    page.on("request", lambda asked: faults.append(asked.url) if asked.url != place.as_uri() else None)
    page.goto(place.as_uri())
    yield page
    context.close()
    assert faults == []


def test_axe_finds_nothing_and_nothing_hangs_over(opened: Page) -> None:
    wide = opened.viewport_size
    assert wide is not None
    assert opened.evaluate("document.documentElement.scrollWidth") <= wide["width"]
    found = Axe().run(opened).response["violations"]
    assert [(rule["impact"], rule["id"], rule["nodes"][0]["html"][:160]) for rule in found] == []


def test_the_style_is_let_in_and_the_charts_have_colours(opened: Page) -> None:
    fills = opened.evaluate(
        "[...document.querySelectorAll('figure svg[role=img] path')].map(path => getComputedStyle(path).fill)"
    )
    assert len(set(fills)) >= 3
    assert "rgb(0, 0, 0)" not in fills
    clipped = opened.evaluate(
        """[...document.querySelectorAll('svg[role=img] text')].filter(text => {
            const box = text.getBBox(), view = text.ownerSVGElement.viewBox.baseVal;
            return box.x < -1 || box.x + box.width > view.width + 1 || box.y + box.height > view.height + 1;
        }).map(text => text.textContent)"""
    )
    assert clipped == []


def test_it_is_a_document_on_paper(browser: Browser, place: Path) -> None:
    page = browser.new_page(color_scheme="dark")
    page.goto(place.as_uri())
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate("getComputedStyle(document.querySelector('.scroll')).overflowX") == "visible"
    assert page.pdf().startswith(b"%PDF")
    page.close()
