"""First calls are slow: pages come from the disk, kernels from their cache. They are made before anybody waits."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import numpy as np

from penchant.core.nouns import History, Query
from penchant.engine.recommending import Model
from penchant.models.state import STATE
from penchant.trust.access import SYSTEM
from penchant.trust.gate import Gate
from penchant.trust.purpose import Purpose

__all__ = ["ahead", "warm"]

_LENGTHS = (0, 1, 20)
"Entries of the histories that are asked with."

_DAY = 86_400_000_000


def ahead(place: Path) -> int:
    """Ask the system to read the arrays of a bundle into memory, without waiting; return how many files that is.

    The counts that models keep for forgetting are left out: no answer needs them.

    >>> ahead(Path("no such directory"))
    0
    """
    files = [path for path in place.rglob("*.npy") if not path.name.startswith(STATE)]
    for path in files:
        handle = os.open(path, os.O_RDONLY)
        try:
            if hasattr(os, "posix_fadvise"):
                os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_WILLNEED)
        finally:
            os.close(handle)
    return len(files)


def warm(model: Model, gate: Gate) -> int:
    """Ask every placement a few questions on nobody's behalf, and the store one; return how many slates were made.

    >>> from penchant.testing import shop
    >>> with shop() as engine:
    ...     warm(engine.models.current(), engine.gate)
    12
    """
    gate.history(SYSTEM, Purpose.PERSONALIZE, "nobody in particular", 1)
    made = 0
    for name, chain in model.pipelines.items():
        source = chain.blend or chain.fallback
        for history in _histories(len(model.bundle.items)):
            query = Query(10, name, history, datetime(2000, 1, 1))
            if source is not None:
                chain.rank(query, chain.found(source, query))
                made += 1
    return made


def _histories(n_items: int) -> Iterator[History]:
    """Yield made-up histories that lie all over the vocabulary, an entry a day."""
    for length in _LENGTHS:
        items = np.unique(np.linspace(0, max(n_items - 1, 0), length).astype(np.int32))
        yield History.of(items, [1.0] * len(items), [_DAY * day for day in range(len(items))], ("view",) * len(items))
