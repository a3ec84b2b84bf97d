"""Measures the demo and pastes its figures into README.md, between the markers. Figures there are never typed.

Run it as ``python benchmarks/readme.py``, or give it a document that was measured before:
``penchant demo --once --json | python benchmarks/readme.py -``.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from support.machine import machine
from support.tables import replaced

README = Path(__file__).parents[1] / "README.md"
SHOWN = ("ndcg@10", "recall@10", "recall@20", "hit@10")
MOST = 3


def main() -> None:
    """Take or measure the document, rewrite the block, and print it."""
    text = sys.stdin.read() if sys.argv[1:] == ["-"] else measured()
    figures = block(json.loads(text), machine())
    README.write_text(replaced(README.read_text(encoding="utf-8"), "demo", figures), encoding="utf-8")
    print(figures)


def measured() -> str:
    """Return what ``penchant demo --once --json`` prints, from a folder that is removed afterwards."""
    penchant = Path(sys.executable).with_name("penchant")
    with tempfile.TemporaryDirectory() as folder:
        command = [penchant, "demo", "--once", "--json", "--folder", str(Path(folder, "demo"))]
        return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def block(document: dict[str, Any], about: str) -> str:
    """Return the figures as Markdown: what was read, the models of each task, the time of each step."""
    counts = ", ".join(f"{value:,} {name}" for name, value in document["dataset"].items() if is_count(value))
    parts = [f"Measured by `benchmarks/readme.py` on {about}. Data: {counts}. In brackets: 95% bootstrap intervals."]
    for task in dict.fromkeys(model["task"] for model in document["models"].values()):
        parts.append(table(task, {name: m for name, m in document["models"].items() if m["task"] == task}))
        parts += [note for note in document.get("tasks", {}).get(task, [])[:1] if note not in parts]
    spent = ", ".join(f"{step} {seconds:.1f} s" for step, seconds in document["timings"].items())
    parts.append(f"Time of each step: {spent}.")
    return "\n\n".join(parts)


def table(task: str, models: dict[str, Any]) -> str:
    """Return one Markdown table, a row a model; the difference is that of the first metric."""
    metrics = [name for name in SHOWN if any(name in model["metrics"] for model in models.values())][:MOST]
    rows = [[f"`{task}`", *metrics, "difference from the baseline", "fit"], ["---", *["---:"] * (len(metrics) + 2)]]
    for name, model in models.items():
        found = [model["metrics"].get(metric) or {} for metric in metrics]
        cells = [shown(metric, "value", "low", "high") for metric in found]
        change = shown(found[0], "diff", "diff_low", "diff_high", sign="+") if found else ""
        seconds = model.get("seconds")
        rows.append([name, *cells, change, "" if seconds is None else f"{seconds:.1f} s"])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def shown(metric: dict[str, Any], value: str, low: str, high: str, sign: str = "") -> str:
    """Return a value with its interval, so far as there are any."""
    if metric.get(value) is None:
        return ""
    text = f"{metric[value]:{sign}.4f}"
    return text if metric.get(low) is None else f"{text} [{metric[low]:{sign}.4f}, {metric[high]:{sign}.4f}]"


def is_count(value: Any) -> bool:
    """Return whether a value is a whole number."""
    return isinstance(value, int) and not isinstance(value, bool)


if __name__ == "__main__":
    main()
