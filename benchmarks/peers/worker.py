"""One measurement in one process: ``python -m peers.worker job.json lists.npz`` prints what it took as JSON.

Needs the library's own environment, with nothing else than NumPy and SciPy beside it. The adapter of a library is a
module ``with_<name>`` with a table MODELS: for each model a :class:`Steps`.
"""

from __future__ import annotations

import json
import os
import sys
import time
from importlib import import_module
from importlib.metadata import version
from typing import Any

import numpy as np
import scipy.sparse as sp

from support.measuring import spending

WARM_ROWS = 300
"People of the little set that is fitted first, so that imports and compilers have done their work."


def main() -> None:
    """Do the job of the file named, and print its figures as the last line."""
    with open(sys.argv[1], encoding="utf-8") as file:
        job = json.load(file)
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: job["threads"]])
    adapter = import_module(f"peers.with_{job['peer']}")
    steps = adapter.MODELS[job["model"]]
    matrix = sp.csr_matrix(sp.load_npz(job["data"]))
    figures: dict[str, Any] = {"version": version(adapter.PACKAGE), "threads": job["threads"]}
    warm = time.perf_counter()
    little = matrix[:WARM_ROWS]
    _rehearse(steps, little, job, np.arange(2))
    figures["first_seconds"] = time.perf_counter() - warm
    prepared = _prepared(steps, matrix, job, figures)
    with spending() as spent:
        model = steps.fit(prepared, job)
    figures |= {"fit_seconds": spent.seconds, "fit_cpu": spent.cpu_seconds, "fit_mb": spent.megabytes}
    users = np.load(job["users"])[: steps.most_users]
    with spending() as spent:
        lists = np.asarray(steps.rank(model, prepared, users, job["k"]), np.int32)
    figures |= {"users_per_second": len(users) / spent.seconds, "rank_mb": spent.megabytes}
    figures["single_ms"] = _single(steps, model, prepared, users[: job["singles"]])
    extra = steps.extra(model, prepared, job) if steps.extra else {}
    figures |= {name: value for name, value in extra.items() if not isinstance(value, np.ndarray)}
    np.savez(sys.argv[2], lists=lists, **{n: v for n, v in extra.items() if isinstance(v, np.ndarray)})
    print(json.dumps(figures))


class Steps:
    """How one library does one model: prepare its own form of the data, fit, rank many, rank for one."""

    def __init__(self, prepare: Any, fit: Any, rank: Any, one: Any = None, **more: Any) -> None:
        self.prepare, self.fit, self.rank, self.one = prepare, fit, rank, one
        self.extra = more.get("extra")
        self.most_users: int = more.get("most_users", 20_000)


def _prepared(steps: Steps, matrix: sp.csr_matrix, job: dict[str, Any], figures: dict[str, Any]) -> Any:
    """Return the library's own form of the data; how long that took is told apart from fitting."""
    with spending() as spent:
        prepared = steps.prepare(matrix, job)
    figures |= {"prepare_seconds": spent.seconds, "prepare_mb": spent.megabytes}
    return prepared


def _rehearse(steps: Steps, matrix: sp.csr_matrix, job: dict[str, Any], users: Any) -> None:
    """Go once through everything with a little data."""
    prepared = steps.prepare(matrix, job)
    model = steps.fit(prepared, job)
    steps.rank(model, prepared, users, job["k"])
    if steps.one:
        steps.one(model, prepared, int(users[0]), job["k"])


def _single(steps: Steps, model: Any, prepared: Any, users: Any) -> float | None:
    """Return the median milliseconds of a single request for ten items."""
    if not steps.one or not len(users):
        return None
    taken = []
    for user in users.tolist():
        start = time.perf_counter()
        steps.one(model, prepared, user, 10)
        taken.append(time.perf_counter() - start)
    return float(np.median(taken)) * 1000


if __name__ == "__main__":
    main()
