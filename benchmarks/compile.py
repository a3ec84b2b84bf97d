"""What the first call of each model costs, when nothing is compiled yet: ``python benchmarks/compile.py ease ials``.

Each model is fitted on the checkerboard, ranks it, and explains one score, in a process of its own whose cache of
compiled kernels is empty, and then in another one that finds them there. Kernels that models share are compiled once
on a real machine, so the sum of the column is more than anybody waits for.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import penchant as pt
from penchant.testing import checkerboard
from support.machine import machine
from support.tables import markdown, write_block

HEAD = ("model", "first call s", "cached s")


def main() -> None:
    """Measure the models asked for, or all, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="*", help="names of learners; all when none is given")
    parser.add_argument("--write", type=Path, help="a document whose block of this name is rewritten")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(used(options.child)))
        return
    rows = []
    for name in options.models or sorted(pt.learners()):
        with tempfile.TemporaryDirectory() as folder:
            first, again = (spent(name, folder) for _ in range(2))
        rows.append([name, f"{first:.1f}", f"{again:.2f}"])
    block = f"Measured by `benchmarks/compile.py` on {machine()}.\n\n{markdown(HEAD, rows, left=1)}"
    print(block)
    if options.write:
        write_block(options.write, "compile", block)


def spent(name: str, folder: str) -> float:
    """Return the seconds of fitting, ranking and explaining in a process with this cache of kernels."""
    command = [sys.executable, __file__, "--child", name]
    environment = os.environ | {"NUMBA_CACHE_DIR": folder}
    printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment).stdout
    return float(json.loads(printed))


def used(name: str) -> float:
    """Return the seconds of fitting, ranking and explaining the checkerboard."""
    board = checkerboard(40, missing=0.2)
    began = time.perf_counter()
    scorer = pt.learners()[name]().fit(board)
    scorer.score_batch(scorer.rows(board), 5)
    scorer.recommend_one(["0", "2", "4"], n=5, exclude_seen=False)
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
