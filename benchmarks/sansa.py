"""Measure what SANSA takes on a generated catalogue: ``python benchmarks/sansa.py 200000 3000000``."""

from __future__ import annotations

import resource
import sys
import time
from pathlib import Path

import numpy as np
import polars as pl
import scipy.sparse as sp

import penchant as pt

_GROUP = 200


def generated(n_items: int, n_events: int, rng: int = 0) -> sp.csr_array:
    """Return people x items: ten events a person, most from two groups of items, popular items after a power law."""
    chance = np.random.default_rng(rng)
    users = n_events // 10
    person = np.repeat(np.arange(users), 10)
    taste = chance.integers(0, n_items // _GROUP, (users, 2))[person, chance.integers(0, 2, len(person))]
    own = taste * _GROUP + (_GROUP * chance.random(len(person)) ** 2).astype(np.int64)
    anything = (n_items * chance.random(len(person)) ** 4).astype(np.int64)
    item = np.where(chance.random(len(person)) < 0.7, own, anything)
    return sp.csr_array((np.ones(len(person), np.float32), (person, item)), shape=(users, n_items))


def peak() -> float:
    """Return the most memory that this process has held, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024.0


def held() -> float:
    """Return the memory that this process holds now, in bytes."""
    return float(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * resource.getpagesize()


def main() -> None:
    """Print one row: what fitting took, beside the bound of the docstring."""
    n_items, n_events = int(sys.argv[1]), int(sys.argv[2])
    pt.SANSA(max_pairs=0).fit(pt.Dataset.from_matrix(np.eye(3) + 1))
    data = pt.Dataset.from_matrix(generated(n_items, n_events))
    before, start, used = held(), time.perf_counter(), time.process_time()
    scorer = pt.SANSA(max_pairs=0).fit(data)
    took, cpu = time.perf_counter() - start, time.process_time() - used
    n, m, k = len(scorer.candidates), scorer.facts["predecessors"], 200
    bound = 60.0 * data.matrix.nnz + n * max(64.0 * m, 24.0 * m + 32.0 * k)
    row = {
        "items": n,
        "events": data.matrix.nnz,
        "seconds": round(took, 1),
        "cpu seconds": round(cpu, 1),
        "GB added": round((peak() - before) / 1e9, 2),
        "GB bound": round(bound / 1e9, 2),
        "weights an item": round(len(scorer.w_data) / n, 1),
    }
    print(pl.DataFrame([row]))


if __name__ == "__main__":
    main()
