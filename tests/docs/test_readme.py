"""The README's Python runs, and its figures are pasted by a script."""

from __future__ import annotations

import importlib.util
import re
from datetime import datetime, timedelta
from pathlib import Path
from types import ModuleType

import numpy as np
import polars as pl
import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
FENCES = re.findall(r"^```python\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


@pytest.fixture
def orders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A shop of 60 people and 12 items in two tastes, over 90 days; the README's three items among them."""
    rng = np.random.default_rng(0)
    tastes = [
        ["22423", "85123A", "47566", "20725", "84879", "22720"],
        ["21212", "22197", "23203", "22383", "22960", "20727"],
    ]
    rows = [
        (str(12000 + user), item, datetime(2011, 9, 1, 9) + timedelta(days=int(day), minutes=user))
        for user in range(60)
        for item in rng.choice(tastes[user % 2], 5, replace=False)
        for day in rng.integers(0, 90, 2)
    ]
    frame = pl.DataFrame(rows, schema=["CustomerID", "StockCode", "InvoiceDate"], orient="row")
    frame.with_columns(pl.col("InvoiceDate").dt.to_string("%Y-%m-%d %H:%M:%S")).write_csv(tmp_path / "orders.csv")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_there_is_one_example_of_twelve_lines() -> None:
    (fence,) = FENCES
    assert len([line for line in fence.splitlines() if line.strip()]) == 12


def test_the_example_runs_and_says_what_the_comments_say(orders: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, object] = {}
    exec(compile(FENCES[0], "README.md", "exec", dont_inherit=True), names)
    table, scorer, reasons, report = (names[name] for name in ("table", "scorer", "reasons", "report"))
    assert table.columns == ["user", "item", "score", "rank"]
    assert table.group_by("user").len()["len"].max() <= 10
    weights = [abs(reason.weight) for reason in reasons]
    assert weights == sorted(weights, reverse=True)
    slate = scorer.recommend_one(["22423", "85123A"], n=12)
    total = sum(reason.weight for reason in reasons)
    assert total == pytest.approx(slate.scores[slate.ids.index("47566")], rel=1e-4)
    assert {"ease", "popular"} <= set(report.table["model"])
    assert (orders / "ease").is_dir()
    assert "ease" in capsys.readouterr().out


@pytest.fixture
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("benchmarks_readme", ROOT / "benchmarks" / "readme.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _metric(value: float, diff: float | None = None) -> dict[str, float | None]:
    low, high = (None, None) if diff is None else (diff - 0.01, diff + 0.01)
    return {"value": value, "low": value - 0.01, "high": value + 0.01, "diff": diff, "diff_low": low, "diff_high": high}


DOCUMENT = {
    "dataset": {"source": "a wheel", "events": 1469307, "users": 2469},
    "tasks": {"new": ["Temporal split.", "Nine users."]},
    "models": {
        "popular": {"task": "new", "seconds": None, "metrics": {"ndcg@10": _metric(0.1)}},
        "ease": {"task": "new", "seconds": 3.21, "metrics": {"ndcg@10": _metric(0.12346, 0.02346)}},
        "buy-again": {"task": "repeat", "seconds": 0.5, "metrics": {"ndcg@10": _metric(0.5)}},
    },
    "households": [],
    "timings": {"import": 12.34, "train": 20.0},
}


def test_figures_become_one_table_a_task(script: ModuleType) -> None:
    text = script.block(DOCUMENT, "a machine")
    assert "on a machine. Data: 1,469,307 events, 2,469 users." in text
    assert "| `new` | ndcg@10 | difference from the baseline | fit |" in text
    assert "| popular | 0.1000 [0.0900, 0.1100] |  |  |" in text
    assert "| ease | 0.1235 [0.1135, 0.1335] | +0.0235 [+0.0135, +0.0335] | 3.2 s |\n\nTemporal split.\n" in text
    assert "| `repeat` | ndcg@10 | difference from the baseline | fit |" in text
    assert text.endswith("Time of each step: import 12.3 s, train 20.0 s.")


def test_only_the_block_between_the_markers_changes(script: ModuleType) -> None:
    changed = script.replaced(README, "demo", "FIGURES")
    begin, end = "<!-- demo:begin -->", "<!-- demo:end -->"
    assert changed == f"{README.split(begin)[0]}{begin}\nFIGURES\n{end}{README.split(end)[1]}"


@pytest.mark.parametrize("name", ["README.md", "CHANGELOG.md"])
def test_links_within_the_repository_lead_somewhere(name: str) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", (ROOT / name).read_text(encoding="utf-8"))
    assert [link for link in links if not (ROOT / link).exists()] == []
