"""Cornac: BPR and EASE; ranks one person after the other, so fewer are asked."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp
from cornac.data import Dataset
from cornac.models import BPR, EASE

from peers.worker import Steps

PACKAGE = "cornac"


def prepare(matrix: sp.csr_matrix, job: dict[str, Any]) -> Any:
    """Return its dataset of a list of triples."""
    coo = matrix.tocoo()
    return Dataset.from_uir(list(zip(coo.row.tolist(), coo.col.tolist(), coo.data.tolist(), strict=True)), seed=0)


def bpr(data: Any, job: dict[str, Any]) -> Any:
    """Fit BPR."""
    given = job["settings"]
    model = BPR(k=given["factors"], max_iter=given["epochs"], num_threads=job["threads"], seed=0, verbose=False)
    return model.fit(data)


def ease(data: Any, job: dict[str, Any]) -> Any:
    """Fit EASE."""
    return EASE(lamb=job["settings"]["l2"], posB=False, seed=0, verbose=False).fit(data)


def rank(model: Any, data: Any, users: Any, k: int) -> Any:
    """Return the lists of many people."""
    lists = np.full((len(users), k), -1, np.int32)
    for row, user in enumerate(users.tolist()):
        if user in data.uid_map:
            found = one(model, data, user, k)
            lists[row, : len(found)] = found
    return lists


def one(model: Any, data: Any, user: int, k: int) -> Any:
    """Return one person's list."""
    return model.recommend(user, k=k, remove_seen=True, train_set=data)


MODELS = {
    "bpr": Steps(prepare, bpr, rank, one, most_users=2_000),
    "ease": Steps(prepare, ease, rank, one, most_users=2_000),
}
