"""RecTools: calc_metrics over its tables."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse as sp
from rectools import Columns
from rectools.metrics import MAP, MRR, NDCG, HitRate, Precision, Recall, calc_metrics

PACKAGE = "rectools"


def prepare(slates: Any, wanted: sp.csr_matrix, cuts: list[int]) -> tuple[Any, ...]:
    """Return its metrics, slates and interactions."""
    rows, slots = np.nonzero(slates >= 0)
    coo = wanted.tocoo()
    shown = pd.DataFrame({Columns.User: rows, Columns.Item: slates[rows, slots], Columns.Rank: slots + 1})
    asked = pd.DataFrame({Columns.User: coo.row, Columns.Item: coo.col})
    metrics = {
        f"{name}@{k}": kind
        for k in cuts
        for name, kind in (
            ("recall", Recall(k)),
            ("precision", Precision(k)),
            ("hit", HitRate(k)),
            ("ndcg", NDCG(k, divide_by_achievable=True)),
            ("map over all wanted", MAP(k)),
            ("mrr", MRR(k)),
        )
    }
    return metrics, shown, asked


def judge(prepared: tuple[Any, ...]) -> dict[str, float]:
    """Return the means."""
    found: dict[str, float] = calc_metrics(*prepared)
    return found
