"""The documentation's Python runs: sessions as doctests, scripts as scripts."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
PAGES = sorted(DOCS.rglob("*.md"))


def _fences(language: str) -> list[tuple[str, str]]:
    pattern = re.compile(rf"^```{language}\n(.*?)^```$", re.MULTILINE | re.DOTALL)
    return [
        (str(page.relative_to(DOCS)), text)
        for page in PAGES
        for text in pattern.findall(page.read_text(encoding="utf-8"))
    ]


@pytest.mark.parametrize(("page", "text"), _fences("python"), ids=lambda value: value if value.endswith(".md") else "")
def test_scripts_run(page: str, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    exec(compile(text, page, "exec", dont_inherit=True), {"__name__": "example"})


@pytest.mark.parametrize(("page", "text"), _fences("pycon"), ids=lambda value: value if value.endswith(".md") else "")
def test_sessions_show_what_they_say(page: str, text: str) -> None:
    test = doctest.DocTestParser().get_doctest(text, {}, page, page, 0)
    said: list[str] = []
    doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(test, out=said.append)
    assert test.examples
    assert not said, "".join(said)
