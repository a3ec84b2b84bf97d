"""implicit: one BLAS thread, as it asks for, and its own threads for the rest; batches of 1,000 people."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp
from implicit.als import AlternatingLeastSquares
from implicit.bpr import BayesianPersonalizedRanking
from implicit.nearest_neighbours import CosineRecommender

from peers.worker import Steps

PACKAGE = "implicit"
BATCH = 1000


def prepare(matrix: sp.csr_matrix, job: dict[str, Any]) -> sp.csr_matrix:
    """Return the users x items matrix, which is what it takes."""
    return matrix


def als(matrix: sp.csr_matrix, job: dict[str, Any]) -> Any:
    """Fit ALS by conjugate gradients."""
    given = job["settings"]
    model = AlternatingLeastSquares(
        factors=given["factors"],
        regularization=given["l2"],
        alpha=given["alpha"],
        iterations=given["epochs"],
        use_cg=True,
        num_threads=job["threads"],
        random_state=0,
    )
    model.fit(matrix, show_progress=False)
    return model


def knn(matrix: sp.csr_matrix, job: dict[str, Any]) -> Any:
    """Fit cosine neighbours."""
    model = CosineRecommender(K=job["settings"]["k"], num_threads=job["threads"])
    model.fit(matrix, show_progress=False)
    return model


def bpr(matrix: sp.csr_matrix, job: dict[str, Any]) -> Any:
    """Fit BPR."""
    given = job["settings"]
    model = BayesianPersonalizedRanking(
        factors=given["factors"], iterations=given["epochs"], num_threads=job["threads"], random_state=0
    )
    model.fit(matrix, show_progress=False)
    return model


def rank(model: Any, matrix: sp.csr_matrix, users: Any, k: int) -> Any:
    """Return the lists of many people from their vectors as trained."""
    parts = []
    for start in range(0, len(users), BATCH):
        part = users[start : start + BATCH]
        parts.append(model.recommend(part, matrix[part], N=k, filter_already_liked_items=True)[0])
    return np.concatenate(parts)


def one(model: Any, matrix: sp.csr_matrix, user: int, k: int) -> Any:
    """Return one person's list from a history it is given: a factorization folds it in, as ours does."""
    return model.recommend(user, matrix[user], N=k, recalculate_user=True)


def item_factors(model: Any, matrix: sp.csr_matrix, job: dict[str, Any]) -> dict[str, Any]:
    """Return the item vectors, from which the loss is computed."""
    return {"item_factors": np.asarray(model.item_factors, np.float32)}


MODELS = {
    "ials": Steps(prepare, als, rank, one, extra=item_factors),
    "item-knn": Steps(prepare, knn, rank, one),
    "bpr": Steps(prepare, bpr, rank),
}
