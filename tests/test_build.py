"""What a stranger needs after a clone: targets that explain themselves, a CI script, names that lead somewhere."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
TARGETS = ["help", "demo", "test", "sim", "fuzz", "chaos", "check", "bench", "docs", "clean"]
ENTRIES = [
    EntryPoint(name, value, group)
    for group, names in {"console_scripts": PROJECT["scripts"], **PROJECT["entry-points"]}.items()
    for name, value in names.items()
]


def _make(*args: str) -> subprocess.CompletedProcess[str]:
    if shutil.which("make") is None:
        pytest.skip("no make on this machine")
    env = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    return subprocess.run(
        ["make", "--no-print-directory", *args], cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )


def test_make_help_explains_every_target() -> None:
    said = _make("help").stdout
    assert re.findall(r"make (\w+) +\w", said) == TARGETS
    assert re.findall(r"make (\w+) +\w", _make().stdout) == TARGETS


def test_a_python_that_is_absent_or_too_old_is_refused_by_name(tmp_path: Path) -> None:
    absent = _make("demo", f"VENV={tmp_path / 'venv'}", "PYTHON=python-that-is-not-here")
    assert absent.returncode
    assert "Penchant needs Python 3.11 or later; 'python-that-is-not-here' is not here." in absent.stderr
    old = tmp_path / "old"
    old.write_text('#!/bin/sh\n[ "$1" = -V ] && echo Python 3.9.2 && exit 0\nexit 1\n', encoding="utf-8")
    old.chmod(0o755)
    refused = _make("test", f"VENV={tmp_path / 'venv'}", f"PYTHON={old}")
    assert refused.returncode
    assert f"'{old}' is Python 3.9.2. Say which: make test PYTHON=python3.11" in refused.stderr
    assert not (tmp_path / "venv").exists()


def test_the_ci_script_is_executable_and_well_formed() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    subprocess.run(["bash", "-n", script], check=True)


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: f"{entry.group}:{entry.name}")
def test_every_entry_point_leads_somewhere(entry: EntryPoint) -> None:
    found = entry.load()
    assert callable(found)
    if entry.group == "penchant.learners":
        assert found.name == entry.name


def test_the_license_is_the_whole_apache_text() -> None:
    digest = hashlib.sha256((ROOT / "LICENSE").read_bytes()).hexdigest()
    assert digest == "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30"
