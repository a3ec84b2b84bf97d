"""SANSA on a catalogue of many items, beside the bound it states: ``python benchmarks/sansa.py --items 200000``.

``scaling.py`` goes by events, on catalogues whose counts may be kept; here they never are, so that the bound holds.
"""

from __future__ import annotations

import argparse

import penchant as pt
from penchant.testing import checkerboard, generated
from support.machine import machine
from support.measuring import spending
from support.tables import markdown

HEAD = ("items", "events", "fit s", "cpu s", "fit +MB", "stated MB", "weights an item")


def main() -> None:
    """Fit every size in turn, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--items", nargs="+", type=int, default=[50_000, 200_000], help="fifteen events are made of each"
    )
    options = parser.parse_args()
    rows = [line(items) for items in options.items]
    print(f"Measured by `benchmarks/sansa.py` on {machine()}.\n")
    print(markdown(HEAD, rows, left=0))


def line(n_items: int) -> list[str]:
    """Return a line of the table: ten events a person."""
    learner = pt.SANSA(max_pairs=0)
    learner.fit(checkerboard(20))  # compiles
    data = generated(3 * n_items // 2, n_items, 15 * n_items)
    with spending() as spent:
        scorer = learner.fit(data)
    stated = bound(data.matrix.nnz, len(scorer.candidates), scorer.facts["predecessors"], learner.k or 0) / 2**20
    cells = [f"{n_items:,}", f"{data.n_events:,}", f"{spent.seconds:.1f}", f"{spent.cpu_seconds:.1f}"]
    return [*cells, f"{spent.megabytes:,.0f}", f"{stated:,.0f}", f"{len(scorer.w_data) / len(scorer.candidates):.1f}"]


def bound(events: int, n: int, m: int, k: int) -> float:
    """Return the bytes that SANSA's documentation states for n items, m predecessors and k weights each."""
    return 60.0 * events + n * max(64.0 * m, 24.0 * m + 32.0 * k)


if __name__ == "__main__":
    main()
