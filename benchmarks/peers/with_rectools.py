"""RecTools: EASE."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse as sp
from rectools import Columns
from rectools.dataset import Dataset
from rectools.models import EASEModel

from peers.worker import Steps

PACKAGE = "rectools"


def prepare(matrix: sp.csr_matrix, job: dict[str, Any]) -> Any:
    """Return its dataset of a table of pairs."""
    coo = matrix.tocoo()
    frame = pd.DataFrame({Columns.User: coo.row, Columns.Item: coo.col, Columns.Weight: 1.0})
    return Dataset.construct(frame.assign(**{Columns.Datetime: pd.Timestamp("2024-01-01")}))


def fit(data: Any, job: dict[str, Any]) -> Any:
    """Fit EASE."""
    return EASEModel(regularization=job["settings"]["l2"], recommend_n_threads=job["threads"]).fit(data)


def rank(model: Any, data: Any, users: Any, k: int) -> Any:
    """Return the lists of many people."""
    known = users[np.isin(users, data.user_id_map.external_ids)]
    table = model.recommend(known, data, k=k, filter_viewed=True)
    lists = np.full((len(users), k), -1, np.int32)
    place = pd.Series(np.arange(len(users)), index=users)
    lists[place[table[Columns.User]].to_numpy(), table[Columns.Rank].to_numpy() - 1] = table[Columns.Item]
    return lists


def one(model: Any, data: Any, user: int, k: int) -> Any:
    """Return one person's list."""
    return model.recommend([user], data, k=k, filter_viewed=True)


MODELS = {"ease": Steps(prepare, fit, rank, one)}
