"""Measurements in processes of their own."""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from support.environments import python_of, variables


class Failed(Exception):
    """A measurement gave no figures."""


def measured(job: dict[str, Any], limit: float, module: str = "peers.worker") -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the figures and the arrays of one job of a worker, done by ``job["peer"]`` in its environment.

    Raises:
        Failed: it ended with an error, or took longer than ``limit`` seconds.
        Unavailable: the library cannot be installed.
    """
    with tempfile.TemporaryDirectory() as folder:
        given, lists = Path(folder, "job.json"), Path(folder, "lists.npz")
        given.write_text(json.dumps(job), encoding="utf-8")
        command = [str(python_of(job["peer"])), "-m", module, str(given), str(lists)]
        printed = run(command, variables(job["peer"], job["threads"]), limit)
        with np.load(lists) as arrays:
            return json.loads(printed.splitlines()[-1]), dict(arrays)


def run(command: list[str], environment: dict[str, str], limit: float) -> str:
    """Return what a command prints.

    Raises:
        Failed: it ended with an error or took longer than ``limit`` seconds; the text is its last line.
    """
    try:
        ran = subprocess.run(command, env=environment, check=False, capture_output=True, text=True, timeout=limit)
    except subprocess.TimeoutExpired as error:
        raise Failed(f"took more than {limit:.0f} s") from error
    if ran.returncode:
        said = ran.stderr.strip().splitlines()
        raise Failed(said[-1][:200] if said else f"ended with {ran.returncode}")
    return ran.stdout
