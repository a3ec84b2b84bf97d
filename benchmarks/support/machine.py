"""What the figures were measured on."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path


def machine(packages: Sequence[str] = ("penchant", "numpy", "numba", "polars")) -> str:
    """Return the processor, the number of cores this process may use, and the versions that matter."""
    cpu = Path("/proc/cpuinfo")
    lines = cpu.read_text(encoding="utf-8").splitlines() if cpu.exists() else []
    model = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())
    named = ", ".join(f"{name} {version(name)}" for name in packages)
    return f"{model}, {len(os.sched_getaffinity(0))} cores; Python {platform.python_version()}, {named}"
