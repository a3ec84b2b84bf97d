"""What exists is documented: settings, routes, commands and public names; and rooms stay small."""

from __future__ import annotations

import ast
import doctest
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, get_args, get_type_hints

import msgspec
import pytest
from msgspec import Struct

import penchant
from penchant.core import errors
from penchant.core.settings import Settings, settings_from
from penchant.server.errors import STATUS
from penchant.trust.access import SCOPES

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
MODULES = sorted((ROOT / "src").rglob("*.py"))
HEAVY = ("numpy", "polars", "numba", "scipy", "litestar", "sqlalchemy", "optuna")


def _text(*paths: Path) -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in paths)


def _structs(kind: Any) -> Iterator[type[Struct]]:
    if isinstance(kind, type) and issubclass(kind, Struct):
        yield kind
    for inner in get_args(kind):
        yield from _structs(inner)


def _keys(kind: type[Struct], section: str = "") -> Iterator[tuple[str, str]]:
    """Yield (table, key) of every setting; a table under names of the user's own is written [placements.<name>]."""
    hints = get_type_hints(kind)
    for field in msgspec.structs.fields(kind):
        inner = list(_structs(hints[field.name]))
        for struct in inner:
            free = "" if hints[field.name] is struct else ".<name>"
            yield from _keys(struct, f"{section}{field.name}{free}")
        if not inner:
            yield section, field.name


def test_every_setting_is_in_the_reference_under_its_table() -> None:
    page = (DOCS / "reference" / "settings.md").read_text(encoding="utf-8")
    parts = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL))
    for table, key in _keys(Settings):
        head = f"`[{table}]`" if table else "Top level"
        if key == "models":
            head = "`[models.<name>]`"
        assert head in parts, f"docs/reference/settings.md has no section {head}"
        assert f"`{key}`" in parts[head] or key == "models", (
            f"docs/reference/settings.md does not name {key} under {head}"
        )


def test_every_default_in_the_reference_is_the_default() -> None:
    page = (DOCS / "reference" / "settings.md").read_text(encoding="utf-8")
    parts = {part.partition("\n")[0]: part for part in page.split("\n## ")}
    for table, key in _keys(Settings):
        if table.endswith("<name>") or not table:
            continue
        default = getattr(getattr(Settings(), table), key)
        shown = dict(re.findall(r"^\| `(\w+)` \| (.*?) \|", parts[f"`[{table}]`"], re.MULTILINE))
        said = tomllib.loads(f"x = {shown[key].strip('`')}")["x"]
        assert msgspec.convert(said, type(default)) == default, f"docs/reference/settings.md: {table}.{key}"


def test_the_models_and_placements_in_the_reference_are_those_that_ship() -> None:
    page = (DOCS / "reference" / "settings.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"^```toml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    settings = settings_from(tomllib.loads(text), base=Path())
    assert settings.models == Settings().models
    assert settings.placements == Settings().placements


def test_the_reference_names_no_setting_that_does_not_exist() -> None:
    page = (DOCS / "reference" / "settings.md").read_text(encoding="utf-8")
    known = {key for _, key in _keys(Settings)} | {"learner"}
    named = set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE))
    assert named <= known


def test_every_error_code_is_documented_with_its_status() -> None:
    page = (DOCS / "howto" / "http.md").read_text(encoding="utf-8")
    assert {code: int(status) for status, code in re.findall(r"^\| (\d{3}) \| `(\w+)`", page, re.MULTILINE)} == STATUS


def test_every_scope_is_documented() -> None:
    page = (DOCS / "howto" / "http.md").read_text(encoding="utf-8")
    part = page.partition("| scope |")[2].partition("## ")[0]
    assert set(re.findall(r"^\| `([\w:]+)` \|", part, re.MULTILINE)) == set(SCOPES)


ERRORS = {name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, Exception)}
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def _public(body: list[ast.stmt]) -> list[Definition]:
    return [node for node in body if isinstance(node, Definition) and not node.name.startswith("_")]


def _needs_no_example(node: Definition) -> bool:
    """Say yes for protocols, errors that add nothing, and the commands and handlers that tests of their own drive."""
    if isinstance(node, ast.ClassDef):
        bases = {ast.unparse(base) for base in node.bases}
        adds_nothing = all(isinstance(each, ast.Expr | ast.Assign) for each in node.body)
        return "Protocol" in bases or (adds_nothing and bool(bases & ERRORS))
    made_by = {ast.unparse(each.func) for each in node.decorator_list if isinstance(each, ast.Call)}
    takes = {ast.unparse(each.annotation) for each in node.args.args if each.annotation is not None}
    handler = made_by & {"get", "head", "post", "put"} or takes & {"Asked", "Request[Any, Any, Any]"}
    return bool(handler or "typer.Context" in takes)


def _examples(module: str) -> set[str]:
    """Return what in a module has an example that runs: names, and for Class.method both."""
    found: set[str] = set()
    for test in doctest.DocTestFinder(exclude_empty=True).find(import_module(module)):
        name = test.name.removeprefix(module).removeprefix(".")
        if any(not example.options.get(doctest.SKIP) for example in test.examples):
            found |= {name, name.partition(".")[0]}
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT / "src")))
def test_whatever_is_public_is_documented_with_an_example_that_runs(path: Path) -> None:
    public = _public(ast.parse(path.read_text(encoding="utf-8")).body)
    members = [(node, member) for node in public if isinstance(node, ast.ClassDef) for member in _public(node.body)]
    silent = [node.name for node in public if not ast.get_docstring(node)]
    silent += [f"{node.name}.{member.name}" for node, member in members if not ast.get_docstring(member)]
    assert not silent, f"{path.name}: no docstring says what these are"
    wanted = {node.name for node in public if not _needs_no_example(node)}
    if wanted and "migrations" not in path.parts:  # Alembic runs the steps of a migration, and nobody else may
        module = ".".join(path.relative_to(ROOT / "src").with_suffix("").parts).removesuffix(".__init__")
        assert not wanted - _examples(module), f"{path.name}: no example shows the use of these"


def test_the_rule_of_examples_finds_what_breaks_it() -> None:
    source = """
class Way(Protocol):
    def go(self): ...
class Lost(InputError):
    code = "lost"
class Found(InputError):
    def where(self): ...
def show(request: Asked): ...
@get("/health")
def health(): ...
def demo(context: typer.Context): ...
def helper(text: str): ...
"""
    assert [node.name for node in _public(ast.parse(source).body) if not _needs_no_example(node)] == ["Found", "helper"]


def test_every_exported_name_is_there() -> None:
    for name in penchant.__all__:
        thing = getattr(penchant, name)
        for inner in thing.__all__ if isinstance(thing, ModuleType) else ():
            assert getattr(thing, inner) is not None, f"penchant.{name}.{inner}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT / "src")))
def test_every_module_is_a_small_room_with_a_name_plate(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 400, f"{path.name} is longer than 400 lines"
    tree = ast.parse(text)
    assert ast.get_docstring(tree), f"{path.name} does not say what it is"
    named = {
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    plain = path.name in ("__init__.py", "__main__.py", "version.py") or "migrations" in path.parts
    assert plain or "__all__" in named, f"{path.name} has no __all__"


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = (
        "import sys, penchant;"
        f"print([name for name in {HEAVY!r} if name in sys.modules]);"
        "print(next((line for line in open('/proc/self/status') if line.startswith('VmHWM')), 'VmHWM: 0 kB'))"
    )
    ran = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    loaded, peak = ran.stdout.splitlines()[:2]
    assert loaded == "[]"
    assert 0 < int(peak.split()[1]) < 80 * 1024


def test_the_settings_that_ship_name_every_key_and_say_the_defaults() -> None:
    shipped = (ROOT / "src" / "penchant" / "core" / "penchant.toml").read_text(encoding="utf-8")
    assert settings_from(tomllib.loads(shipped), base=Path()) == settings_from({}, base=Path())
    for table, key in _keys(Settings):
        assert re.search(
            rf"^#? ?{key}\b|^#? ?\[{key}[.\]]|^#? ?\[\w+\.{key}\]|\[{table}.{key}\]", shipped, re.MULTILINE
        ), f"penchant.toml does not name {table}.{key}"
