"""Published values on public data beside ours: ``python benchmarks/accuracy.py --only gowalla slim``.

Every row is fitted in a process of its own. Rows that need many gigabytes are measured with ``--heavy`` only; with
``--write docs/reference/results.md`` the table goes into that document, between its markers.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

import penchant as pt
from penchant.core.errors import PenchantError
from penchant.models.learner import learner_from
from support.data import Missing
from support.environments import variables
from support.machine import machine
from support.protocols import measured
from support.published import ROWS, Row
from support.running import Failed, run
from support.tables import markdown, shown, write_block

HEAD = ("data", "model", "settings", "metric", "published", "ours", "difference", "fit s", "peak +MB")
TWO_CORES = 2


def main() -> None:
    """Measure the rows asked for, print the table, and write it when told where."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", default=[], help="words of which a row's data, name or learner has one")
    parser.add_argument("--heavy", action="store_true", help="also the rows that take many gigabytes and minutes")
    parser.add_argument("--limit", type=float, default=1800.0, help="seconds after which a row is given up")
    parser.add_argument("--write", type=Path, help="a document whose block is rewritten")
    parser.add_argument(
        "--keep", type=Path, help="figures measured before are read from this file, new ones added to it"
    )
    parser.add_argument("--row", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.row is not None:
        row = ROWS[options.row]
        print(json.dumps(measured(row.data, learner_from(row.label, {"learner": row.learner} | row.settings))))
        return
    figures = [(row, found(row, options)) for row in ROWS if asked(row, options.only)]
    table = markdown(HEAD, [cells for row, had in figures for cells in lines(row, had)], left=4)
    block = f"Measured by `benchmarks/accuracy.py` on {machine()}.\n\n{table}"
    print(block)
    if options.write:
        write_block(options.write, "accuracy", block)


def asked(row: Row, words: list[str]) -> bool:
    """Return whether a row has one of the words; all have when there are none."""
    return not words or any(word.lower() in (row.data, row.label.lower(), row.learner) for word in words)


def found(row: Row, options: argparse.Namespace) -> dict[str, Any]:
    """Return the figures of a row, or why there are none."""
    key = json.dumps([row.data, row.label, row.settings])
    kept = json.loads(options.keep.read_text()) if options.keep and options.keep.exists() else {}
    if key in kept:
        return dict(kept[key])
    figures = tried(row, options)
    if options.keep and "why" not in figures:
        options.keep.write_text(json.dumps(kept | {key: figures}, indent=1))
    return figures


def tried(row: Row, options: argparse.Namespace) -> dict[str, Any]:
    """Return the figures of a row as measured now, or why it is not."""
    if row.learner not in pt.learners():
        return {"why": "not there yet"}
    if row.heavy and not options.heavy:
        return {"why": "heavy: run with --heavy"}
    try:
        learner_from(row.label, {"learner": row.learner} | row.settings)
        print(f"{row.data} {row.label} ...", file=sys.stderr, flush=True)
        command = [sys.executable, __file__, "--row", str(ROWS.index(row))]
        printed = run(command, variables("penchant", os.cpu_count() or TWO_CORES), options.limit)
    except (Failed, PenchantError) as error:
        return {"why": str(error)[:80]}
    return dict(json.loads(printed.splitlines()[-1]))


def lines(row: Row, had: dict[str, Any]) -> list[list[str]]:
    """Return a line of the table for each metric of a row."""
    given = ", ".join(
        f"{name}={value:.4g}" if isinstance(value, float) else f"{name}={value}" for name, value in row.settings.items()
    )
    out = []
    for metric, published in row.published.items():
        ours = had.get(metric)
        difference = f"{ours / published - 1:+.1%}" if ours is not None and published else had.get("why", "")
        cells = [row.data, row.label, given, metric, shown(published, ".4f"), shown(ours, ".4f"), difference]
        out.append([*cells, shown(had.get("seconds"), ".1f"), shown(had.get("megabytes"), ",.0f")])
    return out


if __name__ == "__main__":
    try:
        main()
    except Missing as missing:
        sys.exit(str(missing))
