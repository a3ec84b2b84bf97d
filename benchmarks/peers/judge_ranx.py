"""ranx: its tables of judgements and of a run, made from frames."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse as sp
from ranx import Qrels, Run, evaluate

PACKAGE = "ranx"
NAMES = {"recall": "recall", "precision": "precision", "hit": "hit_rate", "ndcg": "ndcg", "map": "map", "mrr": "mrr"}


def prepare(slates: Any, wanted: sp.csr_matrix, cuts: list[int]) -> tuple[Any, ...]:
    """Return its judgements and its run; ids are texts."""
    n, k = slates.shape
    users = np.char.zfill(np.arange(n).astype(str), 8)
    coo = wanted.tocoo()
    asked = pd.DataFrame({"q_id": users[coo.row], "doc_id": coo.col.astype(str), "score": 1})
    rows, slots = np.nonzero(slates >= 0)
    shown = pd.DataFrame({"q_id": users[rows], "doc_id": slates[rows, slots].astype(str), "score": (k - slots) * 1.0})
    names = [f"{name}@{cut}" for name in NAMES.values() for cut in cuts]
    return Qrels.from_df(asked), Run.from_df(shown), names


def judge(prepared: tuple[Any, ...]) -> dict[str, float]:
    """Return the means; its MAP divides by all that is wanted, which is not our MAP, and is left out of the check."""
    found = evaluate(*prepared)
    ours = {theirs: name for name, theirs in NAMES.items()} | {"map": "map over all wanted"}
    return {f"{ours[name.split('@')[0]]}@{name.split('@')[1]}": value for name, value in found.items()}
