"""LensKit: RunAnalysis over its lists of items."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp
from lenskit.data import ItemList, ItemListCollection
from lenskit.metrics import NDCG, Hit, Precision, Recall, RecipRank, RunAnalysis

PACKAGE = "lenskit"
KINDS = {"recall_capped": Recall, "precision": Precision, "hit": Hit, "ndcg": NDCG, "mrr": RecipRank}


def prepare(slates: Any, wanted: sp.csr_matrix, cuts: list[int]) -> tuple[Any, ...]:
    """Return its analysis, slates and what was wanted."""
    shown, asked = ItemListCollection(["user_id"]), ItemListCollection(["user_id"])
    for user, slate in enumerate(slates):
        shown.add(ItemList(item_ids=slate[slate >= 0], ordered=True), user_id=user)
        items = np.asarray(wanted.indices[wanted.indptr[user] : wanted.indptr[user + 1]])
        asked.add(ItemList(item_ids=items), user_id=user)
    analysis = RunAnalysis()
    for k in cuts:
        for name, kind in KINDS.items():
            analysis.add_metric(kind(k), f"{name}@{k}")
    return analysis, shown, asked


def judge(prepared: tuple[Any, ...]) -> dict[str, float]:
    """Return the means."""
    analysis, shown, asked = prepared
    found: dict[str, float] = analysis.measure(shown, asked).list_summary()["mean"].to_dict()
    return found
