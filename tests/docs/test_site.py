"""The documentation builds, with no link that leads nowhere, and its examples arrive as code. Takes about 3 seconds."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(place)]
    env = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    built = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    return place


def test_every_page_is_there(site: Path) -> None:
    for page in (ROOT / "docs").rglob("*.md"):
        name = page.relative_to(ROOT / "docs").with_suffix("")
        place = site / name.parent if name.name == "index" else site / name
        assert (place / "index.html").is_file(), f"{name} is not in the site"


def test_nothing_is_fetched_from_elsewhere(site: Path) -> None:
    text = (site / "index.html").read_text(encoding="utf-8")
    assert 'src="http' not in text
    assert "fonts.googleapis" not in text


def test_docstrings_arrive_as_code(site: Path) -> None:
    text = (site / "reference" / "library" / "index.html").read_text(encoding="utf-8")
    assert "<blockquote>" not in text  # what Markdown makes of >>> outside a fence
    assert ":func:" not in text
