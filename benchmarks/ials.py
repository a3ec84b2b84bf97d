"""Measures how long IALS takes to the training loss of implicit's conjugate gradients, on the same data and threads.

Run it as ``python benchmarks/ials.py``; it needs ``pip install implicit``. ``--sizes 1M,5M,20M`` chooses the data and
``--factors 64,128`` the vectors. Every fit is a process of its own, and the two libraries take turns. The matrix holds
counts r; the confidence of a pair is 1 + r where r > 0, and 1 elsewhere, so implicit is given 1 + r.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

THREADS = 2
SIZES = {"1M": (20_000, 8_000, 1_000_000), "5M": (60_000, 15_000, 5_000_000), "20M": (140_000, 27_000, 20_000_000)}
EPOCHS = (3, 4, 5, 6, 7, 8, 10, 12, 15, 20, 30)
L2 = 0.01


def main() -> None:
    """Print the table."""
    asked = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    asked.add_argument("--sizes", default="1M,5M,20M")
    asked.add_argument("--factors", default="64,128")
    asked.add_argument("--repeats", type=int, default=3)
    asked.add_argument("--child", nargs=4, help=argparse.SUPPRESS)
    given = asked.parse_args()
    if given.child:
        library, path, factors, epochs = given.child
        print(json.dumps(fit(library, path, int(factors), int(epochs))))
        return
    print(about())
    with tempfile.TemporaryDirectory() as folder:
        print(f"Compiling, once per machine: {compiling(folder):.1f} cpu s.\n")
        print(
            "| data | stored pairs | factors | implicit s (cpu s) | loss | Penchant s (cpu s) | epochs | loss "
            "| ratio of s (cpu) | memory, implicit / Penchant MB |"
        )
        print("|---|---|---|---|---|---|---|---|---|---|")
        for size in given.sizes.split(","):
            path = str(Path(folder, f"{size}.npz"))
            write(path, *SIZES[size])
            for factors in given.factors.split(","):
                print(line(size, path, factors, given.repeats), flush=True)


def about() -> str:
    """Return the machine, the threads and the versions."""
    cpu = Path("/proc/cpuinfo")
    lines = cpu.read_text(encoding="utf-8").splitlines() if cpu.exists() else []
    model = next((text.split(":", 1)[1].strip() for text in lines if text.startswith("model name")), platform.machine())
    packages = ", ".join(f"{name} {version(name)}" for name in ("penchant", "implicit", "numba", "numpy", "scipy"))
    return f"{model}, {THREADS} threads; Python {platform.python_version()}, {packages}\n"


def write(path: str, n_users: int, n_items: int, n_events: int) -> None:
    """Write a matrix of counts: power-law items in topics, people with four topics each and activity of their own."""
    import numpy as np
    import scipy.sparse as sp

    rng, topics = np.random.default_rng(0), 50
    share = rng.permutation(1.0 / np.arange(1, n_items + 1) ** 0.8)
    order = np.argsort(topic := rng.integers(0, topics, n_items), kind="stable")
    edges = np.concatenate([[0.0], np.cumsum(share[order])])
    first = np.concatenate([[0], np.cumsum(np.bincount(topic, minlength=topics))])
    activity = rng.lognormal(0.0, 1.0, n_users)
    user = np.repeat(np.arange(n_users), rng.multinomial(n_events, activity / activity.sum()))
    own = rng.integers(0, topics, (n_users, 4))[user, np.minimum(rng.geometric(0.5, len(user)) - 1, 3)]
    anything = rng.random(len(user)) < 0.2
    low = np.where(anything, 0.0, edges[first[own]])
    high = np.where(anything, edges[-1], edges[first[own + 1]])
    place = np.searchsorted(edges[1:], low + rng.random(len(user)) * (high - low), "right")
    column = order[np.minimum(place, n_items - 1)]
    matrix = sp.coo_array((np.ones(len(user), np.float32), (user, column)), shape=(n_users, n_items)).tocsr()
    matrix.sort_indices()
    sp.save_npz(path, matrix, compressed=False)


def compiling(folder: str) -> float:
    """Return the processor seconds that the first fit takes longer than the second, with an empty cache."""
    path = str(Path(folder, "tiny.npz"))
    write(path, 100, 50, 1000)
    cache = {"NUMBA_CACHE_DIR": str(Path(folder, "cache"))}
    cold, warm = (child("penchant", path, "64", 1, cache)["first"] for _ in range(2))
    return float(cold - warm)


def line(size: str, path: str, factors: str, repeats: int) -> str:
    """Return one line of the table."""
    goal = child("implicit", path, factors, 15)["loss"]
    epochs = next((n for n in EPOCHS if child("penchant", path, factors, n)["loss"] <= goal), EPOCHS[-1])
    theirs, ours = [], []
    for _ in range(repeats):
        theirs.append(child("implicit", path, factors, 15))
        ours.append(child("penchant", path, factors, epochs))
    t, o = ({key: median(run[key] for run in runs) for key in runs[0]} for runs in (theirs, ours))
    return (
        f"| {size} | {o['pairs']:,} | {factors} | {t['wall']:.2f} ({t['cpu']:.2f}) | {goal:.6g} "
        f"| {o['wall']:.2f} ({o['cpu']:.2f}) | {epochs} | {o['loss']:.6g} "
        f"| {t['wall'] / o['wall']:.1f} ({t['cpu'] / o['cpu']:.1f}) | {t['peak']:.0f} / {o['peak']:.0f} |"
    )


def child(library: str, path: str, factors: str, epochs: int, more: dict[str, str] | None = None) -> dict[str, float]:
    """Return what a fit in a process of its own measured."""
    command = [sys.executable, __file__, "--child", library, path, factors, str(epochs)]
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1" if library == "implicit" else str(THREADS)} | (more or {})
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def fit(library: str, path: str, factors: int, epochs: int) -> dict[str, float]:
    """Fit once, after a fit on a hundred rows that compiles or loads what is needed."""
    import numpy as np
    import scipy.sparse as sp

    from penchant import IALS
    from penchant.core.executor import LocalExecutor

    matrix = sp.load_npz(path)
    objective = IALS(factors=factors, l2=L2, alpha=1.0, unobserved=1.0, frequency_scaling=0.0, epochs=epochs)
    executor = LocalExecutor(THREADS)

    def penchant(data: Any) -> Any:
        return objective.train(data, np.random.default_rng(0), executor)

    def implicit(data: Any) -> Any:
        from implicit.als import AlternatingLeastSquares

        peer = AlternatingLeastSquares(
            factors, regularization=L2, alpha=1.0, use_cg=True, iterations=epochs, num_threads=THREADS, random_state=0
        )
        peer.fit(data, show_progress=False)
        return peer.user_factors, peer.item_factors

    run = {"penchant": penchant, "implicit": implicit}[library]
    given = (
        matrix
        if library == "penchant"
        else sp.csr_matrix((1 + matrix.data, matrix.indices, matrix.indptr), matrix.shape)
    )
    start = time.process_time()
    run(given[:100])
    first = time.process_time() - start
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start, spent = time.perf_counter(), time.process_time()
    users, items = run(given)
    wall, cpu = time.perf_counter() - start, time.process_time() - spent
    peak = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    loss = objective.loss(matrix, users, items, executor)
    return {"wall": wall, "cpu": cpu, "first": first, "peak": peak, "loss": loss, "pairs": matrix.nnz}


if __name__ == "__main__":
    main()
