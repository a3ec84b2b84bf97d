"""LensKit: its own pipelines, threads by its own variables; ranks one person after the other, so fewer are asked."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse as sp
from lenskit import batch, operations
from lenskit.als import ImplicitMFScorer
from lenskit.data import from_interactions_df
from lenskit.knn import EASEScorer, ItemKNNScorer, SLIMScorer
from lenskit.pipeline import topn_pipeline

from peers.worker import Steps

PACKAGE = "lenskit"


def prepare(matrix: sp.csr_matrix, job: dict[str, Any]) -> Any:
    """Return its dataset of a table of pairs."""
    coo = matrix.tocoo()
    frame = pd.DataFrame({"user_id": coo.row.astype(np.int64), "item_id": coo.col.astype(np.int64)})
    return from_interactions_df(frame)


def _fitting(scorer: Any, config: Any) -> Any:
    def fit(data: Any, job: dict[str, Any]) -> Any:
        pipeline = topn_pipeline(scorer(**config(job["settings"])))
        pipeline.train(data)
        return pipeline

    return fit


def rank(pipeline: Any, data: Any, users: Any, k: int) -> Any:
    """Return the lists of many people."""
    known = set(data.users.ids().tolist())
    asked = [int(user) for user in users if int(user) in known]
    found = batch.recommend(pipeline, asked, n=k, n_jobs=1)
    lists = np.full((len(users), k), -1, np.int32)
    place = {int(user): row for row, user in enumerate(users)}
    for key, items in found:
        ids = items.ids()[:k]
        lists[place[int(key.user_id)], : len(ids)] = ids
    return lists


def one(pipeline: Any, data: Any, user: int, k: int) -> Any:
    """Return one person's list."""
    return operations.recommend(pipeline, user, n=k)


def als(settings: dict[str, Any]) -> dict[str, Any]:
    """Return its names of the settings of ALS; its confidence is 1 + weight."""
    return {
        "embedding_size": settings["factors"],
        "epochs": settings["epochs"],
        "regularization": settings["l2"],
        "weight": settings["alpha"],
    }


def knn(settings: dict[str, Any]) -> dict[str, Any]:
    """Return its names of the settings of item neighbours."""
    return {"max_nbrs": settings["k"], "save_nbrs": settings["k"], "feedback": "implicit"}


def ease(settings: dict[str, Any]) -> dict[str, Any]:
    """Return its names of the settings of EASE."""
    return {"regularization": settings["l2"]}


def slim(settings: dict[str, Any]) -> dict[str, Any]:
    """Return its names of the settings of SLIM."""
    return {"l1_reg": settings["l1"], "l2_reg": settings["l2"], "max_iters": settings["epochs"]}


def _steps(scorer: Any, config: Any) -> Steps:
    return Steps(prepare, _fitting(scorer, config), rank, one, most_users=2_000)


MODELS = {
    "ials": _steps(ImplicitMFScorer, als),
    "item-knn": _steps(ItemKNNScorer, knn),
    "ease": _steps(EASEScorer, ease),
    "slim": _steps(SLIMScorer, slim),
}
