"""How seconds and memory grow with events: ``python benchmarks/scaling.py --events 1 5 20 100 --write``.

Every fit is a process of its own on made-up events, which are made anew there. 100 million events need about 20 GB
and are measured only when asked for. ``--write`` puts the picture into docs/assets.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

import penchant as pt
from penchant.models.learner import learner_from
from penchant.testing import checkerboard, generated
from support.data import SIZES
from support.environments import variables
from support.machine import machine
from support.measuring import megabytes, spending
from support.running import Failed, run
from support.tables import markdown

LEARNERS: dict[str, dict[str, Any]] = {"ials": {"factors": 64}, "sansa": {}}
ASSETS = Path(__file__).parents[1] / "docs" / "assets"
HEAD = ("learner", "events", "users", "items", "fit s", "us an event", "fit +MB", "data MB", "peak MB", "growth")
MILLIONS = {int(name.split("-")[1][:-1]): name for name in SIZES}


def main() -> None:
    """Fit every learner at every size, print the table, and draw it when asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", nargs="+", type=int, choices=MILLIONS, default=[1, 5], help="millions of events")
    parser.add_argument("--learners", nargs="+", choices=LEARNERS, default=list(LEARNERS))
    parser.add_argument("--limit", type=float, default=3600.0, help="seconds after which a fit is given up")
    parser.add_argument("--write", action="store_true", help="draw docs/assets/scaling.svg")
    parser.add_argument("--fit", nargs=2, metavar=("LEARNER", "SIZE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.fit:
        print(json.dumps(fit(*options.fit)))
        return
    rows = [figures for name in options.learners for figures in sizes(name, options)]
    print(f"Measured by `benchmarks/scaling.py` on {machine()}.\n")
    print(markdown(HEAD, [line(row, rows) for row in rows]))
    slopes(rows)
    if options.write and rows:
        draw(rows, ASSETS / "scaling.svg")


def fit(name: str, size: str) -> dict[str, Any]:
    """Return what fitting one learner on one size takes, in this process; compiled code is loaded before."""
    learner = learner_from(name, LEARNERS[name])
    learner.fit(checkerboard(20))
    data = generated(*SIZES[size])
    held = megabytes("VmRSS")
    with spending() as spent:
        learner.fit(data)
    users, items, events = SIZES[size]
    shape = {"learner": name, "users": users, "items": items, "events": events, "data_mb": held}
    return shape | {"seconds": spent.seconds, "cpu": spent.cpu_seconds, "fit_mb": spent.megabytes}


def sizes(name: str, options: argparse.Namespace) -> list[dict[str, Any]]:
    """Return the figures of one learner at every size, each from a process of its own."""
    if name not in pt.learners():
        print(f"{name}: not there yet", file=sys.stderr)
        return []
    rows = []
    for millions in sorted(options.events):
        print(f"{name}, {millions} million events ...", file=sys.stderr, flush=True)
        command = [sys.executable, __file__, "--fit", name, MILLIONS[millions]]
        try:
            printed = run(command, variables("penchant", os.cpu_count() or 1), options.limit)
        except Failed as error:
            print(f"{name}, {millions} million events: {error}", file=sys.stderr)
            continue
        rows.append(json.loads(printed.splitlines()[-1]))
    return rows


def line(row: dict[str, Any], rows: list[dict[str, Any]]) -> list[str]:
    """Return a row of the table; growth is seconds an event against the learner's smallest size: 1 is linear."""
    first = next(other for other in rows if other["learner"] == row["learner"])
    each = row["seconds"] / row["events"]
    cells = [row["learner"], *(f"{row[name]:,}" for name in ("events", "users", "items")), f"{row['seconds']:.1f}"]
    cells += [f"{each * 1e6:.2f}", f"{row['fit_mb']:,.0f}", f"{row['data_mb']:,.0f}"]
    return [*cells, f"{row['data_mb'] + row['fit_mb']:,.0f}", f"{each / (first['seconds'] / first['events']):.2f}"]


def slopes(rows: list[dict[str, Any]]) -> None:
    """Print, for each learner, the power of events that its seconds go with; 1 is linear."""
    for name in dict.fromkeys(row["learner"] for row in rows):
        own = [row for row in rows if row["learner"] == name]
        if len(own) > 1:
            events, seconds = (np.log([row[field] for row in own]) for field in ("events", "seconds"))
            print(f"\n{name}: seconds go with events to the power of {np.polyfit(events, seconds, 1)[0]:.2f}")


def draw(rows: list[dict[str, Any]], path: Path) -> None:
    """Draw seconds and memory against events, with a straight line through the first point of each for the eye."""
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    axes = figure.subplots(1, 2)
    for axis, field, label in zip(axes, ("seconds", "fit_mb"), ("seconds to fit", "MB above the data"), strict=True):
        for name in dict.fromkeys(row["learner"] for row in rows):
            own = [row for row in rows if row["learner"] == name]
            events = np.array([row["events"] for row in own]) / 1e6
            values = np.array([row[field] for row in own])
            (drawn,) = axis.plot(events, values, marker="o", label=name)
            axis.plot(events, values[0] * events / events[0], linestyle=":", color=drawn.get_color())
        axis.set(xscale="log", yscale="log", xlabel="million events", ylabel=label)
        axis.grid(visible=True, alpha=0.3)
    axes[0].legend(frameon=False, title="dotted: linear")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)
    print(f"\n{path}")


if __name__ == "__main__":
    main()
