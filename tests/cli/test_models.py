"""The registry on the command line: what there is, what is in charge, back again, and what is damaged."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from penchant.core.clock import SystemClock
from penchant.core.nouns import Event
from penchant.core.settings import load_settings
from penchant.trust.access import SYSTEM
from penchant.trust.gate import Gate

from .conftest import Run


@pytest.fixture
def digests(shop: Path, made: Path, run: Run) -> list[str]:
    """Train a second time on more events; return the digests, the one in charge first."""
    shutil.copytree(made / "artifacts", shop / "artifacts")
    with Gate.open(load_settings(shop / "penchant.toml"), SystemClock()) as gate:
        gate.admit(SYSTEM, [Event(f"u{n}", "i1", "purchase", datetime.now(UTC), id=f"new-{n}") for n in range(40)])
    assert run("train").status == 0
    return [entry["artifact"]["digest"] for entry in json.loads(run("models", "list", "--json").out)]


def stars(run: Run) -> list[str]:
    return [line.split()[1] for line in run("models").out.splitlines() if line.startswith("*")]


def test_the_list_says_what_is_in_charge_since_when_and_by_whom(digests: list[str], run: Run) -> None:
    assert len(digests) == 2
    assert stars(run) == [digests[0][:12]]
    (entry, _) = json.loads(run("models", "list", "--json").out)
    assert entry["promotion"]["by"] == "penchant train"
    assert entry["artifact"]["metrics"]["rows"] == 3240
    assert entry["size"] > 10_000


def test_rolling_back_is_one_command_and_promoting_another(digests: list[str], run: Run) -> None:
    new, old = digests
    ran = run("models", "rollback")
    assert ran.out == f"{old[:12]}: in charge, in place of {new[:12]}\n"
    assert stars(run) == [old[:12]]
    assert run("models", "rollback").err.startswith("error: there is no bundle to roll back to; next: ")
    assert run("models", "promote", new[:6]).out.startswith(f"{new[:12]}: in charge\n")
    assert stars(run) == [new[:12]]
    shown = run("models", "history").out
    assert [line.split()[0] for line in shown.splitlines() if line[:4] in (new[:4], old[:4])] == [
        each[:12] for each in (new, new, old)
    ]


def test_a_damaged_bundle_is_named_and_neither_promoted_nor_rolled_back_to(digests: list[str], run: Run) -> None:
    new, old = digests
    assert run("models", "check").out == f"{new[:12]}: sound\n{old[:12]}: sound\n"
    broken = next(Path("artifacts", old[:16]).rglob("*.npy"))
    stat = broken.stat()
    raw = bytearray(broken.read_bytes())
    raw[-1] ^= 1
    broken.write_bytes(bytes(raw))
    ran = run("models", "check")
    assert ran.status == 1
    assert ran.out.startswith(f"{new[:12]}: sound\n{old[:12]}: a file of the saved model is not what was saved; got ")
    assert ran.err.startswith("error: not every bundle is sound; got 1 of 2; next: ")
    assert broken.stat().st_size == stat.st_size
    for command in (("promote", old[:8]), ("rollback",)):
        refused = run("models", *command)
        assert refused.status == 1
        assert "a file of the saved model is not what was saved" in refused.err
    assert stars(run) == [new[:12]]


def test_a_digest_that_cannot_be_meant_is_refused(digests: list[str], run: Run) -> None:
    assert run("models", "promote", "zzzzzz").err.startswith("error: no such bundle; got zzzzzz; next: ")
    assert run("models", "promote", "a").err.startswith("error: the digest is too short; got a; allowed: 4 characters")


def test_without_models_the_next_step_is_said(empty: Path, run: Run) -> None:
    assert run("init").status == 0
    assert run("models").out == "no models are trained; next: penchant train\n"
    assert run("models", "history").out == "nothing was ever in charge; next: penchant train\n"
