"""How good lists are: one implementation for every library's lists."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp

from penchant.evaluation.metrics import mrr, ndcg, recall


def hits_of(items: Any, wanted: sp.csr_array) -> tuple[Any, Any]:
    """Return bool[n, k], which slots of the lists hold what the user wanted, and int64[n], how many each wanted.

    Users who wanted nothing are left out. ``items`` is int[n, k], one row a row of ``wanted``; -1 is an empty slot.
    """
    counts = np.diff(wanted.indptr)
    width = wanted.shape[1] + 1
    row = np.repeat(np.arange(wanted.shape[0], dtype=np.int64), counts)
    known = np.sort(row * width + wanted.indices)
    asked = np.arange(len(items), dtype=np.int64)[:, None] * width + np.where(items < 0, width - 1, items)
    place = np.searchsorted(known, asked).clip(max=max(len(known) - 1, 0))
    hits = (known[place] == asked) if len(known) else np.zeros(asked.shape, bool)
    return hits[counts > 0], counts[counts > 0].astype(np.int64)


def quality(items: Any, wanted: sp.csr_array) -> dict[str, float]:
    """Return the means over users of recall (hits / test items), NDCG and MRR at the length of the lists."""
    hits, relevant = hits_of(items, wanted)
    k = items.shape[1]
    found = {"recall": recall(hits, relevant), "ndcg": ndcg(hits, relevant), "mrr": mrr(hits, relevant)}
    return {f"{name}@{k}": float(values.mean()) for name, values in found.items()}
