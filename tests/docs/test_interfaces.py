"""Every route and every command is documented, and nothing is documented that does not exist."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from penchant.cli.app import COMMANDS
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


def _options(command: Any) -> set[str]:
    own = {name for option in command.params for name in option.opts if name.startswith("--")}
    return own.union(*(_options(inner) for inner in getattr(command, "commands", {}).values()))


def test_the_documented_commands_are_the_commands() -> None:
    assert set(re.findall(r"^\| `penchant ([a-z-]+)` \|", CLI, re.MULTILINE)) == set(COMMANDS.commands)


@pytest.mark.parametrize("name", sorted(COMMANDS.commands))
def test_every_option_is_documented_under_its_command(name: str) -> None:
    parts = dict(re.findall(r"^## penchant ([a-z-]+).*?\n(.*?)(?=^## |\Z)", CLI, re.MULTILINE | re.DOTALL))
    shown = set(re.findall(r"(--[a-z][a-z-]*)", parts[name]))
    command = COMMANDS.commands[name]
    assert shown == _options(command)
    for inner in getattr(command, "commands", {}):
        assert f"penchant {name} {inner}" in parts[name]


def test_no_page_shows_a_command_that_does_not_exist() -> None:
    pages = [*DOCS.rglob("*.md"), DOCS.parent / "README.md"]
    text = "\n".join(page.read_text(encoding="utf-8") for page in pages)
    shown = set(re.findall(r"^penchant ([a-z-]+)", text, re.MULTILINE))
    assert shown
    assert shown <= set(COMMANDS.commands)
