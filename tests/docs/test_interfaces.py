"""Every route and every command is documented, and nothing is documented that does not exist."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

from penchant.core.settings import Settings
from penchant.server.app import create_app
from penchant.server.examples import BODIES

DOCS = Path(__file__).parents[2] / "docs"
HTTP = (DOCS / "howto" / "http.md").read_text(encoding="utf-8")
CLI = (DOCS / "howto" / "cli.md").read_text(encoding="utf-8")


def _routes() -> set[str]:
    app = create_app(SimpleNamespace(settings=Settings()))
    return {
        f"{method} {re.sub(r':[^}]*', '', route.path)}"
        for route in app.routes
        for method in route.methods
        if method not in ("HEAD", "OPTIONS")
    }


def test_the_documented_routes_are_the_routes() -> None:
    assert set(re.findall(r"^\| `([A-Z]+ /\S*)` \|", HTTP, re.MULTILINE)) == _routes()


def test_the_documented_bodies_are_the_examples_that_the_server_gives() -> None:
    parts = dict(re.findall(r"^### ([A-Z]+ /\S*)\n(.*?)(?=^##|\Z)", HTTP, re.MULTILINE | re.DOTALL))
    for (method, path), body in BODIES.items():
        shown = re.search(r"^```json\n(.*?)^```$", parts[f"{method.upper()} {path}"], re.MULTILINE | re.DOTALL)
        assert shown is not None, f"docs/howto/http.md shows no body of {method} {path}"
        assert json.loads(shown[1]) == body


def _commands() -> set[str]:
    penchant = Path(sys.executable).with_name("penchant")
    env = {**os.environ, "TERM": "dumb", "COLUMNS": "160", "NO_COLOR": "1"}
    text = subprocess.run([penchant, "--help"], check=True, capture_output=True, text=True, env=env).stdout
    return set(re.findall(r"^\W*([a-z][a-z-]*)  +\S", text[text.index("Commands") :], re.MULTILINE))


def test_the_documented_commands_are_the_commands() -> None:
    assert set(re.findall(r"^\| `penchant ([a-z-]+)` \|", CLI, re.MULTILINE)) == _commands()


def test_no_page_shows_a_command_that_does_not_exist() -> None:
    pages = [*DOCS.rglob("*.md"), DOCS.parent / "README.md"]
    shown = {
        name
        for page in pages
        for name in re.findall(r"^penchant ([a-z-]+)", page.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert shown
    assert shown <= _commands()
