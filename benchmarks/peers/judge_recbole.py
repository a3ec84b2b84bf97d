"""RecBole: its evaluator, given the matrix of hits that its collector makes of scores."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp
import torch
from recbole.evaluator.collector import DataStruct
from recbole.evaluator.evaluator import Evaluator

PACKAGE = "recbole"
NAMES = {"recall": "recall", "precision": "precision", "hit": "hit", "ndcg": "ndcg", "map": "map", "mrr": "mrr"}


def prepare(slates: Any, wanted: sp.csr_matrix, cuts: list[int]) -> tuple[Any, ...]:
    """Return its evaluator and the hits of each slate beside how many items each user wanted."""
    config = {"metrics": list(NAMES.values()), "topk": cuts, "metric_decimal_place": 15}
    counts = np.diff(wanted.indptr)
    keys = np.repeat(np.arange(len(slates), dtype=np.int64), counts) * wanted.shape[1] + wanted.indices
    hits = np.isin(np.arange(len(slates), dtype=np.int64)[:, None] * wanted.shape[1] + slates, keys) & (slates >= 0)
    data = DataStruct()
    data.set("rec.topk", torch.from_numpy(np.column_stack([hits[:, : max(cuts)], counts]).astype(np.int32)))
    return Evaluator(config), data


def judge(prepared: tuple[Any, ...]) -> dict[str, float]:
    """Return the means."""
    evaluator, data = prepared
    found: dict[str, float] = evaluator.evaluate(data)
    return found
