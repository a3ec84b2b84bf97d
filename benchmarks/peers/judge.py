"""Slates judged by one library: ``python -m peers.judge job.json figures.npz`` prints what it took as JSON.

Needs the library's own environment. Its adapter is a module ``judge_<name>`` with PACKAGE and two functions:
``prepare(slates, wanted, cuts)`` returns its own form of the slates, ``judge(prepared)`` the means by our names.
"""

from __future__ import annotations

import json
import os
import sys
from importlib import import_module
from importlib.metadata import version
from typing import Any

import numpy as np
import scipy.sparse as sp

from support.measuring import megabytes, spending

WARM = 300
"Users of the first round, so that imports and compilers have done their work."


def main() -> None:
    """Do the job of the file named, and print its figures as the last line."""
    with open(sys.argv[1], encoding="utf-8") as file:
        job = json.load(file)
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: job["threads"]])
    adapter = import_module(f"peers.judge_{job['peer']}")
    slates = np.load(job["slates"], mmap_mode="r")[: job["users"]]
    wanted = sp.csr_matrix(sp.load_npz(job["wanted"]))[: job["users"]]
    cuts = job["cuts"]
    little = adapter.prepare(np.array(slates[:WARM]), wanted[:WARM], cuts)
    adapter.judge(little)
    with spending() as spent:
        prepared = adapter.prepare(np.array(slates), wanted, cuts)
    figures: dict[str, Any] = {"version": version(adapter.PACKAGE), "prepare_seconds": spent.seconds}
    with spending() as spent:
        means = adapter.judge(prepared)
    figures |= {"seconds": spent.seconds, "cpu": spent.cpu_seconds, "mb": spent.megabytes, "peak": megabytes("VmHWM")}
    figures["means"] = {name: float(value) for name, value in means.items()}
    if hasattr(adapter, "sure"):
        with spending() as spent:
            adapter.sure(prepared)
        figures |= {"sure_seconds": spent.seconds, "sure_cpu": spent.cpu_seconds, "sure_peak": megabytes("VmHWM")}
    np.savez(sys.argv[2])
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
