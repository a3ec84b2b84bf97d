"""Environments of the other libraries: one each, apart from ours, made once and kept."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

TORCH = "torch==2.13.0"
"Installed first and by this version, so that whoever needs it takes the build that is here."


class Peer(NamedTuple):
    """A library to compare with."""

    install: tuple[tuple[str, ...], ...]
    "What pip installs, in turn."
    variables: dict[str, str]
    "Environment variables it asks for or is fastest with."


PEERS = {
    "implicit": Peer((("implicit==0.7.3",),), {"OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}),
    "lenskit": Peer(((TORCH,), ("lenskit",)), {"LK_NUM_PROCS": "1"}),
    "rectools": Peer((("rectools",),), {}),
    "recbole": Peer(((TORCH,), ("recbole", "numpy<2", "pandas<3", "setuptools<81")), {}),
    "cornac": Peer((("cornac",),), {}),
    "ranx": Peer((("ranx==0.3.21",),), {}),
}
THREADS = ("OMP", "OPENBLAS", "MKL", "NUMBA", "RAYON", "LK", "LK_NUM_BACKEND")


class Unavailable(Exception):
    """A library cannot be installed here."""


def folder() -> Path:
    """Return where environments and data sets are kept: PENCHANT_BENCH, or a folder of the user's cache."""
    given = os.environ.get("PENCHANT_BENCH")
    return Path(given) if given else Path.home() / ".cache" / "penchant-benchmarks"


def python_of(name: str) -> Path:
    """Return the Python of a library's environment, made and filled when it is not there; ours for penchant.

    Raises:
        Unavailable: it cannot be installed; the text says why.
    """
    if name == "penchant":
        return Path(sys.executable)
    home = folder() / name
    python, stamp, wanted = home / "bin" / "python", home / "installed.txt", repr(PEERS[name].install)
    if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return python
    home.parent.mkdir(parents=True, exist_ok=True)
    print(f"installing {name} into {home} ...", file=sys.stderr, flush=True)
    if not python.exists():
        _run(sys.executable, "-m", "venv", str(home))
    for packages in PEERS[name].install:
        _run(str(python), "-m", "pip", "install", "--quiet", *packages)
    stamp.write_text(wanted, encoding="utf-8")
    return python


def variables(name: str, threads: int) -> dict[str, str]:
    """Return the environment of a measurement: the same number of threads for all, and what a library asks for."""
    own = {f"{prefix}{'' if prefix.endswith('BACKEND') else '_NUM'}_THREADS": str(threads) for prefix in THREADS}
    asked = {} if name == "penchant" else PEERS[name].variables
    path = str(Path(__file__).parents[1])
    return os.environ | own | asked | {"PYTHONPATH": path, "TQDM_DISABLE": "1", "PYTHONWARNINGS": "ignore"}


def _run(*command: str) -> None:
    ran = subprocess.run(command, check=False, capture_output=True, text=True)
    if ran.returncode:
        lines = [line for line in (ran.stderr + ran.stdout).splitlines() if line.strip() and "WARNING" not in line]
        raise Unavailable(lines[-1] if lines else f"{command[0]} ended with {ran.returncode}")
