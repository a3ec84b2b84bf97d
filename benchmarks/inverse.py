"""EASE beside one LAPACK inverse of the same size: ``python benchmarks/inverse.py 4000 8000``.

Both go in turn in one process with all threads: LAPACK's potrf and potri of a ready matrix in float32, then the whole
of EASE, which counts, spreads, inverts, mirrors and scales. Memory is the peak above the data, in units of 4 n^2 bytes,
of a process of its own.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from scipy.linalg.lapack import spotrf, spotri

import penchant as pt
from penchant.testing import generated
from support.machine import machine
from support.measuring import spending
from support.tables import markdown, write_block

HEAD = ("items", "LAPACK s", "EASE s", "ratio", "EASE retrain s", "ratio", "peak / 4n^2", "retrain")


def main() -> None:
    """Measure the sizes asked for, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("items", nargs="*", type=int, default=[4000, 8000])
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--write", type=Path, help="a document whose block of this name is rewritten")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(memory(int(options.child[0]), options.child[1])))
        return
    rows = [line(n, options.repeat) for n in options.items]
    block = f"Measured by `benchmarks/inverse.py` on {machine()}.\n\n{markdown(HEAD, rows, left=0)}"
    print(block)
    if options.write:
        write_block(options.write, "inverse", block)


def made(n: int) -> pt.Dataset:
    """Return data with n items, of which nearly all pairs meet."""
    return generated(20_000, n, 125 * n)


def line(n: int, repeat: int) -> list[str]:
    """Return a line of the table."""
    data = made(n)
    _ = data.matrix
    pt.EASE(l2=100.0).fit(made(300))  # compiles
    times: dict[str, list[float]] = {"lapack": [], "exact": [], "retrain": []}
    for _ in range(repeat):
        times["lapack"].append(lapack(n))
        for forgetting in ("exact", "retrain"):
            began = time.perf_counter()
            pt.EASE(l2=100.0, forgetting=forgetting).fit(data)
            times[forgetting].append(time.perf_counter() - began)
    least, exact, retrain = (statistics.median(times[name]) for name in ("lapack", "exact", "retrain"))
    peaks = [peak(n, forgetting) for forgetting in ("exact", "retrain")]
    shown = [f"{value:.2f}" for value in (least, exact, exact / least, retrain, retrain / least, *peaks)]
    return [f"{n:,}", *shown]


def lapack(n: int) -> float:
    """Return the seconds of LAPACK's inverse of a random symmetric matrix."""
    matrix = np.random.default_rng(0).random((n, n), np.float32)
    matrix[np.diag_indices(n)] += n
    began = time.perf_counter()
    factor, _ = spotrf(matrix.T, lower=1, overwrite_a=1, clean=0)
    spotri(factor, lower=1, overwrite_c=1)
    return time.perf_counter() - began


def peak(n: int, forgetting: str) -> float:
    """Return the peak of a fit in a process of its own, over 4 n^2 bytes."""
    command = [sys.executable, __file__, "--child", str(n), forgetting]
    printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return float(json.loads(printed))


def memory(n: int, forgetting: str) -> float:
    """Return the peak of this process while fitting, over 4 n^2 bytes."""
    data = made(n)
    _ = data.matrix
    pt.EASE(l2=100.0).fit(made(300))
    with spending() as spent:
        pt.EASE(l2=100.0, forgetting=forgetting).fit(data)
    return spent.megabytes * 2**20 / (4 * n * n)


if __name__ == "__main__":
    main()
