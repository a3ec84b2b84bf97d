"""Seconds and memory of one process. Runs in every library's environment, so that nothing but Python is needed."""

from __future__ import annotations

import contextlib
import resource
import time
from collections.abc import Iterator
from pathlib import Path

STATUS, RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


class Spent:
    """What a block of code took."""

    seconds: float = 0.0
    cpu_seconds: float = 0.0
    megabytes: float = 0.0


@contextlib.contextmanager
def spending() -> Iterator[Spent]:
    """Measure wall time, processor time, and how far resident memory rose above where it was, at its peak."""
    spent, before = Spent(), megabytes("VmRSS")
    with contextlib.suppress(OSError):
        RESET.write_text("5", encoding="ascii")  # lets the kernel start the peak anew
    wall, cpu = time.perf_counter(), time.process_time()
    try:
        yield spent
    finally:
        spent.seconds, spent.cpu_seconds = time.perf_counter() - wall, time.process_time() - cpu
        spent.megabytes = max(0.0, megabytes("VmHWM") - before)


def megabytes(field: str) -> float:
    """Return a memory figure of this process: VmRSS now, or VmHWM at its peak."""
    if STATUS.exists():
        for line in STATUS.read_text(encoding="ascii").splitlines():
            if line.startswith(field + ":"):
                return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
